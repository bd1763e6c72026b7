/* What checks read that others wrote: a service's reply, a judging expert's, an answer and a schema. Each says one of
 * three things, in one printable line. */
#include <string.h>

#include "base/check.h"
#include "verify/verify_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void is_sound(const struct verify_end *end)
{
    CHECK(end->verdict <= VERIFY_DOWN);
    CHECK(strlen(end->why) <= VERIFY_WHY_BYTES_MAX);
    CHECK(utf8_printable(str_from(end->why)));
    CHECK(end->cost_nano_usd >= 0);
}

/* {"request": ..., "answer": "...", "tool_calls": ...} */
static void hold_to_schema(struct str text)
{
    struct json_value root;
    struct verify_end end = {.verdict = VERIFY_DOWN};
    if (json_parse(text, "fuzz", 1, &root, NULL) != OK)
        return;
    const struct verify_input input = {.request = json_get(root, "request"),
                                       .answer = json_inside(json_get(root, "answer")),
                                       .tool_calls = json_get(root, "tool_calls")};
    verify_schema(&input, &end);
    is_sound(&end);
    CHECK(end.verdict == VERIFY_DOWN || verify_schema_applies(input.request, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = {(const char *)data, size};
    const struct verify_settings settings = {.kind = VERIFY_HTTP, .key = STR("sk-of-a-fuzzer")};
    struct verify_end end = {.verdict = VERIFY_DOWN};
    verify_http_read(&settings, 200, text, &end);
    is_sound(&end);
    CHECK(!strstr(end.why, "sk-of-a-fuzzer"));
    end = (struct verify_end){.verdict = VERIFY_DOWN};
    verify_expert_read(text, &end);
    is_sound(&end);
    hold_to_schema(text);
    return 0;
}
