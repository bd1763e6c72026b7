/* search.c, on both databases: pages over requests of one moment, every filter, texts that mean something in SQL. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "postgres_test.h"
#include "store/search.h"
#include "store_test.h"

#define REQUESTS 53

static struct ledger_reader *reader;
static struct arena *arena;

static void open_reader(const char *store)
{
    arena = arena_create(16u << 20);
    cr_assert_eq(ledger_reader_create(store, &reader, NULL), OK);
}

static void begin(void)
{
    store_test_begin();
    open_reader(store_test_path("l.sqlite"));
}

static void end(void)
{
    ledger_reader_free(reader);
    arena_free(arena);
    store_test_end();
}

TestSuite(search, .init = begin, .fini = end);

static struct ledger *open_ledger(const char *store)
{
    struct ledger *l = NULL;
    struct error err = {0};
    const struct ledger_options o = {
        .store = store, .journal_path = store_test_path("j"), .journal_bytes = 8u << 20};
    cr_assert_eq(ledger_open(&o, &l, &err), OK, "%s", err.text);
    return l;
}

static void flush(struct ledger *l)
{
    for (int i = 0; i < 60 && !ledger_flush(l, 1000); i++)
        usleep(100000);
    cr_assert(ledger_flush(l, 1000));
}

/* Ended, at `at_ms`, for (number + 1) micro-USD. */
static void say(struct ledger *l, const char *id, unsigned number, int64_t at_ms,
                struct str problem)
{
    struct ledger_request request = store_test_request(id, number);
    request.begin_wall_ms = at_ms;
    const struct ledger_begin first = {
        .request = request,
        .decision = STR("{\"quality\":0.5,\"estimates\":{\"cheap\":[0.5,0.001]}}")};
    const struct ledger_end last = {.request = request,
                                    .outcome = problem.len ? STR("failed") : STR("answered"),
                                    .basis = STR("usage"),
                                    .cost_nano_usd = (int64_t)(number + 1) * 1000,
                                    .problem = problem};
    ledger_begin(l, &first);
    ledger_end(l, &last);
}

/* Two in three of one moment. */
static void fill(struct ledger *l)
{
    char id[32];
    for (unsigned i = 0; i < REQUESTS; i++) {
        snprintf(id, sizeof(id), "req_%04u", i * 37 % REQUESTS);
        say(l, id, i, i % 3 ? 5000 : 1000 + i, i == 7 ? STR("100% of a_b\\c") : STR(""));
    }
    cr_assert_eq(ledger_feedback(l, STR("req_0000"), 0.75, STR(""), 77), OK);
    flush(l);
}

static struct search_page find(struct ledger_search wanted)
{
    struct search_page page;
    struct error err = {0};
    cr_assert_eq(ledger_search(reader, &wanted, arena, &page, &err), OK, "%s", err.text);
    return page;
}

static void check_pages(size_t limit)
{
    struct ledger_search wanted = {.limit = limit};
    struct search_place last = {.begin_ms = INT64_MAX};
    bool seen[REQUESTS] = {false};
    size_t count = 0;
    for (bool more = true; more;) {
        struct search_page page = find(wanted);
        cr_assert(page.count == limit || !page.more);
        for (size_t i = 0; i < page.count; i++, count++) {
            const struct ledger_found *f = &page.rows[i];
            unsigned number = REQUESTS;
            cr_assert_eq(sscanf(f->id.ptr, "req_%u", &number), 1);
            cr_assert(number < REQUESTS && !seen[number]);
            seen[number] = true;
            cr_assert(f->begin_ms < last.begin_ms ||
                      (f->begin_ms == last.begin_ms && str_compare(f->id, last.id) < 0));
            last = (struct search_place){f->begin_ms, f->id};
        }
        more = page.more;
        wanted.has_before = true;
        wanted.before = last;
    }
    cr_assert_eq(count, REQUESTS);
}

static size_t count_of(struct ledger_search wanted)
{
    struct search_page page = find(wanted);
    cr_assert_not(page.more);
    return page.count;
}

