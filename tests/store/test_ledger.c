/* ledger.h on SQLite: rows arrive once, whole, in spite of crashes, locks and a full journal. */
#include "store/ledger.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/backend.h"
#include "store/reader.h"
#include "store/sql.h"
#include "store_test.h"

static struct ledger *l;
static struct ledger_reader *reader;
static struct arena *arena;
static uint64_t journal_size;

static void open_ledger(void)
{
    struct error err = {0};
    const struct ledger_options o = {.store = store_test_path("l.sqlite"),
                                     .journal_path = store_test_path("l.journal"),
                                     .journal_bytes = journal_size};
    cr_assert_eq(ledger_open(&o, &l, &err), OK, "%s", err.text);
}

static void begin(void)
{
    store_test_begin();
    journal_size = 1u << 20;
    arena = arena_create(1u << 20);
    cr_assert_eq(ledger_reader_create(store_test_path("l.sqlite"), &reader, NULL), OK);
    open_ledger();
}

static void end(void)
{
    ledger_close(l);
    ledger_reader_free(reader);
    arena_free(arena);
    store_test_end();
}

TestSuite(ledger, .init = begin, .fini = end, .timeout = 60);

static struct ledger_found read_row(const char *id)
{
    struct ledger_found found = {0};
    struct error err = {0};
    cr_assert_eq(ledger_read_request(reader, str_from(id), arena, &found, &err), OK, "%s: %s", id,
                 err.text);
    return found;
}

static enum status take_total(const struct spend *s, void *arg, struct error *err)
{
    (void)err;
    *(struct spend *)arg = *s;
    return OK;
}

static struct spend total(void)
{
    struct spend s = {0};
    struct error err = {0};
    cr_assert_eq(ledger_read_spend(reader, SPEND_TOTAL, 0, INT64_MAX, take_total, &s, &err), OK,
                 "%s", err.text);
    return s;
}

static void flush(void)
{
    struct ledger_state state;
    ledger_state(l, &state);
    cr_assert(ledger_flush(l, 20000), "%s", state.problem);
}

Test(ledger, a_row_says_all_that_was_told)
{
    store_test_say_begin(l, "req_a", 3);
    flush();
    struct ledger_found open = read_row("req_a");
    cr_assert(str_equal(open.outcome, STR("open")));
    cr_assert(str_equal(open.expert, STR("dear")));
    cr_assert_eq(open.predicted_nano_usd, 503);
    cr_assert_eq(open.total_ms, -1);
    store_test_say_end(l, "req_a", 3, "answered");
    flush();
    struct ledger_found f = read_row("req_a");
    cr_assert(str_equal(f.outcome, STR("answered")));
    cr_assert(str_equal(f.key, STR("k1")));
    cr_assert(str_equal(f.front, STR("chat")));
    cr_assert(str_equal(f.decision, STR("{\"plan\":\"single\"}")));
    cr_assert(str_equal(f.basis, STR("usage")));
    cr_assert_eq(f.cost_nano_usd, store_test_cost(3));
    cr_assert_eq(f.input_tokens, 103);
    cr_assert_eq(f.cached_tokens, 40);
    cr_assert_eq(f.cache_write_tokens, 3);
    cr_assert_eq(f.output_tokens, 50);
    cr_assert_eq(f.reasoning_tokens, 20);
    cr_assert_eq(f.first_token_ms, 12);
    cr_assert_eq(f.total_ms, 345);
    cr_assert_eq(f.http_status, 200);
    cr_assert_eq(f.quality, 0.25 + 0.5 / 4);
    cr_assert(f.stream);
    cr_assert_not(f.has_feedback);
}

Test(ledger, begin_and_end_in_one_batch_are_one_whole_row)
{
    store_test_say_begin(l, "req_a", 2);
    store_test_say_end(l, "req_a", 2, "failed");
    flush();
    struct ledger_found f = read_row("req_a");
    cr_assert(str_equal(f.outcome, STR("failed")));
    cr_assert(str_equal(f.decision, STR("{\"plan\":\"single\"}")));
    cr_assert_eq(f.first_token_ms, -1);
    cr_assert_eq(total().requests, 1);
}

Test(ledger, an_end_without_its_begin_is_a_row)
{
    store_test_say_end(l, "req_a", 2, "cancelled");
    flush();
    struct ledger_found f = read_row("req_a");
    cr_assert(str_equal(f.outcome, STR("cancelled")));
    cr_assert(str_equal(f.model, STR("leeroo")));
    cr_assert_eq(f.decision.len, 0);
}

