/* Keys of the cache: the same for all spellings of a request, another one for every other request. */
#include "cache/cache_key.h"

#include <criterion/criterion.h>
#include <string.h>

static char *canonical(const char *text)
{
    static struct buf out;
    struct arena *a = arena_create(1u << 20);
    struct json_value v;
    struct error err = {0};
    buf_done(&out);
    buf_init(&out, 1u << 20);
    cr_assert_eq(json_parse(str_from(text), "test", 1, &v, &err), OK, "%s: %s", text, err.text);
    cr_assert_eq(cache_key_canonical(v, a, &out), OK);
    arena_free(a);
    return out.ptr;
}

Test(cache_key, canonical_texts)
{
    static const char *const pairs[][2] = {
        {" { } ", "{}"},
        {"[ ]", "[]"},
        {"{\"b\" : 1 , \"a\" : [ true,null , \"x\" ] }", "{\"a\":[true,null,\"x\"],\"b\":1}"},
        {"{\"\\u0061\":1}", "{\"a\":1}"},
        {"\"\\u00e9\\/\\u000a\\t\"", "\"\303\251/\\n\\t\""},
        {"\"\303\251/\\n\\t\"", "\"\303\251/\\n\\t\""},
        {"{\"z\":{\"d\":1,\"c\":2},\"y\":0}", "{\"y\":0,\"z\":{\"c\":2,\"d\":1}}"},
        /* what stays as it is written */
        {"[1,1.0,1e0,-0,0]", "[1,1.0,1e0,-0,0]"},
        {"{\"a\":2,\"a\":1}", "{\"a\":2,\"a\":1}"},
        {"{\"b\":0,\"a\":2,\"a\":1}", "{\"a\":2,\"a\":1,\"b\":0}"},
        {"\"\\ud800\"", "\"\\ud800\""},
        {"\"\\uD83D\\uDE00\"", "\"\\uD83D\\uDE00\""},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        cr_assert_str_eq(canonical(pairs[i][0]), pairs[i][1]);
}

Test(cache_key, deep_and_long)
{
    char deep[2 * JSON_DEPTH_MAX + 1];
    memset(deep, '[', JSON_DEPTH_MAX);
    memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    deep[2 * JSON_DEPTH_MAX] = '\0';
    cr_assert_str_eq(canonical(deep), deep);
    struct buf many;
    buf_init(&many, 1u << 20);
    buf_add_c(&many, "{");
    for (int i = 999; i >= 0; i--)
        buf_addf(&many, "\"k%03d\":%d%s", i, i, i ? "," : "}");
    char *text = canonical(many.ptr);
    cr_assert(str_starts(str_from(text), STR("{\"k000\":0,\"k001\":1,")));
    cr_assert_eq(strlen(text), many.len);
    buf_done(&many);
}

static struct digest key_of(struct cache_request q)
{
    struct arena *a = arena_create(1u << 20);
    struct digest d;
    struct error err = {0};
    cr_assert_eq(cache_key_make(&q, a, &d, &err), OK, "%s", err.text);
    arena_free(a);
    return d;
}

#define CHAT             "/v1/chat/completions"
#define ASKS(t, p, b, g) .tenant = STR(t), .path = STR(p), .body = STR(b), .generation = (g)

Test(cache_key, everything_counts)
{
    const struct cache_request all[] = {
        {ASKS("key_1", CHAT, "{\"a\":1}", 1)},
        {ASKS("key_2", CHAT, "{\"a\":1}", 1)},
        {ASKS("", CHAT, "{\"a\":1}", 1)},
        {ASKS("key_1", "/v1/completions", "{\"a\":1}", 1)},
        {ASKS("key_1", CHAT, "{\"a\":2}", 1)},
        {ASKS("key_1", CHAT, "{\"a\":1,\"b\":1}", 1)},
        {ASKS("key_1", CHAT, "{\"a\":\"1\"}", 1)},
        {ASKS("key_1", CHAT, "{\"a\":1}", 2)},
        {ASKS("key_1", CHAT, "{\"a\":1}", 1), .headers = {STR("x-leeroo-plan"), STR("none")},
         .header_count = 1},
        {ASKS("key_1", CHAT, "{\"a\":1}", 1), .headers = {STR("x-leeroo-plan"), STR("")},
         .header_count = 1},
        /* the same bytes, cut elsewhere */
        {ASKS("key_1", CHAT, "{\"a\":1}", 1), .headers = {STR("x-leeroo-pla"), STR("nnone")},
         .header_count = 1},
        {ASKS("key_1/v1", "/chat/completions", "{\"a\":1}", 1)},
    };
    enum { COUNT = sizeof(all) / sizeof(all[0]) };
    struct digest keys[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        keys[i] = key_of(all[i]);
        struct digest again = key_of(all[i]);
        cr_assert(digest_equal(&keys[i], &again));
        for (size_t k = 0; k < i; k++)
            cr_assert_not(digest_equal(&keys[i], &keys[k]), "%zu and %zu", i, k);
    }
}

Test(cache_key, spelling_does_not)
{
    struct digest a =
        key_of((struct cache_request){ASKS("key_1", CHAT, "{\"a\":1,\"b\":[\"x\"]}", 1)});
    struct digest b = key_of(
        (struct cache_request){ASKS("key_1", CHAT, " {\"b\" : [\"\\u0078\"],\n\"a\":1}", 1)});
    cr_assert(digest_equal(&a, &b));
}
