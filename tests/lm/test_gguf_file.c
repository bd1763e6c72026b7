/* Heads of GGUF files: a whole one is read as it was written, every shorter one is refused, and so is each file whose
 * head says what cannot be. Sizes of numbers are those of ggml. */
#include "lm/gguf_file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "lm/tiny_gguf.h"

static char path[64];
static char *bytes;
static size_t len;

static void setup(void)
{
    snprintf(path, sizeof(path), "/tmp/leeroo_gguf_file_%d.gguf", (int)getpid());
    tiny_gguf_write(path, TINY_LLAMA, 1);
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f);
    bytes = malloc(1 << 20);
    len = fread(bytes, 1, 1 << 20, f);
    fclose(f);
}

static void teardown(void)
{
    free(bytes);
    unlink(path);
}

TestSuite(gguf_file, .init = setup, .fini = teardown);

static enum status check(const char *of, struct error *err)
{
    struct gguf_head head;
    int fd = open(of, O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    enum status status = gguf_file_check(fd, of, &head, err);
    close(fd);
    return status;
}

Test(gguf_file, a_whole_file_is_read_as_it_was_written)
{
    struct gguf_head head = {0};
    cr_assert_eq(gguf_head_read((struct str){bytes, len}, len, &head, NULL), OK);
    cr_expect_str_eq(head.architecture, "llama");
    cr_expect_not(head.is_adapter);
    cr_expect_eq(head.tensors, 2 + 9 * TINY_LAYERS);
    cr_expect_eq(head.data_offset + head.data_bytes, len);
    struct error err;
    cr_expect_eq(check(path, &err), OK, "%s", err.text);
}

Test(gguf_file, an_adapter_is_known)
{
    struct gguf_head head = {0};
    tiny_gguf_write(path, TINY_LORA, 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert_eq(gguf_file_check(fd, path, &head, NULL), OK);
    close(fd);
    cr_expect(head.is_adapter);
}

Test(gguf_file, every_shorter_file_is_refused_and_a_part_asks_for_more)
{
    struct gguf_head whole = {0}, head;
    struct error err;
    cr_assert_eq(gguf_head_read((struct str){bytes, len}, len, &whole, NULL), OK);
    for (size_t cut = 0; cut < len; cut += cut < whole.data_offset ? 1 : 997) {
        struct str part = {bytes, cut};
        cr_assert_eq(gguf_head_read(part, cut, &head, &err), ERR_CORRUPT, "%zu bytes", cut);
        cr_assert(cut < 4 || strstr(err.text, "truncated"), "%zu bytes: %s", cut, err.text);
        enum status status = gguf_head_read(part, len, &head, &err);
        cr_assert(status == AGAIN || (status == OK && cut + 32 > whole.data_offset));
    }
}

Test(gguf_file, a_file_that_is_cut_is_refused_with_its_name)
{
    struct error err;
    cr_assert_eq(truncate(path, (off_t)len - 1000), 0);
    cr_expect_eq(check(path, &err), ERR_CORRUPT);
    cr_expect(strstr(err.text, path) && strstr(err.text, "truncated"), "%s", err.text);
}

Test(gguf_file, what_is_no_file_of_models_is_refused)
{
    struct error err;
    cr_expect_eq(check("/dev/null", &err), ERR_CORRUPT);
    cr_expect_eq(check("/proc/self/exe", &err), ERR_CORRUPT);
    cr_expect(strstr(err.text, "does not begin with GGUF"), "%s", err.text);
}

/* Writes a number over the one that follows these bytes, and reads the head. */
static enum status with(const char *after, size_t skip, uint64_t value, size_t size,
                        struct error *err)
{
    struct gguf_head head;
    char *copy = malloc(len), *at;
    memcpy(copy, bytes, len);
    at = memmem(copy, len, after, strlen(after));
    cr_assert_not_null(at);
    memcpy(at + strlen(after) + skip, &value, size);
    enum status status = gguf_head_read((struct str){copy, len}, len, &head, err);
    free(copy);
    return status;
}

Test(gguf_file, what_cannot_be_is_refused)
{
    struct error err;
    cr_expect_eq(with("GGUF", 0, 9, 4, &err), ERR_UNSUPPORTED);
    cr_expect_eq(with("GGUF", 4, UINT64_MAX, 8, &err), ERR_TOO_LARGE);
    cr_expect_eq(with("GGUF", 12, UINT64_MAX, 8, &err), ERR_TOO_LARGE);
    cr_expect_eq(with("llama.block_count", 4, UINT32_MAX, 4, &err), ERR_TOO_LARGE);
    cr_expect(strstr(err.text, "llama.block_count is 4294967295; at most 1024"), "%s", err.text);
    cr_expect_eq(with("llama.block_count", 0, 77, 4, &err), ERR_CORRUPT);
    cr_expect_eq(with("tokenizer.ggml.tokens", 8, UINT64_MAX / 2, 8, &err), ERR_CORRUPT);
    cr_expect_eq(with("tokenizer.ggml.tokens", 4, TINY_ARRAY, 4, &err), ERR_CORRUPT);
    cr_expect_eq(with("token_embd.weight", 0, 5, 4, &err), ERR_CORRUPT); /* dimensions */
    cr_expect_eq(with("token_embd.weight", 0, 0, 4, &err), ERR_CORRUPT);
    cr_expect_eq(with("token_embd.weight", 4, 0, 8, &err), ERR_CORRUPT); /* a size */
    cr_expect_eq(with("token_embd.weight", 4, UINT64_MAX / 3, 8, &err), ERR_CORRUPT);
    cr_expect_eq(with("token_embd.weight", 20, 31, 4, &err), ERR_UNSUPPORTED); /* a type */
    cr_expect_eq(with("token_embd.weight", 20, 12, 4, &err), ERR_CORRUPT);     /* blocks of 256 */
    cr_expect_eq(with("token_embd.weight", 24, 32, 8, &err), ERR_CORRUPT);     /* a place */
    cr_expect_eq(with("output_norm.weight", 0, 1ULL << 40, 8, &err), ERR_CORRUPT);
}

/* Q4_K, by its definition in ggml: 256 numbers are 8 scales and 8 minima of 6 bits, two halves, and 4 bits each. */
Test(gguf_file, sizes_of_blocks_are_those_of_their_definitions)
{
    unsigned elements = 0, size = 0;
    cr_assert(gguf_type_block(12, &elements, &size));
    cr_expect_eq(elements, 256);
    cr_expect_eq(size, 16 * 6 / 8 + 2 * 2 + 256 * 4 / 8);
    cr_assert(gguf_type_block(8, &elements, &size)); /* Q8_0: 32 bytes and a half */
    cr_expect_eq(elements, 32);
    cr_expect_eq(size, 34);
    cr_expect_not(gguf_type_block(4, &elements, &size)); /* Q4_2, which was taken back */
    cr_expect_not(gguf_type_block(UINT32_MAX, &elements, &size));
}
