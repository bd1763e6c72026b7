/* EM over answers, abilities and difficulties: see consensus.h. Difficulty is one of a few levels; what tempts is
 * summed in closed form, so that a question costs levels × votes, however many choices it has.
 *
 * Pure arithmetic on the caller's matrix; scratch memory is an arena of its own. Anybody may call it from any thread,
 * but a large matrix takes tenths of a second, so no event loop should. */
#include "judge/consensus.h"

#include <math.h>
#include <string.h>

#include "judge/family.h"

#define LEVELS          5   /* of difficulty */
#define DIFFICULTY_SD   1.5 /* of a normal prior, in units of ability */
#define TEMPTED         0.4 /* share of the wrong answers that are the tempting one */
#define ABILITY_PRIOR   1.0 /* mean */
#define ABILITY_SD      1.0 /* of its prior */
#define ROUNDS          25  /* of EM */
#define NEWTON_STEPS    3   /* in each */
#define VOTES_MAX       12.0 /* that a question's evidence is worth at most: more only err together */
#define KIN_PRIOR       10.0 /* questions that two begin with, half of them answered alike */
#define SCRATCH_BYTES   ((size_t)1 << 30)
#define PROBABILITY_MIN 1e-9

struct em {
    const struct consensus_input *in;
    struct consensus *out;
    double level[LEVELS], prior[LEVELS]; /* difficulties and log of their shares */
    double *ability;                     /* [experts] */
    double *right, *asked;               /* [experts × LEVELS]: expected counts */
    double *alike;                       /* [experts × experts]: 1 for copies, 0 for strangers */
    double *share_sum, *votes;           /* [experts] */
};

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* One question's votes, gathered by class. */
struct ballot {
    size_t count;   /* votes */
    size_t seen;    /* classes */
    double answers; /* that the question is thought to have */
    uint16_t expert[CONSENSUS_EXPERTS_MAX];
    uint16_t place[CONSENSUS_EXPERTS_MAX]; /* of a vote: its class among those seen */
    uint16_t class[CONSENSUS_EXPERTS_MAX]; /* [seen] */
    double weight[CONSENSUS_EXPERTS_MAX];  /* of a vote */
    double evidence;                       /* sum of the weights */
};

static uint16_t ballot_place(struct ballot *b, uint16_t class)
{
    size_t i = 0;
    while (i < b->seen && b->class[i] != class)
        i++;
    if (i == b->seen)
        b->class[b->seen++] = class;
    return (uint16_t)i;
}

/* Kin share their votes; and a great many are worth no more than VOTES_MAX. */
static void ballot_weigh(const struct em *em, struct ballot *b)
{
    const size_t experts = em->in->experts;
    b->evidence = 0;
    for (size_t i = 0; i < b->count; i++) {
        double company = 1;
        for (size_t j = 0; j < b->count; j++)
            company += j == i ? 0 : em->alike[b->expert[i] * experts + b->expert[j]];
        b->weight[i] = 1 / company;
        b->evidence += b->weight[i];
    }
    const double fit = b->evidence > VOTES_MAX ? VOTES_MAX / b->evidence : 1;
    for (size_t i = 0; i < b->count; i++)
        b->weight[i] *= fit;
    b->evidence *= fit;
}

static void ballot_read(const struct em *em, size_t q, struct ballot *b)
{
    const uint16_t *row = em->in->classes + q * em->in->experts;
    b->count = b->seen = 0;
    for (size_t e = 0; e < em->in->experts; e++)
        if (row[e]) {
            b->expert[b->count] = (uint16_t)e;
            b->place[b->count++] = ballot_place(b, row[e]);
        }
    b->answers = em->in->choices[q] > 1 ? em->in->choices[q] : CONSENSUS_OPEN_ANSWERS;
    if (b->answers < (double)b->seen + (em->in->choices[q] > 1 ? 0 : 1))
        b->answers = (double)b->seen + 1; /* more were given than there are choices */
    if (b->answers < 2)
        b->answers = 2;
    ballot_weigh(em, b);
}

/* Of each class seen, and behind them of one that nobody gave: probability by level of difficulty. */
struct posterior {
    double of[CONSENSUS_EXPERTS_MAX + 1][LEVELS];
};

