/* Paid calls over real HTTP: made once, within the cap, remembered, and lost ones booked. */
#include "calls/calls.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "net/net_test.h"

enum { CHEAP, DEAR, BROKEN, EXPERTS, JOBS = 24 };

#define ANSWER_NANO_USD 340000 /* 160 tokens in at 1 USD a million, 30 out at 6 */

static struct test_server *upstream;
static atomic_int asked;
static int greedy;          /* answers are so many times as long as usual, and as they may be */
static bool down;           /* the dear one, for a moment */
static bool silent;         /* all of it were thoughts */
static const char *content; /* of the answer; NULL: a text */
static char last_body[4096];
static char journal[64], urls[EXPERTS][64];
static struct expert experts[EXPERTS];
static struct calls *calls;
static size_t settled;

static void handle(struct http_exchange *x, void *arg)
{
    const struct http_header json = {STR("content-type"), STR("application/json")};
    char body[8192];
    (void)arg;
    if (down && str_starts(x->path, STR("/dear"))) {
        atomic_fetch_add(&asked, 1);
        http_respond(x, 500, &json, 1, STR("{\"error\":{\"message\":\"down\"}}"));
        return;
    }
    if (str_starts(x->path, STR("/broken"))) {
        http_respond(x, 400, &json, 1, STR("{\"error\":{\"message\":\"no\"}}"));
        return;
    }
    snprintf(last_body, sizeof(last_body), "%.*s", (int)x->body.len, x->body.ptr);
    int number = atomic_fetch_add(&asked, 1);
    if (content) {
        snprintf(body, sizeof(body),
                 "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"%s},"
                 "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":160,"
                 "\"completion_tokens\":30}}",
                 content);
        http_respond(x, 200, &json, 1, str_from(body));
        return;
    }
    snprintf(
        body, sizeof(body),
        "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":%s%d%*s%s},"
        "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":160,"
        "\"completion_tokens\":%d}}",
        silent ? "null,\"n\":" : "\"answer ", number, 120 * greedy, "", silent ? "" : "\"",
        greedy ? 30 * greedy : 30);
    http_respond(x, 200, &json, 1, str_from(body));
}

static void setup(void)
{
    static const char *const names[EXPERTS] = {"cheap", "dear", "broken"};
    log_set_level(LOG_ERROR);
    upstream = test_server_start(NULL, handle, NULL);
    for (size_t e = 0; e < EXPERTS; e++) {
        snprintf(urls[e], sizeof(urls[e]), "http://127.0.0.1:%d/%s", upstream->port, names[e]);
        int64_t price = e == CHEAP ? 0 : INT64_C(1000000000);
        experts[e] = (struct expert){
            .name = str_from(names[e]),
            .url = str_from(urls[e]),
            .upstream_model = STR("theirs"),
            .dialect = &dialect_openai,
            .price = {.input_nano_usd_per_m = price, .output_nano_usd_per_m = 6 * price},
            .connect_timeout_ms = 5000,
            .total_timeout_ms = 20000};
    }
    strcpy(journal, "/tmp/leeroo-calls-XXXXXX");
    int fd = mkstemp(journal);
    cr_assert_geq(fd, 0);
    close(fd);
}

static void teardown(void)
{
    calls_free(calls);
    test_server_stop(upstream);
    unlink(journal);
}

TestSuite(calls, .init = setup, .fini = teardown, .timeout = 60);

static int64_t booked_nano_usd;

static void open_calls(int64_t cap_nano_usd, size_t concurrency)
{
    const struct calls_options o = {.experts = experts,
                                    .expert_count = EXPERTS,
                                    .concurrency = concurrency,
                                    .journal = journal,
                                    .cap_nano_usd = cap_nano_usd,
                                    .booked_nano_usd = booked_nano_usd,
                                    .output_tokens = 100,
                                    .settled = settled,
                                    .seed = 1};
    struct error err = {0};
    calls_free(calls);
    calls = NULL;
    cr_assert_eq(calls_create(&o, &calls, &err), OK, "%s", err.text);
}

