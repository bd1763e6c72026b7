/* A judging expert: see evaluate.h. Every judge is tested first; the first that may be believed compares the answers
 * of each open question, in pairs and in both orders, and says whether answers agree with references that only a reader
 * can compare. Verdicts of pairs become scores by judge/pairwise.h. Of n answers to a question at most n pairs are
 * asked (a ring by chance).
 *
 * Runs on the thread of evaluate_run. */
#include "score/evaluate_int.h"

#include "base/hash.h"
#include "base/rng.h"
#include "judge/pairwise.h"

#define TRUST_UNTESTED 0.7 /* of a judge that passed its canaries and had no known pairs */

/* The open answers of a question, in an order by chance. */
static size_t open_answers(const struct eval *ev, size_t q, uint32_t *ret)
{
    struct rng rng;
    size_t count = 0;
    for (size_t e = 0; e < ev->experts; e++)
        if (ev->open[q * ev->experts + e])
            ret[count++] = (uint32_t)e;
    rng_seed(&rng, hash64(ev->d->queries[q].id, ev->o->seed));
    rng_shuffle_u32(&rng, ret, count);
    return count;
}

static size_t ring_size(size_t answers)
{
    return answers < 2 ? 0 : answers == 2 ? 1 : answers;
}

static size_t pairs_of_all(const struct eval *ev, size_t *ret_agreements)
{
    uint32_t who[DATASET_EXPERTS_MAX];
    size_t pairs = 0;
    *ret_agreements = 0;
    for (size_t q = 0; q < ev->queries; q++) {
        const size_t count = open_answers(ev, q, who);
        if (ev->reference[q].ptr)
            *ret_agreements += count;
        else
            pairs += ring_size(count);
    }
    return pairs;
}

/* Agreement with references */

static enum status agreement_job(struct eval *ev, size_t judge, size_t q, size_t e,
                                 struct evaluate_ask *ret, struct error *err)
{
    struct buf system, user;
    const char *key =
        arena_printf(ev->a, "judge/%.*s/agrees/%.*s/%.*s", STR_FMT(ev->d->experts[judge].name),
                     STR_FMT(ev->d->queries[q].id), STR_FMT(ev->d->experts[e].name));
    buf_init(&system, EVAL_PROMPT_BYTES);
    buf_init(&user, EVAL_PROMPT_BYTES);
    const struct str answer = eval_text(ev, q, e);
    verdict_ask_agreement(&ev->d->queries[q], ev->reference[q], answer,
                          eval_nonce(ev, key, ev->reference[q], answer), &system, &user);
    return eval_judge_job(ev, judge, key, &system, &user, ret, err);
}

static enum status judge_agreements(struct eval *ev, size_t judge, size_t most, double trust,
                                    struct error *err)
{
    struct evaluate_ask *asks = ARENA_ARRAY(ev->a, most + 1, struct evaluate_ask);
    size_t *cells = ARENA_ARRAY(ev->a, most + 1, size_t), count = 0;
    enum status status =
        asks && cells ? OK : error_set(err, ERR_MEMORY, "out of memory for a judge");
    for (size_t i = 0; i < ev->queries * ev->experts && status == OK; i++) {
        if (!ev->open[i] || !ev->reference[i / ev->experts].ptr)
            continue;
        cells[count] = i;
        status = agreement_job(ev, judge, i / ev->experts, i % ev->experts, &asks[count++], err);
    }
    if (status == OK)
        status = eval_ask_all(ev, asks, count, "judging", err);
    for (size_t i = 0; i < count && status == OK; i++) {
        const size_t q = cells[i] / ev->experts;
        const double score = asks[i].text.ptr ? verdict_read_agreement(asks[i].text) : -1;
        if (score >= 0)
            status = eval_score(ev, q, cells[i] % ev->experts, score, EVALUATE_JUDGE,
                                trust * ev->reference_trust[q], err);
    }
    return status;
}

/* Pairs of answers */

struct duel {
    size_t query, first, second; /* experts */
};

static struct str duel_key(struct eval *ev, size_t judge, const struct duel *d)
{
    return str_from(
        arena_printf(ev->a, "judge/%.*s/pair/%.*s/%.*s/%.*s", STR_FMT(ev->d->experts[judge].name),
                     STR_FMT(ev->d->queries[d->query].id), STR_FMT(ev->d->experts[d->first].name),
                     STR_FMT(ev->d->experts[d->second].name)));
}

