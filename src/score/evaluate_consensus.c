/* What experts agree on, where nothing else scores an answer: see evaluate.h and judge/consensus.h. Questions with
 * references take part, so that abilities are learnt from them; a second run without references says how far the
 * consensus is from them.
 *
 * Arithmetic on texts that are there; nobody is asked. Runs on the thread of evaluate_run. */
#include "score/evaluate_int.h"

#include <string.h>

#include "judge/answer_text.h"
#include "judge/consensus.h"
#include "judge/rescore.h"

struct votes {
    uint16_t *classes, *truths; /* [queries × experts], [queries] */
    uint32_t *choices;
    uint16_t *families; /* [experts] */
    size_t least;       /* answers that a question needs */
};

/* Whether the answers of a question can be compared at all: half of them say what they answer. Of essays the last
 * number would be taken for it. */
static bool are_comparable(const struct eval *ev, size_t q)
{
    size_t texts = 0, said = 0;
    for (size_t e = 0; e < ev->experts; e++) {
        const struct str text = eval_text(ev, q, e);
        struct str answer;
        texts += text.ptr != NULL;
        said += text.ptr && eval_answer(&ev->d->queries[q], text, &answer);
    }
    return 2 * said >= texts;
}

/* The classes of one question's answers, and of its reference as one more answer. */
static void read_votes(const struct eval *ev, size_t q, struct outcome *row, struct votes *v)
{
    const struct query *query = &ev->d->queries[q];
    v->choices[q] = query->choice_count;
    if (query->check.len > 0 || ev->reference[q].ptr || !are_comparable(ev, q))
        return;
    memset(row, 0, (ev->experts + 1) * sizeof(*row));
    for (size_t e = 0; e < ev->experts; e++) {
        const struct str text = eval_text(ev, q, e);
        if (text.ptr && !judge_answer_read(query, JUDGE_AUTO, text, &row[e].answer))
            row[e].answer = STR("");
    }
    row[ev->experts].answer = query->answer;
    judge_row_classes(query, row, ev->experts + 1);
    for (size_t e = 0; e < ev->experts; e++)
        v->classes[q * ev->experts + e] = row[e].answer_class;
    v->truths[q] = row[ev->experts].answer_class;
}

static enum status votes_make(struct eval *ev, struct votes *v, struct error *err)
{
    struct outcome *row = ARENA_ARRAY(ev->a, ev->experts + 1, struct outcome);
    struct str *experts = ARENA_ARRAY(ev->a, ev->experts + 1, struct str);
    v->classes = ARENA_ARRAY(ev->a, ev->queries * ev->experts + 1, uint16_t);
    v->truths = ARENA_ARRAY(ev->a, ev->queries + 1, uint16_t);
    v->choices = ARENA_ARRAY(ev->a, ev->queries + 1, uint32_t);
    v->families = ARENA_ARRAY(ev->a, ev->experts + 1, uint16_t);
    if (!row || !experts || !v->classes || !v->truths || !v->choices || !v->families)
        return error_set(err, ERR_MEMORY, "out of memory for a consensus");
    for (size_t e = 0; e < ev->experts; e++)
        experts[e] = ev->d->experts[e].name;
    consensus_families(experts, ev->experts, v->families);
    for (size_t q = 0; q < ev->queries; q++)
        read_votes(ev, q, row, v);
    return OK;
}

static enum status vote(struct eval *ev, const struct votes *v, bool told, struct consensus *ret,
                        struct error *err)
{
    const struct consensus_input in = {.classes = v->classes,
                                       .choices = v->choices,
                                       .truths = told ? v->truths : NULL,
                                       .families = v->families,
                                       .questions = ev->queries,
                                       .experts = ev->experts};
    return consensus_run(&in, ev->a, ret, err);
}

static size_t answers_of(const struct eval *ev, const struct votes *v, size_t q)
{
    size_t count = 0;
    for (size_t e = 0; e < ev->experts; e++)
        count += v->classes[q * ev->experts + e] != 0;
    return count;
}

/* What two say is worth something once it is known how able they are. */
static size_t least_answers(const struct eval *ev, const struct votes *v)
{
    size_t full = 0;
    for (size_t q = 0; q < ev->queries; q++)
        full += answers_of(ev, v, q) >= EVAL_CONSENSUS_MIN;
    return full >= EVAL_CONSENSUS_LEARNT ? 2 : EVAL_CONSENSUS_MIN;
}

static void measure_gap(struct eval *ev, const struct votes *v, const struct consensus *blind)
{
    for (size_t i = 0; i < ev->queries * ev->experts; i++) {
        const struct outcome *o = &ev->d->outcomes[i];
        if (!ev->compared[i] || !o->known || v->classes[i] == 0 ||
            answers_of(ev, v, i / ev->experts) < v->least)
            continue;
        struct evaluate_gap *gaps[] = {&ev->f.consensus_gap[i % ev->experts],
                                       &ev->f.consensus_gap[ev->experts]};
        for (size_t g = 0; g < 2; g++) {
            gaps[g]->count++;
            gaps[g]->agreement += (blind->right[i] > 0.5f) == (o->score > 0.5f);
            gaps[g]->bias += (double)blind->right[i] - (double)o->score;
        }
    }
}

/* An answer that says nothing where others agree is wrong as surely as they are right. */
static enum status put_scores(struct eval *ev, const struct votes *v, const struct consensus *c,
                              struct error *err)
{
    enum status status = OK;
    for (size_t q = 0; q < ev->queries; q++) {
        if (answers_of(ev, v, q) < v->least)
            continue;
        for (size_t e = 0; e < ev->experts && status == OK; e++) {
            const size_t i = q * ev->experts + e;
            const float right = c->right[i];
            if (ev->open[i])
                status = eval_score(
                    ev, q, e, (double)right, EVALUATE_CONSENSUS,
                    (double)(v->classes[i] ? consensus_confidence(right) : c->sure[q]), err);
        }
    }
    return status;
}

enum status eval_consensus(struct eval *ev, struct error *err)
{
    struct votes v = {0};
    struct consensus told, blind;
    bool any = false;
    for (size_t i = 0; i < ev->queries * ev->experts && !any; i++)
        any = ev->open[i];
    if (!any || ev->experts > CONSENSUS_EXPERTS_MAX)
        return OK;
    enum status status = votes_make(ev, &v, err);
    v.least = status == OK ? least_answers(ev, &v) : 0;
    if (status == OK)
        status = vote(ev, &v, true, &told, err);
    if (status == OK)
        status = vote(ev, &v, false, &blind, err);
    if (status == OK)
        measure_gap(ev, &v, &blind);
    return status == OK ? put_scores(ev, &v, &told, err) : status;
}