struct asker {
    size_t expert, count, next;
    char keys[JOBS][16], texts[JOBS][32];
    struct call_result results[JOBS];
    size_t ends[CALL_LEFT_OUT + 1];
    const char *user;
    const char *prefix; /* of the keys; NULL: "cell" */
};

static bool next_job(void *self, struct call_job *ret)
{
    struct asker *a = self;
    if (a->next == a->count)
        return false;
    size_t i = a->next++;
    snprintf(a->keys[i], sizeof(a->keys[i]), "%s/%zu", a->prefix ? a->prefix : "cell", i);
    *ret = (struct call_job){.key = str_from(a->keys[i]),
                             .expert = a->expert,
                             .user = str_from(a->user ? a->user : "What is 3 + 4?"),
                             .tag = i};
    return true;
}

static void on_done(void *self, const struct call_job *job, const struct call_result *r)
{
    struct asker *a = self;
    a->results[job->tag] = *r;
    a->ends[r->end]++;
    snprintf(a->texts[job->tag], sizeof(a->texts[0]), "%.*s", (int)r->text.len,
             r->text.ptr ? r->text.ptr : "");
}

static void ask(struct asker *a)
{
    const struct call_source source = {.self = a, .next = next_job, .done = on_done};
    struct error err = {0};
    cr_assert_eq(calls_run(calls, &source, "asking", a->count, &err), OK, "%s", err.text);
}

Test(calls, an_answer_is_paid_once)
{
    struct asker first = {.expert = DEAR, .count = JOBS}, again = first;
    open_calls(PURSE_NO_CAP, 8);
    ask(&first);
    cr_assert_eq(first.ends[CALL_DONE], JOBS);
    cr_assert_eq(atomic_load(&asked), JOBS);
    cr_assert_eq(first.results[3].cost_nano_usd, ANSWER_NANO_USD);
    cr_assert_eq(calls_purse(calls)->spent_nano_usd, JOBS * ANSWER_NANO_USD);
    cr_assert_eq(calls_purse(calls)->reserved_nano_usd, 0);
    open_calls(PURSE_NO_CAP, 8);
    ask(&again);
    cr_assert_eq(again.ends[CALL_DONE], JOBS);
    cr_assert_eq(atomic_load(&asked), JOBS, "nobody was asked");
    for (size_t i = 0; i < JOBS; i++) {
        cr_assert(again.results[i].remembered);
        cr_assert_str_eq(again.texts[i], first.texts[i]);
        cr_assert_eq(again.results[i].output_tokens, 30);
    }
    cr_assert_eq(calls_purse(calls)->spent_nano_usd, JOBS * ANSWER_NANO_USD);
    struct calls_sum sum = calls_sum(calls, DEAR);
    cr_assert_eq(sum.remembered, JOBS);
    cr_assert_eq(sum.made, 0);
    cr_assert_eq(sum.cost_nano_usd, JOBS * ANSWER_NANO_USD);
}

Test(calls, what_they_were_for_is_told_of_each_round)
{
    struct asker cells = {.expert = DEAR, .count = 5},
                 judging = {.expert = DEAR, .count = 2, .prefix = "judge"};
    for (int process = 0; process < 2; process++) { /* the second time out of the journal */
        open_calls(PURSE_NO_CAP, 8);
        cells.next = judging.next = 0;
        ask(&cells);
        ask(&judging);
        cr_expect_eq(calls_told(calls, CALL_CELL, DEAR).calls, 5);
        cr_expect_eq(calls_told(calls, CALL_CELL, DEAR).cost_nano_usd, 5 * ANSWER_NANO_USD);
        cr_expect_eq(calls_told(calls, CALL_JUDGE, DEAR).cost_nano_usd, 2 * ANSWER_NANO_USD);
        cr_expect_eq(calls_told(calls, CALL_CANARY, DEAR).calls, 0);
        cr_expect_eq(calls_told(calls, CALL_OTHER, DEAR).calls, 0);
    }
    calls_readmit(calls);
    cr_expect_eq(calls_told(calls, CALL_CELL, DEAR).cost_nano_usd, 0);
    cr_expect_str_eq(call_purpose_name(CALL_CANARY), "canary");
    cr_expect_str_eq(call_purpose_name(CALL_OTHER), "other");
}

