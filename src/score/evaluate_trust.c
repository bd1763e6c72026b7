/* Testing a judge: see evaluate.h and judge/trust.h. Canaries are put beside answers that are right as far as
 * references know, else beside any; known pairs are a right and a wrong answer to one question.
 *
 * Which ones hangs on the seed and the question alone, so that a later round asks for the same ones again, which costs
 * nothing, and for more. Runs on the thread of evaluate_run. */
#include "score/evaluate_int.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"
#include "judge/family.h"
#include "judge/thought.h"

/* An answer that a judge may be tested with. */
struct sample {
    uint64_t order;              /* by chance, but always the same */
    size_t query, expert, other; /* other: of a known pair, the wrong one */
};

static int by_order(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    return x->order < y->order ? -1 : x->order > y->order;
}

static bool is_right(const struct eval *ev, size_t q, size_t e)
{
    const size_t i = q * ev->experts + e;
    return ev->compared[i] && ev->d->outcomes[i].known && ev->d->outcomes[i].score > 0.5f;
}

static bool is_wrong(const struct eval *ev, size_t q, size_t e)
{
    const size_t i = q * ev->experts + e;
    return ev->compared[i] && ev->d->outcomes[i].known && ev->d->outcomes[i].score < 0.5f;
}

/* By names alone: where an expert is added before them, the tests stay the same. */
static uint64_t order_of(const struct eval *ev, size_t judge, size_t q, size_t e)
{
    const uint64_t own = hash64(ev->d->experts[judge].name, ev->o->seed);
    return hash64(ev->d->queries[q].id, hash64(ev->d->experts[e].name, own));
}

/* One answer a question, its best; [queries]. Right ones come first. */
static size_t find_answers(const struct eval *ev, size_t judge, struct sample *ret)
{
    size_t count = 0;
    for (size_t q = 0; q < ev->queries; q++) {
        struct sample best = {UINT64_MAX, q, EVALUATE_NONE, 0};
        for (size_t e = 0; e < ev->experts; e++) {
            if (!str_trim(judge_behind_thought(eval_text(ev, q, e))).len || is_wrong(ev, q, e))
                continue;
            const uint64_t order = order_of(ev, judge, q, e) >> 1;
            const uint64_t place = is_right(ev, q, e) ? order : order | UINT64_C(1) << 63;
            if (place < best.order)
                best = (struct sample){place, q, e, 0};
        }
        if (best.expert != EVALUATE_NONE)
            ret[count++] = best;
    }
    qsort(ret, count, sizeof(*ret), by_order);
    return count;
}

/* One pair a question. */
static size_t find_pairs(const struct eval *ev, size_t judge, struct sample *ret)
{
    size_t count = 0;
    for (size_t q = 0; q < ev->queries; q++) {
        struct sample s = {0, q, EVALUATE_NONE, EVALUATE_NONE};
        uint64_t right = UINT64_MAX, wrong = UINT64_MAX;
        for (size_t e = 0; e < ev->experts; e++) {
            const uint64_t order = order_of(ev, judge, q, e);
            if (!eval_text(ev, q, e).ptr)
                continue;
            if (is_right(ev, q, e) && order < right)
                right = order, s.expert = e;
            if (is_wrong(ev, q, e) && order < wrong)
                wrong = order, s.other = e;
        }
        s.order = right;
        if (s.expert != EVALUATE_NONE && s.other != EVALUATE_NONE)
            ret[count++] = s;
    }
    qsort(ret, count, sizeof(*ret), by_order);
    return count;
}

/* Both orders of each pair, as calls */

enum status eval_judge_job(struct eval *ev, size_t judge, const char *key, struct buf *system,
                           struct buf *user, struct evaluate_ask *ret, struct error *err)
{
    enum status status = buf_status(system, err);
    if (status == OK)
        status = buf_status(user, err);
    if (status == OK)
        *ret = (struct evaluate_ask){.key = str_from(key),
                                     .expert = judge,
                                     .system = arena_copy(ev->a, buf_str(system)),
                                     .user = arena_copy(ev->a, buf_str(user))};
    if (status == OK && (!key || !ret->system.ptr || !ret->user.ptr))
        status = error_set(err, ERR_MEMORY, "out of memory for a judge");
    buf_done(system);
    buf_done(user);
    return status;
}

