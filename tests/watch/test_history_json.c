/* Steps as JSON: sound, with a number or null for each. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "watch/history_json.h"

static char *written(const struct history_rows *rows)
{
    struct json_value root;
    struct error err = {0};
    struct buf out;
    buf_init(&out, HISTORY_JSON_BYTES_MAX);
    history_json_write(rows, &out);
    cr_assert_eq(out.status, OK);
    cr_assert_eq(json_parse(buf_str(&out), "history", 1, &root, &err), OK, "%s", err.text);
    return buf_take(&out);
}

Test(history_json, without_steps_has_empty_lists)
{
    const struct history_rows none = {.step_s = 5, .from_ms = 1000};
    char *text = written(&none);
    cr_assert_str_eq(text, "{\"step_s\":5,\"from_ms\":1000,\"experts\":[],\"answered\":[],"
                           "\"requests\":[],\"errors\":[],\"usd\":[],\"reference_usd\":[],"
                           "\"p50_ms\":[],\"p95_ms\":[],\"first_token_p50_ms\":[]}");
    free(text);
}

Test(history_json, says_what_is_unknown)
{
    struct history_step steps[2] = {
        {.requests = 3,
         .failed = 1,
         .p50_ms = 7,
         .p95_ms = 9,
         .first_token_p50_ms = HISTORY_MS_UNKNOWN,
         .nano_usd = 1500,
         .reference_nano_usd = -20},
        {.p50_ms = HISTORY_MS_UNKNOWN, .p95_ms = HISTORY_MS_UNKNOWN, .first_token_p50_ms = 2}};
    const char *names[] = {"a", "<script>\"b"};
    uint32_t first[] = {2, 0}, second[] = {0, UINT32_MAX};
    uint32_t *answered[] = {first, second};
    const struct history_rows rows = {.step_s = 60,
                                      .count = 2,
                                      .expert_count = 2,
                                      .steps = steps,
                                      .names = names,
                                      .answered = answered};
    char *text = written(&rows);
    cr_assert_not_null(strstr(text, "\"experts\":[\"a\",\"<script>\\\"b\"],"), "%s", text);
    cr_assert_not_null(strstr(text, "\"answered\":[[2,0],[0,4294967295]],"), "%s", text);
    cr_assert_not_null(strstr(text, "\"usd\":[0.000001500,0.000000000],"), "%s", text);
    cr_assert_not_null(strstr(text, "\"reference_usd\":[-0.000000020,0.000000000],"), "%s", text);
    cr_assert_not_null(strstr(text, "\"p50_ms\":[7,null],\"p95_ms\":[9,null],"), "%s", text);
    cr_assert_not_null(strstr(text, "\"first_token_p50_ms\":[null,2]}"), "%s", text);
    free(text);
}

/* The largest there can be stays within its limits. */
Test(history_json, of_a_day_with_all_experts_fits)
{
    struct arena *a = arena_create(64u << 20);
    struct history_rows rows = {.step_s = 60,
                                .count = HISTORY_LONG_STEPS,
                                .expert_count = HISTORY_EXPERTS_MAX,
                                .steps = ARENA_ARRAY(a, HISTORY_LONG_STEPS, struct history_step),
                                .names = ARENA_ARRAY(a, HISTORY_EXPERTS_MAX, const char *),
                                .answered = ARENA_ARRAY(a, HISTORY_EXPERTS_MAX, uint32_t *)};
    for (size_t i = 0; i < HISTORY_EXPERTS_MAX; i++) {
        rows.names[i] = "an expert with a long name";
        rows.answered[i] = ARENA_ARRAY(a, HISTORY_LONG_STEPS, uint32_t);
        for (size_t k = 0; k < HISTORY_LONG_STEPS; k++)
            rows.answered[i][k] = UINT32_MAX;
    }
    free(written(&rows));
    arena_free(a);
}
