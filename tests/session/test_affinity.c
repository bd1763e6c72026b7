/* Beliefs about prompt caches: whose, how long, how much, and from many threads. */
#include "session/affinity.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define TTL_MS 1000
#define CACHES                                                                                     \
    {                                                                                              \
        .input_nano_usd_per_m = 1000000000, .cached_saving_nano_usd_per_m = 900000000              \
    }

static struct affinity *table;
static struct arena *arena;
static const struct expert experts[] = {
    {.name = {"a", 1}, .price = CACHES, .cache_ttl_ms = TTL_MS, .dialect = &dialect_openai},
    {.name = {"b", 1}, .price = CACHES, .cache_ttl_ms = TTL_MS, .dialect = &dialect_openai},
    {.name = {"plain", 5}, .cache_ttl_ms = TTL_MS, .dialect = &dialect_openai},
    {.name = {"claude", 6}, .price = CACHES, .cache_ttl_ms = TTL_MS, .dialect = &dialect_anthropic},
    {.name = {"never", 5}, .price = CACHES, .dialect = &dialect_openai},
};
enum { A, B, PLAIN, CLAUDE, NEVER, EXPERTS };

static void setup(void)
{
    arena = arena_create(64 << 20);
    cr_assert_eq(affinity_create(&table, NULL), OK);
}

static void teardown(void)
{
    affinity_free(table);
    arena_free(arena);
}

TestSuite(affinity, .init = setup, .fini = teardown);

/* A conversation of so many messages, each of `bytes`; the first is the system's. */
static struct affinity_prefix prefix_of(const char *subject, size_t messages, size_t bytes,
                                        uint64_t tenant)
{
    struct openai_request r;
    struct affinity_prefix p;
    struct buf body;
    buf_init(&body, 32 << 20);
    buf_add_c(&body, "{\"model\":\"leeroo\",\"messages\":[");
    for (size_t i = 0; i < messages; i++) {
        const char *role = i == 0 ? "system" : i % 2 ? "user" : "assistant";
        buf_addf(&body, "%s{\"role\":\"%s\",\"content\":\"%s %zu ", i ? "," : "", role, subject, i);
        for (size_t k = 0; k < bytes; k++)
            buf_add_char(&body, 'x');
        buf_add_c(&body, "\"}");
    }
    buf_add_c(&body, "]}");
    struct str kept = arena_copy(arena, buf_str(&body));
    buf_done(&body);
    cr_assert_eq(openai_request_parse(kept, true, arena, &r, NULL, NULL), OK);
    affinity_prefix_read(&r, tenant, arena, &p);
    return p;
}

static void learn(const struct affinity_prefix *p, size_t expert, struct token_counts tokens,
                  uint64_t now_ms)
{
    affinity_learn(table, p, &experts[expert], &tokens, now_ms);
}

static uint32_t found(const struct affinity_prefix *p, size_t expert, uint64_t now_ms)
{
    uint32_t tokens[EXPERTS];
    affinity_find(table, p, experts, EXPERTS, now_ms, tokens);
    return tokens[expert];
}

Test(affinity, who_answered_holds_what_was_asked)
{
    struct affinity_prefix before = prefix_of("s", 2, 4000, 1), after = prefix_of("s", 4, 4000, 1);
    cr_expect_eq(found(&before, A, 0), 0);
    learn(&before, A, (struct token_counts){.input = 2000, .output = 100}, 0);
    cr_expect_eq(found(&after, A, 1), 1920, "in steps of 128");
    cr_expect_eq(found(&after, B, 1), 0);
    learn(&after, B, (struct token_counts){.input = 4001}, 1);
    struct affinity_prefix later = prefix_of("s", 6, 4000, 1);
    cr_expect_eq(found(&later, A, 2), 1920, "both hold something");
    cr_expect_eq(found(&later, B, 2), 3968);
    cr_expect_eq(found(&before, B, 2), 0, "a longer prompt is no prefix of a shorter one");
}

