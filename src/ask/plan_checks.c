/* Answers of a verified plan, held to a check one at a time: see asking_int.h. Who checks is the user's business; here
 * is what he is given (a whole chat completion, however the answer came), what he said, and what that took. On the
 * thread of the asking's scheduler. After plan_run_checked() the asking may be over. */
#include "ask/asking_int.h"

#include "base/check.h"
#include "dialect/forms.h"

#define REFUSAL_BYTES_MAX 360

/* Events become one body, as if the expert had not been asked for a stream. */
static enum status gather(const struct held_events *answer, struct buf *out, struct error *err)
{
    struct expert_event event;
    struct openai_reply reply;
    if (!answer->streamed) {
        buf_add(out, buf_str(&answer->bytes));
        return buf_status(out, err);
    }
    void *gathered = openai_forms.create(answer->bytes.len + 4096);
    if (!gathered)
        return error_set(err, ERR_MEMORY, "out of memory for a check");
    for (size_t at = 0; held_events_next(answer, &at, &event, &reply);)
        if (event.reply)
            openai_forms.add(gathered, event.data);
    enum status status = openai_forms.write(gathered, out, err);
    openai_forms.free(gathered);
    return status;
}

static void note(struct asking *a, enum plan_check verdict, struct str why, const struct cost *cost)
{
    struct plan_checks *c = &a->checks;
    CHECK(c->count < PLAN_MEMBERS_MAX);
    struct str copy = why.len ? arena_copy(a->o.arena, why) : STR("");
    c->ended[c->count++] = (struct asking_check){.candidate = c->candidate,
                                                 .verdict = verdict,
                                                 .right = c->right,
                                                 .why = copy.ptr ? copy : STR(""),
                                                 .cost = *cost,
                                                 .begin_ms = c->begin_ms,
                                                 .ended_ms = asking_now_ms(a)};
}

bool plan_checks_begin(struct asking *a, size_t candidate, const struct held_events *answer,
                       double right)
{
    struct plan_checks *c = &a->checks;
    struct error err = {0};
    CHECK(!c->running && a->o.ops->check && a->o.ops->check_cancel);
    c->candidate = candidate;
    c->begin_ms = asking_now_ms(a);
    c->right = right;
    buf_done(&c->completion);
    buf_init(&c->completion, answer->bytes.len * 2 + 65536);
    enum status status = gather(answer, &c->completion, &err);
    if (status == OK)
        status = a->o.ops->check(a->o.user, candidate, buf_str(&c->completion), &err);
    c->running = status == OK;
    if (status != OK)
        note(a, PLAN_CHECK_DOWN, str_from(err.text), &(struct cost){.basis = COST_USAGE});
    return c->running;
}

void asking_checked(struct asking *a, enum plan_check verdict, struct str why,
                    const struct cost *cost)
{
    struct plan_checks *c = &a->checks;
    CHECK(c->running && !a->over);
    CHECK(verdict == PLAN_PASSED || verdict == PLAN_REJECTED || verdict == PLAN_CHECK_DOWN);
    c->running = false;
    note(a, verdict, why, cost);
    plan_run_checked(a, c->candidate, verdict);
}

void plan_checks_cancel(struct asking *a)
{
    if (!a->checks.running)
        return;
    const struct cost cost = a->o.ops->check_cancel(a->o.user);
    a->checks.running = false;
    note(a, PLAN_CHECK_DOWN, STR("cancelled"), &cost);
}

void plan_checks_done(struct asking *a)
{
    plan_checks_cancel(a);
    buf_done(&a->checks.completion);
}

const struct asking_check *asking_checks(const struct asking *a, size_t *ret_count)
{
    *ret_count = a->checks.count;
    return a->checks.ended;
}

void plan_checks_refusal(const struct asking *a, struct error *err)
{
    struct buf why;
    buf_init(&why, REFUSAL_BYTES_MAX);
    for (size_t i = 0; i < a->checks.count; i++) {
        const struct asking_check *c = &a->checks.ended[i];
        buf_addf(&why, "%s%.*s: %s", i ? "; " : "", STR_FMT(asking_expert(a, c->candidate)->name),
                 c->verdict == PLAN_REJECTED ? "rejected" : "the check is down");
        if (c->why.len)
            buf_addf(&why, ", %.*s", STR_FMT(c->why));
    }
    error_set(err, ERR_UPSTREAM, "no answer has passed the policy's check (%s%s)",
              why.ptr ? why.ptr : "", why.status == OK ? "" : "; ...");
    buf_done(&why);
}
