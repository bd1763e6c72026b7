/* The cells of a round, asked and scored. A cell is a job by the name "cell/QUESTION/EXPERT"; those that the journal
 * has answers to cost nothing.
 *
 * Where the question has an answer that can be compared the score is known at once; others are scored when all are
 * there (round_evaluate.c). One thread, which waits for the experts. */
#include "play/play_int.h"

#include <stdio.h>

#include "judge/answer_text.h"
#include "pose/posed.h"
#include "score/evaluate.h"

/* Both names may have slashes; those of the question are written as in a URL, so that no two cells have one key. */
static char *cell_key(struct str id, struct str expert_name, struct arena *a)
{
    struct buf key;
    buf_init(&key, CALLS_KEY_BYTES_MAX);
    buf_add(&key, STR("cell/"));
    for (size_t i = 0; i < id.len; i++)
        if (id.ptr[i] == '/' || id.ptr[i] == '%')
            buf_addf(&key, "%%%02X", id.ptr[i]);
        else
            buf_add_char(&key, id.ptr[i]);
    buf_add_char(&key, '/');
    buf_add(&key, expert_name);
    char *kept =
        buf_status(&key, NULL) == OK ? arena_printf(a, "%.*s", STR_FMT(buf_str(&key))) : NULL;
    buf_done(&key);
    return kept;
}

enum status play_query_job(const struct query *q, struct str expert_name, size_t expert,
                           struct arena *a, struct call_job *ret, struct error *err)
{
    char *key = cell_key(q->id, expert_name, a);
    if (!key)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    *ret = (struct call_job){
        .key = str_from(key), .expert = expert, .system = posed_answer_form(q), .user = q->prompt};
    return OK;
}

enum status play_cell_job(const struct run *run, size_t query, size_t expert, struct arena *a,
                          struct call_job *ret, struct error *err)
{
    const struct dataset *d = run_dataset(run);
    enum status status =
        play_query_job(&d->queries[query], d->experts[expert].name, expert, a, ret, err);
    if (status == OK)
        ret->tag = query * d->expert_count + expert;
    return status;
}

int64_t play_cell_most_nano_usd(const struct run *run, const struct play_options *o, size_t query,
                                size_t expert)
{
    const struct query *q = &run_dataset(run)->queries[query];
    const struct call_job job = {
        .expert = expert, .system = posed_answer_form(q), .user = q->prompt};
    return calls_job_bound_nano_usd(&o->experts[expert], &job, o->settings->output_tokens);
}

struct asking_cells {
    struct play *play;
    const struct cells *cells;
    size_t next;
    struct cell *broken; /* [broken_count] */
    size_t broken_count;
    struct error failure;
};

static bool next_cell(void *self, struct call_job *ret)
{
    struct asking_cells *a = self;
    if (a->next == a->cells->count || a->failure.status != OK)
        return false;
    const struct cell *c = &a->cells->cells[a->next++];
    return play_cell_job(a->play->run, c->question, c->expert, a->play->arena, ret, &a->failure) ==
           OK;
}

/* Without a known answer that can be compared the score stays open. What failed tries have cost is part of what the
 * answer did. */
static struct outcome outcome_of(const struct query *q, const struct call_result *r)
{
    bool counted =
        r->basis == COST_USAGE && r->input_tokens <= INT32_MAX && r->output_tokens <= INT32_MAX;
    const enum evaluate_method method = evaluate_reference_method(q);
    const bool known = method != EVALUATE_UNSCORED;
    return (struct outcome){.present = true,
                            .known = known,
                            .score = known ? judge_score(q, r->text) : 0,
                            .method = str_from(evaluate_method_name(method)),
                            .cost_known = true,
                            .tokens_known = counted,
                            .input_tokens = counted ? (int32_t)r->input_tokens : 0,
                            .output_tokens = counted ? (int32_t)r->output_tokens : 0,
                            .cost_nano_usd = r->cost_nano_usd};
}

enum status play_take_answer(struct play *p, size_t query, size_t expert,
                             const struct call_result *r, struct error *err)
{
    const struct query *q = &run_dataset(p->run)->queries[query];
    const struct outcome o = outcome_of(q, r);
    p->scored[evaluate_reference_method(q)] += o.known;
    enum status status = run_set_outcome(p->run, query, expert, &o, r->text, err);
    if (status == OK)
        run_set_certainty(p->run, query, expert, &r->certainty);
    return status;
}

static void count_end(struct play_round *r, const struct call_result *result)
{
    r->cells += result->end == CALL_DONE;
    r->broken += result->end == CALL_BROKEN;
    r->left_out += result->end == CALL_LEFT_OUT;
    r->unpaid += result->end == CALL_UNPAID;
}

static void on_cell(void *self, const struct call_job *job, const struct call_result *result)
{
    struct asking_cells *a = self;
    const struct dataset *d = run_dataset(a->play->run);
    size_t query = job->tag / d->expert_count;
    count_end(&a->play->r, result);
    if (result->end == CALL_BROKEN)
        a->broken[a->broken_count++] =
            (struct cell){.question = (uint32_t)query, .expert = (uint32_t)job->expert};
    if (result->end != CALL_DONE || a->failure.status != OK)
        return;
    (void)!play_take_answer(a->play, query, job->expert, result, &a->failure);
}

/* A call that fails while its expert answers others is not made again: its cell stays a hole. */
static enum status keep_holes(struct asking_cells *a, struct error *err)
{
    const struct outcome hole = {.present = true};
    enum status status = OK;
    for (size_t i = 0; i < a->broken_count && status == OK; i++) {
        const struct cell *c = &a->broken[i];
        if (!calls_left_out(a->play->calls, c->expert))
            status = run_set_outcome(a->play->run, c->question, c->expert, &hole,
                                     (struct str){NULL, 0}, err);
    }
    return status;
}

enum status play_ask(struct play *p, const struct cells *cells, struct error *err)
{
    struct asking_cells a = {.play = p, .cells = cells};
    const struct call_source source = {.self = &a, .next = next_cell, .done = on_cell};
    char what[32];
    const int64_t before = calls_told_nano_usd(p->calls);
    a.broken = ARENA_ARRAY(p->arena, cells->count + 1, struct cell);
    if (!a.broken)
        return error_set(err, ERR_MEMORY, "out of memory for cells");
    if (p->s->members > 0)
        snprintf(what, sizeof(what), "pass %zu: asking", ++p->passes);
    else
        snprintf(what, sizeof(what), "round %zu: asking", p->r.round);
    enum status status = calls_run(p->calls, &source, what, cells->count, err);
    p->r.spent_nano_usd += calls_told_nano_usd(p->calls) - before;
    if (status == OK && a.failure.status != OK) {
        status = a.failure.status;
        *err = a.failure;
    }
    return status == OK ? keep_holes(&a, err) : status;
}

enum status play_recall(struct play *p, struct error *err)
{
    const struct dataset *d = run_dataset(p->run);
    for (size_t q = 0; q < d->query_count; q++)
        for (size_t e = 0; e < d->expert_count; e++) {
            struct call_job job;
            struct call_result result;
            if (!dataset_outcome(d, q, e)->present)
                continue;
            enum status status = play_cell_job(p->run, q, e, p->arena, &job, err);
            if (status != OK)
                return status;
            if (!calls_find(p->calls, &job, &result))
                continue;
            run_set_text(p->run, q, e, result.text);
            run_set_certainty(p->run, q, e, &result.certainty);
        }
    return OK;
}