static void say(const char *id, int n)
{
    store_test_say_begin(l, id, n);
    store_test_say_end(l, id, n, "answered");
    flush();
}

static void move(const char *from, const char *to)
{
    char old[256], new[256];
    snprintf(old, sizeof(old), "%s", store_test_path(from));
    snprintf(new, sizeof(new), "%s", store_test_path(to));
    cr_assert_eq(rename(old, new), 0);
}

Test(ledger, a_file_that_is_moved_away_is_whole_and_a_new_one_is_begun)
{
    struct ledger_state state;
    struct ledger_reader *aside;
    struct ledger_found found = {0};
    say("req_a", 1);
    cr_assert_eq(total().requests, 1);
    move("l.sqlite", "old.sqlite");
    say("req_b", 2);
    say("req_c", 3);
    cr_expect_eq(total().requests, 2, "the reader finds the new one, too");
    ledger_state(l, &state);
    cr_expect(state.storage_up && state.gone_files == 1 && state.lost_rows == 0);
    cr_assert_eq(ledger_reader_create(store_test_path("old.sqlite"), &aside, NULL), OK);
    cr_expect_eq(ledger_read_request(aside, STR("req_a"), arena, &found, NULL), OK,
                 "what its log held is in it");
    ledger_reader_free(aside);
}

Test(ledger, what_goes_with_a_deleted_file_is_counted)
{
    struct ledger_state state;
    say("req_a", 1);
    say("req_b", 2);
    store_test_say_begin(l, "req_open", 3);
    flush();
    cr_assert_eq(unlink(store_test_path("l.sqlite")), 0);
    (void)unlink(store_test_path("l.sqlite-wal"));
    (void)unlink(store_test_path("l.sqlite-shm"));
    store_test_say_end(l, "req_open", 3, "answered");
    flush();
    ledger_state(l, &state);
    cr_expect(state.gone_files == 1 && state.lost_rows == 2, "%d", (int)state.lost_rows);
    cr_expect_eq(state.lost_nano_usd, store_test_cost(1) + store_test_cost(2));
    cr_expect_eq(total().requests, 1, "what was open is written at its end");
    say("req_d", 4);
    cr_expect_eq(total().requests, 2);
}

Test(ledger, another_file_in_its_place_is_taken_up)
{
    struct ledger_state state;
    say("req_a", 1);
    move("l.sqlite", "old.sqlite");
    say("req_b", 2);
    move("l.sqlite", "second.sqlite");
    move("old.sqlite", "l.sqlite");
    say("req_c", 3);
    cr_expect_eq(total().requests, 2);
    ledger_state(l, &state);
    cr_expect(state.gone_files == 2 && state.lost_rows == 0);
}

Test(ledger, unknown_ids_are_not_found)
{
    struct ledger_found f;
    flush();
    cr_assert_eq(ledger_read_request(reader, STR("req_x"), arena, &f, NULL), ERR_NOT_FOUND);
}

Test(ledger, feedback_stands_beside_the_request_and_the_last_counts)
{
    store_test_say_end(l, "req_a", 2, "answered");
    cr_assert_eq(ledger_feedback(l, STR("req_a"), 0.25, STR("meh"), 1000), OK);
    cr_assert_eq(ledger_feedback(l, STR("req_a"), 1, STR("good \"after\" all"), 2000), OK);
    cr_assert_eq(ledger_feedback(l, STR("req_a"), 0, STR(""), 1500), OK);
    flush();
    struct ledger_found f = read_row("req_a");
    cr_assert(f.has_feedback);
    cr_assert_eq(f.score, 1);
    cr_assert_eq(f.feedback_ms, 2000);
    cr_assert(str_equal(f.comment, STR("good \"after\" all")));
}

Test(ledger, texts_that_are_no_utf8_are_mended_not_refused)
{
    struct ledger_end row = {.request = store_test_request("req_a", 1),
                             .outcome = STR("answered"),
                             .basis = STR("usage")};
    row.request.model = STR("a\0b\xff"
                            "c");
    ledger_end(l, &row);
    flush();
    cr_assert(str_equal(read_row("req_a").model, STR("a\xef\xbf\xbd"
                                                     "b\xef\xbf\xbd"
                                                     "c")));
    struct ledger_state state;
    ledger_state(l, &state);
    cr_assert_eq(state.lost_rows, 0);
}

