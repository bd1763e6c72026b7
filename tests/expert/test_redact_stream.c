/* A key that comes in pieces, in events of several dialects: whatever a client joins of what is told, the key is not in
 * it; and what has no key is told at once and byte for byte. */
#include "expert/redact_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/json.h"
#include "base/rng.h"
#include "expert/redact.h"

#define SECRET      "sk-canary/5f1e3b9d7c"
#define EVENTS_MAX  64
#define ROUNDS      3000
#define PIECES_MOST 4

static const struct str secret = {SECRET, sizeof(SECRET) - 1};

struct told {
    struct redact_stream stream;
    struct arena *arena;
    struct str events[EVENTS_MAX];
    size_t count;
};

static void on_event(struct str name, struct str data, void *arg)
{
    struct told *t = arg;
    cr_assert(str_equal(name, STR("n")));
    cr_assert_lt(t->count, EVENTS_MAX);
    char *copy = arena_printf(t->arena, "%.*s", STR_FMT(data));
    t->events[t->count++] = str_from(copy);
}

static struct told *begin(void)
{
    struct told *t = calloc(1, sizeof(*t));
    t->arena = arena_create(16u << 20);
    redact_stream_init(&t->stream, secret, on_event, t);
    return t;
}

static void end(struct told *t)
{
    redact_stream_done(&t->stream);
    arena_free(t->arena);
    free(t);
}

#define EVENT_BYTES 2000

/* The event with the piece where "%s" stands. */
static void fill(char event[EVENT_BYTES], const char *shape, const char *piece)
{
    const char *at = strstr(shape, "%s");
    snprintf(event, EVENT_BYTES, "%.*s%s%s", (int)(at - shape), shape, piece, at + 2);
}

static void feed(struct told *t, const char *shape, const char *piece)
{
    char event[EVENT_BYTES];
    fill(event, shape, piece);
    cr_assert_eq(redact_stream_feed(&t->stream, STR("n"), str_from(event)), OK);
}

/* The strings called `member`, anywhere in the events, decoded and joined. */
static void join(struct told *t, struct json_value v, struct str member, struct buf *into)
{
    struct json_iter it = json_iter_begin(v);
    struct json_value key, item;
    struct str text;
    while (v.type == JSON_ARRAY && json_array_next(&it, &item))
        join(t, item, member, into);
    while (v.type == JSON_OBJECT && json_object_next(&it, &key, &item))
        if (json_string_equal(key, member) && json_string_decode(item, t->arena, &text) == OK)
            buf_add(into, text);
        else
            join(t, item, member, into);
}

static const char *joined(struct told *t, const char *member, struct buf *into)
{
    buf_init(into, 1u << 20);
    for (size_t i = 0; i < t->count; i++) {
        struct json_value root;
        if (str_equal(t->events[i], STR("[DONE]")))
            continue;
        cr_assert_eq(json_parse(t->events[i], "event", 1, &root, NULL), OK, "%s", t->events[i].ptr);
        join(t, root, str_from(member), into);
    }
    return into->ptr ? into->ptr : "";
}

#define CHAT                                                                                       \
    "{\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"finish_reason\":"   \
    "null}]}"
#define THOUGHT "{\"choices\":[{\"delta\":{\"reasoning_content\":\"%s\"},\"index\":0}]}"
#define ARGUMENT                                                                                   \
    "{\"choices\":[{\"index\":1,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"            \
    "\"arguments\":\"%s\"}}]}}]}"
#define TEXT                                                                                       \
    "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":"   \
    "\"%s\"}}"
#define INPUT                                                                                      \
    "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\","      \
    "\"partial_json\":\"%s\"}}"

static const struct shape {
    const char *format, *member;
} shapes[] = {
    {CHAT, "content"}, {THOUGHT, "reasoning_content"}, {ARGUMENT, "arguments"},
    {TEXT, "text"},    {INPUT, "partial_json"},
};

/* One character of the key in one of its spellings; those of the inner JSON are escapes in a string of the string. */
static size_t spell(struct rng *rng, char c, bool inner, char *into)
{
    static const char *const backslash[] = {"\\", "\\\\", "\\u005c"};
    const char *escape = backslash[inner ? rng_below(rng, 3) : 0];
    switch (rng_below(rng, 5)) {
    case 0:
        return (size_t)sprintf(into, "%su%04x", escape, c);
    case 1:
        return (size_t)sprintf(into, "%su%04X", escape, c);
    case 2:
        return (size_t)sprintf(into, "%s%c", c == '/' ? escape : "", c);
    default:
        return (size_t)sprintf(into, "%c", c);
    }
}