/* A judge's tests are asked again in every round. */
Test(calls, what_they_cost_is_told_once)
{
    struct asker a = {.expert = DEAR, .count = 4};
    open_calls(PURSE_NO_CAP, 8);
    for (int round = 0; round < 3; round++) {
        calls_readmit(calls);
        a.next = 0;
        ask(&a);
        cr_expect_eq(a.results[0].cost_nano_usd, ANSWER_NANO_USD, "of the answer itself");
        cr_expect_eq(calls_told_nano_usd(calls), 4 * ANSWER_NANO_USD);
        cr_expect_eq(calls_told(calls, CALL_CELL, DEAR).calls, round ? 0 : 4);
    }
    settled = calls_ended(calls);
    cr_expect_eq(settled, 4);
    open_calls(PURSE_NO_CAP, 8); /* another process, after the round */
    a.next = 0;
    a.count = 6;
    ask(&a);
    cr_expect_eq(calls_told_nano_usd(calls), 2 * ANSWER_NANO_USD);
    cr_expect_eq(calls_told(calls, CALL_CELL, DEAR).calls, 2);
    open_calls(PURSE_NO_CAP, 8); /* another, because that one was killed in its round */
    a.next = 0;
    ask(&a);
    cr_expect_eq(calls_told_nano_usd(calls), 2 * ANSWER_NANO_USD);
    cr_expect_eq(calls_ended(calls), 6);
}

Test(calls, another_question_under_the_same_key_is_another_call)
{
    struct asker a = {.expert = DEAR, .count = 1}, b = {.expert = DEAR, .count = 1, .user = "?"};
    open_calls(PURSE_NO_CAP, 1);
    ask(&a);
    ask(&b);
    cr_assert_not(b.results[0].remembered);
    cr_assert_eq(atomic_load(&asked), 2);
}

/* A run that goes on with another teacher: what the first one said is not the second's, though it fails. */
Test(calls, another_expert_under_the_same_key_is_another_call)
{
    struct asker a = {.expert = DEAR, .count = 1}, b = {.expert = BROKEN, .count = 1}, c = b, d = a;
    open_calls(PURSE_NO_CAP, 1);
    ask(&a);
    ask(&b);
    cr_expect_eq(b.ends[CALL_BROKEN], 1);
    for (size_t process = 0; process < 2; process++) {
        c.next = d.next = 0;
        ask(&c);
        cr_expect_eq(c.ends[CALL_BROKEN], process + 1);
        ask(&d);
        cr_expect(d.results[0].remembered, "what was answered stays known");
        open_calls(PURSE_NO_CAP, 1);
    }
}

Test(calls, the_limit_of_the_answer_goes_to_the_expert)
{
    struct asker a = {.expert = DEAR, .count = 1};
    open_calls(PURSE_NO_CAP, 1);
    ask(&a);
    cr_assert(strstr(last_body, "\"max_tokens\":100"), "%s", last_body);
}