#define ALL        .limit = SEARCH_ROWS_MAX
#define COUNT(...) count_of((struct ledger_search){ALL, __VA_ARGS__})

static void check_filters(void)
{
    struct ledger_found f = find((struct ledger_search){ALL, .id = STR("req_0000")}).rows[0];
    cr_assert(str_equal(f.id, STR("req_0000")));
    cr_assert_eq(f.cost_nano_usd, 1000);
    cr_assert_eq(f.begin_ms, 1000);
    cr_assert_eq(f.decision.len, 0);
    cr_assert_eq(COUNT(.id = STR("req_")), 0);
    cr_assert_eq(COUNT(.key = STR("k1")), REQUESTS / 2);
    cr_assert_eq(COUNT(.key = STR("")), REQUESTS - REQUESTS / 2);
    cr_assert_eq(COUNT(.expert = STR("dear")), (REQUESTS + 2) / 3);
    cr_assert_eq(COUNT(.policy = STR("default"), .outcome = STR("failed")), 1);
    cr_assert_eq(COUNT(.policy = STR("other")), 0);
    cr_assert_eq(COUNT(.from_ms = 5000), REQUESTS - (REQUESTS + 2) / 3);
    cr_assert_eq(COUNT(.to_ms = 1004), 2);
    cr_assert_eq(COUNT(.min_nano_usd = 3000, .max_nano_usd = 5000, .has_max = true), 3);
}

static void check_words(void)
{
    cr_assert_eq(COUNT(.words = STR("REQ_")), REQUESTS);
    cr_assert_eq(COUNT(.words = STR("Leeroo")), REQUESTS);
    cr_assert_eq(COUNT(.words = STR("of A_B")), 1);
    cr_assert_eq(COUNT(.words = STR("ofXa")), 0);
    cr_assert_eq(COUNT(.words = STR("%")), 1);
    cr_assert_eq(COUNT(.words = STR("b\\c")), 1);
    cr_assert_eq(COUNT(.words = STR("\\")), 1);
    cr_assert_eq(COUNT(.words = STR("a_c")), 0);
    cr_assert_eq(COUNT(.words = STR("' OR 1=1 --")), 0);
    cr_assert_eq(COUNT(.key = STR("k1' OR '1'='1")), 0);
    cr_assert_eq(COUNT(.outcome = STR("answered'; DROP TABLE requests; --")), 0);
    cr_assert_eq(COUNT(.words = STR("\xc3\x84\xf0\x9f\x98\x80")), 0);
}

static void check_refusals(void)
{
    char big[SEARCH_TEXT_BYTES_MAX + 1], most[SEARCH_TEXT_BYTES_MAX];
    struct search_page page;
    memset(big, 'a', sizeof(big));
    memset(most, '%', sizeof(most));
    cr_assert_eq(COUNT(.words = {most, sizeof(most)}), 0);
    const struct str bad[] = {{big, sizeof(big)}, STR("\xff"), STR("a\0b")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct ledger_search words = {ALL, .words = bad[i]}, key = {ALL, .key = bad[i]},
                                   before = {ALL, .has_before = true, .before = {9, bad[i]}};
        struct error err = {0};
        cr_assert_eq(ledger_search(reader, &words, arena, &page, &err), ERR_INPUT);
        cr_assert_eq(ledger_search(reader, &key, arena, &page, &err), ERR_INPUT);
        cr_assert_eq(ledger_search(reader, &before, arena, &page, &err), ERR_INPUT);
        cr_assert(strstr(err.text, "a text to look for"));
    }
}

/* The latest */

static void count_decision(const struct search_decision *d, void *arg)
{
    int64_t *counts = arg; /* how many, the latest time, the last time */
    cr_assert(str_starts(d->decision, STR("{\"quality\":0.5")));
    counts[0]++;
    counts[1] = d->begin_ms > counts[1] ? d->begin_ms : counts[1];
    counts[2] = d->begin_ms;
}