/* The key between two texts, cut into pieces at characters of the outer JSON. One piece: cuts and spellings are drawn
 * together. */
static void feed_in_pieces(struct told *t, struct rng *rng, const struct shape *shape, bool inner)
{
    char pieces[PIECES_MOST][600] = {{0}};
    size_t count = 1 + rng_below(rng, PIECES_MOST), at = 0, len[PIECES_MOST] = {0};
    size_t cuts[PIECES_MOST];
    for (size_t i = 0; i < count; i++)
        cuts[i] = rng_below(rng, secret.len + 1);
    len[0] = (size_t)sprintf(pieces[0], "key s sk-%s ", rng_below(rng, 2) ? "c" : "");
    for (size_t i = 0; i < secret.len; i++) {
        for (size_t k = 0; k < count && at + 1 < count; k++)
            if (cuts[k] == i) {
                at++;
                break;
            }
        len[at] += spell(rng, secret.ptr[i], inner, pieces[at] + len[at]);
    }
    len[at] += (size_t)sprintf(pieces[at] + len[at], " end s");
    for (size_t i = 0; i < count; i++) {
        struct buf scratch;
        char event[EVENT_BYTES];
        buf_init(&scratch, 1u << 16);
        fill(event, shape->format, pieces[i]);
        struct str clean = redact(str_from(event), secret, &scratch);
        cr_assert_eq(redact_stream_feed(&t->stream, STR("n"), clean), OK);
        buf_done(&scratch);
    }
}

/* Whether the secret is in it at any level of JSON. */
static bool shows(struct str text)
{
    for (int level = 0; level <= 2; level++) {
        char seen[4000];
        size_t n = 0;
        for (size_t at = 0; at < text.len;) {
            char bytes[4];
            struct str c = redact_unescape(text, &at, level, bytes);
            memcpy(seen + n, c.ptr, c.len);
            n += c.len;
        }
        if (str_find((struct str){seen, n}, secret, 0) != SIZE_MAX)
            return true;
    }
    return false;
}

Test(redact_stream, a_key_in_pieces_is_taken_out_of_every_shape)
{
    struct rng rng;
    rng_seed(&rng, 11);
    for (size_t round = 0; round < ROUNDS; round++) {
        const struct shape *shape = &shapes[round % (sizeof(shapes) / sizeof(shapes[0]))];
        struct told *t = begin();
        struct buf all;
        feed_in_pieces(t, &rng, shape, round % 2);
        if (rng_below(&rng, 2))
            cr_assert_eq(redact_stream_feed(&t->stream, STR("n"), STR("[DONE]")), OK);
        redact_stream_end(&t->stream);
        const char *text = joined(t, shape->member, &all);
        cr_assert_not(shows(buf_str(&all)), "round %zu: %s", round, text);
        cr_assert_not_null(strstr(text, REDACTED " end s"), "round %zu: %s", round, text);
        cr_assert_eq(strncmp(text, "key s sk-", 9), 0, "round %zu: %s", round, text);
        buf_done(&all);
        end(t);
    }
}

static void expect_joined(const char *const *pieces, size_t count, const char *expected)
{
    struct told *t = begin();
    struct buf all;
    for (size_t i = 0; i < count; i++)
        feed(t, CHAT, pieces[i]);
    redact_stream_end(&t->stream);
    cr_assert_str_eq(joined(t, "content", &all), expected);
    buf_done(&all);
    end(t);
}

#define PIECES(...)                                                                                \
    ((const char *const[]){__VA_ARGS__}), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)

Test(redact_stream, what_only_begins_like_the_key_stays)
{
    expect_joined(PIECES("sk-can", "ada"), "sk-canada");
    expect_joined(PIECES("sk-cana", "ry/5f1e", "3b9d7d"), "sk-canary/5f1e3b9d7d");
    expect_joined(PIECES("sk-c"), "sk-c");
    expect_joined(PIECES("sk-sk-c", "anary/5f1e3b9d7c!"), "sk-" REDACTED "!");
    expect_joined(PIECES("s", "s", "k", "-canary/5f1e3b9d7c"), "ssk" REDACTED);
    expect_joined(PIECES("sk-canary/", "5f1e3b9d7csk-canar", "y/5f1e3b9d7c."),
                  REDACTED REDACTED ".");
    expect_joined(PIECES("sk-canary/5f1e3b9d7"), REDACTED);
}

