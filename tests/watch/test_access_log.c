/* The access log's line, whole: its fields and their order are promised in docs/running.md. */
#include "watch/access_log.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

static char said[4096];

/* What is written behind the time, without its newline. */
static const char *line_of(const struct record *r)
{
    int file = memfd_create("log", MFD_CLOEXEC), before = dup(STDERR_FILENO);
    cr_assert(file >= 0 && before >= 0);
    cr_assert_geq(dup2(file, STDERR_FILENO), 0);
    access_log_write(r);
    dup2(before, STDERR_FILENO);
    ssize_t n = pread(file, said, sizeof(said) - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    close(before);
    close(file);
    char *begin = strstr(said, " level="), *end = strchr(said, '\n');
    if (end)
        *end = '\0';
    return begin ? begin + 1 : "";
}

static struct record answered(void)
{
    return (struct record){
        .id = "req_1",
        .front = STR("chat"),
        .key = STR("key_1"),
        .model = STR("leeroo"),
        .policy = STR("best"),
        .expert = STR("mid"),
        .plan = STR("single"),
        .stream = true,
        .quality = 0.91206,
        .lambda = 20,
        .predicted_nano_usd = 310000,
        .reference_nano_usd = 4125000,
        .outcome = REQUEST_ANSWERED,
        .http_status = 200,
        .cost =
            {.nano_usd = 287500,
             .tokens = {.input = 75, .cached = 4, .cache_write = 3, .output = 250, .reasoning = 2}},
        .attempts = 1,
        .first_token_ms = 212,
        .total_ms = 1893};
}

Test(access_log, an_answered_request)
{
    struct record r = answered();
    cr_expect_str_eq(line_of(&r),
                     "level=info msg=request req=req_1 policy=best expert=mid plan=single "
                     "status=200 stream=1 quality=0.9121 lambda=20 predicted_usd=0.000310000 "
                     "cost_usd=0.000287500 basis=usage input_tokens=75 output_tokens=250 "
                     "attempts=1 first_token_ms=212 total_ms=1893 front=chat key=key_1 "
                     "model=leeroo cached_tokens=4 cache_write_tokens=3 reasoning_tokens=2 "
                     "reference_usd=0.004125000 hedged=0");
}

Test(access_log, calls_and_problems_follow)
{
    const struct record_call calls[] = {{.expert = STR("cheap"),
                                         .outcome = CALL_FAILED,
                                         .cost = {.basis = COST_ESTIMATED, .nano_usd = 12000},
                                         .latency_ms = 120},
                                        {.expert = STR("mid"),
                                         .outcome = CALL_ANSWERED,
                                         .cost = {.nano_usd = 275500},
                                         .latency_ms = 700,
                                         .hedge = true}};
    struct record r = answered();
    r.calls = calls;
    r.call_count = 2;
    r.problem = "it \"broke\"";
    const char *tail = strstr(line_of(&r), " hedged=");
    cr_assert_not_null(tail, "%s", said);
    cr_expect_str_eq(tail, " hedged=1 calls=\"cheap failed 0.000012000 120ms; "
                           "mid answered 0.000275500 700ms\" error=\"it \\\"broke\\\"\"");
}

Test(access_log, what_was_left_out_is_said)
{
    struct record r = answered();
    r.dropped = STR("thinking,tools.web_search");
    r.problem = "it broke";
    const char *tail = strstr(line_of(&r), " hedged=");
    cr_assert_not_null(tail, "%s", said);
    cr_expect_str_eq(tail, " hedged=0 dropped=thinking,tools.web_search error=\"it broke\"");
}

Test(access_log, a_refused_request_is_short)
{
    const struct record r = {.id = "req_1",
                             .front = STR("messages"),
                             .model = STR("a b"),
                             .outcome = REQUEST_FAILED,
                             .http_status = 404,
                             .first_token_ms = -1};
    cr_expect_str_eq(line_of(&r), "level=info msg=request req=req_1 status=404 total_ms=0 "
                                  "front=messages key=- model=\"a b\" error=-");
}

Test(access_log, the_level_decides_whether_it_is_written)
{
    const struct record r = answered();
    log_set_level(LOG_WARN);
    cr_expect_str_eq(line_of(&r), "");
}
