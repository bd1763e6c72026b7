/* The teacher's answers as references: see evaluate.h. What it has answered as an expert of the run is not asked again.
 * A teacher's own answer is never scored by itself. */
#include "score/evaluate_int.h"

#include "judge/answer_text.h"

/* Whether anything of a question is open that the teacher can help with. */
static bool wants_teacher(const struct eval *ev, size_t q)
{
    if (ev->reference[q].ptr)
        return false;
    for (size_t e = 0; e < ev->experts; e++)
        if (e != ev->o->teacher && ev->open[q * ev->experts + e])
            return true;
    return false;
}

/* How often the teacher is right where references say so, with a prior of two. */
static double teacher_trust(const struct eval *ev)
{
    double right = 1, count = 2;
    for (size_t q = 0; q < ev->queries; q++) {
        const size_t i = q * ev->experts + ev->o->teacher;
        if (!ev->compared[i] || !ev->d->outcomes[i].known)
            continue;
        right += (double)ev->d->outcomes[i].score;
        count++;
    }
    return count - 2 >= EVAL_TEACHER_TESTED ? right / count : EVAL_TEACHER_UNKNOWN;
}

static enum status score_by_teacher(struct eval *ev, size_t q, struct str text, double trust,
                                    struct error *err)
{
    const struct query *query = &ev->d->queries[q];
    struct str reference, answer;
    enum status status = OK;
    if (!eval_answer(query, text, &reference)) {
        if (query->choice_count == 0) {
            ev->reference[q] = text;
            ev->reference_trust[q] = trust;
        }
        return OK; /* a teacher that chooses nothing says nothing */
    }
    for (size_t e = 0; e < ev->experts && status == OK; e++) {
        if (e == ev->o->teacher || !ev->open[q * ev->experts + e])
            continue;
        const bool agrees = eval_answer(query, eval_text(ev, q, e), &answer) &&
                            judge_answers_agree(answer, reference);
        status = eval_score(ev, q, e, agrees, EVALUATE_TEACHER, trust, err);
    }
    return status;
}

static enum status make_asks(struct eval *ev, struct evaluate_ask *asks, size_t *queries,
                             size_t *ret_count, struct error *err)
{
    size_t count = 0;
    for (size_t q = 0; q < ev->queries; q++) {
        if (!wants_teacher(ev, q) || eval_text(ev, q, ev->o->teacher).ptr)
            continue;
        const char *key = arena_printf(ev->a, "teacher/%.*s", STR_FMT(ev->d->queries[q].id));
        if (!key)
            return error_set(err, ERR_MEMORY, "out of memory for the teacher");
        asks[count] = (struct evaluate_ask){
            .key = str_from(key), .expert = ev->o->teacher, .user = ev->d->queries[q].prompt};
        queries[count++] = q;
    }
    *ret_count = count;
    return OK;
}

enum status eval_teacher(struct eval *ev, struct error *err)
{
    struct evaluate_ask *asks = ARENA_ARRAY(ev->a, ev->queries + 1, struct evaluate_ask);
    const double trust = teacher_trust(ev);
    size_t *queries = ARENA_ARRAY(ev->a, ev->queries + 1, size_t), count = 0, next = 0;
    enum status status = asks && queries ? make_asks(ev, asks, queries, &count, err)
                                         : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = eval_ask_all(ev, asks, count, "asking the teacher", err);
    for (size_t q = 0; q < ev->queries && status == OK; q++) {
        struct str text = eval_text(ev, q, ev->o->teacher);
        if (!wants_teacher(ev, q))
            continue;
        if (next < count && queries[next] == q)
            text = asks[next++].text;
        if (text.ptr)
            status = score_by_teacher(ev, q, text, trust, err);
    }
    return status;
}
