/* Files that are damaged in every way: whatever llama.cpp does in the process that tries them, this one goes on and has
 * a sentence for whoever asked. What is good is told from what is not, and is tried once. */
#include "lm/lm_try.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "lm/tiny_gguf.h"

static char path[64];

static int be_tried(int argc, char **argv)
{
    if (getenv("LEEROO_CANARY"))
        return 1;
    struct error err = {0};
    enum status status = lm_try_files(argc - 2, argv + 2, &err);
    dprintf(2, "%s\n", err.text);
    return status == OK ? 0 : LM_TRY_EXIT + (int)status;
}

/* This program is the one in whose processes files are tried, too. Not before main: a static llama.cpp has tables that
 * constructors fill. */
int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], LM_TRY_COMMAND) == 0)
        return be_tried(argc, argv);
    struct criterion_test_set *tests = criterion_initialize();
    int failed = criterion_handle_args(argc, argv, true) && !criterion_run_all_tests(tests);
    criterion_finalize(tests);
    return failed;
}

static void setup(void)
{
    if (!lm_is_built())
        cr_skip_test("no llama.cpp");
    snprintf(path, sizeof(path), "/tmp/leeroo_try_%d.gguf", (int)getpid());
    lm_try_by("/proc/self/exe");
}

static void teardown(void)
{
    unlink(path);
}

TestSuite(lm_try, .init = setup, .fini = teardown);

static enum status load_once(struct error *err)
{
    struct lm *lm = NULL;
    enum status status = lm_load(path, NULL, &lm, err);
    cr_expect_eq(status == OK, lm != NULL);
    lm_free(lm);
    return status;
}

/* Overwrites the bytes that follow the first `after`. */
static void patch(const char *after, size_t skip, const void *with, size_t len)
{
    static char bytes[1 << 20];
    FILE *f = fopen(path, "r+b");
    size_t n = fread(bytes, 1, sizeof(bytes), f);
    char *at = memmem(bytes, n, after, strlen(after));
    cr_assert_not_null(at, "%s", after);
    fseek(f, (long)(at - bytes) + (long)(strlen(after) + skip), SEEK_SET);
    fwrite(with, 1, len, f);
    fclose(f);
}

Test(lm_try, good_files_are_read)
{
    struct error err;
    tiny_gguf_write(path, TINY_LLAMA, 1);
    cr_expect_eq(load_once(&err), OK, "%s", err.text);
    tiny_gguf_write(path, TINY_BERT, 1);
    cr_expect_eq(load_once(&err), OK, "%s", err.text);
}

Test(lm_try, the_process_that_tries_has_nothing_of_the_environment)
{
    struct error err;
    tiny_gguf_write(path, TINY_LLAMA, 8);
    setenv("LEEROO_CANARY", "sk-secret", 1);
    cr_expect_eq(load_once(&err), OK, "%s", err.text);
}

Test(lm_try, a_program_that_is_not_there_is_said)
{
    struct error err;
    tiny_gguf_write(path, TINY_LLAMA, 2);
    lm_try_by("/nowhere/leeroo");
    cr_expect_eq(load_once(&err), ERR_IO);
    cr_expect(strstr(err.text, "/nowhere/leeroo"), "%s", err.text);
    lm_try_by("/bin/false");
    cr_expect_eq(load_once(&err), ERR_CORRUPT);
}

Test(lm_try, an_unknown_architecture_is_named)
{
    struct error err;
    tiny_gguf_write(path, TINY_LLAMA, 3);
    patch("general.architecture", 4 + 8, "lhama", 5);
    cr_expect_eq(load_once(&err), ERR_UNSUPPORTED);
    cr_expect(strstr(err.text, path) && strstr(err.text, "lhama"), "%s", err.text);
}

/* It passes every check in front: llama.cpp divides by it, or asserts that nobody would say so. */
Test(lm_try, what_ends_llama_cpp_is_refused_with_its_last_words_and_remembered)
{
    struct error err;
    uint32_t heads = 1;
    tiny_gguf_write(path, TINY_LLAMA, 4);
    patch("llama.attention.head_count", 4, &heads, 4);
    uint32_t rope = 31;
    patch("llama.rope.dimension_count", 4, &rope, 4);
    enum status first = load_once(&err);
    cr_expect_neq(first, OK);
    cr_expect(strstr(err.text, path), "%s", err.text);
    char said[sizeof(err.text)];
    strcpy(said, err.text);
    if (first == ERR_CORRUPT) { /* remembered: nobody is asked again */
        lm_try_by("/nowhere/leeroo");
        cr_expect_eq(load_once(&err), ERR_CORRUPT);
        cr_expect_str_eq(err.text, said);
    }
}