/* litellm #13280, #36426, #25705: spend rows lost. */
Test(ledger, rows_told_are_there_after_a_kill)
{
    ledger_close(l);
    l = NULL;
    journal_size = 16u << 20;
    pid_t child = fork();
    if (child == 0) {
        open_ledger();
        char id[32];
        for (unsigned i = 0; i < 2000; i++) {
            snprintf(id, sizeof(id), "req_%u", i);
            store_test_say_begin(l, id, i);
            if (i % 10)
                store_test_say_end(l, id, i, "answered");
        }
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status));
    open_ledger();
    flush();
    ledger_close(l); /* everything that is to be closed is */
    l = NULL;
    int64_t sum = 0;
    for (unsigned i = 0; i < 2000; i++)
        sum += i % 10 ? store_test_cost(i) : 500 + (int64_t)i;
    struct spend s = total();
    cr_assert_eq(s.requests, 2000);
    cr_assert_eq(s.open, 0);
    cr_assert_eq(s.cost_nano_usd, sum);
    struct ledger_found f = read_row("req_1990");
    cr_assert(str_equal(f.outcome, STR("interrupted")));
    cr_assert(str_equal(f.basis, STR("estimated")));
    cr_assert_eq(f.cost_nano_usd, 500 + 1990);
}

/* A crash between the database's commit and the journal's release writes rows twice. */
Test(ledger, replaying_changes_nothing)
{
    store_test_say_begin(l, "req_a", 1);
    store_test_say_end(l, "req_a", 1, "answered");
    flush();
    store_test_say_begin(l, "req_a", 1);
    flush();
    cr_assert(str_equal(read_row("req_a").outcome, STR("answered")));
    store_test_say_end(l, "req_a", 1, "answered");
    flush();
    cr_assert_eq(total().requests, 1);
    cr_assert_eq(total().cost_nano_usd, store_test_cost(1));
}

Test(ledger, only_its_own_open_rows_are_interrupted)
{
    struct ledger *other = NULL;
    const struct ledger_options o = {.store = store_test_path("l.sqlite"),
                                     .journal_path = store_test_path("other.journal"),
                                     .journal_bytes = journal_size};
    store_test_say_begin(l, "req_mine", 1);
    flush();
    cr_assert_eq(ledger_open(&o, &other, NULL), OK);
    store_test_say_begin(other, "req_other", 2);
    cr_assert(ledger_flush(other, 20000));
    ledger_close(other);
    cr_assert(str_equal(read_row("req_mine").outcome, STR("open")));
    other = NULL;
    cr_assert_eq(ledger_open(&o, &other, NULL), OK);
    store_test_say_end(other, "req_new", 2, "answered");
    cr_assert(ledger_flush(other, 20000));
    ledger_close(other);
    cr_assert(str_equal(read_row("req_mine").outcome, STR("open")));
    cr_assert(str_equal(read_row("req_other").outcome, STR("interrupted")));
}

/* Outages */

/* Holds the database locked from a connection of its own. */
static struct backend *lock_database(void)
{
    struct backend *b = NULL;
    struct error err = {0};
    cr_assert_eq(sqlite_backend_create(store_test_path("l.sqlite"), &b, &err), OK);
    cr_assert_eq(backend_connect(b, true, &err), OK, "%s", err.text);
    cr_assert_eq(b->ops->begin(b, &err), OK, "%s", err.text);
    return b;
}

static struct ledger_state wait_until(bool up)
{
    struct ledger_state state = {0};
    for (int i = 0; i < 3000; i++) {
        ledger_state(l, &state);
        if (state.storage_up == up)
            return state;
        usleep(10000);
    }
    cr_assert(false, "storage never was %s", up ? "up" : "down");
    return state;
}

Test(ledger, nothing_is_lost_while_the_journal_has_room)
{
    flush();
    struct backend *lock = lock_database();
    store_test_say_begin(l, "req_a", 1);
    struct ledger_state state = wait_until(false);
    cr_assert_neq(state.problem[0], 0);
    cr_assert_not(ledger_flush(l, 1000));
    store_test_say_end(l, "req_a", 1, "answered");
    lock->ops->rollback(lock);
    backend_free(lock);
    wait_until(true);
    flush();
    cr_assert_eq(total().cost_nano_usd, store_test_cost(1));
    ledger_state(l, &state);
    cr_assert_eq(state.lost_rows, 0);
}

/* litellm #12685, #27954, #38193: memory grows when storage fails. Here the journal fills, ends of begins that were
 * taken always fit, and what did not is counted to the nano-dollar. */