uint64_t eval_nonce(const struct eval *ev, const char *key, struct str first, struct str second)
{
    const uint64_t texts = hash64_mix(hash64(first, 1), hash64(second, 2));
    return hash64_mix(hash64(str_from(key), ev->o->seed), texts);
}

static enum status pair_job(struct eval *ev, size_t judge, const struct eval_pair *p, int order,
                            struct evaluate_ask *ret, struct error *err)
{
    struct buf system, user;
    const char *key = arena_printf(ev->a, "%.*s/%d", STR_FMT(p->key), order + 1);
    buf_init(&system, EVAL_PROMPT_BYTES);
    buf_init(&user, EVAL_PROMPT_BYTES);
    verdict_ask_pair(&ev->d->queries[p->query], order ? p->worse : p->better,
                     order ? p->better : p->worse, eval_nonce(ev, key, p->better, p->worse),
                     &system, &user);
    return eval_judge_job(ev, judge, key, &system, &user, ret, err);
}

enum status eval_pairs_ask(struct eval *ev, size_t judge, struct eval_pair *pairs, size_t count,
                           bool *ret_asked, const char *what, struct error *err)
{
    struct evaluate_ask *asks = ARENA_ARRAY(ev->a, 2 * count + 1, struct evaluate_ask);
    enum status status = asks ? OK : error_set(err, ERR_MEMORY, "out of memory for a judge");
    for (size_t i = 0; i < 2 * count && status == OK; i++)
        status = pair_job(ev, judge, &pairs[i / 2], i % 2, &asks[i], err);
    if (status == OK)
        status = eval_ask_all(ev, asks, 2 * count, what, err);
    for (size_t i = 0; i < count && status == OK; i++) {
        const struct str first = asks[2 * i].text, second = asks[2 * i + 1].text;
        ret_asked[i] = first.ptr && second.ptr;
        if (!ret_asked[i])
            continue;
        pairs[i].verdicts.first = verdict_read_pair(first);
        pairs[i].verdicts.second = verdict_read_pair(second);
    }
    return status;
}

/* Tests */

static struct str key_of(struct eval *ev, const char *what, size_t judge, const struct sample *s,
                         const char *kind)
{
    const struct dataset *d = ev->d;
    return str_from(
        arena_printf(ev->a, "%s/%.*s/%s/%.*s/%.*s%s%.*s", what, STR_FMT(d->experts[judge].name),
                     kind, STR_FMT(d->queries[s->query].id), STR_FMT(d->experts[s->expert].name),
                     s->other == EVALUATE_NONE ? "" : "/",
                     s->other == EVALUATE_NONE ? 0 : (int)d->experts[s->other].name.len,
                     s->other == EVALUATE_NONE ? "" : d->experts[s->other].name.ptr));
}

/* Kinds in turn; the answer to another question is that of the next sample. */
static void fill_canaries(struct eval *ev, size_t judge, struct sample *samples,
                          size_t samples_count, struct eval_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const enum judge_canary kind = (enum judge_canary)(i % CANARY_KINDS);
        struct sample *s = &samples[(i / CANARY_KINDS) % samples_count];
        const struct sample *next = &samples[(i / CANARY_KINDS + 1) % samples_count];
        s->other = EVALUATE_NONE;
        pairs[i] = (struct eval_pair){
            .key = key_of(ev, "canary", judge, s, judge_canary_name(kind)),
            .query = s->query,
            .better = eval_text(ev, s->query, s->expert),
            .worse = judge_canary_text(kind, eval_text(ev, next->query, next->expert))};
    }
}

