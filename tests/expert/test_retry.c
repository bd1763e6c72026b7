/* Which failures are tried again, and the waits between. */
#include "expert/retry.h"

#include <criterion/criterion.h>

Test(retry, by_http_status)
{
    static const struct {
        int http_status;
        enum expert_retry want;
    } rows[] = {{400, EXPERT_RETRY_NEVER}, {401, EXPERT_RETRY_NEXT}, {402, EXPERT_RETRY_NEXT},
                {403, EXPERT_RETRY_NEXT},  {405, EXPERT_RETRY_NEXT}, {404, EXPERT_RETRY_NEVER},
                {408, EXPERT_RETRY_SAME},  {409, EXPERT_RETRY_SAME}, {422, EXPERT_RETRY_NEVER},
                {429, EXPERT_RETRY_SAME},  {500, EXPERT_RETRY_SAME}, {503, EXPERT_RETRY_SAME},
                {302, EXPERT_RETRY_NEXT},  {200, EXPERT_RETRY_NEXT}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_expect_eq(retry_for_http(rows[i].http_status), rows[i].want, "%d", rows[i].http_status);
}

Test(retry, by_what_the_error_says)
{
    static const struct {
        int http_status;
        const char *body;
        enum expert_retry want;
        enum retry_reason reason;
    } rows[] = {
        {429, "{\"error\":{\"code\":\"insufficient_quota\"}}", EXPERT_RETRY_NEXT, RETRY_QUOTA},
        {429, "{\"error\":{\"type\":\"insufficient_quota\",\"code\":null}}", EXPERT_RETRY_NEXT,
         RETRY_QUOTA},
        {400, "{\"error\":{\"code\":\"billing_hard_limit_reached\"}}", EXPERT_RETRY_NEXT,
         RETRY_QUOTA},
        {400, "{\"type\":\"error\",\"error\":{\"type\":\"billing_error\",\"message\":\"x\"}}",
         EXPERT_RETRY_NEXT, RETRY_QUOTA},
        {400,
         "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Your "
         "credit balance is too low to access the API\"}}",
         EXPERT_RETRY_NEXT, RETRY_QUOTA},
        {402, "", EXPERT_RETRY_NEXT, RETRY_QUOTA},
        {429, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}", EXPERT_RETRY_SAME, RETRY_PLAIN},
        {404, "{\"error\":{\"code\":\"model_not_found\"}}", EXPERT_RETRY_NEXT, RETRY_NO_MODEL},
        {404, "[{\"error\":{\"code\":404,\"message\":\"models/x is not found\"}}]",
         EXPERT_RETRY_NEXT, RETRY_NO_MODEL},
        {404, "{\"object\":\"error\",\"message\":\"The model `x` does not exist.\"}",
         EXPERT_RETRY_NEXT, RETRY_NO_MODEL},
        {404, "<html>nginx</html>", EXPERT_RETRY_NEVER, RETRY_PLAIN},
        {400, "{\"error\":{\"message\":\"model too hot\"}}", EXPERT_RETRY_NEVER, RETRY_PLAIN},
        {500, "{\"error\":\"insufficient_quota\"}", EXPERT_RETRY_SAME, RETRY_PLAIN},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum retry_reason reason = RETRY_PLAIN;
        cr_expect_eq(retry_for_error(rows[i].http_status, str_from(rows[i].body), &reason),
                     rows[i].want, "%s", rows[i].body);
        cr_expect_eq(reason, rows[i].reason, "%s", rows[i].body);
    }
}

Test(retry, by_transport)
{
    cr_assert_eq(retry_for_transport(ERR_UPSTREAM, false), EXPERT_RETRY_SAME);
    cr_assert_eq(retry_for_transport(ERR_UPSTREAM, true), EXPERT_RETRY_SAME);
    cr_assert_eq(retry_for_transport(ERR_TIMEOUT, false), EXPERT_RETRY_SAME);
    cr_assert_eq(retry_for_transport(ERR_TIMEOUT, true), EXPERT_RETRY_NEXT);
    cr_assert_eq(retry_for_transport(ERR_MEMORY, true), EXPERT_RETRY_NEVER);
}

Test(retry, backoff_doubles_with_jitter_up_to_a_ceiling)
{
    struct rng rng;
    rng_seed(&rng, 1);
    for (unsigned attempt = 0; attempt < 40; attempt++) {
        uint64_t full =
            attempt < 5 ? (uint64_t)RETRY_BACKOFF_FIRST_MS << attempt : RETRY_BACKOFF_MAX_MS;
        uint64_t ms = retry_backoff_ms(attempt, &rng);
        cr_expect_geq(ms, full / 2, "attempt %u", attempt);
        cr_expect_leq(ms, full, "attempt %u", attempt);
    }
}

Test(retry, after_seconds_or_date)
{
    const int64_t wall = INT64_C(1445412480) * 1000; /* Wed, 21 Oct 2015 07:28:00 GMT */
    cr_assert_eq(retry_after_ms(STR("7"), wall), 7000);
    cr_assert_eq(retry_after_ms(STR(" 1.5 "), wall), 1500);
    cr_assert_eq(retry_after_ms(STR("Wed, 21 Oct 2015 07:28:09 GMT"), wall), 9000);
    cr_assert_eq(retry_after_ms(STR("Wed, 21 Oct 2015 07:27:00 GMT"), wall), 0);
    cr_assert_eq(retry_after_ms(STR(""), wall), 0);
    cr_assert_eq(retry_after_ms(STR("-5"), wall), 0);
    cr_assert_eq(retry_after_ms(STR("soon"), wall), 0);
    cr_assert_eq(retry_after_ms(STR("1e300"), wall), 24 * 3600 * 1000);
    cr_assert_eq(retry_after_ms(STR("Wednesday, 21-Oct-15 07:28:09 GMT"), wall), 9000);
    cr_assert_eq(retry_after_ms(STR("Wed Oct 21 07:28:09 2015"), wall), 9000);
    cr_assert_eq(retry_after_ms(STR("2015-10-21T07:28:09Z"), wall), 9000);
}

Test(retry, after_what_cannot_be_a_delay)
{
    const int64_t wall = INT64_C(1445412480) * 1000;
    const uint64_t day = 24 * 3600 * 1000;
    static const char *const nothing[] = {"nan", "-nan", "-inf", "inf", "-1e20", "0", "1e", "0x10"};
    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
        cr_expect_eq(retry_after_ms(str_from(nothing[i]), wall), 0, "%s", nothing[i]);
    cr_expect_eq(retry_after_ms(STR("1445412489"), wall), 9000, "seconds since 1970");
    cr_expect_eq(retry_after_ms(STR("1445412489000"), wall), 9000, "milliseconds since 1970");
    cr_expect_eq(retry_after_ms(STR("1000000000"), wall), 0, "a time that is over");
    cr_expect_eq(retry_after_ms(STR("99999999999999999999"), wall), day);
    cr_expect_eq(retry_after_ms(STR("Fri, 31 Dec 2099 23:59:59 GMT"), wall), day);
    cr_expect_eq(retry_after_number_ms(STR("700"), 1, wall), 700);
    cr_expect_eq(retry_after_number_ms(STR("999999999"), 1, wall), day);
    cr_expect_eq(retry_after_number_ms(STR("1445412489000"), 1, wall), 9000);
}