/* A cap that holds some of the calls: it is never passed, and what is left would not have paid for another. */
Test(calls, the_cap_holds_with_all_in_flight_counted)
{
    for (size_t workers = 1; workers <= 16; workers += 5) {
        struct asker a = {.expert = DEAR, .count = JOBS};
        cr_assert_eq(truncate(journal, 0), 0);
        open_calls(10 * ANSWER_NANO_USD, workers);
        int64_t bound = calls_bound_nano_usd(
            calls, &(struct call_job){.expert = DEAR, .user = STR("What is 3 + 4?")});
        cr_assert_gt(bound, 2 * ANSWER_NANO_USD, "%lld", (long long)bound);
        ask(&a);
        const struct purse *p = calls_purse(calls);
        cr_assert_leq(p->spent_nano_usd, 10 * ANSWER_NANO_USD);
        cr_assert_gt(p->spent_nano_usd, 10 * ANSWER_NANO_USD - bound, "%zu workers: %lld", workers,
                     (long long)p->spent_nano_usd);
        cr_assert_eq(a.ends[CALL_DONE] + a.ends[CALL_UNPAID], JOBS);
        cr_assert(calls_cap_reached(calls));
    }
}

Test(calls, what_is_free_goes_on_at_the_cap)
{
    struct asker a = {.expert = CHEAP, .count = JOBS};
    open_calls(0, 4);
    ask(&a);
    cr_assert_eq(a.ends[CALL_DONE], JOBS);
    cr_assert_not(calls_cap_reached(calls));
}

Test(calls, an_endpoint_that_passes_over_its_limits_is_reserved_more_for)
{
    const struct call_job job = {.expert = DEAR, .user = STR("What is 3 + 4?")};
    struct asker a = {.expert = DEAR, .count = 1};
    greedy = 10;
    open_calls(PURSE_NO_CAP, 1);
    int64_t before = calls_bound_nano_usd(calls, &job);
    ask(&a);
    cr_assert_gt(a.results[0].cost_nano_usd, before);
    cr_assert_geq(calls_bound_nano_usd(calls, &job), a.results[0].cost_nano_usd);
}

/* By what it costs beyond its limits, not beyond what is reserved by then. */
Test(calls, an_endpoint_that_goes_farther_and_farther_is_reserved_more_for_each_time)
{
    const struct call_job job = {.expert = DEAR, .user = STR("What is 3 + 4?")};
    struct asker a = {.expert = DEAR};
    int64_t bound = 0;
    for (greedy = 10; greedy <= 30; greedy += 10) {
        open_calls(PURSE_NO_CAP, 1); /* each time by what the journal says */
        if (bound > 0)
            cr_expect_eq(calls_bound_nano_usd(calls, &job), bound);
        size_t i = a.count++;
        ask(&a);
        int64_t cost = a.results[i].cost_nano_usd;
        bound = calls_bound_nano_usd(calls, &job);
        cr_expect_geq(bound, cost, "%zu: %lld for %lld", i, (long long)bound, (long long)cost);
    }
}

/* Nobody knows that before its first answer: so there is one call at first, not sixteen. */
Test(calls, an_endpoint_that_passes_over_its_limits_passes_the_cap_by_one_call)
{
    const struct call_job job = {.expert = DEAR, .user = STR("What is 3 + 4?")};
    struct asker a = {.expert = DEAR, .count = JOBS};
    greedy = 10;
    open_calls(3 * ANSWER_NANO_USD, 16);
    ask(&a);
    cr_assert_eq(a.ends[CALL_DONE], 1);
    cr_assert_eq(a.ends[CALL_UNPAID], JOBS - 1);
    int64_t bound = calls_bound_nano_usd(calls, &job);
    open_calls(3 * ANSWER_NANO_USD, 16);
    cr_assert_eq(calls_bound_nano_usd(calls, &job), bound, "the next process knows it, too");
}

Test(calls, a_bound_that_no_number_holds_is_no_money_at_all)
{
    const struct call_job job = {.expert = DEAR, .user = STR("?"), .output_tokens = INT32_MAX};
    FILE *f = fopen(journal, "ae");
    cr_assert(f);
    fputs("{\"intent\":\"cell/0\",\"reserved_nano_usd\":1}\n"
          "{\"failed\":\"cell/0\",\"expert\":\"dear\",\"cost_nano_usd\":8000000000000000000,"
          "\"problem\":\"\"}\n",
          f);
    fclose(f);
    open_calls(PURSE_NO_CAP, 1);
    cr_assert_eq(calls_bound_nano_usd(calls, &job), INT64_MAX);
}

