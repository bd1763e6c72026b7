/* A prompt and an answer as the gateway sees them: choices lie inside the prompt, one behind the other. What follows
 * the first NUL are an upstream's events, a line each. */
#include "base/check.h"
#include "route/prompt_choices.h"
#include "serve/plan_kept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct query read_query(struct str prompt, struct arena *a)
{
    struct query q;
    const char *end = prompt.ptr;
    CHECK(plan_query_read(prompt, a, &q, NULL) == OK);
    CHECK(q.choice_count != 1 && q.choice_count <= QUERY_CHOICES_MAX);
    CHECK(q.text.len <= prompt.len);
    for (uint32_t i = 0; i < q.choice_count; i++) {
        CHECK(q.choices[i].ptr >= end);
        end = q.choices[i].ptr + q.choices[i].len;
        CHECK(end <= prompt.ptr + prompt.len);
    }
    return q;
}

static void check_prompt(struct str prompt, struct arena *a)
{
    struct buf again;
    struct query q = read_query(prompt, a);
    buf_init(&again, 2 * prompt.len + 256);
    query_prompt(q.text, q.choices, q.choice_count, &again);
    CHECK(again.status == OK);
    read_query(buf_str(&again), a);
    buf_done(&again);
}

static void check_kept(struct str events)
{
    struct plan_kept kept;
    struct buf text;
    struct str data;
    size_t at = 0, count = 0, seen = 0;
    plan_kept_init(&kept, 16 * events.len + 64);
    buf_init(&text, 3 * events.len + 64);
    for (; events.len > 0; count++)
        plan_kept_add_event(&kept, str_split(&events, '\n'));
    for (; plan_kept_next_event(&kept, &at, &data); seen++)
        CHECK(data.ptr + data.len <= kept.bytes.ptr + kept.bytes.len);
    CHECK(seen == count);
    CHECK(plan_kept_text(&kept, &text, NULL) == OK);
    kept.streamed = false;
    CHECK(plan_kept_text(&kept, &text, NULL) == OK);
    buf_done(&text);
    plan_kept_done(&kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str events = {(const char *)data, size};
    struct str prompt = str_split(&events, '\0');
    struct arena *a = arena_create(1u << 20);
    CHECK(a);
    check_prompt(prompt, a);
    check_kept(events);
    arena_free(a);
    return 0;
}
