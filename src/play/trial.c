/* Every expert, every query: see trial.h. The calls are those of calls/calls.h, without a journal and without a cap. */
#include "play/trial.h"

#include <stdio.h>

#include "base/check.h"
#include "calls/calls.h"
#include "judge/answer_text.h"

#define KEY_BYTES 48 /* of "cell/QUERY/EXPERT" by their numbers */

struct trial {
    const struct dataset *data;
    struct trial_result result;
    struct arena *arena;
    size_t next, total;
    char problem[sizeof(((struct error *)NULL)->text)]; /* of the first call that failed */
    bool no_memory;
};

static bool next_job(void *self, struct call_job *ret)
{
    struct trial *t = self;
    char key[KEY_BYTES];
    if (t->next == t->total || t->no_memory)
        return false;
    size_t query = t->next / t->data->expert_count, expert = t->next % t->data->expert_count;
    int len = snprintf(key, sizeof(key), "cell/%zu/%zu", query, expert);
    struct str kept = arena_copy(t->arena, (struct str){key, (size_t)len});
    t->no_memory = !kept.ptr;
    *ret = (struct call_job){.key = kept,
                             .expert = expert,
                             .user = t->data->queries[query].prompt,
                             .output_tokens = -1,
                             .tag = t->next++};
    return kept.ptr;
}

/* Failed tries of the same question are part of what its answer cost. */
static struct outcome outcome_of(const struct query *q, const struct call_result *r)
{
    bool known = r->basis == COST_USAGE;
    return (struct outcome){.present = true,
                            .known = true,
                            .score = judge_score(q, r->text),
                            .cost_known = known,
                            .tokens_known = known,
                            .input_tokens = known ? (int32_t)r->input_tokens : 0,
                            .output_tokens = known ? (int32_t)r->output_tokens : 0,
                            .cost_nano_usd = known ? r->cost_nano_usd : 0};
}

static void on_done(void *self, const struct call_job *job, const struct call_result *r)
{
    struct trial *t = self;
    size_t query = job->tag / t->data->expert_count;
    if (r->end != CALL_DONE) {
        if (t->result.failed++ == 0)
            snprintf(t->problem, sizeof(t->problem), "%s", r->problem);
        return;
    }
    struct str text = arena_copy(t->arena, r->text);
    t->no_memory |= !text.ptr;
    t->result.texts[job->expert * t->data->query_count + query] = text;
    t->result.outcomes[job->tag] = outcome_of(&t->data->queries[query], r);
}

static enum status ask_all(struct trial *t, const struct trial_options *o, struct error *err)
{
    const struct calls_options options = {.experts = o->experts,
                                          .expert_count = t->data->expert_count,
                                          .concurrency = o->concurrency,
                                          .cap_nano_usd = PURSE_NO_CAP,
                                          .seed = o->seed,
                                          .watch = o->watch};
    const struct call_source source = {.self = t, .next = next_job, .done = on_done};
    struct calls *calls;
    enum status status = calls_create(&options, &calls, err);
    if (status != OK)
        return status;
    status = calls_run(calls, &source, o->what, t->total, err);
    calls_free(calls);
    if (status == OK && t->no_memory)
        status = error_set(err, ERR_MEMORY, "out of memory for answers");
    if (status == OK && t->total > 0 && t->result.failed == t->total)
        status = error_set(err, ERR_UPSTREAM, "%s", t->problem);
    return status;
}

enum status trial_run(const struct dataset *d, const struct trial_options *options, struct arena *a,
                      struct trial_result *ret, struct error *err)
{
    CHECK(options->concurrency >= 1 && options->concurrency <= TRIAL_CONCURRENCY_MAX);
    struct trial t = {.data = d, .arena = a, .total = d->query_count * d->expert_count};
    t.result.outcomes = ARENA_ARRAY(a, t.total + 1, struct outcome);
    t.result.texts = ARENA_ARRAY(a, t.total + 1, struct str);
    if (!t.result.outcomes || !t.result.texts)
        return error_set(err, ERR_MEMORY, "out of memory for outcomes");
    enum status status = ask_all(&t, options, err);
    if (status == OK)
        *ret = t.result;
    return status;
}