Test(calls, an_answer_without_words_is_an_answer)
{
    struct asker a = {.expert = DEAR, .count = 2}, again = a;
    silent = true;
    for (int process = 0; process < 2; process++) {
        open_calls(PURSE_NO_CAP, 1);
        ask(process ? &again : &a);
    }
    cr_assert_eq(a.ends[CALL_DONE], 2);
    cr_assert_eq(a.results[0].text.len, 0);
    cr_assert_eq(a.results[0].cost_nano_usd, ANSWER_NANO_USD);
    cr_assert(again.results[1].remembered && again.results[1].text.ptr);
}

/* Mistral's models that think put a list there, with their thoughts in it. */
Test(calls, an_answer_in_parts_is_their_texts)
{
    static const struct {
        const char *content, *text; /* NULL: it is none */
    } said[] = {
        {",\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"Hm.\"}]}"
         ","
         "{\"type\":\"text\",\"text\":\"It is \\u0037.\"}]",
         "It is 7."},
        {",\"content\":[{\"type\":\"thinking\",\"thinking\":[]}]", ""},
        {"", ""},
        {",\"content\":7", NULL},
    };
    for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
        struct asker a = {.expert = DEAR, .count = 1};
        content = said[i].content;
        cr_assert_eq(truncate(journal, 0), 0);
        open_calls(PURSE_NO_CAP, 1);
        ask(&a);
        cr_expect_eq(a.ends[CALL_DONE], said[i].text ? 1 : 0, "%s", content);
        cr_expect_str_eq(a.texts[0], said[i].text ? said[i].text : "");
        cr_expect_eq(a.results[0].cost_nano_usd, ANSWER_NANO_USD);
    }
}

Test(calls, a_call_that_was_killed_stays_booked_and_is_made_again)
{
    FILE *f = fopen(journal, "ae");
    cr_assert(f);
    fputs("{\"intent\":\"cell/0\",\"reserved_nano_usd\":500}\n"
          "{\"more\":\"cell/0\",\"reserved_nano_usd\":70}\n"
          "{\"intent\":\"cell/0\",\"reserved_nano_usd\":9}\n{\"intent\":\"cell/",
          f);
    fclose(f);
    struct asker a = {.expert = DEAR, .count = 1};
    open_calls(PURSE_NO_CAP, 1);
    cr_assert_eq(calls_lost_nano_usd(calls), 579);
    cr_assert_eq(calls_purse(calls)->spent_nano_usd, 579);
    ask(&a);
    cr_assert_eq(a.ends[CALL_DONE], 1);
    open_calls(PURSE_NO_CAP, 1);
    cr_assert_eq(calls_lost_nano_usd(calls), 579, "the same however often it is read");
    cr_assert_eq(calls_purse(calls)->spent_nano_usd, 579 + ANSWER_NANO_USD);
}

Test(calls, a_journal_that_is_lost_gives_no_money_back)
{
    struct asker a = {.expert = DEAR, .count = 2}, b = a;
    open_calls(4 * ANSWER_NANO_USD, 1);
    ask(&a);
    booked_nano_usd = calls_purse(calls)->spent_nano_usd;
    open_calls(4 * ANSWER_NANO_USD, 1);
    cr_assert_eq(calls_lost_nano_usd(calls), 0, "the journal has it");
    cr_assert_eq(truncate(journal, 0), 0);
    open_calls(4 * ANSWER_NANO_USD, 1);
    cr_assert_eq(calls_lost_nano_usd(calls), 2 * ANSWER_NANO_USD);
    ask(&b);
    cr_assert_leq(calls_purse(calls)->spent_nano_usd, 4 * ANSWER_NANO_USD);
    cr_assert_geq(b.ends[CALL_UNPAID], 1);
}