Test(affinity, another_conversation_is_another)
{
    struct affinity_prefix one = prefix_of("s", 2, 4000, 1), other = prefix_of("t", 4, 4000, 1);
    learn(&one, A, (struct token_counts){.input = 2000}, 0);
    cr_expect_eq(found(&other, A, 1), 0);
}

/* vLLM semantic-router #2134, litellm #29955: what one tenant did tells another nothing. */
Test(affinity, tenants_do_not_share)
{
    struct affinity_prefix mine = prefix_of("s", 2, 4000, 1), theirs = prefix_of("s", 2, 4000, 2);
    learn(&mine, A, (struct token_counts){.input = 2000}, 0);
    cr_expect_eq(found(&mine, A, 1), 1920);
    cr_expect_eq(found(&theirs, A, 1), 0);
}

Test(affinity, beliefs_end)
{
    struct affinity_prefix p = prefix_of("s", 2, 4000, 1);
    learn(&p, A, (struct token_counts){.input = 2000}, 10);
    cr_expect_eq(found(&p, A, 10 + TTL_MS - 1), 1920);
    cr_expect_eq(found(&p, A, 10 + TTL_MS), 0);
    learn(&p, A, (struct token_counts){.input = 2000}, 5000);
    cr_expect_eq(found(&p, A, 5001), 1920);
}

Test(affinity, who_has_no_cached_price_or_no_time_holds_nothing)
{
    struct affinity_prefix p = prefix_of("s", 2, 4000, 1);
    learn(&p, PLAIN, (struct token_counts){.input = 2000, .cached = 2000}, 0);
    learn(&p, NEVER, (struct token_counts){.input = 2000, .cached = 2000}, 0);
    cr_expect_eq(found(&p, PLAIN, 0), 0);
    cr_expect_eq(found(&p, NEVER, 0), 0);
}

Test(affinity, short_prompts_are_not_cached)
{
    struct affinity_prefix tiny = prefix_of("s", 2, 100, 1), p = prefix_of("s", 2, 4000, 1);
    cr_expect_eq(tiny.count, 0);
    learn(&tiny, A, (struct token_counts){.input = 5000}, 0);
    cr_expect_eq(found(&tiny, A, 0), 0);
    learn(&p, A, (struct token_counts){.input = 1023}, 0);
    cr_expect_eq(found(&p, A, 0), 0);
}

/* Anthropic keeps what it is told to keep, and says what that was. */
Test(affinity, a_cache_that_is_written_on_demand_holds_what_it_reports)
{
    struct affinity_prefix p = prefix_of("s", 2, 8000, 1);
    learn(&p, CLAUDE, (struct token_counts){.input = 4000}, 0);
    cr_expect_eq(found(&p, CLAUDE, 0), 0);
    learn(&p, CLAUDE, (struct token_counts){.input = 4000, .cached = 1100, .cache_write = 2000}, 0);
    cr_expect_eq(found(&p, CLAUDE, 0), 3100);
    p = prefix_of("t", 2, 8000, 1);
    learn(&p, A, (struct token_counts){.input = 4000, .cache_write = 2000}, 0);
    cr_expect_eq(found(&p, A, 0), 2000);
}

/* Other conversations with the same long system prompt begin alike. */
Test(affinity, what_comes_before_the_first_user_is_a_prefix_of_its_own)
{
    struct affinity_prefix one = prefix_of("s", 2, 8000, 1), other = one;
    other.marks[1].hash ^= 1; /* another question */
    learn(&one, A, (struct token_counts){.input = 4000}, 0);
    uint32_t tokens = found(&other, A, 0);
    cr_expect(tokens > 1900 && tokens < 2000, "%u", tokens);
}

Test(affinity, marks_of_what_to_cache_do_not_tell_messages_apart)
{
    static const char *const ends[] = {"\", \"cache_control\":{\"type\":\"ephemeral\"}}]}]}",
                                       "\"}]}]}", ".\"}]}]}"};
    uint64_t hashes[3];
    char text[4096];
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < 3; i++) {
        struct openai_request r;
        struct affinity_prefix p;
        const char *body =
            arena_printf(arena,
                         "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
                         "\"text\",\"text\":\"%s%s",
                         text, ends[i]);
        cr_assert_eq(openai_request_parse(str_from(body), true, arena, &r, NULL, NULL), OK);
        affinity_prefix_read(&r, 0, arena, &p);
        cr_assert_eq(p.count, 1);
        hashes[i] = p.marks[0].hash;
    }
    cr_expect_eq(hashes[0], hashes[1]);
    cr_expect_neq(hashes[1], hashes[2]);
}

