/* The open files of a model, and fingerprints: of the bytes, not of their names; another one with another byte, another
 * adapter or another order of adapters. */
#include "lm/lm_file.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "lm/tiny_gguf.h"

static char paths[3][64];

static void setup(void)
{
    if (!lm_is_built())
        cr_skip_test("no llama.cpp");
    for (int i = 0; i < 3; i++) {
        snprintf(paths[i], sizeof(paths[i]), "/tmp/leeroo_file_%d_%d.gguf", (int)getpid(), i);
        tiny_gguf_write(paths[i], i ? TINY_LORA : TINY_LLAMA, (uint64_t)i);
    }
}

static void teardown(void)
{
    for (int i = 0; i < 3; i++)
        unlink(paths[i]);
}

TestSuite(lm_file, .init = setup, .fini = teardown);

static void fingerprint(const char *first, const char *second, char ret[LM_FINGERPRINT_BYTES])
{
    const char *loras[] = {first, second};
    struct lm_options o = {.loras = loras, .lora_count = (first != NULL) + (second != NULL)};
    struct lm_files f;
    struct error err;
    cr_assert_eq(lm_files_open(paths[0], &o, &f, &err), OK, "%s", err.text);
    memcpy(ret, f.fingerprint, LM_FINGERPRINT_BYTES);
    lm_files_close(&f);
}

Test(lm_file, fingerprints_are_of_bytes_and_of_adapters_in_their_order)
{
    char plain[LM_FINGERPRINT_BYTES], again[LM_FINGERPRINT_BYTES], one[LM_FINGERPRINT_BYTES];
    char both[LM_FINGERPRINT_BYTES], turned[LM_FINGERPRINT_BYTES], changed[LM_FINGERPRINT_BYTES];
    fingerprint(NULL, NULL, plain);
    fingerprint(paths[1], NULL, one);
    fingerprint(paths[1], paths[2], both);
    fingerprint(paths[2], paths[1], turned);
    cr_expect_eq(strlen(plain), 64);
    cr_expect_neq(strcmp(plain, one), 0);
    cr_expect_neq(strcmp(one, both), 0);
    cr_expect_neq(strcmp(both, turned), 0);

    char command[160];
    FILE *sum;
    snprintf(command, sizeof(command), "sha256sum %s", paths[0]);
    cr_assert_not_null(sum = popen(command, "r"));
    cr_assert_not_null(fgets(again, sizeof(again), sum));
    pclose(sum);
    cr_expect_str_eq(plain, again);

    FILE *f = fopen(paths[0], "r+b");
    fseek(f, -100, SEEK_END);
    int byte = fgetc(f);
    fseek(f, -1, SEEK_CUR);
    fputc(byte ^ 1, f);
    fclose(f);
    fingerprint(NULL, NULL, changed);
    cr_expect_neq(strcmp(plain, changed), 0);
}

Test(lm_file, an_adapter_is_no_model_and_a_model_no_adapter)
{
    struct lm_files f;
    struct error err;
    const char *loras[] = {paths[0]};
    struct lm_options o = {.loras = loras, .lora_count = 1}, none = {0};
    cr_expect_eq(lm_files_open(paths[1], &none, &f, &err), ERR_CORRUPT);
    cr_expect(strstr(err.text, paths[1]) && strstr(err.text, "an adapter"), "%s", err.text);
    cr_expect_eq(lm_files_open(paths[0], &o, &f, &err), ERR_CORRUPT);
    cr_expect(strstr(err.text, "no adapter"), "%s", err.text);
    cr_expect_eq(lm_files_open("/nowhere/x.gguf", &none, &f, &err), ERR_NOT_FOUND);
}

Test(lm_file, the_open_file_stays_the_same_when_its_name_gets_another)
{
    struct lm_files f;
    struct error err;
    struct digest before, after;
    cr_assert_eq(lm_files_open(paths[0], &(struct lm_options){0}, &f, &err), OK, "%s", err.text);
    cr_assert_eq(digest_sha256_file(f.model.fd, &before, NULL), OK);
    cr_assert_eq(rename(paths[1], paths[0]), 0);
    FILE *by_fd = fopen(f.model.fd_path, "rb");
    cr_assert_not_null(by_fd);
    cr_assert_eq(digest_sha256_file(fileno(by_fd), &after, NULL), OK);
    fclose(by_fd);
    cr_expect(digest_equal(&before, &after));
    lm_files_close(&f);
}