Test(calls, an_expert_that_fails_is_left_out_of_the_round_alone)
{
    struct asker a = {.expert = BROKEN, .count = JOBS}, b = a;
    open_calls(INT64_C(1000000000), 1);
    ask(&a);
    cr_assert_eq(a.ends[CALL_BROKEN], CALLS_FAILURES_MAX);
    cr_assert_eq(a.ends[CALL_LEFT_OUT], JOBS - CALLS_FAILURES_MAX);
    cr_assert(calls_left_out(calls, BROKEN));
    cr_assert_not(calls_left_out(calls, DEAR));
    cr_assert_eq(calls_purse(calls)->spent_nano_usd, 0, "a refusal costs nothing");
    ask(&b);
    cr_assert_eq(b.ends[CALL_LEFT_OUT], JOBS);
    b = (struct asker){.expert = BROKEN, .count = JOBS};
    calls_readmit(calls);
    ask(&b);
    cr_assert_eq(b.ends[CALL_BROKEN], CALLS_FAILURES_MAX, "it is asked again");
    open_calls(INT64_C(1000000000), 1);
    cr_assert_eq(calls_lost_nano_usd(calls), 0);
}

/* What a circuit has kept from being sent says nothing of the question: only what was asked and failed is broken. */
Test(calls, a_call_that_was_never_sent_is_not_broken)
{
    struct asker a = {.expert = DEAR, .count = 4}, b = a;
    experts[DEAR].breaker = HEALTH_OPTIONS_DEFAULT;
    experts[DEAR].breaker.failures = 2;
    down = true;
    open_calls(INT64_C(1000000000), 1);
    ask(&a);
    cr_assert_eq(atomic_load(&asked), 2);
    cr_assert_eq(a.ends[CALL_BROKEN], 2);
    cr_assert_eq(a.ends[CALL_LEFT_OUT], 2);
    cr_assert_not(calls_left_out(calls, DEAR), "four failures are not five");
    down = false;
    open_calls(INT64_C(1000000000), 1);
    ask(&b);
    cr_assert_eq(b.ends[CALL_DONE], 4);
}

/* Each answer brings a job of its own, as a generated question brings its repetition. */
struct chain {
    size_t next, open;
    char key[32];
};

static bool next_link(void *self, struct call_job *ret)
{
    struct chain *c = self;
    if (c->open || c->next == 5)
        return false;
    c->open = 1;
    snprintf(c->key, sizeof(c->key), "link/%zu", c->next);
    *ret = (struct call_job){.key = str_from(c->key),
                             .expert = DEAR,
                             .system = STR("You are brief."),
                             .user = STR("?"),
                             .output_tokens = 7};
    return true;
}

static void on_link(void *self, const struct call_job *job, const struct call_result *r)
{
    struct chain *c = self;
    (void)job;
    cr_assert_eq(r->end, CALL_DONE);
    c->next++;
    c->open = 0;
}

Test(calls, jobs_may_come_of_answers)
{
    struct chain c = {0};
    const struct call_source source = {.self = &c, .next = next_link, .done = on_link};
    struct error err = {0};
    open_calls(PURSE_NO_CAP, 8);
    cr_assert_eq(calls_run(calls, &source, "chain", 0, &err), OK, "%s", err.text);
    cr_assert_eq(c.next, 5);
    cr_assert(strstr(last_body, "{\"role\":\"system\",\"content\":\"You are brief.\"}"));
    cr_assert(strstr(last_body, "\"max_tokens\":7"), "%s", last_body);
}

Test(calls, a_journal_that_cannot_be_written_ends_the_run)
{
    const struct calls_options o = {.experts = experts,
                                    .expert_count = EXPERTS,
                                    .concurrency = 1,
                                    .journal = "/nowhere/calls.jsonl",
                                    .cap_nano_usd = PURSE_NO_CAP};
    struct error err = {0};
    cr_assert_eq(calls_create(&o, &calls, &err), ERR_IO);
    cr_assert(strstr(err.text, "/nowhere/calls.jsonl"), "%s", err.text);
}