/* The expert was believed to hold 1,920 tokens and reports none, again and again: it is believed less; then more. */
Test(affinity, reports_correct_what_is_believed)
{
    uint32_t last = 1920;
    for (size_t turn = 1; turn < 8; turn++) {
        struct affinity_prefix p = prefix_of("s", 2 * turn, 4000, 1);
        learn(&p, A, (struct token_counts){.input = 2000, .cached = 0}, turn);
        uint32_t now = found(&p, A, turn);
        cr_expect_leq(now, last);
        last = now;
    }
    cr_expect_lt(last, 600, "%u", last);
    struct affinity_prefix other = prefix_of("b", 2, 4000, 1);
    learn(&other, B, (struct token_counts){.input = 2000, .cached = 0}, 8);
    cr_expect_eq(found(&other, B, 8), 1920, "of another expert nothing is known");
    for (size_t turn = 8; turn < 60; turn++) {
        struct affinity_prefix p = prefix_of("s", 2 * turn, 400, 1);
        learn(&p, A, (struct token_counts){.input = 2000, .cached = 1920}, turn);
        last = found(&p, A, turn);
    }
    cr_expect_gt(last, 1800, "%u", last);
}

Test(affinity, long_conversations_are_known_by_their_last_messages)
{
    struct affinity_prefix p = prefix_of("s", 301, 200, 1), next = prefix_of("s", 303, 200, 1);
    cr_expect_eq(p.count, AFFINITY_MARKS_MAX);
    learn(&p, A, (struct token_counts){.input = 20000}, 0);
    cr_expect_eq(found(&next, A, 0), 19968);
    next = prefix_of("s", 301 + 2 * AFFINITY_MARKS_MAX, 200, 1);
    cr_expect_eq(found(&next, A, 0), 0);
}

Test(affinity, memory_is_bounded_and_the_oldest_go)
{
    struct affinity_prefix p = {.count = 1, .marks = {{.bytes = 9000}}};
    size_t kept = 0;
    for (uint64_t i = 1; i <= 4 * AFFINITY_ENTRIES; i++) {
        p.marks[0].hash = i * UINT64_C(0x9e3779b97f4a7c15);
        learn(&p, A, (struct token_counts){.input = 2000}, i / 1000);
    }
    for (uint64_t i = 4 * AFFINITY_ENTRIES; i > 3 * AFFINITY_ENTRIES; i--) {
        p.marks[0].hash = i * UINT64_C(0x9e3779b97f4a7c15);
        kept += found(&p, A, 300) > 0;
    }
    cr_expect_gt(kept, AFFINITY_ENTRIES * 8 / 10, "%zu", kept);
}

static void *hammer(void *arg)
{
    struct affinity_prefix p = {.count = 2, .marks = {{.bytes = 9000}, {.bytes = 18000}}};
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    for (uint64_t i = 0; i < 20000; i++) {
        p.marks[0].hash = (i * 7 + seed) % 501;
        p.marks[1].hash = (i * 11 + seed) % 503;
        uint32_t tokens[EXPERTS];
        affinity_find(table, &p, experts, EXPERTS, i / 50, tokens);
        for (size_t e = 0; e < EXPERTS; e++)
            if (tokens[e] > 3968)
                return arg;
        const struct token_counts t = {.input = 2000 + (int64_t)(i % 2) * 2000, .cached = 1920};
        affinity_learn(table, &p, &experts[i % EXPERTS], &t, i / 50);
    }
    return NULL;
}

Test(affinity, many_threads_at_once)
{
    pthread_t threads[4];
    void *bad = NULL;
    for (uintptr_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, hammer, (void *)(i + 1)), 0);
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(pthread_join(threads[i], &bad), 0);
        cr_expect_null(bad);
    }
}
