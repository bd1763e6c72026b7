/* What stands behind the ? of a search, and places of its pages: whatever comes is refused with a reason, or is a
 * search that a database can be asked, and a place that comes back as it went. */
#include <string.h>

#include "admin/admin_filter.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct str text)
{
    CHECK(text.len <= SEARCH_TEXT_BYTES_MAX);
    CHECK(text.len == 0 || !memchr(text.ptr, 0, text.len));
    CHECK(utf8_valid(text));
}

static void check_place(const struct search_place *place)
{
    struct search_place back;
    struct buf text;
    buf_init(&text, 1024);
    admin_filter_write_place(place, &text);
    CHECK(admin_filter_read_place(buf_str(&text), &back, NULL) == OK);
    CHECK(back.begin_ms == place->begin_ms && str_equal(back.id, place->id));
    buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_create(1u << 20);
    struct str query = {(const char *)data, size};
    struct ledger_search s;
    struct search_place place;
    struct error err = {0};
    CHECK(a);
    enum status status = admin_filter_read(query, a, &s, &err);
    if (status == OK) {
        const struct str texts[] = {s.id,      s.key,   s.expert,   s.policy,
                                    s.outcome, s.words, s.before.id};
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
            check_text(texts[i]);
        CHECK(s.limit >= 1 && s.limit <= SEARCH_ROWS_MAX);
        CHECK(s.from_ms >= 0 && s.to_ms >= 0 && s.min_nano_usd >= 0);
        if (s.has_before)
            check_place(&s.before);
    } else {
        CHECK(status == ERR_INPUT || status == ERR_MEMORY);
        CHECK(err.text[0] && utf8_valid(str_from(err.text)));
    }
    if (admin_filter_read_place(query, &place, NULL) == OK)
        check_place(&place);
    arena_free(a);
    return 0;
}
