/* An asking on a clock that the test moves, in front of experts that say what the test makes them say: no socket, no
 * gateway, no waiting. What happens is written into a diary, "ask(cheap) retry(cheap,cheap) done(OK) ". */
#pragma once

#include <criterion/criterion.h>
#include <string.h>

#include "ask/asking_int.h"
#include "base/virtual_clock.h"

#define SCENE_EXPERTS   4 /* cheap, mid, dear, spare */
#define SCENE_CALLS_MAX 64
#define CHEAP           0
#define MID             1
#define DEAR            2
#define SPARE           3

#define CHUNK(text) "{\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}"
#define ROLE_CHUNK  "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}"
#define STOP_CHUNK  "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}"
#define WHOLE(text) "{\"choices\":[{\"message\":{\"content\":\"" text "\"}}]}"

struct scene {
    struct virtual_clock clock;
    struct wake_queue wakes;
    struct gates *table;
    struct rng rng;
    struct arena *arena;
    struct expert experts[SCENE_EXPERTS];
    struct gate *gates[SCENE_EXPERTS];
    struct asking_candidate candidates[SCENE_EXPERTS];
    struct asking_context context;
    struct asking_options options; /* a test changes them before scene_start */
    struct asking_plan plan;
    struct plan shape;
    struct plan_verdict verdict; /* what escalation says, but for trust and escalate */
    bool escalate;
    struct asking *asking;
    bool refuse_expert[SCENE_EXPERTS]; /* may_ask says no */
    int64_t limit;                     /* output_limit says so; INT64_MAX: none */
    int64_t
        limit_cost_nano_usd; /* > 0: what all may cost; limit is what is left of it, in nano-USD a token */
    bool accept_nothing;
    char diary[8192];
    struct asking_end end; /* of on_done, err and answer copied */
    struct error end_error;
    struct expert_answer end_answer;
    char body[1024];
    unsigned done;
    bool bound;
};

/* Experts without limits or retries, at 1 nano-USD a token in and 2 out; one at a time. */
struct scene *scene_begin(void);
/* The experts' settings are in force from here on. */
void scene_bind(struct scene *s);
/* Binds, makes the asking and starts it. */
void scene_start(struct scene *s);
/* Nothing may be left: no timer, no place taken, no call. Frees all. */
void scene_end(struct scene *s);
void scene_plan(struct scene *s, enum plan_kind kind, enum plan_rule rule, size_t members);

#define scene_expect(s, text)                                                                      \
    do {                                                                                           \
        cr_expect_str_eq((s)->diary, text);                                                        \
        (s)->diary[0] = '\0';                                                                      \
    } while (0)

/* The experts. A call is numbered in the order of starting. */
size_t scene_call_count(void);
bool scene_call_runs(size_t call);
const struct expert_call_options *scene_call(size_t call);
void scene_answer(size_t call, const char *text, int64_t input_tokens, int64_t output_tokens);
void scene_chunk(size_t call, const char *data); /* one read of one event */
void scene_finish(size_t call);                  /* the stream has ended well */
void scene_fail(size_t call, enum expert_retry retry, int http_status, uint64_t retry_after_ms);
/* The request did not go out: the next calls fail so, or do not even start. */
void scene_refuse_starts(unsigned count);
