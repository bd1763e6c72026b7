/* The ledger in PostgreSQL: a real server, started here. One test, because starting one takes seconds. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "postgres_test.h"
#include "store/backend.h"
#include "store/ledger_probe.h"
#include "store/reader.h"
#include "store/retention.h"
#include "store_test.h"

static struct ledger_reader *reader;
static struct arena *arena;

static void begin(void)
{
    store_test_begin();
    postgres_test_begin();
    arena = arena_create(16u << 20);
    cr_assert_eq(ledger_reader_create(postgres_test_url(), &reader, NULL), OK);
}

static void end(void)
{
    ledger_reader_free(reader);
    arena_free(arena);
    postgres_test_end();
    store_test_end();
}

TestSuite(postgres, .init = begin, .fini = end, .timeout = 240);

static struct ledger *open_ledger(const char *journal)
{
    struct ledger *l = NULL;
    struct error err = {0};
    const struct ledger_options o = {.store = postgres_test_url(),
                                     .journal_path = store_test_path(journal),
                                     .journal_bytes = 8u << 20};
    cr_assert_eq(ledger_open(&o, &l, &err), OK, "%s", err.text);
    return l;
}

static void flush(struct ledger *l)
{
    struct ledger_state state = {0};
    for (int i = 0; i < 60 && !ledger_flush(l, 1000); i++) {
        ledger_state(l, &state);
        usleep(100000);
    }
    cr_assert(ledger_flush(l, 1000), "%s", state.problem);
}

static enum status take_sum(const struct spend *s, void *arg, struct error *err)
{
    struct spend *sum = arg;
    (void)err;
    sum->requests += s->requests;
    sum->cost_nano_usd += s->cost_nano_usd;
    sum->reference_nano_usd += s->reference_nano_usd;
    sum->input_tokens += s->input_tokens;
    return OK;
}

static struct spend sum_by(enum spend_by by)
{
    struct spend s = {0};
    struct error err = {0};
    enum status status = ledger_read_spend(reader, by, 0, INT64_MAX, take_sum, &s, &err);
    if (status != OK) /* the server was away since the last question */
        status = ledger_read_spend(reader, by, 0, INT64_MAX, take_sum, &s, &err);
    cr_assert_eq(status, OK, "%s", err.text);
    return s;
}

static void check_one_row(struct ledger *l)
{
    struct ledger_found f;
    struct error err = {0};
    store_test_say_begin(l, "req_a", 3);
    flush(l);
    cr_assert_eq(ledger_read_request(reader, STR("req_a"), arena, &f, &err), OK, "%s", err.text);
    cr_assert(str_equal(f.outcome, STR("open")));
    store_test_say_end(l, "req_a", 3, "answered");
    cr_assert_eq(ledger_feedback(l, STR("req_a"), 0.5, STR("it's \xff"), 77), OK);
    flush(l);
    cr_assert_eq(ledger_read_request(reader, STR("req_a"), arena, &f, &err), OK, "%s", err.text);
    cr_assert(str_equal(f.outcome, STR("answered")));
    cr_assert(str_equal(f.decision, STR("{\"plan\":\"single\"}")));
    cr_assert_eq(f.cost_nano_usd, store_test_cost(3));
    cr_assert_eq(f.quality, 0.25 + 0.5 / 4);
    cr_assert_eq(f.input_tokens, 103);
    cr_assert_eq(f.total_ms, 345);
    cr_assert(f.stream);
    cr_assert_eq(f.score, 0.5);
    cr_assert(str_equal(f.comment, STR("it's \xef\xbf\xbd")));
    cr_assert_eq(ledger_read_request(reader, STR("req_b"), arena, &f, &err), ERR_NOT_FOUND);
}

#define ROWS 3000

static int64_t say_many(struct ledger *l, const char *prefix)
{
    int64_t sum = 0;
    char id[48];
    for (unsigned i = 0; i < ROWS; i++) {
        snprintf(id, sizeof(id), "req_%s_%u", prefix, i);
        store_test_say_begin(l, id, i);
        store_test_say_end(l, id, i, "answered");
        sum += store_test_cost(i);
    }
    return sum;
}