static void count_score(const struct search_score *s, void *arg)
{
    cr_assert_eq(s->score, 0.75);
    cr_assert_eq(s->quality, 0.75);
    cr_assert(str_equal(s->expert, STR("dear")));
    cr_assert(s->decision.len > 0);
    ++*(int *)arg;
}

static void take_policy(const struct search_policy *p, void *arg)
{
    struct search_policy *into = arg;
    *into = *p;
    cr_assert(str_equal(p->policy, STR("default")));
}

static void check_latest(void)
{
    int64_t counts[3] = {0};
    int scores = 0;
    struct search_policy policy = {0};
    struct error err = {0};
    cr_assert_eq(ledger_read_decisions(reader, 10, count_decision, counts, &err), OK, "%s",
                 err.text);
    cr_assert_eq(counts[0], 10);
    cr_assert_eq(counts[1], 5000);
    cr_assert_eq(counts[2], 5000);
    cr_assert_eq(ledger_read_scores(reader, count_score, &scores, &err), OK, "%s", err.text);
    cr_assert_eq(scores, 1);
    cr_assert_eq(ledger_read_policies(reader, 1048, take_policy, &policy, &err), OK, "%s",
                 err.text);
    cr_assert_eq(policy.requests, REQUESTS - (REQUESTS + 2) / 3 + 2);
    cr_assert_eq(policy.lambda, 1000);
    cr_assert(policy.cost_usd > 1e-6 && policy.cost_usd < 53e-6);
    cr_assert(policy.quality > 0.25 && policy.quality < 0.5);
}

static void check_all(void)
{
    for (size_t limit = 1; limit <= REQUESTS + 1; limit += limit < 4 ? 1 : 9)
        check_pages(limit);
    check_filters();
    check_words();
    check_refusals();
    check_latest();
}

Test(search, finds_in_sqlite)
{
    struct ledger *l = open_ledger(store_test_path("l.sqlite"));
    fill(l);
    check_all();
    ledger_close(l);
}

/* Rows that come in while somebody turns pages move nothing. */
Test(search, pages_stay_while_requests_arrive)
{
    struct ledger *l = open_ledger(store_test_path("l.sqlite"));
    fill(l);
    struct ledger_search wanted = {.limit = 20};
    struct search_page first = find(wanted);
    say(l, "req_zz", 1, 9000, STR(""));
    say(l, "req_zy", 1, 5000, STR(""));
    flush(l);
    wanted.has_before = true;
    wanted.before = (struct search_place){first.rows[19].begin_ms, first.rows[19].id};
    struct search_page second = find(wanted);
    cr_assert_eq(second.count, 20);
    for (size_t i = 0; i < 20; i++)
        for (size_t k = 0; k < 20; k++)
            cr_assert_not(str_equal(first.rows[i].id, second.rows[k].id));
    ledger_close(l);
}

Test(search, finds_nothing_in_an_empty_ledger)
{
    int none = 0;
    int64_t counts[3] = {0};
    struct search_policy policy = {0};
    struct ledger *l = open_ledger(store_test_path("l.sqlite"));
    flush(l);
    cr_assert_eq(COUNT(.words = STR("a")), 0);
    cr_assert_eq(ledger_read_decisions(reader, 400, count_decision, counts, NULL), OK);
    cr_assert_eq(ledger_read_scores(reader, count_score, &none, NULL), OK);
    cr_assert_eq(ledger_read_policies(reader, 0, take_policy, &policy, NULL), OK);
    cr_assert_eq(counts[0] + none + policy.requests, 0);
    ledger_close(l);
}

Test(search, finds_in_postgres, .timeout = 240)
{
    postgres_test_begin();
    struct ledger *l = open_ledger(postgres_test_url());
    ledger_reader_free(reader);
    arena_free(arena);
    open_reader(postgres_test_url());
    fill(l);
    check_all();
    ledger_close(l);
    postgres_test_end();
}
