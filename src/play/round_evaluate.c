/* The evaluation of a round: every answer of the run that has no score gets one (score/evaluate.h), its calls made by
 * calls/calls.h like all others, within the cap. What it cost counts as spent in the round. */
#include "play/play_int.h"

#include "base/check.h"
#include "score/evaluate.h"

#define REPORT_BYTES_MAX (1u << 20)

/* Calls */

struct asking_experts {
    struct evaluate_ask *asks;
    size_t count, next;
};

static bool next_ask(void *self, struct call_job *ret)
{
    struct asking_experts *a = self;
    if (a->next == a->count)
        return false;
    const struct evaluate_ask *ask = &a->asks[a->next];
    *ret = (struct call_job){.key = ask->key,
                             .expert = ask->expert,
                             .system = ask->system,
                             .user = ask->user,
                             .tag = a->next++};
    return true;
}

static void on_answer(void *self, const struct call_job *job, const struct call_result *result)
{
    struct asking_experts *a = self;
    CHECK(job->tag < a->count);
    a->asks[job->tag].text = result->text;
}

static enum status ask_experts(void *self, struct evaluate_ask *asks, size_t count,
                               const char *what, struct error *err)
{
    struct play *p = self;
    struct asking_experts a = {asks, count, 0};
    const struct call_source source = {&a, next_ask, on_answer};
    return calls_run(p->calls, &source, what, count, err);
}

/* The run as a table */

static struct str text_of(void *self, size_t query, size_t expert)
{
    const struct play *p = self;
    return run_text(p->run, query, expert);
}

static enum status put_score(void *self, size_t query, size_t expert, const struct outcome *o,
                             struct error *err)
{
    struct play *p = self;
    return run_set_outcome(p->run, query, expert, o, run_text(p->run, query, expert), err);
}

static enum status keep_report(struct play *p, const struct evaluate_figures *f, struct error *err)
{
    struct buf lines, json;
    buf_init(&lines, REPORT_BYTES_MAX);
    buf_init(&json, REPORT_BYTES_MAX);
    evaluate_write_text(f, run_dataset(p->run), &lines);
    evaluate_write_json(f, run_dataset(p->run), &json);
    enum status status = buf_status(&lines, err);
    if (status == OK)
        status = buf_status(&json, err);
    if (status == OK) {
        p->r.evaluation = arena_copy(p->arena, buf_str(&lines)).ptr;
        p->judged = arena_copy(p->arena, buf_str(&json)).ptr;
        if (!p->judged || !p->r.evaluation)
            status = error_set(err, ERR_MEMORY, "out of memory for scores");
    }
    buf_done(&lines);
    buf_done(&json);
    return status;
}

static size_t find_expert(const struct play *p, const char *name)
{
    return name ? expert_index(p->o->experts, p->o->expert_count, str_from(name)) : EVALUATE_NONE;
}

enum status play_evaluate(struct play *p, struct error *err)
{
    const int64_t before = calls_told_nano_usd(p->calls);
    const struct evaluate_table table = {p, run_dataset(p->run), text_of, put_score};
    size_t judges[PLAY_LIST_MAX], count = 0;
    for (size_t i = 0; i < p->s->judges.count; i++) {
        judges[count] = find_expert(p, p->s->judges.items[i]);
        count += judges[count] != EVALUATE_NONE;
    }
    const struct evaluate_options o = {.table = &table,
                                       .ask = ask_experts,
                                       .asker = p,
                                       .teacher = find_expert(p, p->s->teacher),
                                       .judges = judges,
                                       .judge_count = count,
                                       .allow_commands = p->s->allow_commands,
                                       .scored_before = p->scored,
                                       .seed = p->s->seed,
                                       .arena = p->arena};
    struct evaluate_figures figures;
    enum status status = evaluate_run(&o, &figures, err);
    p->r.spent_nano_usd += calls_told_nano_usd(p->calls) - before;
    return status == OK ? keep_report(p, &figures, err) : status;
}

static int64_t asked_count(const struct play_options *o)
{
    int64_t count = 0;
    for (size_t e = 0; e < o->expert_count; e++)
        count += play_is_asked(o, e);
    CHECK(count > 0);
    return count;
}

/* A judge reads an answer without a reference beside another, twice; the teacher's own answer serves all experts.
 * A judge's lengths are guesses. */
struct play_scoring play_evaluate_cost(const struct play_options *o, const struct query *q,
                                       int64_t teacher_tokens)
{
    const struct play_settings *s = o->settings;
    struct play_scoring cost = {0, 0};
    int64_t asked = (int64_t)q->prompt.len / 4;
    if (q->answer.len > 0 || q->check.len > 0)
        return cost;
    if (s->teacher) {
        const struct expert *e =
            &o->experts[expert_index(o->experts, o->expert_count, str_from(s->teacher))];
        cost.teacher_nano_usd =
            price_cost_nano_usd(&e->price, asked, teacher_tokens) / asked_count(o);
    }
    if (s->judges.count > 0) {
        const struct expert *e =
            &o->experts[expert_index(o->experts, o->expert_count, str_from(s->judges.items[0]))];
        cost.judge_nano_usd = 2 * price_cost_nano_usd(&e->price, asked + 3 * PLAY_OUTPUT_GUESS,
                                                      PLAY_OUTPUT_GUESS / 2);
    }
    return cost;
}