/* Numbers of the head, which stay within its limits and are no model's. */
static void set_number(struct rng *rng, char *bytes, size_t len)
{
    static const char *const names[] = {
        ".context_length",       ".embedding_length",     ".block_count",
        ".feed_forward_length",  ".attention.head_count", ".rope.dimension_count",
        ".pooling_type",         "ggml.bos_token_id",     "ggml.eos_token_id",
        "token_type_count",      "ggml.unknown_token_id", "ggml.seperator_token_id",
        "ggml.padding_token_id", "ggml.cls_token_id",     "layer_norm_rms_epsilon",
        "layer_norm_epsilon",
    };
    static const uint32_t odd[] = {0, 1, 3, 5, 8, 16, 31, 33, 48, 63, 65, 260, 512, 1000, 4095};
    const char *name = names[rng_below(rng, sizeof(names) / sizeof(*names))];
    char *at = memmem(bytes, len, name, strlen(name));
    if (at)
        memcpy(at + strlen(name) + 4, &odd[rng_below(rng, sizeof(odd) / sizeof(*odd))], 4);
}

/* A tensor turned on its side, or with another one's name. */
static void change_tensor(struct rng *rng, char *bytes, size_t len)
{
    static const char *const names[] = {"token_embd.weight", "blk.0.attn_q.weight",
                                        "blk.1.attn_output.weight", "blk.0.ffn_up.weight",
                                        "blk.1.ffn_down.weight"};
    const char *name = names[rng_below(rng, 5)];
    char *at = memmem(bytes, len, name, strlen(name)), sizes[16];
    if (!at)
        return;
    if (rng_below(rng, 3) == 0) {
        at[4] ^= 1;
        return;
    }
    at += strlen(name) + 4;
    memcpy(sizes, at, 16);
    memcpy(at, sizes + 8, 8);
    memcpy(at + 8, sizes, 8);
}

/* The head is most of what a parser reads, and numbers near 0 and near their largest are what breaks them. */
static void damage(struct rng *rng, char *bytes, size_t len, size_t head)
{
    size_t times = 1 + (size_t)rng_below(rng, 3), way = (size_t)rng_below(rng, 3);
    for (size_t i = 0; i < times; i++) {
        size_t at = (size_t)rng_below(rng, rng_below(rng, 8) ? head : len);
        static const unsigned char odd[] = {0, 1, 2, 0x7f, 0x80, 0xff};
        if (way == 0)
            bytes[at] = (char)(rng_below(rng, 2) ? odd[rng_below(rng, 6)] : rng_below(rng, 256));
        else if (rng_below(rng, 4))
            set_number(rng, bytes, len);
        else
            change_tensor(rng, bytes, len);
    }
}

static void survive(enum tiny_kind kind, int times)
{
    static char good[1 << 20], bad[1 << 20];
    struct rng rng;
    struct error err;
    int outcomes[STATUS_COUNT] = {0};
    tiny_gguf_write(path, kind, 5);
    FILE *f = fopen(path, "rb");
    size_t len = fread(good, 1, sizeof(good), f);
    fclose(f);
    char *tensors = memmem(good, len, "ffn_down.weight", 15);
    rng_seed(&rng, 6);
    for (int i = 0; i < times; i++) {
        memcpy(bad, good, len);
        damage(&rng, bad, len, (size_t)(tensors - good));
        f = fopen(path, "wb");
        fwrite(bad, 1, len, f);
        fclose(f);
        err.text[0] = '\0';
        enum status status = load_once(&err);
        cr_expect(status == OK || strstr(err.text, path), "damage %d: %s", i, err.text);
        outcomes[status]++;
    }
    cr_log_info("kind %d: %d read, %d corrupt, %d unsupported, %d too large", kind, outcomes[OK],
                outcomes[ERR_CORRUPT], outcomes[ERR_UNSUPPORTED], outcomes[ERR_TOO_LARGE]);
    cr_expect_gt(outcomes[ERR_CORRUPT], 0);
}

/* LEEROO_DAMAGES: how many of each kind; a process each. */
static int damages(void)
{
    const char *wanted = getenv("LEEROO_DAMAGES");
    return wanted ? atoi(wanted) : 40;
}

Test(lm_try, damaged_causal_models_never_end_this_process)
{
    survive(TINY_LLAMA, damages());
}

Test(lm_try, damaged_models_of_embeddings_never_end_this_process)
{
    survive(TINY_BERT, damages());
}