/* Calls of a plan count for who was asked. */
static void check_calls(struct ledger *l)
{
    struct spend before = sum_by(SPEND_EXPERT);
    const struct ledger_end row = {
        .request = store_test_request("req_plan", 1),
        .outcome = STR("answered"),
        .basis = STR("usage"),
        .cost_nano_usd = 30,
        .input_tokens = 9,
        .calls =
            STR("[{\"expert\":\"x\",\"basis\":\"usage\",\"cost_nano_usd\":10,\"input_tokens\":4,"
                "\"cached_tokens\":0,\"output_tokens\":1},{\"expert\":\"y\",\"basis\":"
                "\"estimated\",\"cost_nano_usd\":20,\"input_tokens\":5,\"cached_tokens\":0,"
                "\"output_tokens\":1}]")};
    ledger_end(l, &row);
    flush(l);
    struct spend after = sum_by(SPEND_EXPERT);
    cr_assert_eq(after.cost_nano_usd, before.cost_nano_usd + 30);
    cr_assert_eq(after.requests, before.requests + 1);
    cr_assert_eq(after.input_tokens, before.input_tokens + 9);
}

static void check_groups(int64_t requests, int64_t cost)
{
    for (enum spend_by by = SPEND_KEY; by <= SPEND_TOTAL; by++) {
        struct spend s = sum_by(by);
        cr_assert_eq(s.requests, requests, "by %d", (int)by);
        cr_assert_eq(s.cost_nano_usd, cost, "by %d", (int)by);
    }
}

/* The server crashes in the middle and comes back: rows wait, none is lost, none is there twice. */
static int64_t check_outage(struct ledger *l)
{
    int64_t sum = say_many(l, "before");
    postgres_test_stop();
    sum += say_many(l, "while");
    struct ledger_state state;
    for (int i = 0; i < 200; i++) {
        ledger_state(l, &state);
        if (!state.storage_up)
            break;
        usleep(100000);
    }
    cr_assert_not(state.storage_up);
    cr_assert(state.problem[0]);
    postgres_test_start();
    flush(l);
    ledger_state(l, &state);
    cr_assert(state.storage_up);
    cr_assert_eq(state.lost_rows, 0);
    return sum;
}

/* Two replicas write at once; what one leaves open the other does not close. */
static int64_t check_replicas(struct ledger *a)
{
    struct ledger *b = open_ledger("b");
    struct ledger_found f;
    store_test_say_begin(a, "req_open_a", 1);
    store_test_say_begin(b, "req_open_b", 2);
    int64_t sum = say_many(a, "a") + say_many(b, "b");
    flush(a);
    flush(b);
    ledger_close(b);
    b = open_ledger("b");
    store_test_say_end(b, "req_later", 5, "answered");
    flush(b);
    ledger_close(b);
    cr_assert_eq(ledger_read_request(reader, STR("req_open_a"), arena, &f, NULL), OK);
    cr_assert(str_equal(f.outcome, STR("open")));
    cr_assert_eq(ledger_read_request(reader, STR("req_open_b"), arena, &f, NULL), OK);
    cr_assert(str_equal(f.outcome, STR("interrupted")));
    cr_assert_eq(f.cost_nano_usd, 502);
    return sum + 502 + store_test_cost(5);
}

Test(postgres, holds_a_ledger)
{
    struct ledger *l = open_ledger("a");
    check_one_row(l);
    int64_t cost = store_test_cost(3), rows = 1;
    cost += check_outage(l);
    rows += 2 * ROWS;
    check_groups(rows, cost);
    check_calls(l);
    cost += 30;
    rows += 1;
    cost += check_replicas(l);
    rows += 2 * ROWS + 3;
    check_groups(rows, cost);
    ledger_close(l);
}

/* litellm #18708, #15536: database down means gateway down. */
Test(postgres, away_at_the_start_is_no_error)
{
    postgres_test_stop();
    uint64_t from_ms = clock_now_ms();
    struct ledger *l = open_ledger("a");
    cr_assert_lt(clock_now_ms() - from_ms, 1000);
    store_test_say_end(l, "req_a", 1, "answered");
    ledger_close(l);
    l = open_ledger("a");
    postgres_test_start();
    flush(l);
    cr_assert_eq(sum_by(SPEND_TOTAL).requests, 1);
    ledger_close(l);
}

