/* The base model as a file: written and read again, damaged, and the one that ships. */
#include "prior/base_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "tiny_base.h"

static struct str write(const struct base *b, struct buf *bytes)
{
    struct error err;
    buf_init(bytes, BASE_BYTES_MAX);
    cr_assert_eq(base_write(b, bytes, &err), OK, "%s", err.text);
    return buf_str(bytes);
}

Test(base_file, reads_what_was_written)
{
    struct buf bytes;
    struct error err;
    struct base b = tiny_base(), back;
    struct arena *a = arena_create(1u << 20);
    struct str text = write(&b, &bytes);
    cr_assert_eq(base_read(text, "tiny", a, &back, &err), OK, "%s", err.text);
    cr_assert_eq(back.known_count, 2);
    cr_assert(str_equal(back.known[1].name, STR("large-2024-01-01")));
    cr_assert_eq(back.known[1].price.input_nano_usd_per_m, 10000000000);
    cr_assert_float_eq(back.known[0].parameters[0], -1, 1e-6);
    cr_assert_float_eq(back.known[1].output_ratio, 2, 1e-6);
    cr_assert_float_eq(back.price[1], b.price[1], 1e-6);
    cr_assert_float_eq(back.family[1][0], 1, 1e-6);
    cr_assert_float_eq(back.deviation[1], 0.1, 1e-6);
    cr_assert_eq(back.sample_rows, 2);
    cr_assert_eq(memcmp(back.sample, tiny_sample, sizeof(tiny_sample)), 0);
    cr_assert_eq(memcmp(back.head.bias, tiny_bias, sizeof(tiny_bias)), 0);
    cr_assert(str_equal(back.provenance, b.provenance));
    arena_free(a);
    buf_done(&bytes);
}

/* Each byte turned in turn: refused, or read as something else, but nothing breaks. */
Test(base_file, damaged_anywhere_is_no_harm)
{
    struct buf bytes;
    struct error err;
    struct base b = tiny_base(), back;
    struct str text = write(&b, &bytes);
    size_t refused = 0;
    for (size_t i = 0; i < text.len; i++) {
        struct arena *a = arena_create(1u << 20);
        bytes.ptr[i] ^= 0x41;
        refused += base_read(text, "tiny", a, &back, &err) != OK;
        bytes.ptr[i] ^= 0x41;
        arena_free(a);
    }
    cr_assert_gt(refused, 100);
    for (size_t len = 0; len < text.len; len += 7) {
        struct arena *a = arena_create(1u << 20);
        cr_assert_neq(base_read(str_slice(text, 0, len), "tiny", a, &back, &err), OK);
        arena_free(a);
    }
    buf_done(&bytes);
}

static void expect_damaged(const struct base *b)
{
    struct buf bytes;
    struct error err;
    struct base back;
    struct arena *a = arena_create(1u << 20);
    struct str text = write(b, &bytes);
    cr_expect_eq(base_read(text, "tiny", a, &back, &err), ERR_CORRUPT);
    arena_free(a);
    buf_done(&bytes);
}

Test(base_file, an_answer_has_a_length)
{
    struct base b = tiny_base();
    b.known[0].output_ratio = -1;
    expect_damaged(&b);
}

Test(base_file, outcomes_are_a_count)
{
    struct base b = tiny_base();
    b.known[0].outcomes = SIZE_MAX;
    expect_damaged(&b);
}

Test(base_file, of_another_encoder_is_refused)
{
    struct buf bytes;
    struct error err;
    struct base b = tiny_base(), back;
    struct arena *a = arena_create(1u << 20);
    struct str text = write(&b, &bytes);
    bytes.ptr[str_find(text, STR("ngram18"), 0)] = 'x';
    cr_assert_eq(base_read(text, "tiny", a, &back, &err), ERR_UNSUPPORTED);
    cr_assert_not_null(strstr(err.text, "make base-model"));
    arena_free(a);
    buf_done(&bytes);
}

/* What ships is what its provenance says, and small. `make base-model` makes it again. */
Test(base_file, ships_as_its_provenance_says)
{
    static const char *const sets[] = {"mmlu_pro", "mmlu", "bfcl", "livecodebench"};
    struct error err;
    struct base b;
    struct json_value root, item;
    struct arena *a = arena_create(1u << 24);
    int64_t models = 0;
    struct str version, name;
    size_t n = 0;
    cr_assert_leq(base_shipped().len, BASE_BYTES_MAX);
    cr_assert_eq(base_read(base_shipped(), "the base model", a, &b, &err), OK, "%s", err.text);
    cr_assert_eq(json_parse(b.provenance, "provenance", 1, &root, &err), OK, "%s", err.text);
    cr_assert_eq(json_to_int64(json_get(root, "models"), &models), OK);
    cr_assert_eq((size_t)models, b.known_count);
    cr_assert_eq(json_string_decode(json_get(root, "version"), a, &version), OK);
    cr_assert(str_equal(version, STR(BASE_VERSION)));
    struct json_iter it = json_iter_begin(json_get(root, "sets"));
    for (; json_array_next(&it, &item); n++) {
        cr_assert_lt(n, 4);
        cr_assert_eq(json_string_decode(json_get(item, "name"), a, &name), OK);
        cr_assert(str_equal(name, str_from(sets[n])));
        cr_assert_eq(json_get(item, "fingerprint").raw.len, 18);
    }
    cr_assert_eq(n, 4);
    cr_assert_gt(b.price[1], 0, "dearer models are stronger");
    for (size_t j = 0; j < b.known_count; j++)
        cr_assert(isfinite(b.known[j].strength) && fabs(b.known[j].strength) < 6);
    arena_free(a);
}
