/* A prompt and an answer as the gateway sees them: choices lie inside the prompt, one behind the other. What follows
 * the first NUL are an upstream's events, a line each. */
#include "ask/held_events.h"
#include "base/check.h"
#include "route/prompt_choices.h"

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

/* As expert/call.c tells it. A native event is kept with what was read in it, others are read again. */
static void hold(struct held_events *held, struct str data, bool native)
{
    struct openai_reply reply = {0};
    struct expert_event event = {.name = native ? STR("message") : STR(""), .data = data};
    event.reply = openai_reply_read(data, &reply, NULL) == OK ? &reply : NULL;
    held_events_add(held, &event, native);
}

static void check_held(struct str events)
{
    struct held_events held;
    struct buf text;
    struct expert_event event;
    struct openai_reply reply;
    size_t at = 0, count = 0, seen = 0;
    held_events_init(&held, (sizeof(reply) + 32) * (events.len + 1));
    buf_init(&text, 3 * events.len + 64);
    for (; events.len > 0; count++)
        hold(&held, str_split(&events, '\n'), count % 3 == 1);
    CHECK(held.bytes.status == OK);
    for (; held_events_next(&held, &at, &event, &reply); seen++)
        CHECK(event.data.ptr + event.data.len <= held.bytes.ptr + held.bytes.len);
    CHECK(seen == count);
    CHECK(held_events_text(&held, &text, NULL) == OK);
    held.streamed = false;
    CHECK(held_events_text(&held, &text, NULL) == OK);
    buf_done(&text);
    held_events_done(&held);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str events = {(const char *)data, size};
    struct str prompt = str_split(&events, '\0');
    struct arena *a = arena_create(1u << 20);
    CHECK(a);
    check_prompt(prompt, a);
    check_held(events);
    arena_free(a);
    return 0;
}
