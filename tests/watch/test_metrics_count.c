/* What is counted of a record, and the page that comes of it. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watch/metrics_count.h"
#include "watch/metrics_write.h"

static struct record record_of(const char *policy, const char *expert, const char *plan)
{
    return (struct record){.id = "req_1",
                           .front = STR("chat"),
                           .policy = str_from(policy),
                           .expert = str_from(expert),
                           .plan = str_from(plan),
                           .quality = 0.75,
                           .outcome = REQUEST_ANSWERED,
                           .http_status = 200,
                           .first_token_ms = -1,
                           .total_ms = 1200};
}

static char *page_of(const struct metrics *const *all, size_t count)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    cr_assert_eq(metrics_write(all, count, &out), OK);
    return buf_take(&out);
}

/* The sample's line is there, whole. */
static void expect_line(const char *page, const char *line)
{
    char whole[512];
    snprintf(whole, sizeof(whole), "\n%s\n", line);
    cr_expect(strstr(page, whole), "no line %s in\n%s", line, page);
}

Test(metrics, a_page_without_requests_names_every_family)
{
    struct metrics *m = metrics_create();
    char *page = page_of((const struct metrics *const[]){m}, 1);
    cr_expect(strstr(page, "# TYPE leeroo_requests_total counter\n"));
    cr_expect(strstr(page, "# TYPE leeroo_request_duration_seconds histogram\n"));
    cr_expect(strstr(page, "# TYPE leeroo_saved_usd gauge\n"));
    expect_line(page, "leeroo_metrics_lost_total 0");
    free(page);
    metrics_free(m);
    metrics_free(NULL);
}

Test(metrics, money_and_tokens_are_exact_and_summed_over_workers)
{
    struct metrics *m[2] = {metrics_create(), metrics_create()};
    const struct record_call calls[] = {
        {.expert = STR("cheap"),
         .outcome = CALL_FAILED,
         .latency_ms = 40,
         .cost = {.nano_usd = 3, .tokens = {.input = 10}}},
        {.expert = STR("dear"),
         .outcome = CALL_ANSWERED,
         .latency_ms = 900,
         .cost = {.nano_usd = 1000000001,
                  .tokens =
                      {.input = 100, .cached = 40, .cache_write = 5, .output = 7, .reasoning = 2}}},
    };
    struct record r = record_of("best", "dear", "single");
    r.calls = calls;
    r.call_count = 2;
    r.cost.nano_usd = 1000000004;
    r.predicted_nano_usd = 900000000;
    r.reference_nano_usd = 500000000;
    metrics_ended(m[0], &r);
    metrics_ended(m[1], &r);
    metrics_ended(m[1], &r);
    char *page = page_of((const struct metrics *const *)m, 2);
    expect_line(page, "leeroo_cost_usd_total{expert=\"dear\",policy=\"best\"} 3.000000003");
    expect_line(page, "leeroo_cost_usd_total{expert=\"cheap\",policy=\"best\"} 0.000000009");
    expect_line(page, "leeroo_predicted_cost_usd_total{policy=\"best\"} 2.700000000");
    expect_line(page, "leeroo_reference_cost_usd_total{policy=\"best\"} 1.500000000");
    expect_line(page, "leeroo_saved_usd{policy=\"best\"} -1.500000012");
    expect_line(page, "leeroo_tokens_total{expert=\"dear\",type=\"input\"} 300");
    expect_line(page, "leeroo_tokens_total{expert=\"dear\",type=\"cached\"} 120");
    expect_line(page, "leeroo_tokens_total{expert=\"dear\",type=\"cache_write\"} 15");
    expect_line(page, "leeroo_tokens_total{expert=\"dear\",type=\"output\"} 21");
    expect_line(page, "leeroo_tokens_total{expert=\"dear\",type=\"reasoning\"} 6");
    expect_line(page, "leeroo_expert_calls_total{expert=\"cheap\",outcome=\"failed\"} 3");
    expect_line(page, "leeroo_requests_total{policy=\"best\",expert=\"dear\",plan=\"single\","
                      "front=\"chat\",outcome=\"answered\",code=\"200\"} 3");
    free(page);
    metrics_free(m[0]);
    metrics_free(m[1]);
}

Test(metrics, a_histogram_has_its_bounds_and_the_rest)
{
    struct metrics *m = metrics_create();
    const uint64_t times[] = {0, 50, 51, 599999, 600000, 600001};
    struct record r = record_of("", "dear", "single");
    for (size_t i = 0; i < 6; i++) {
        r.total_ms = times[i];
        metrics_ended(m, &r);
    }
    r.first_token_ms = 250;
    metrics_ended(m, &r);
    char *page = page_of((const struct metrics *const[]){m}, 1);
#define DURATION "leeroo_request_duration_seconds"
#define DEAR     "policy=\"\",expert=\"dear\""
    expect_line(page, DURATION "_bucket{" DEAR ",le=\"0.05\"} 2");
    expect_line(page, DURATION "_bucket{" DEAR ",le=\"0.1\"} 3");
    expect_line(page, DURATION "_bucket{" DEAR ",le=\"600\"} 5");
    expect_line(page, DURATION "_bucket{" DEAR ",le=\"+Inf\"} 7");
    expect_line(page, DURATION "_count{" DEAR "} 7");
    expect_line(page, DURATION "_sum{" DEAR "} 2400.102");
    expect_line(page, "leeroo_time_to_first_token_seconds_bucket{expert=\"dear\",le=\"0.2\"} 0");
    expect_line(page, "leeroo_time_to_first_token_seconds_bucket{expert=\"dear\",le=\"0.3\"} 1");
    expect_line(page, "leeroo_time_to_first_token_seconds_count{expert=\"dear\"} 1");
    free(page);
    metrics_free(m);
}