static size_t make_duels(struct eval *ev, size_t judge, struct duel *duels, struct eval_pair *pairs)
{
    uint32_t who[DATASET_EXPERTS_MAX];
    size_t n = 0;
    for (size_t q = 0; q < ev->queries; q++) {
        const size_t count = ev->reference[q].ptr ? 0 : open_answers(ev, q, who);
        for (size_t i = 0; i < ring_size(count); i++) {
            duels[n] = (struct duel){q, who[i], who[(i + 1) % count]};
            pairs[n] = (struct eval_pair){.key = duel_key(ev, judge, &duels[n]),
                                          .query = q,
                                          .better = eval_text(ev, q, duels[n].first),
                                          .worse = eval_text(ev, q, duels[n].second)};
            n++;
        }
    }
    return n;
}

/* 1: the first answer won in both orders; -1: a reply could not be read. */
static double share_of(const struct judge_pair *p)
{
    double share = 0;
    if (p->first == VERDICT_NONE || p->second == VERDICT_NONE)
        return -1;
    share += p->first == VERDICT_FIRST ? 0.5 : p->first == VERDICT_TIE ? 0.25 : 0;
    share += p->second == VERDICT_SECOND ? 0.5 : p->second == VERDICT_TIE ? 0.25 : 0;
    return share;
}

static size_t place_of(const uint32_t *who, size_t count, size_t expert)
{
    size_t i = 0;
    while (i < count && who[i] != expert)
        i++;
    return i;
}

/* The games of one question, from duels[0] on. An answer that no verdict speaks of stays open; one whose verdicts
 * turned with the order is believed less. */
static enum status score_question(struct eval *ev, const struct duel *duels,
                                  const struct eval_pair *pairs, const bool *asked, size_t count,
                                  double trust, struct error *err)
{
    uint32_t who[DATASET_EXPERTS_MAX];
    struct pairwise_game games[DATASET_EXPERTS_MAX];
    double scores[PAIRWISE_ANSWERS_MAX];
    size_t clear[DATASET_EXPERTS_MAX] = {0}, met[DATASET_EXPERTS_MAX] = {0}, n = 0;
    const size_t answers = open_answers(ev, duels[0].query, who);
    for (size_t i = 0; i < count; i++) {
        const double share = asked[i] ? share_of(&pairs[i].verdicts) : -1;
        if (share < 0)
            continue;
        games[n] = (struct pairwise_game){place_of(who, answers, duels[i].first),
                                          place_of(who, answers, duels[i].second), share};
        met[games[n].a]++, met[games[n].b]++;
        clear[games[n].a] += share != 0.5, clear[games[n].b] += share != 0.5;
        n++;
    }
    if (n == 0)
        return OK;
    pairwise_scores(games, n, answers, scores);
    enum status status = OK;
    for (size_t i = 0; i < answers && status == OK; i++)
        if (met[i] > 0)
            status = eval_score(ev, duels[0].query, who[i], scores[i], EVALUATE_JUDGE,
                                trust * (double)(clear[i] + 1) / (double)(met[i] + 1), err);
    return status;
}

static enum status judge_pairs(struct eval *ev, size_t judge, size_t most, double trust,
                               struct error *err)
{
    struct duel *duels = ARENA_ARRAY(ev->a, most + 1, struct duel);
    struct eval_pair *pairs = ARENA_ARRAY(ev->a, most + 1, struct eval_pair);
    bool *asked = ARENA_ARRAY(ev->a, most + 1, bool);
    if (!duels || !pairs || !asked)
        return error_set(err, ERR_MEMORY, "out of memory for a judge");
    const size_t count = make_duels(ev, judge, duels, pairs);
    enum status status = eval_pairs_ask(ev, judge, pairs, count, asked, "judging", err);
    for (size_t at = 0, end; at < count && status == OK; at = end) {
        for (end = at; end < count && duels[end].query == duels[at].query;)
            end++;
        status = score_question(ev, duels + at, pairs + at, asked + at, end - at, trust, err);
    }
    return status;
}

enum status eval_judges(struct eval *ev, struct error *err)
{
    size_t agreements, chosen = EVALUATE_NONE;
    const size_t pairs = pairs_of_all(ev, &agreements);
    enum status status = OK;
    for (size_t j = 0; j < ev->o->judge_count && status == OK; j++) {
        status =
            eval_test_judge(ev, ev->o->judges[j], 2 * pairs + agreements, &ev->f.trust[j], err);
        if (status == OK && ev->f.trust[j].trusted && chosen == EVALUATE_NONE)
            chosen = j;
    }
    if (status != OK || chosen == EVALUATE_NONE)
        return status;
    const struct judge_trust *t = &ev->f.trust[chosen];
    const double trust = t->pairs >= TRUST_PAIRS_MIN ? t->agreement : TRUST_UNTESTED;
    status = judge_agreements(ev, t->expert, agreements, trust, err);
    return status == OK ? judge_pairs(ev, t->expert, pairs, trust, err) : status;
}
