/* Scores of a run's answers: see evaluate.h. Here is the order of the steps, what all of them need, and the first step:
 * checks and references, which ask nobody. The others are evaluate_teacher.c, evaluate_judge.c (with evaluate_trust.c)
 * and evaluate_consensus.c; each takes what is still open and leaves the rest to the next.
 *
 * One thread, which waits for the experts. A command that checks answers blocks it, too. */
#include "score/evaluate_int.h"

#include "judge/answer_check.h"
#include "judge/answer_text.h"
#include "judge/number.h"
#include "judge/stated.h"
#include "judge/thought.h"

#define SHORT_BYTES_MAX      40 /* a whole answer that is the words asked for, and no sentence */
#define SHORT_WORDS_MAX      4
#define COMPARABLE_BYTES_MAX 100 /* a longer reference is a text that only a reader can compare */

static const char *const names[EVALUATE_METHODS] = {
    "", "choice", "number", "text", "regex", "schema", "command", "teacher", "judge", "consensus"};

const char *evaluate_method_name(enum evaluate_method m)
{
    return names[m];
}

struct str eval_text(const struct eval *ev, size_t q, size_t e)
{
    return ev->o->table->text(ev->o->table->self, q, e);
}

enum status eval_score(struct eval *ev, size_t q, size_t e, double score,
                       enum evaluate_method method, double confidence, struct error *err)
{
    struct outcome o = *dataset_outcome(ev->d, q, e);
    o.known = true;
    o.score = (float)(score < 0 ? 0 : score > 1 ? 1 : score);
    o.method = str_from(names[method]);
    o.confidence = (float)confidence;
    ev->open[q * ev->experts + e] = false;
    ev->compared[q * ev->experts + e] = method < EVALUATE_TEACHER;
    ev->f.scored[method]++;
    ev->f.confidence[method] += confidence;
    return ev->o->table->put(ev->o->table->self, q, e, &o, err);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static size_t words_of(struct str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += !is_blank(text.ptr[i]) && (i == 0 || is_blank(text.ptr[i - 1]));
    return count;
}

bool eval_answer(const struct query *q, struct str text, struct str *ret)
{
    if (q->choice_count > 0)
        return judge_answer_read(q, JUDGE_AUTO, text, ret);
    const struct str said = str_trim(judge_behind_thought(text));
    if (stated_read(said, ret))
        return true;
    *ret = said;
    return said.len > 0 && said.len <= SHORT_BYTES_MAX && words_of(said) <= SHORT_WORDS_MAX;
}

enum status eval_ask_all(struct eval *ev, struct evaluate_ask *asks, size_t count, const char *what,
                         struct error *err)
{
    return count > 0 ? ev->o->ask(ev->o->asker, asks, count, what, err) : OK;
}

/* Checks */

static void note_broken(struct eval *ev, size_t q, const struct error *problem)
{
    ev->f.checks_broken++;
    if (ev->f.first_problem.len > 0)
        return;
    const char *text =
        arena_printf(ev->a, "question %.*s: %s", STR_FMT(ev->d->queries[q].id), problem->text);
    ev->f.first_problem = str_from(text);
}

/* An answer whose check says nothing of it stays without a score, and no other method is asked: the question has said
 * how it is to be scored. */
static enum status check_answers(struct eval *ev, size_t q, struct error *err)
{
    static const enum evaluate_method methods[] = {EVALUATE_REGEX, EVALUATE_SCHEMA,
                                                   EVALUATE_COMMAND};
    const struct query *query = &ev->d->queries[q];
    struct judge_check check;
    struct error problem = {0};
    const enum status readable = check_read(query->check, ev->a, &check, &problem);
    for (size_t e = 0; e < ev->experts; e++) {
        enum status status = readable;
        float score;
        if (!ev->open[q * ev->experts + e])
            continue;
        if (status == OK)
            status = check_score(&check, query, eval_text(ev, q, e), ev->o->allow_commands, NULL,
                                 ev->a, &score, &problem);
        if (status == OK) {
            status = eval_score(ev, q, e, (double)score, methods[check.kind], 1, err);
            if (status != OK)
                return status;
            continue;
        }
        ev->open[q * ev->experts + e] = false;
        ev->f.scored[EVALUATE_UNSCORED]++;
        ev->f.commands_refused += status == ERR_FORBIDDEN;
        if (status != ERR_FORBIDDEN)
            note_broken(ev, q, &problem);
    }
    return OK;
}

/* References */

static bool is_comparable(const struct query *q)
{
    return q->choice_count > 0 ||
           (q->answer.len <= COMPARABLE_BYTES_MAX && str_find(q->answer, STR("\n"), 0) == SIZE_MAX);
}

enum evaluate_method evaluate_reference_method(const struct query *q)
{
    struct judge_number number;
    if (q->check.len > 0 || q->answer.len == 0 || !is_comparable(q))
        return EVALUATE_UNSCORED;
    if (q->choice_count > 0)
        return EVALUATE_CHOICE;
    return judge_number_read(q->answer, &number) ? EVALUATE_NUMBER : EVALUATE_TEXT;
}

static enum status score_query(struct eval *ev, size_t q, struct error *err)
{
    const struct query *query = &ev->d->queries[q];
    enum status status = OK;
    if (query->check.len > 0)
        return check_answers(ev, q, err);
    if (query->answer.len == 0)
        return OK;
    if (!is_comparable(query)) {
        ev->reference[q] = query->answer;
        ev->reference_trust[q] = 1;
        return OK;
    }
    for (size_t e = 0; e < ev->experts && status == OK; e++)
        if (ev->open[q * ev->experts + e])
            status = eval_score(ev, q, e, (double)judge_score(query, eval_text(ev, q, e)),
                                evaluate_reference_method(query), 1, err);
    return status;
}

enum status eval_references(struct eval *ev, struct error *err)
{
    enum status status = OK;
    for (size_t q = 0; q < ev->queries && status == OK; q++)
        status = score_query(ev, q, err);
    return status;
}

/* All of it */

/* A score that was there before is as good as a reference unless its method says otherwise. */
static bool is_compared(const struct outcome *o)
{
    return o->known && !str_equal(o->method, STR("teacher")) &&
           !str_equal(o->method, STR("judge")) && !str_equal(o->method, STR("consensus")) &&
           outcome_confidence(o) >= 1;
}

static enum status prepare(struct eval *ev, struct error *err)
{
    const size_t cells = ev->queries * ev->experts;
    ev->open = ARENA_ARRAY(ev->a, cells + 1, bool);
    ev->compared = ARENA_ARRAY(ev->a, cells + 1, bool);
    ev->reference = ARENA_ARRAY(ev->a, ev->queries + 1, struct str);
    ev->reference_trust = ARENA_ARRAY(ev->a, ev->queries + 1, double);
    ev->f.trust = ARENA_ARRAY(ev->a, ev->o->judge_count + 1, struct judge_trust);
    ev->f.judge_gap = ARENA_ARRAY(ev->a, ev->experts + 1, struct evaluate_gap);
    ev->f.consensus_gap = ARENA_ARRAY(ev->a, ev->experts + 1, struct evaluate_gap);
    if (!ev->open || !ev->compared || !ev->reference || !ev->reference_trust || !ev->f.trust ||
        !ev->f.judge_gap || !ev->f.consensus_gap)
        return error_set(err, ERR_MEMORY, "out of memory for scores");
    for (size_t i = 0; i < cells; i++) {
        const struct outcome *o = &ev->d->outcomes[i];
        ev->open[i] = o->present && eval_text(ev, i / ev->experts, i % ev->experts).ptr &&
                      (!o->known || str_equal(o->method, STR("consensus")));
        ev->compared[i] = is_compared(o);
    }
    return OK;
}

static void count_before(struct eval *ev)
{
    for (size_t m = 0; ev->o->scored_before && m < EVALUATE_METHODS; m++) {
        ev->f.scored[m] += ev->o->scored_before[m];
        ev->f.confidence[m] += (double)ev->o->scored_before[m];
    }
}

static void finish(struct eval *ev)
{
    for (size_t i = 0; i < ev->queries * ev->experts; i++)
        ev->f.scored[EVALUATE_UNSCORED] += ev->open[i];
    for (size_t m = 0; m < EVALUATE_METHODS; m++)
        if (ev->f.scored[m] > 0)
            ev->f.confidence[m] /= (double)ev->f.scored[m];
    for (size_t e = 0; e <= ev->experts; e++) {
        struct evaluate_gap *gaps[] = {&ev->f.judge_gap[e], &ev->f.consensus_gap[e]};
        for (size_t i = 0; i < 2; i++)
            if (gaps[i]->count > 0) {
                gaps[i]->agreement /= (double)gaps[i]->count;
                gaps[i]->bias /= (double)gaps[i]->count;
            }
    }
}

/* One piece: the steps, in their order. */
enum status evaluate_run(const struct evaluate_options *o, struct evaluate_figures *ret,
                         struct error *err)
{
    struct error local = {0};
    struct eval ev = {.o = o,
                      .d = o->table->data,
                      .a = o->arena,
                      .queries = o->table->data->query_count,
                      .experts = o->table->data->expert_count};
    err = err ? err : &local;
    ev.f.judge_count = o->judge_count;
    ev.f.experts = ev.experts;
    count_before(&ev);
    enum status status = prepare(&ev, err);
    if (status == OK)
        status = eval_references(&ev, err);
    if (status == OK && o->teacher != EVALUATE_NONE)
        status = eval_teacher(&ev, err);
    if (status == OK && o->judge_count > 0)
        status = eval_judges(&ev, err);
    if (status == OK)
        status = eval_consensus(&ev, err);
    if (status == OK) {
        finish(&ev);
        *ret = ev.f;
    }
    return status;
}