/* log of how much likelier the votes of each class are when it is what tempts than when it is just any wrong one. */
static double tempting(const struct ballot *b, double *ret)
{
    const double plain = (1 - TEMPTED) / (b->answers - 1);
    const double gain = log((TEMPTED + plain) / plain);
    double sum = b->answers - (double)b->seen; /* what nobody gave may tempt, too */
    memset(ret, 0, b->seen * sizeof(*ret));
    for (size_t i = 0; i < b->count; i++)
        ret[b->place[i]] += b->weight[i] * gain;
    for (size_t c = 0; c < b->seen; c++) {
        ret[c] = exp(ret[c]);
        sum += ret[c];
    }
    return sum;
}

/* logs, not normalised. In one piece, because all of it is one formula: log P(level) + sum of the votes' logs + log of
 * the sum over what may tempt. */
static double posterior_logs(const struct em *em, const struct ballot *b, struct posterior *p)
{
    double tempts[CONSENSUS_EXPERTS_MAX];
    const double sum = tempting(b, tempts), unseen = b->answers - (double)b->seen;
    const double plain = log((1 - TEMPTED) / (b->answers - 1));
    double most = -INFINITY;
    for (size_t g = 0; g < LEVELS; g++) {
        double base = em->prior[g], gain[CONSENSUS_EXPERTS_MAX + 1] = {0};
        for (size_t i = 0; i < b->count; i++) {
            const double right = sigmoid(em->ability[b->expert[i]] - em->level[g]);
            const double wrong = log(fmax(1 - right, PROBABILITY_MIN)) + plain;
            base += b->weight[i] * wrong;
            gain[b->place[i]] += b->weight[i] * (log(fmax(right, PROBABILITY_MIN)) - wrong);
        }
        for (size_t c = 0; c <= b->seen; c++) {
            const double others = c < b->seen ? sum - tempts[c] : unseen * (sum - 1);
            p->of[c][g] = base + gain[c] + log(fmax(others, 1e-300));
            most = fmax(most, p->of[c][g]);
        }
    }
    return most;
}

/* The posterior of one question; certain where the truth is known. */
static void posterior_find(const struct em *em, size_t q, const struct ballot *b,
                           struct posterior *p)
{
    const uint16_t truth = em->in->truths ? em->in->truths[q] : 0;
    const double most = posterior_logs(em, b, p);
    size_t place = 0;
    double sum = 0;
    while (place < b->seen && b->class[place] != truth)
        place++;
    for (size_t c = 0; c <= b->seen; c++)
        for (size_t g = 0; g < LEVELS; g++) {
            p->of[c][g] = truth && c != place ? 0 : exp(p->of[c][g] - most);
            sum += p->of[c][g];
        }
    for (size_t c = 0; c <= b->seen && sum > 0; c++)
        for (size_t g = 0; g < LEVELS; g++)
            p->of[c][g] /= sum;
}

/* Steps of EM */

static void count_votes(struct em *em, const struct ballot *b, const struct posterior *p)
{
    double level[LEVELS] = {0};
    for (size_t c = 0; c <= b->seen; c++)
        for (size_t g = 0; g < LEVELS; g++)
            level[g] += p->of[c][g];
    for (size_t i = 0; i < b->count; i++) {
        const size_t e = b->expert[i];
        em->votes[e]++;
        em->share_sum[e] += b->weight[i];
        for (size_t g = 0; g < LEVELS; g++) {
            em->right[e * LEVELS + g] += p->of[b->place[i]][g];
            em->asked[e * LEVELS + g] += level[g];
        }
    }
}

static void expect(struct em *em)
{
    const size_t experts = em->in->experts;
    struct ballot b;
    struct posterior p;
    memset(em->right, 0, experts * LEVELS * sizeof(double));
    memset(em->asked, 0, experts * LEVELS * sizeof(double));
    memset(em->votes, 0, experts * sizeof(double));
    memset(em->share_sum, 0, experts * sizeof(double));
    for (size_t q = 0; q < em->in->questions; q++) {
        ballot_read(em, q, &b);
        posterior_find(em, q, &b, &p);
        count_votes(em, &b, &p);
    }
}