Test(ledger, a_full_journal_loses_and_counts)
{
    char id[32];
    unsigned begun = 300;
    flush();
    struct backend *lock = lock_database();
    for (unsigned i = 0; i < begun; i++) {
        snprintf(id, sizeof(id), "req_begun_%u", i);
        store_test_say_begin(l, id, i);
    }
    wait_until(false);
    struct ledger_state state;
    unsigned said = 0;
    do {
        snprintf(id, sizeof(id), "req_flood_%u", said);
        store_test_say_begin(l, id, said);
        store_test_say_end(l, id, said, "answered");
        said++;
        ledger_state(l, &state);
    } while (state.lost_rows < 500);
    cr_assert_leq(state.journal_used_bytes, state.journal_bytes);
    for (unsigned i = 0; i < begun; i++) {
        snprintf(id, sizeof(id), "req_begun_%u", i);
        store_test_say_end(l, id, i, "answered");
    }
    ledger_state(l, &state);
    cr_assert_eq(state.lost_rows, 500, "the ends of open requests fit");
    lock->ops->rollback(lock);
    backend_free(lock);
    wait_until(true);
    flush();
    int64_t told = 0;
    for (unsigned i = 0; i < begun; i++)
        told += store_test_cost(i);
    for (unsigned i = 0; i < said; i++)
        told += store_test_cost(i);
    struct spend s = total();
    struct spend_loss loss = {0};
    cr_assert_eq(ledger_read_losses(reader, 0, INT64_MAX, &loss, NULL), OK);
    cr_assert_eq(loss.rows, 500);
    cr_assert_eq(loss.nano_usd, state.lost_nano_usd);
    cr_assert_eq(s.requests, begun + said - 500);
    cr_assert_eq(s.cost_nano_usd + loss.nano_usd, told, "every nano-dollar is somewhere");
    cr_assert_eq(s.open, 0);
}

Test(ledger, losses_outlive_a_kill)
{
    ledger_close(l);
    l = NULL;
    pid_t child = fork();
    if (child == 0) {
        open_ledger();
        (void)!ledger_flush(l, 20000);
        struct backend *lock = lock_database();
        (void)lock;
        char id[32];
        struct ledger_state state;
        unsigned i = 0;
        do {
            snprintf(id, sizeof(id), "req_%u", i);
            store_test_say_end(l, id, i++, "answered");
            ledger_state(l, &state);
        } while (state.lost_rows < 10);
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    open_ledger();
    flush();
    ledger_close(l);
    l = NULL;
    struct spend_loss loss = {0};
    cr_assert_eq(ledger_read_losses(reader, 0, INT64_MAX, &loss, NULL), OK);
    cr_assert_eq(loss.rows, 10);
}

Test(ledger, closing_writes_what_is_there)
{
    for (unsigned i = 0; i < 1500; i++) {
        char id[32];
        snprintf(id, sizeof(id), "req_%u", i);
        store_test_say_end(l, id, i, "answered");
    }
    ledger_close(l);
    l = NULL;
    cr_assert_eq(total().requests, 1500);
}

Test(ledger, closing_does_not_wait_for_a_database_that_is_away)
{
    flush();
    struct backend *lock = lock_database();
    store_test_say_end(l, "req_a", 1, "answered");
    uint64_t from_ms = clock_now_ms();
    ledger_close(l);
    cr_assert_lt(clock_now_ms() - from_ms, 15000);
    lock->ops->rollback(lock);
    backend_free(lock);
    open_ledger();
    flush();
    cr_assert_eq(total().requests, 1, "the journal had kept it");
}

/* Concurrency */

#define THREADS  4
#define REQUESTS 3000

static void *say_many(void *arg)
{
    unsigned thread = *(unsigned *)arg;
    char id[32];
    for (unsigned i = 0; i < REQUESTS; i++) {
        snprintf(id, sizeof(id), "req_%u_%u", thread, i);
        store_test_say_begin(l, id, i);
        if (i % 7 == 0)
            usleep(100);
        store_test_say_end(l, id, i, "answered");
    }
    return NULL;
}

Test(ledger, threads_lose_nothing)
{
    pthread_t threads[THREADS];
    unsigned numbers[THREADS];
    ledger_close(l);
    journal_size = 64u << 20;
    open_ledger();
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        cr_assert_eq(pthread_create(&threads[i], NULL, say_many, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    flush();
    int64_t sum = 0;
    for (unsigned i = 0; i < REQUESTS; i++)
        sum += THREADS * store_test_cost(i);
    struct spend s = total();
    cr_assert_eq(s.requests, THREADS * REQUESTS);
    cr_assert_eq(s.cost_nano_usd, sum);
    cr_assert_eq(s.open, 0);
}
