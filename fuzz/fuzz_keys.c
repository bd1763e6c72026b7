/* A file of keys: what is accepted is written and read back the same, and no two keys can be taken for each other. */
#include <string.h>

#include "base/check.h"
#include "keys/key_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const struct key_row *row)
{
    CHECK(row->id.len > 0 && row->id.len < KEY_ID_BYTES);
    CHECK(row->name.len > 0 && row->name.len <= KEY_NAME_BYTES_MAX);
    CHECK(row->limits.requests_per_minute == KEY_UNLIMITED || row->limits.requests_per_minute > 0);
    CHECK(row->limits.tokens_per_minute == KEY_UNLIMITED || row->limits.tokens_per_minute > 0);
    for (enum key_period p = KEY_DAY; p < KEY_PERIODS; p++)
        CHECK(row->limits.budget_nano_usd[p] >= KEY_UNLIMITED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct arena *arena = arena_create(64u << 20);
    struct key_file f = {0}, again = {0};
    struct buf one, two;
    struct error err;
    CHECK(arena);
    buf_init(&one, 16u << 20);
    buf_init(&two, 16u << 20);
    if (key_file_parse(text, "fuzz", arena, &f, &err) == OK) {
        for (size_t i = 0; i < f.count; i++)
            check_row(&f.rows[i]);
        key_file_write(&f, &one);
        CHECK(key_file_parse(buf_str(&one), "again", arena, &again, &err) == OK);
        CHECK(again.count == f.count);
        key_file_write(&again, &two);
        CHECK(str_equal(buf_str(&one), buf_str(&two)));
    }
    buf_done(&one);
    buf_done(&two);
    arena_free(arena);
    return 0;
}