static void maximise(struct em *em)
{
    const double precision = 1 / (ABILITY_SD * ABILITY_SD);
    for (size_t e = 0; e < em->in->experts; e++)
        for (size_t step = 0; step < NEWTON_STEPS; step++) {
            double slope = -(em->ability[e] - ABILITY_PRIOR) * precision, bend = precision;
            for (size_t g = 0; g < LEVELS; g++) {
                const double r = sigmoid(em->ability[e] - em->level[g]);
                slope += em->right[e * LEVELS + g] - em->asked[e * LEVELS + g] * r;
                bend += em->asked[e * LEVELS + g] * r * (1 - r);
            }
            em->ability[e] += fmax(-1, fmin(1, slope / bend));
        }
}

/* Kin */

struct pair {
    double same, both; /* questions that both answered; of them, alike */
};

static double agreement(const struct em *em, const struct pair *pairs, size_t i, size_t j)
{
    const struct pair *p = &pairs[i > j ? i * em->in->experts + j : j * em->in->experts + i];
    return (p->same + KIN_PRIOR * 0.5) / (p->both + KIN_PRIOR);
}

/* How often an expert agrees with the one it agrees with most outside its family; -1: there is none. */
static double best_stranger(const struct em *em, const struct pair *pairs, size_t i)
{
    const uint16_t *families = em->in->families;
    double best = -1;
    for (size_t j = 0; j < em->in->experts; j++)
        if (j != i && (!families[j] || families[j] != families[i]))
            best = fmax(best, agreement(em, pairs, i, j));
    return best;
}

/* Agreement alone does not tell kin from experts which are right where most are wrong. So names say who may be kin,
 * and kin are alike as far as they agree more with one another than with any stranger. */
static void find_kin(struct em *em, struct pair *pairs)
{
    const size_t experts = em->in->experts;
    const uint16_t *families = em->in->families;
    struct ballot b;
    for (size_t q = 0; q < em->in->questions; q++) {
        ballot_read(em, q, &b);
        for (size_t i = 0; i < b.count; i++)
            for (size_t j = 0; j < i; j++) {
                struct pair *pair = &pairs[b.expert[i] * experts + b.expert[j]];
                pair->both++;
                pair->same += b.place[i] == b.place[j];
            }
    }
    for (size_t i = 0; i < experts; i++)
        for (size_t j = 0; j < i; j++) {
            if (!families[i] || families[i] != families[j])
                continue;
            const double other = fmax(best_stranger(em, pairs, i), best_stranger(em, pairs, j));
            const double excess =
                other < 0 ? 0 : (agreement(em, pairs, i, j) - other) / (1 - other);
            em->alike[i * experts + j] = em->alike[j * experts + i] = fmax(0, excess);
        }
}

/* The result */

/* Flattened, because votes err together; then what is left is what an answer is worth. */
static void write_question(const struct em *em, size_t q)
{
    struct ballot b;
    struct posterior p;
    double class[CONSENSUS_EXPERTS_MAX + 1], sum = 0;
    size_t best = 0;
    ballot_read(em, q, &b);
    posterior_find(em, q, &b, &p);
    const double unseen = fmax(1, b.answers - (double)b.seen);
    const double flat = 1 / (1 + CONSENSUS_CORRELATION * fmax(0, b.evidence - 1));
    for (size_t c = 0; c <= b.seen; c++) {
        double mass = 0;
        for (size_t g = 0; g < LEVELS; g++)
            mass += p.of[c][g];
        class[c] = c < b.seen ? pow(mass, flat) : unseen * pow(mass / unseen, flat);
        sum += class[c];
        best = c<b.seen &&class[c]> class[best] ? c : best;
    }
    for (size_t i = 0; i < b.count; i++)
        em->out->right[q * em->in->experts + b.expert[i]] = (float)(class[b.place[i]] / sum);
    em->out->label[q] = b.seen ? b.class[best] : 0;
    em->out->sure[q] = b.seen ? (float)(class[best] / sum) : 0;
}

static void write_experts(const struct em *em)
{
    double all = 0, votes = 0;
    for (size_t e = 0; e < em->in->experts; e++) {
        double sum = 0;
        for (size_t q = 0; q < em->in->questions; q++)
            sum += (double)em->out->right[q * em->in->experts + e];
        all += sum;
        votes += em->votes[e];
        em->out->reliability[e] = em->votes[e] > 0 ? sum / em->votes[e] : -1;
        em->out->share[e] = em->votes[e] > 0 ? em->share_sum[e] / em->votes[e] : 0;
    }
    for (size_t e = 0; e < em->in->experts; e++)
        if (em->out->reliability[e] < 0)
            em->out->reliability[e] = votes > 0 ? all / votes : 0;
}

