/* Which failures are worth another try, and when. Pure functions of what came back, for any thread: nothing here waits,
 * allocates or remembers; the time of day is an argument. What upstreams write is not to be trusted: a delay may be a
 * date, a time since 1970, or no number at all, and is clamped before anybody adds it to a clock. Error bodies are read
 * as far as they can be; what is no JSON says nothing beyond its status. */
#include "expert/retry.h"

#include <string.h>
#include <time.h>

#include "base/json.h"
#include "expert/refusal.h"

#define RETRY_AFTER_MAX_MS (24 * 3600 * INT64_C(1000))

enum expert_retry retry_for_http(int http_status)
{
    switch (http_status) {
    case 408:
    case 409:
    case 425:
    case 429:
        return EXPERT_RETRY_SAME;
    case 401: /* our key, our account: the request is not at fault, and other experts have other keys */
    case 402:
    case 403:
    case 405: /* our URL: we always post */
        return EXPERT_RETRY_NEXT;
    default:
        if (http_status >= 500)
            return EXPERT_RETRY_SAME;
        return http_status >= 400 ? EXPERT_RETRY_NEVER : EXPERT_RETRY_NEXT;
    }
}

/* Of {"error":{...}}, of a list of such, or of the object itself. */
static struct json_value error_of(struct str body)
{
    struct json_value root = {0}, first;
    if (json_parse(body, "error body", 1, &root, NULL) != OK)
        return (struct json_value){0};
    struct json_iter it = json_iter_begin(root);
    if (root.type == JSON_ARRAY && json_array_next(&it, &first))
        root = first;
    struct json_value error = json_get(root, "error");
    return error.type == JSON_OBJECT ? error : root;
}

static bool is_one_of(struct json_value value, const char *const *words, size_t count)
{
    for (size_t i = 0; value.type == JSON_STRING && i < count; i++)
        if (json_string_equal(value, str_from(words[i])))
            return true;
    return false;
}

/* As OpenAI, Anthropic and DeepSeek say it; Anthropic's older form is known by its sentence alone. */
static bool is_quota(int http_status, struct json_value error)
{
    static const char *const words[] = {"insufficient_quota", "billing_hard_limit_reached",
                                        "billing_not_active", "billing_error",
                                        "insufficient_balance"};
    const size_t count = sizeof(words) / sizeof(words[0]);
    return http_status == 402 || is_one_of(json_get(error, "code"), words, count) ||
           is_one_of(json_get(error, "type"), words, count) ||
           str_find(json_get(error, "message").raw, STR("credit balance is too low"), 0) !=
               SIZE_MAX;
}

static bool is_no_model(int http_status, struct json_value error)
{
    static const char *const words[] = {"model_not_found", "DeploymentNotFound"};
    if (http_status != 404)
        return false;
    return is_one_of(json_get(error, "code"), words, 2) ||
           str_find(json_get(error, "message").raw, STR("model"), 0) != SIZE_MAX;
}

enum expert_retry retry_for_error(int http_status, struct str body, enum retry_reason *ret_reason)
{
    struct json_value error = error_of(body);
    *ret_reason = RETRY_PLAIN;
    if (is_quota(http_status, error))
        *ret_reason = RETRY_QUOTA;
    else if (is_no_model(http_status, error))
        *ret_reason = RETRY_NO_MODEL;
    else if (refusal_is_of_expert(http_status, body))
        *ret_reason = RETRY_REFUSED;
    return *ret_reason == RETRY_PLAIN ? retry_for_http(http_status) : EXPERT_RETRY_NEXT;
}

/* An expert that took the request and then said nothing is not asked again, because its silence has already cost the
 * client a whole timeout. */
enum expert_retry retry_for_transport(enum status status, bool sent)
{
    if (status == ERR_MEMORY)
        return EXPERT_RETRY_NEVER;
    if (status == ERR_TIMEOUT && sent)
        return EXPERT_RETRY_NEXT;
    return EXPERT_RETRY_SAME;
}

uint64_t retry_backoff_ms(unsigned attempt, struct rng *rng)
{
    uint64_t ms = RETRY_BACKOFF_FIRST_MS;
    for (unsigned i = 0; i < attempt && ms < RETRY_BACKOFF_MAX_MS; i++)
        ms *= 2;
    if (ms > RETRY_BACKOFF_MAX_MS)
        ms = RETRY_BACKOFF_MAX_MS;
    return ms / 2 + rng_below(rng, ms / 2 + 1);
}

static uint64_t clamp_delay(double ms)
{
    if (!(ms > 0))
        return 0;
    return ms > (double)RETRY_AFTER_MAX_MS ? (uint64_t)RETRY_AFTER_MAX_MS : (uint64_t)ms;
}

/* HTTP's three forms of a date, and the one that JSON APIs write. */
static bool parse_date(struct str value, struct tm *ret)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y", "%Y-%m-%dT%H:%M:%SZ"};
    char text[64];
    if (value.len >= sizeof(text))
        return false;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);
        if (!end || *end != '\0')
            continue;
        *ret = tm;
        return true;
    }
    return false;
}

/* A number of seconds or milliseconds beyond this is no delay: some services send the time at which to come back. */
#define SINCE_1970_S_MIN  1e9
#define SINCE_1970_MS_MIN 1e12

uint64_t retry_after_number_ms(struct str value, int64_t unit_ms, int64_t wall_ms)
{
    double number = 0;
    if (value.len == 0 || str_to_double(str_trim(value), &number) != OK)
        return 0;
    if (number >= SINCE_1970_MS_MIN && number < SINCE_1970_MS_MIN * 10)
        return clamp_delay(number - (double)wall_ms);
    if (number >= SINCE_1970_S_MIN && number < SINCE_1970_S_MIN * 10)
        return clamp_delay(number * 1000 - (double)wall_ms);
    return clamp_delay(number * (double)unit_ms);
}

uint64_t retry_after_ms(struct str value, int64_t wall_ms)
{
    struct str text = str_trim(value);
    struct tm tm;
    if (text.len == 0)
        return 0;
    if (parse_date(text, &tm))
        return clamp_delay((double)timegm(&tm) * 1000 - (double)wall_ms);
    return retry_after_number_ms(text, 1000, wall_ms);
}
