/* A key's limits in JSON: whatever is accepted can be written to a file of keys and read back the same. */
#include <string.h>

#include "base/check.h"
#include "keys/keys_limits.h"

#define NOW_MS INT64_C(1796000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 127)
            return false;
    return s.len > 0 && s.len <= KEY_NAME_BYTES_MAX && utf8_valid(s);
}

static void check_file(const struct key_row *row, struct arena *a)
{
    struct key_file f = {(struct key_row *)(uintptr_t)row, 1}, again = {0};
    struct buf one, two;
    struct error err;
    buf_init(&one, 16u << 20);
    buf_init(&two, 16u << 20);
    key_file_write(&f, &one);
    CHECK(key_file_parse(buf_str(&one), "fuzz", a, &again, &err) == OK);
    key_file_write(&again, &two);
    CHECK(str_equal(buf_str(&one), buf_str(&two)));
    buf_done(&one);
    buf_done(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = {(const char *)data, size};
    struct arena *a = arena_create(64u << 20);
    struct error err;
    CHECK(a);
    for (int makes = 0; makes < 2; makes++) {
        struct key_row row = {
            .id = STR("key_a"),
            .name = STR("n"),
            .created_ms = NOW_MS,
            .limits = {.budget_nano_usd = {KEY_UNLIMITED, KEY_UNLIMITED, KEY_UNLIMITED},
                       .requests_per_minute = KEY_UNLIMITED,
                       .tokens_per_minute = KEY_UNLIMITED}};
        if (keys_apply_json(body, makes, NULL, a, NOW_MS, &row, &err) != OK)
            continue;
        if (!is_plain(row.name)) /* which the desk refuses */
            row.name = STR("n");
        check_file(&row, a);
    }
    arena_free(a);
    return 0;
}