Test(redact_stream, every_character_by_itself)
{
    struct told *t = begin();
    struct buf all;
    feed(t, CHAT, "a ");
    for (size_t i = 0; i < secret.len; i++)
        feed(t, CHAT, (const char[]){secret.ptr[i], 0});
    feed(t, CHAT, " z");
    cr_assert_str_eq(joined(t, "content", &all), "a sk-" REDACTED " z");
    buf_done(&all);
    end(t);
}

Test(redact_stream, what_has_no_key_is_told_at_once_and_as_it_is)
{
    static const char *const pieces[] = {
        "yes", " it is", "", "sk", "-", "s\\n", "caf\\u00e9 \\\\", "\\\"s", "\\ud83d\\ude00s"};
    struct told *t = begin();
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        char event[EVENT_BYTES];
        fill(event, CHAT, pieces[i]);
        feed(t, CHAT, pieces[i]);
        if (i == 6) { /* a backslash may begin an escape of inner JSON */
            cr_assert_eq(t->count, i);
            continue;
        }
        cr_assert_eq(t->count, i + 1, "event %zu waits", i);
        cr_assert(str_equal(t->events[i], str_from(event)));
    }
    end(t);
}

Test(redact_stream, events_wait_and_keep_their_order)
{
    struct told *t = begin();
    feed(t, CHAT, "one sk-can");
    feed(t, THOUGHT, "two");
    cr_assert_eq(t->count, 0);
    feed(t, CHAT, "three");
    cr_assert_eq(t->count, 3);
    cr_assert_not_null(strstr(t->events[1].ptr, "two"));
    end(t);
}

Test(redact_stream, choices_tools_and_kinds_of_text_are_apart)
{
    struct told *t = begin();
    struct buf all;
    feed(t, CHAT, "sk-canary/5f1");
    feed(t, ARGUMENT, "e3b9d7c");
    feed(t, CHAT, "x");
    feed(t, CHAT, "sk-canary/5f1");
    feed(t, ARGUMENT, "sk-canary/");
    feed(t, CHAT, "e3b9d7c");
    feed(t, ARGUMENT, "5f1e3b9d7c");
    redact_stream_end(&t->stream);
    cr_assert_str_eq(joined(t, "content", &all), "sk-canary/5f1x" REDACTED);
    buf_done(&all);
    cr_assert_str_eq(joined(t, "arguments", &all), "e3b9d7c" REDACTED);
    buf_done(&all);
    end(t);
}

Test(redact_stream, a_block_of_anthropic_goes_on_in_deltas_and_in_the_next_block)
{
    struct told *t = begin();
    struct buf all;
    feed(t,
         "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\","
         "\"text\":\"%s\"}}",
         "sk-can");
    feed(t, TEXT, "ary/5f");
    feed(t,
         "{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\","
         "\"text\":\"%s\"}}",
         "1e3b9d7c");
    cr_assert_str_eq(joined(t, "text", &all), REDACTED);
    buf_done(&all);
    end(t);
}

Test(redact_stream, nothing_waits_for_a_string_that_does_not_go_on)
{
    struct told *t = begin();
    struct buf all;
    feed(t, CHAT, "sk-canary/5f1e");
    for (size_t i = 0; i < REDACT_OTHERS_MAX + 2; i++)
        feed(t, THOUGHT, "hm");
    cr_assert_eq(t->count, REDACT_OTHERS_MAX + 3);
    feed(t, CHAT, "3b9d7c");
    redact_stream_end(&t->stream);
    cr_assert_str_eq(joined(t, "content", &all), REDACTED "3b9d7c", "half of it or more is out");
    buf_done(&all);
    end(t);
}

Test(redact_stream, as_many_events_wait_as_there_is_room_for)
{
    struct told *t = begin();
    for (size_t i = 0; i < 3; i++) {
        feed(t, CHAT, "sk-ca");
        for (size_t k = 0; k < REDACT_OTHERS_MAX + 4; k++)
            feed(t, "{\"empty\":\"%s\"}", "");
        cr_assert_gt(t->count, 0);
    }
    end(t);
}
