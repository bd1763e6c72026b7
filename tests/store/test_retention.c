/* retention.h: what is old and over goes, with its feedback; what is open, young, or of others' tables stays; and a
 * ledger that keeps for a time does it by itself, while rows are written. The same on PostgreSQL in test_postgres.c. */
#include "store/retention.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/backend.h"
#include "store/sql.h"
#include "store_test.h"

#define DAY_MS INT64_C(86400000)

static struct ledger *l;
static struct ledger_reader *reader;

static void open_ledger(int64_t keep_ms)
{
    struct error err = {0};
    const struct ledger_options o = {.store = store_test_path("l.sqlite"),
                                     .journal_path = store_test_path("l.journal"),
                                     .journal_bytes = 4u << 20,
                                     .keep_ms = keep_ms};
    cr_assert_eq(ledger_open(&o, &l, &err), OK, "%s", err.text);
}

static void begin(void)
{
    store_test_begin();
    cr_assert_eq(ledger_reader_create(store_test_path("l.sqlite"), &reader, NULL), OK);
    open_ledger(0);
}

static void end(void)
{
    ledger_close(l);
    ledger_reader_free(reader);
    store_test_end();
}

TestSuite(ledger_retention, .init = begin, .fini = end, .timeout = 60);

/* `count` requests that are over, from `first_ms` on, one every `step_ms`; every tenth has feedback. */
static void say_many(const char *prefix, unsigned count, int64_t first_ms, int64_t step_ms)
{
    char id[40];
    for (unsigned i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "%s_%u", prefix, i);
        struct ledger_end e = {.request = store_test_request(id, i),
                               .outcome = STR("answered"),
                               .basis = STR("usage"),
                               .http_status = 200,
                               .cost_nano_usd = 10,
                               .first_token_ms = -1};
        e.request.begin_wall_ms = first_ms + i * step_ms;
        ledger_end(l, &e);
        if (i % 10 == 0)
            cr_assert_eq(ledger_feedback(l, str_from(id), 1, STR(""), e.request.begin_wall_ms + 5),
                         OK);
        if (i % 1000 == 999)
            cr_assert(ledger_flush(l, 20000));
    }
    cr_assert(ledger_flush(l, 20000));
}

static enum status take(const struct value *v, size_t count, void *arg, struct error *err)
{
    (void)err;
    cr_assert_eq(count, 1);
    *(int64_t *)arg = v[0].integer;
    return OK;
}

static int64_t ask(const char *sql)
{
    struct backend *b = NULL;
    struct error err = {0};
    int64_t n = -1;
    cr_assert_eq(backend_create(store_test_path("l.sqlite"), &b, NULL), OK);
    cr_assert_eq(backend_connect(b, false, &err), OK, "%s", err.text);
    cr_assert_eq(b->ops->query(b, sql, NULL, 0, take, &n, &err), OK, "%s", err.text);
    backend_free(b);
    return n;
}

static void say_open(const char *id, int64_t begin_ms)
{
    struct ledger_begin b = {.request = store_test_request(id, 1)};
    b.request.begin_wall_ms = begin_ms;
    ledger_begin(l, &b);
    cr_assert(ledger_flush(l, 20000));
}

Test(ledger_retention, what_is_old_is_counted_and_goes)
{
    struct ledger_old old = {0};
    struct error err = {0};
    uint64_t gone = 0;
    say_many("old", 2000, 1000000, 1);
    say_many("young", 300, 2000000, 1);
    say_open("open_1", 1000001);
    cr_assert_eq(ledger_feedback(l, STR("never_written"), 1, STR(""), 1000000), OK);
    cr_assert(ledger_flush(l, 20000));
    cr_assert_eq(ledger_count_old(reader, 2000000, &old, &err), OK, "%s", err.text);
    cr_assert_eq(old.requests, 2000);
    cr_assert_eq(old.feedback, 200);
    cr_assert_eq(old.nano_usd, 20000);
    cr_assert_eq(old.first_ms, 1000000);
    cr_assert_eq(old.last_ms, 1001999);
    cr_assert_eq(old.open, 1);
    cr_assert_eq(ask("SELECT COUNT(*) FROM requests"), 2301, "counting erases nothing");
    cr_assert_eq(ledger_prune(store_test_path("l.sqlite"), 2000000, NULL, &gone, &err), OK, "%s",
                 err.text);
    cr_assert_eq(gone, 2000);
    cr_assert_eq(ask("SELECT COUNT(*) FROM requests"), 301);
    cr_assert_eq(ask("SELECT COUNT(*) FROM requests WHERE id = 'open_1'"), 1);
    cr_assert_eq(ask("SELECT COUNT(*) FROM feedback"), 30);
    cr_assert_eq(ledger_count_old(reader, 2000000, &old, &err), OK);
    cr_assert_eq(old.requests, 0);
    cr_assert_eq(old.first_ms, 0);
    cr_assert_eq(ledger_prune(store_test_path("l.sqlite"), 2000000, NULL, &gone, &err), OK);
    cr_assert_eq(gone, 0);
}