static void em_levels(struct em *em)
{
    double sum = 0;
    for (size_t g = 0; g < LEVELS; g++) {
        const double z = 4.0 * (double)g / (LEVELS - 1) - 2; /* -2 to 2 standard deviations */
        em->level[g] = z * DIFFICULTY_SD;
        em->prior[g] = -z * z / 2;
        sum += exp(em->prior[g]);
    }
    for (size_t g = 0; g < LEVELS; g++)
        em->prior[g] -= log(sum);
    for (size_t e = 0; e < em->in->experts; e++)
        em->ability[e] = ABILITY_PRIOR;
}

static void em_run(struct em *em, struct pair *pairs)
{
    em_levels(em);
    if (em->in->families)
        find_kin(em, pairs);
    for (size_t round = 0; round < ROUNDS; round++) {
        expect(em);
        maximise(em);
    }
    for (size_t q = 0; q < em->in->questions; q++)
        write_question(em, q);
    write_experts(em);
}

void consensus_families(const struct str *names, size_t count, uint16_t *ret)
{
    for (size_t i = 0; i < count; i++) {
        ret[i] = (uint16_t)(i + 1);
        for (size_t j = 0; j < i; j++)
            if (judge_same_family(names[i], names[j])) {
                ret[i] = ret[j];
                break;
            }
    }
}

static enum status result_make(const struct consensus_input *in, struct arena *a,
                               struct consensus *ret, struct error *err)
{
    size_t cells;
    if (in->experts > CONSENSUS_EXPERTS_MAX)
        return error_set(err, ERR_TOO_LARGE, "a consensus of %zu experts; at most %d", in->experts,
                         CONSENSUS_EXPERTS_MAX);
    if (__builtin_mul_overflow(in->questions, in->experts, &cells))
        return error_set(err, ERR_MEMORY, "out of memory for a consensus");
    *ret = (struct consensus){.right = ARENA_ARRAY(a, cells + 1, float),
                              .label = ARENA_ARRAY(a, in->questions + 1, uint16_t),
                              .sure = ARENA_ARRAY(a, in->questions + 1, float),
                              .reliability = ARENA_ARRAY(a, in->experts + 1, double),
                              .share = ARENA_ARRAY(a, in->experts + 1, double)};
    if (!ret->right || !ret->label || !ret->sure || !ret->reliability || !ret->share)
        return error_set(err, ERR_MEMORY, "out of memory for a consensus");
    return OK;
}

static enum status em_make(struct em *em, struct arena *scratch, struct pair **ret_pairs)
{
    const size_t n = em->in->experts;
    em->ability = ARENA_ARRAY(scratch, n + 1, double);
    em->right = ARENA_ARRAY(scratch, n * LEVELS + 1, double);
    em->asked = ARENA_ARRAY(scratch, n * LEVELS + 1, double);
    em->alike = ARENA_ARRAY(scratch, n * n + 1, double);
    em->share_sum = ARENA_ARRAY(scratch, n + 1, double);
    em->votes = ARENA_ARRAY(scratch, n + 1, double);
    *ret_pairs = ARENA_ARRAY(scratch, n * n + 1, struct pair);
    return em->ability && em->right && em->asked && em->alike && em->share_sum && em->votes &&
                   *ret_pairs
               ? OK
               : ERR_MEMORY;
}

enum status consensus_run(const struct consensus_input *in, struct arena *a, struct consensus *ret,
                          struct error *err)
{
    struct consensus out;
    struct pair *pairs = NULL;
    enum status status = result_make(in, a, &out, err);
    if (status != OK)
        return status;
    struct em em = {.in = in, .out = &out};
    struct arena *scratch = arena_create(SCRATCH_BYTES);
    if (!scratch || em_make(&em, scratch, &pairs) != OK)
        status = error_set(err, ERR_MEMORY, "out of memory for a consensus");
    if (status == OK) {
        em_run(&em, pairs);
        *ret = out;
    }
    arena_free(scratch);
    return status;
}