static void fill_pairs(struct eval *ev, size_t judge, const struct sample *samples,
                       struct eval_pair *pairs, size_t count)
{
    const struct str own = ev->d->experts[judge].name;
    for (size_t i = 0; i < count; i++) {
        const struct sample *s = &samples[i];
        const struct str better = eval_text(ev, s->query, s->expert),
                         worse = eval_text(ev, s->query, s->other);
        pairs[i] = (struct eval_pair){
            .key = key_of(ev, "judge", judge, s, "known"),
            .query = s->query,
            .better = better,
            .worse = worse,
            .verdicts = {.longer_known = better.len != worse.len,
                         .better_is_longer = better.len > worse.len,
                         .own = judge_same_family(own, ev->d->experts[s->expert].name) -
                                judge_same_family(own, ev->d->experts[s->other].name)}};
    }
}

static void note_gap(struct eval *ev, const struct sample *s, const struct judge_pair *p)
{
    const size_t who[] = {s->expert, s->other};
    if (p->first == VERDICT_NONE || p->second == VERDICT_NONE)
        return;
    double share = p->first == VERDICT_FIRST ? 0.5 : p->first == VERDICT_TIE ? 0.25 : 0;
    share += p->second == VERDICT_SECOND ? 0.5 : p->second == VERDICT_TIE ? 0.25 : 0;
    for (size_t i = 0; i < 2; i++) {
        struct evaluate_gap *gaps[] = {&ev->f.judge_gap[who[i]], &ev->f.judge_gap[ev->experts]};
        for (size_t g = 0; g < 2; g++) {
            gaps[g]->count++;
            gaps[g]->agreement += share;
            gaps[g]->bias += i == 0 ? share - 1 : 1 - share;
        }
    }
}

/* As many as the share of `calls` says, at least `least` and at most as there are. */
static size_t test_count(size_t calls, size_t least, size_t there)
{
    const size_t share = (size_t)(EVALUATE_TRUST_SHARE * (double)calls / 4);
    const size_t wanted = share > least ? share : least;
    const size_t most = wanted < EVAL_TESTS_MAX ? wanted : EVAL_TESTS_MAX;
    return most < there ? most : there;
}

/* One piece: the tests are laid out side by side, asked at once, and told apart again. */
enum status eval_test_judge(struct eval *ev, size_t judge, size_t calls, struct judge_trust *ret,
                            struct error *err)
{
    struct trust_tally tally = {0};
    struct sample *answers = ARENA_ARRAY(ev->a, ev->queries + 1, struct sample);
    struct sample *known = ARENA_ARRAY(ev->a, ev->queries + 1, struct sample);
    struct eval_pair *pairs = ARENA_ARRAY(ev->a, 2 * EVAL_TESTS_MAX, struct eval_pair);
    bool asked[2 * EVAL_TESTS_MAX];
    if (!answers || !known || !pairs)
        return error_set(err, ERR_MEMORY, "out of memory for a judge");
    const size_t answer_count = find_answers(ev, judge, answers);
    const size_t known_count = find_pairs(ev, judge, known);
    /* Of one question alone there is no answer to another one. */
    const size_t canaries = answer_count > 1 ? test_count(calls, EVAL_CANARIES_EACH * CANARY_KINDS,
                                                          answer_count * CANARY_KINDS)
                                             : 0;
    const size_t count = canaries + test_count(calls, EVAL_PAIRS_MIN, known_count);
    fill_canaries(ev, judge, answers, answer_count, pairs, canaries);
    fill_pairs(ev, judge, known, pairs + canaries, count - canaries);
    enum status status = eval_pairs_ask(ev, judge, pairs, count, asked, "testing the judge", err);
    for (size_t i = 0; i < count && status == OK; i++) {
        if (!asked[i])
            continue;
        if (i < canaries) {
            trust_note_canary(&tally, (enum judge_canary)(i % CANARY_KINDS), &pairs[i].verdicts);
            continue;
        }
        trust_note_pair(&tally, &pairs[i].verdicts);
        note_gap(ev, &known[i - canaries], &pairs[i].verdicts);
    }
    ret->expert = judge;
    if (status == OK)
        trust_conclude(&tally, ret);
    return status;
}
