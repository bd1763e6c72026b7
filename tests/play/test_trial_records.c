/* What a trial writes down: a row in the ledger for each question that an expert was asked, in the words in which the
 * gateway writes its requests. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "net/net_test.h"
#include "play/trial.h"
#include "watch/metrics_count.h"
#include "watch/metrics_write.h"
#include "watch/watch_test.h"

TestSuite(trial_records, .init = watch_test_begin, .fini = watch_test_end, .timeout = 60);

enum { CHEAP, MID, DEAR, EXPERTS, QUERIES = 2, ROWS = EXPERTS * QUERIES };

static const char *const names[EXPERTS] = {"cheap", "mid", "dear"};
static atomic_int mid_calls;

/* cheap answers, mid does so when it is asked again, dear never. */
static void handle(struct http_exchange *x, void *arg)
{
    const struct http_header json = {STR("content-type"), STR("application/json")};
    (void)arg;
    if (str_starts(x->path, STR("/dear")))
        http_respond(x, 400, &json, 1, STR("{\"error\":{\"message\":\"no\"}}"));
    else if (str_starts(x->path, STR("/mid")) && atomic_fetch_add(&mid_calls, 1) % 2 == 0)
        http_respond(x, 500, &json, 1, STR("{\"error\":{\"message\":\"wait\"}}"));
    else
        http_respond(x, 200, &json, 1,
                     STR("{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                         "\"content\":\"The answer is 7.\"},\"finish_reason\":\"stop\"}],"
                         "\"usage\":{\"prompt_tokens\":160,\"completion_tokens\":30}}"));
}

static void run(const struct watch *w, struct arena *arena, struct trial_result *result)
{
    struct test_server *upstream = test_server_start(NULL, handle, NULL);
    char urls[EXPERTS][64];
    struct expert experts[EXPERTS];
    struct dataset_expert columns[EXPERTS];
    struct query queries[QUERIES];
    struct error err = {0};
    for (size_t e = 0; e < EXPERTS; e++) {
        snprintf(urls[e], sizeof(urls[e]), "http://127.0.0.1:%d/%s", upstream->port, names[e]);
        experts[e] = (struct expert){
            .name = str_from(names[e]),
            .url = str_from(urls[e]),
            .upstream_model = STR("theirs"),
            .dialect = &dialect_openai,
            .price = {.input_nano_usd_per_m = 1000000000, .output_nano_usd_per_m = 6000000000},
            .retries = 1,
            .connect_timeout_ms = 5000,
            .total_timeout_ms = 20000};
        columns[e] = (struct dataset_expert){.name = str_from(names[e])};
    }
    for (size_t q = 0; q < QUERIES; q++)
        queries[q] =
            (struct query){.id = STR("q"), .prompt = STR("What is 3 + 4?"), .answer = STR("7")};
    const struct dataset data = {
        .queries = queries, .query_count = QUERIES, .experts = columns, .expert_count = EXPERTS};
    const struct trial_options options = {
        .experts = experts, .concurrency = 1, .what = "asking", .seed = 1, .watch = w};
    cr_assert_eq(trial_run(&data, &options, arena, result, &err), OK, "%s", err.text);
    test_server_stop(upstream);
}

/* What the log says while `run` runs: the ids stand in it. */
static char *run_logged(const struct watch *w, struct arena *arena, struct trial_result *result)
{
    const size_t bytes_max = 64 << 10;
    char *said = ARENA_ARRAY(arena, bytes_max, char);
    int file = memfd_create("log", MFD_CLOEXEC), before = dup(STDERR_FILENO);
    cr_assert(said && file >= 0 && before >= 0);
    cr_assert_geq(dup2(file, STDERR_FILENO), 0);
    run(w, arena, result);
    dup2(before, STDERR_FILENO);
    cr_assert_gt(pread(file, said, bytes_max - 1, 0), 0);
    close(before);
    close(file);
    return said;
}

static void check_row(const char *id, int64_t cost_nano_usd, size_t rows[EXPERTS])
{
    struct ledger_found found;
    cr_assert_eq(watch_test_read(id, &found), OK, "%s", id);
    size_t e = str_equal(found.expert, STR("cheap")) ? CHEAP
               : str_equal(found.expert, STR("mid")) ? MID
                                                     : DEAR;
    rows[e]++;
    cr_expect(str_equal(found.front, STR("play")));
    cr_expect(str_equal(found.model, str_from(names[e])), "%.*s", STR_FMT(found.model));
    cr_expect(str_equal(found.plan, STR("single")));
    cr_expect_eq(found.policy.len, 0);
    cr_expect_gt(found.predicted_nano_usd, 0);
    cr_expect_eq(found.attempts, e == MID ? 2 : 1, "%s: %lld", names[e], (long long)found.attempts);
    cr_expect_eq(found.cost_nano_usd, e == DEAR ? 0 : cost_nano_usd);
    cr_expect_eq(found.http_status, e == DEAR ? 400 : 200);
    cr_expect(str_equal(found.outcome, e == DEAR ? STR("failed") : STR("answered")));
    cr_expect_eq(found.problem.len > 0, e == DEAR);
}

Test(trial_records, each_question_is_a_row_and_their_sum_is_what_was_spent)
{
    struct trial_result result;
    struct metrics *metrics = metrics_create();
    const struct watch w = {.ledger = watch_test_ledger, .metrics = metrics};
    struct arena *arena = arena_create(64 << 20);
    char *said = run_logged(&w, arena, &result);
    size_t rows[EXPERTS] = {0};
    int64_t one = result.outcomes[CHEAP].cost_nano_usd;
    for (char *at = said; (at = strstr(at, "msg=request req=")); at++) {
        char id[RECORD_ID_BYTES];
        cr_assert_eq(sscanf(at, "msg=request req=%31s", id), 1);
        check_row(id, one, rows);
    }
    for (size_t e = 0; e < EXPERTS; e++)
        cr_expect_eq(rows[e], QUERIES, "%s: %zu", names[e], rows[e]);
    struct spend sum = watch_test_spend();
    cr_expect_eq(one, 160 * 1000 + 30 * 6000);
    cr_expect_eq(sum.requests, ROWS, "ids of their own");
    cr_expect_eq(sum.open, 0);
    cr_expect_eq(sum.failed, QUERIES);
    cr_expect_eq(sum.cost_nano_usd, 2 * QUERIES * one);
    cr_expect_eq(result.outcomes[MID].cost_nano_usd, one);
    struct buf page;
    buf_init(&page, 1u << 20);
    cr_assert_eq(metrics_write((const struct metrics *const[]){metrics}, 1, &page), OK);
    cr_expect(strstr(page.ptr, "\nleeroo_retries_total{expert=\"mid\"} 2\n"), "%s", page.ptr);
    buf_done(&page);
    metrics_free(metrics);
    arena_free(arena);
}

Test(trial_records, trials_of_one_seed_write_rows_of_their_own)
{
    struct trial_result result;
    const struct watch w = {.ledger = watch_test_ledger};
    struct arena *arena = arena_create(64 << 20);
    run(&w, arena, &result);
    run(&w, arena, &result);
    cr_expect_eq(watch_test_spend().requests, 2 * ROWS);
    arena_free(arena);
}

Test(trial_records, nobody_need_hear_of_it)
{
    struct trial_result result;
    struct arena *arena = arena_create(64 << 20);
    run(NULL, arena, &result);
    cr_expect_eq(result.failed, QUERIES);
    cr_expect_eq(watch_test_spend().requests, 0);
    arena_free(arena);
}