Test(metrics, decisions_retries_and_rejections)
{
    struct metrics *m = metrics_create();
    struct record r = record_of("best", "a", "panel(a,b->c)");
    metrics_decided(m, &r);
    metrics_decided(m, &r);
    metrics_ended(m, &r);
    metrics_retried(m, STR("a"), true);
    metrics_retried(m, STR("a"), false);
    metrics_rejected(m, 401);
    struct record nobody = {.http_status = 400, .outcome = REQUEST_FAILED, .first_token_ms = -1};
    metrics_ended(m, &nobody);
    char *page = page_of((const struct metrics *const[]){m}, 1);
    expect_line(page,
                "leeroo_decisions_total{policy=\"best\",expert=\"a\",plan=\"panel(a,b->c)\"} 2");
    expect_line(page, "leeroo_predicted_quality_total{policy=\"best\"} 1.500000");
    expect_line(page,
                "leeroo_requests_total{policy=\"best\",expert=\"a\",plan=\"panel\",front=\"chat\","
                "outcome=\"answered\",code=\"200\"} 1");
    expect_line(page, "leeroo_retries_total{expert=\"a\"} 1");
    expect_line(page, "leeroo_failovers_total{expert=\"a\"} 1");
    expect_line(page, "leeroo_rejected_requests_total{code=\"401\"} 1");
    expect_line(page, "leeroo_rejected_requests_total{code=\"400\"} 1");
    cr_expect_null(strstr(page, "leeroo_request_duration_seconds_count{policy=\"\","),
                   "nobody served the other");
    free(page);
    metrics_free(m);
}

Test(metrics, labels_are_escaped)
{
    struct buf out;
    buf_init(&out, 1024);
    metrics_write_label(&out, "name", STR("a\"b\\c\nd"));
    cr_expect_str_eq(out.ptr, "name=\"a\\\"b\\\\c\\nd\"");
    buf_done(&out);
}

Test(metrics, series_are_bounded_and_the_loss_is_counted)
{
    struct metrics *m = metrics_create();
    for (int i = 0; i < METRICS_SERIES_MAX + 7; i++)
        metrics_rejected(m, i);
    char *page = page_of((const struct metrics *const[]){m}, 1);
    expect_line(page, "leeroo_metrics_lost_total 7");
    expect_line(page, "leeroo_rejected_requests_total{code=\"19999\"} 1");
    cr_expect_null(strstr(page, "code=\"20000\""));
    free(page);
    char name[2000];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    metrics_retried(m, str_from(name), true);
    page = page_of((const struct metrics *const[]){m}, 1);
    expect_line(page, "leeroo_metrics_lost_total 8");
    free(page);
    metrics_free(m);
}

#define COUNTS 20000

static void *write_many(void *arg)
{
    struct metrics *m = arg;
    struct record r = record_of("best", "dear", "single");
    for (int i = 0; i < COUNTS; i++) {
        r.http_status = 200 + i % 100;
        r.total_ms = (uint64_t)i;
        metrics_ended(m, &r);
    }
    return NULL;
}

static unsigned long long value_of(const char *page, const char *name)
{
    const char *at = strstr(page, name);
    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

Test(metrics, a_page_can_be_made_while_workers_count)
{
    struct metrics *m[2] = {metrics_create(), metrics_create()};
    pthread_t threads[2];
    unsigned long long last = 0;
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, write_many, m[i]), 0);
    while (last < 2 * COUNTS) {
        char *page = page_of((const struct metrics *const *)m, 2);
        unsigned long long now =
            value_of(page, DURATION "_count{policy=\"best\",expert=\"dear\"} ");
        cr_assert_geq(now, last, "a counter never falls");
        last = now;
        free(page);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        metrics_free(m[i]);
    }
    cr_expect_eq(last, 2 * COUNTS);
}

Test(metrics, the_process_is_described)
{
    struct buf out;
    buf_init(&out, 65536);
    metrics_write_process(&out);
    cr_expect(strstr(out.ptr, "\nprocess_resident_memory_bytes "), "%s", out.ptr);
    cr_expect_gt(value_of(out.ptr, "\nprocess_resident_memory_bytes "), 100000);
    cr_expect_gt(value_of(out.ptr, "\nprocess_open_fds "), 2);
    cr_expect_gt(value_of(out.ptr, "\nprocess_start_time_seconds "), 1600000000);
    buf_done(&out);
}