/* More of them than a step has rows. */
Test(ledger_retention, requests_of_one_millisecond_go_together)
{
    uint64_t gone = 0;
    struct error err = {0};
    say_many("same", 1300, 5000, 0);
    say_many("next", 10, 5001, 0);
    cr_assert_eq(ledger_prune(store_test_path("l.sqlite"), 5001, NULL, &gone, &err), OK, "%s",
                 err.text);
    cr_assert_eq(gone, 1300);
    cr_assert_eq(ask("SELECT COUNT(*) FROM requests"), 10);
}

Test(ledger_retention, it_stops_when_told_and_goes_on_later)
{
    static const volatile sig_atomic_t stop = 1;
    uint64_t gone = 0, rest = 0;
    struct error err = {0};
    say_many("old", 1500, 1000, 1);
    cr_assert_eq(ledger_prune(store_test_path("l.sqlite"), 9000, &stop, &gone, &err),
                 ERR_CANCELLED);
    cr_assert_eq(gone, RETENTION_STEP_ROWS);
    cr_assert_eq(ledger_prune(store_test_path("l.sqlite"), 9000, NULL, &rest, &err), OK);
    cr_assert_eq(gone + rest, 1500);
}

/* The time that the ledger keeps, and rows that are written meanwhile. */
Test(ledger_retention, a_ledger_keeps_for_a_time)
{
    struct ledger_state s = {0};
    int64_t now_ms = clock_wall_ms();
    say_many("old", 3000, now_ms - 91 * DAY_MS, 1);
    say_many("young", 20, now_ms - 89 * DAY_MS, 1);
    ledger_state(l, &s);
    cr_assert_eq(s.pruning.runs, 0, "without keep_ms nothing goes");
    ledger_close(l);
    open_ledger(90 * DAY_MS);
    for (unsigned i = 0; i < 400 && s.pruning.runs == 0; i++) {
        char id[32];
        snprintf(id, sizeof(id), "now_%u", i);
        store_test_say_end(l, id, i, "answered");
        usleep(20000);
        ledger_state(l, &s);
    }
    cr_assert_eq(s.pruning.runs, 1);
    cr_assert_eq(s.pruning.rows, s.pruned_rows);
    cr_assert_geq(s.pruned_rows, 3000);
    cr_assert_eq(s.pruning.failures, 0);
    cr_assert_lt(s.pruning.before_ms, now_ms - 89 * DAY_MS);
    cr_assert_eq(ask("SELECT COUNT(*) FROM requests WHERE id LIKE 'old%'"), 0);
    cr_assert_eq(ask("SELECT COUNT(*) FROM requests WHERE id LIKE 'young%'"), 20);
    cr_assert(ledger_flush(l, 20000));
}

Test(ledger_retention, a_database_that_is_locked_is_waited_for)
{
    struct backend *lock = NULL;
    struct ledger_state s = {0};
    struct error err = {0};
    say_many("old", 10, 1000, 1);
    ledger_close(l);
    cr_assert_eq(backend_create(store_test_path("l.sqlite"), &lock, NULL), OK);
    cr_assert_eq(backend_connect(lock, true, &err), OK, "%s", err.text);
    cr_assert_eq(lock->ops->begin(lock, &err), OK, "%s", err.text);
    open_ledger(90 * DAY_MS);
    usleep(600000);
    ledger_state(l, &s);
    cr_assert_eq(s.pruned_rows, 0);
    lock->ops->rollback(lock);
    backend_free(lock);
    for (unsigned i = 0; i < 400 && s.pruned_rows == 0; i++) {
        usleep(20000);
        ledger_state(l, &s);
    }
    cr_assert_eq(s.pruned_rows, 10);
}
