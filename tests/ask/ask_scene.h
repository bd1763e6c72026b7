/* An asking on a clock that the test moves, in front of experts that say what the test makes them say: no socket, no
 * gateway, no waiting. Only the transport is scripted; what calls write and read is the real thing. What happens is
 * written into a diary, "ask(cheap) retry(cheap,cheap) done(OK,cheap) ". */
#pragma once

#include <criterion/criterion.h>
#include <string.h>

#include "ask/asking_int.h"
#include "base/virtual_clock.h"
#include "expert/scripted_transport.h"

#define SCENE_EXPERTS          4 /* cheap, mid, dear, spare */
#define SCENE_ANSWER_BYTES_MAX (1u << 20)
#define CHEAP                  0
#define MID                    1
#define DEAR                   2
#define SPARE                  3

#define CHUNK(text) "{\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}"
#define ROLE_CHUNK  "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}"
#define STOP_CHUNK  "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}"
/* What every whole answer is said to have cost: 20 nano-USD. */
#define WHOLE(text)                                                                                \
    "{\"choices\":[{\"message\":{\"content\":\"" text                                              \
    "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5}}"

struct scene {
    struct virtual_clock clock;
    struct scripted_transport script;
    struct wake_queue wakes;
    struct gates *table;
    struct rng rng;
    struct arena *arena;
    struct openai_request chat; /* what is asked */
    struct expert experts[SCENE_EXPERTS];
    struct gate *gates[SCENE_EXPERTS];
    struct asking_candidate candidates[SCENE_EXPERTS];
    struct asking_context context;
    struct asking_options options; /* a test changes them before scene_start */
    struct asking_plan plan;
    struct plan shape;
    size_t winner; /* with PLAN_TRUST: whose answer stands */
    size_t voices; /* of a sequential plan: members asked */
    bool escalate;
    bool certainty;                       /* is asked for where answers are read */
    struct certainty seen[SCENE_EXPERTS]; /* of the members, by the last verdict */
    struct asking *asking;
    bool refuse_expert[SCENE_EXPERTS]; /* may_ask says no */
    /* > 0: what all may cost; output_limit says what is left of it, at 1 nano-USD a token */
    int64_t limit_cost_nano_usd;
    bool accept_nothing;
    bool check_is_down;  /* it cannot even begin */
    char checking[1024]; /* the completion that is checked */
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
const struct transport_request *scene_asked(size_t call); /* while it runs */
int64_t scene_output_limit(size_t call);                  /* that was asked for */
void scene_answer(size_t call, const char *text);
void scene_chunk(size_t call, const char *data); /* one read of one event */
void scene_finish(size_t call);                  /* [DONE], and the end of the connection */
void scene_fail(size_t call, int http_status, uint64_t retry_after_ms);
void scene_break(size_t call); /* amid the answer */
