/* What other machines put into Redis: any bytes are read or refused, as names and values separated by NUL; what was
 * read is written and read again alike. And any address of Redis. */
#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "share/redis_url.h"
#include "share/share_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_call(const struct str *words, size_t count)
{
    struct share_call c, same;
    struct share_words w;
    if (share_call_parse(words, count, &c, NULL) != OK)
        return;
    share_call_write(&c, &w);
    CHECK(share_call_parse(w.words, w.count, &same, NULL) == OK);
    CHECK(str_equal(same.key, c.key) && str_equal(same.expert, c.expert) && same.asked == c.asked);
    CHECK(str_equal(same.system, c.system) && str_equal(same.user, c.user));
    CHECK(same.output_tokens == c.output_tokens && same.most_nano_usd == c.most_nano_usd);
}

static void try_result(const struct str *words, size_t count)
{
    struct share_result r, same;
    struct share_words w;
    if (share_result_parse(words, count, &r, NULL) != OK)
        return;
    CHECK(r.paid.len > 0 && r.paid.len < SHARE_ID_BYTES && utf8_valid(r.text));
    share_result_write(&r, &w);
    CHECK(share_result_parse(w.words, w.count, &same, NULL) == OK);
    CHECK(str_equal(same.key, r.key) && str_equal(same.text, r.text) && same.end == r.end);
    CHECK(same.cost_nano_usd == r.cost_nano_usd && same.basis == r.basis);
}

static void try_url(struct str url)
{
    struct arena *a = arena_create(1 << 20);
    struct redis_url u;
    CHECK(a != NULL);
    if (redis_url_parse(url, a, &u, NULL) == OK)
        CHECK(!u.host != !u.path && u.port > 0 && u.db <= REDIS_DB_MAX);
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str words[SHARE_FIELDS_MAX], rest = {(const char *)data, size};
    size_t count = 0;
    if (size > 1 << 16)
        return 0;
    try_url(rest);
    while (count < SHARE_FIELDS_MAX && rest.len > 0)
        words[count++] = str_split(&rest, '\0');
    try_call(words, count);
    try_result(words, count);
    return 0;
}