Test(postgres, old_requests_go)
{
    struct ledger *l = open_ledger("a");
    struct ledger_old old = {0};
    struct error err = {0};
    uint64_t gone = 0;
    char id[32];
    for (unsigned i = 0; i < 1200; i++) {
        snprintf(id, sizeof(id), "req_%u", i);
        store_test_say_end(l, id, i, "answered");
        if (i % 10 == 0)
            cr_assert_eq(ledger_feedback(l, str_from(id), 1, STR(""), 5), OK);
    }
    store_test_say_begin(l, "req_open", 1);
    flush(l);
    cr_assert_eq(ledger_count_old(reader, INT64_MAX, &old, &err), OK, "%s", err.text);
    cr_assert_eq(old.requests, 1200);
    cr_assert_eq(old.feedback, 120);
    cr_assert_eq(old.open, 1);
    cr_assert_eq(ledger_prune(postgres_test_url(), old.last_ms + 1, NULL, &gone, &err), OK, "%s",
                 err.text);
    cr_assert_eq(gone, 1200);
    cr_assert_eq(ledger_count_old(reader, INT64_MAX, &old, &err), OK);
    cr_assert_eq(old.requests, 0);
    cr_assert_eq(old.feedback, 0);
    cr_assert_eq(old.open, 1);
    ledger_close(l);
}

Test(postgres, is_probed_without_making_anything)
{
    struct ledger_probe p = {0};
    struct error err = {0};
    cr_assert_eq(ledger_probe(postgres_test_url(), &p, &err), OK, "%s", err.text);
    cr_assert(p.is_server && !p.there);
    cr_assert_eq(ledger_probe(postgres_test_url(), &p, &err), OK);
    cr_assert(!p.there, "the first probe has made nothing");
    struct ledger *l = open_ledger("a");
    store_test_say_end(l, "req_a", 1, "answered");
    flush(l);
    cr_assert_eq(ledger_probe(postgres_test_url(), &p, &err), OK, "%s", err.text);
    cr_assert(p.there);
    cr_assert_gt(p.bytes, 8192);
    ledger_close(l);
    postgres_test_run("CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA leeroo TO reader; "
                      "GRANT SELECT ON ALL TABLES IN SCHEMA leeroo TO reader");
    char url[400];
    snprintf(url, sizeof(url), "%s", postgres_test_url());
    char *user = strstr(url, "user=postgres");
    cr_assert_not_null(user, "%s", url);
    snprintf(user, sizeof(url) - (size_t)(user - url), "user=reader");
    cr_assert_eq(ledger_probe(url, &p, &err), ERR_FORBIDDEN);
    cr_assert_not_null(strstr(err.text, "may not write the tables"), "%s", err.text);
    postgres_test_run("DROP SCHEMA leeroo CASCADE");
    cr_assert_eq(ledger_probe(url, &p, &err), ERR_FORBIDDEN);
    cr_assert_not_null(strstr(err.text, "may not make a schema"), "%s", err.text);
}

/* A row that the database will never take does not hold up the others. */
Test(postgres, a_refused_row_is_lost_and_counted)
{
    struct ledger *l = open_ledger("a");
    struct ledger_state state;
    store_test_say_end(l, "req_a", 1, "answered");
    flush(l);
    postgres_test_run("ALTER TABLE leeroo.requests ADD CHECK (id <> 'req_bad')");
    store_test_say_end(l, "req_b", 1, "answered");
    store_test_say_end(l, "req_bad", 1, "answered");
    store_test_say_end(l, "req_c", 1, "answered");
    flush(l);
    ledger_close(l);
    l = open_ledger("a");
    flush(l);
    ledger_state(l, &state);
    cr_assert_eq(sum_by(SPEND_TOTAL).requests, 3);
    struct spend_loss loss = {0};
    cr_assert_eq(ledger_read_losses(reader, 0, INT64_MAX, &loss, NULL), OK);
    cr_assert_eq(loss.rows, 1);
    cr_assert_eq(loss.nano_usd, store_test_cost(1));
    ledger_close(l);
}
