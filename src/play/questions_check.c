/* Whether made-up questions are worth asking: see questions.h. The generator answers its own question again, without
 * the reference; a sample goes to a few cheap experts, as cells of the run.
 *
 * On the thread that plays, which waits for the answers. */
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "judge/answer_text.h"
#include "play/questions_int.h"
#include "pose/generator_prompt.h"

#define CHECK_BYTES_MAX (UINT64_C(1) << 30) /* of one batch's jobs */
#define WHY_BYTES       120

/* What an answer says, for the line of the drop. */
static struct str shown(struct str response, char into[WHY_BYTES])
{
    struct str answer;
    if (!judge_answer_extract(response, &answer))
        answer = str_trim(response);
    return (struct str){into, utf8_make_printable(into, WHY_BYTES, answer)};
}

/* Repeating */

static enum status repeat_jobs(struct arena *a, const struct candidate *candidates,
                               struct call_batch *b, struct error *err)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct posed *p = &candidates[i].posed;
        char *key = arena_printf(a, "repeat/%.*s", STR_FMT(p->query.id));
        if (!key)
            return error_set(err, ERR_MEMORY, "out of memory for prompts");
        b->jobs[i] = (struct call_job){.key = str_from(key),
                                       .expert = candidates[i].generator,
                                       .system = generator_repeat_system(p->kind),
                                       .user = p->query.prompt};
    }
    return OK;
}

/* True: it stays. */
static enum status repeat_judge(struct posing *p, const struct candidate *c,
                                const struct call_result *r, bool *ret_stays, struct error *err)
{
    char why[WHY_BYTES];
    *ret_stays = false;
    if (r->end != CALL_DONE) {
        p->sums.failed++;
        return posing_drop(p, &c->posed.query, DROP_UNCHECKED,
                           r->end == CALL_UNPAID ? STR("the money of the round is used up")
                                                 : STR("the generator failed"),
                           err);
    }
    *ret_stays = generator_repeat_agrees(&c->posed, r->text);
    return *ret_stays ? OK
                      : posing_drop(p, &c->posed.query, DROP_DISAGREES, shown(r->text, why), err);
}

enum status posing_repeat(struct posing *p, struct candidate *candidates, size_t *count,
                          struct error *err)
{
    struct call_batch b;
    struct arena *a = arena_create(CHECK_BYTES_MAX);
    size_t kept = 0;
    enum status status = a ? call_batch_create(a, *count, &b, err)
                           : error_set(err, ERR_MEMORY, "out of memory for prompts");
    if (status == OK)
        status = repeat_jobs(a, candidates, &b, err);
    if (status == OK)
        status = call_batch_run(&b, p, "checking questions", err);
    for (size_t i = 0; status == OK && i < *count; i++) {
        bool stays;
        status = repeat_judge(p, &candidates[i], &b.results[i], &stays, err);
        if (stays)
            candidates[kept++] = candidates[i];
    }
    arena_free(a);
    if (status == OK)
        *count = kept;
    return status;
}

/* Splitting */

/* A fixed share of the questions, by their ids. */
static bool is_sampled(const struct posing *p, const struct query *q)
{
    double share = p->q->o.split_share > 0 ? p->q->o.split_share : QUESTIONS_SPLIT_SHARE;
    uint64_t draw = hash64_mix(posing_seed(p, "split", 0), hash64(q->id, 0));
    return p->q->o.cheap_count >= 2 && (double)(draw >> 11) * 0x1p-53 < share;
}

static enum status cell_job(const struct posing *p, const struct query *q, size_t expert,
                            struct arena *a, struct call_job *ret, struct error *err)
{
    const struct questions_options *o = &p->q->o;
    if (o->cell)
        return o->cell(o->arg, q, expert, a, ret, err);
    char *key = arena_printf(a, "cell/%.*s/%.*s", STR_FMT(q->id), STR_FMT(o->experts[expert].name));
    if (!key)
        return error_set(err, ERR_MEMORY, "out of memory for prompts");
    *ret = (struct call_job){
        .key = str_from(key), .expert = expert, .system = posed_answer_form(q), .user = q->prompt};
    return OK;
}

/* Whether all experts gave one answer. Who gave none is no voice for it. */
static bool is_unanimous(const struct query *q, const struct call_result *results, size_t count)
{
    struct str first = STR("");
    for (size_t i = 0; i < count; i++) {
        struct str answer;
        if (results[i].end != CALL_DONE || !posed_answer_read(q, results[i].text, &answer))
            return false;
        if (i > 0 && !judge_answers_agree(first, answer))
            return false;
        first = i == 0 ? answer : first;
    }
    return true;
}

static enum status split_jobs(const struct posing *p, struct arena *a,
                              const struct candidate *candidates, size_t count,
                              struct call_batch *b, struct error *err)
{
    size_t cheap = p->q->o.cheap_count;
    enum status status = call_batch_create(a, count * cheap, b, err);
    b->count = 0;
    for (size_t i = 0; i < count && status == OK; i++)
        for (size_t e = 0; is_sampled(p, &candidates[i].posed.query) && e < cheap && status == OK;
             e++)
            status = cell_job(p, &candidates[i].posed.query, p->q->o.cheap[e], a,
                              &b->jobs[b->count++], err);
    return status;
}

/* The verdicts, in the order of the jobs. */
static enum status split_judge(struct posing *p, struct candidate *candidates, size_t *count,
                               const struct call_batch *b, struct error *err)
{
    size_t cheap = p->q->o.cheap_count, at = 0, kept = 0;
    enum status status = OK;
    for (size_t i = 0; i < *count && status == OK; i++) {
        const struct query *q = &candidates[i].posed.query;
        bool unanimous = false;
        if (is_sampled(p, q)) {
            char why[WHY_BYTES];
            p->sums.split++;
            unanimous = is_unanimous(q, &b->results[at], cheap);
            p->sums.unanimous += unanimous;
            if (unanimous)
                status = posing_drop(p, q, DROP_UNANIMOUS, shown(b->results[at].text, why), err);
            at += cheap;
        }
        if (!unanimous)
            candidates[kept++] = candidates[i];
    }
    CHECK(status != OK || at == b->count);
    *count = kept;
    return status;
}

enum status posing_split(struct posing *p, struct candidate *candidates, size_t *count,
                         struct error *err)
{
    struct call_batch b = {0};
    struct arena *a = arena_create(CHECK_BYTES_MAX);
    enum status status = a ? split_jobs(p, a, candidates, *count, &b, err)
                           : error_set(err, ERR_MEMORY, "out of memory for prompts");
    if (status == OK)
        status = call_batch_run(&b, p, "telling experts apart", err);
    if (status == OK)
        status = split_judge(p, candidates, count, &b, err);
    arena_free(a);
    return status;
}
