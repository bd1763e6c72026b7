/* What a cell is worth: how much its score may change what is decided. A decision depends on an expert's quality only
 * where the expert is about to win or to lose at a lambda in force. With that quality known up to a variance v, the
 * regret of deciding by it is v times the density of such ties, to first order; n answers leave v / n, and v is largest
 * where an answer is as likely right as wrong. So an expert that never comes near winning is worth little, however
 * doubtful, and so is a question that all who were asked have answered, or none. One thread. */
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "play/cells_int.h"

#define SPAN_LAMBDAS   12     /* where no policy narrows it */
#define SPAN_QUESTIONS 1000   /* to find those on */
#define LAMBDA_MIN     (-7.0) /* logarithm, quality per USD */
#define LAMBDA_MAX     20.0
#define HALVINGS       40
#define TIE_WIDTH      0.1  /* quality: closer to the best than this is near a tie */
#define NEAR_FLOOR     0.05 /* estimates err: every question may turn out to be near one */
#define WORTH_FLOOR    0.1  /* and every expert */
#define DOUBT_ANSWERS  5.0  /* of an expert; before that its worth is hardly known */
#define QUALITY_EDGE   0.02 /* nothing is taken for more certain */
#define RESIDUAL_PRIOR 2.0  /* answers of no surprise beside those known */
#define RESIDUAL_SHARE 0.7 /* of the others' mean surprise that an expert has in common with them */

struct worth {
    const struct cells_problem *p;
    double lambdas[CELLS_LAMBDAS_MAX];
    size_t lambda_count;
    double ties[CELLS_EXPERTS_MAX]; /* of the question at hand */
};

static double utility(const struct cells_problem *p, size_t question, size_t expert, double lambda)
{
    size_t at = question * p->experts + expert;
    return (double)p->quality[at] - lambda * (double)p->cost_nano_usd[at] / 1e9;
}

/* Lambdas */

/* What a question costs on average where lambda decides, on some of the questions. */
static double cost_at(const struct cells_problem *p, double lambda)
{
    double sum = 0, count = 0;
    for (size_t q = 0; q < p->questions; q += 1 + p->questions / SPAN_QUESTIONS) {
        size_t best = 0;
        for (size_t e = 1; e < p->experts; e++)
            if (utility(p, q, e, lambda) > utility(p, q, best, lambda))
                best = e;
        sum += (double)p->cost_nano_usd[q * p->experts + best];
        count++;
    }
    return sum / count;
}

static double lambda_for_cost(const struct cells_problem *p, double cost)
{
    double low = LAMBDA_MIN, high = LAMBDA_MAX;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        if (cost_at(p, exp(middle)) > cost)
            low = middle;
        else
            high = middle;
    }
    return exp(high);
}

/* Without policies: lambdas whose costs are evenly spread from the least that can be spent to the most that pays. */
static void find_lambdas(struct worth *w)
{
    const struct cells_problem *p = w->p;
    w->lambda_count = p->lambda_count;
    if (p->lambda_count) {
        memcpy(w->lambdas, p->lambdas, p->lambda_count * sizeof(*w->lambdas));
        return;
    }
    double least = cost_at(p, exp(LAMBDA_MAX)), most = cost_at(p, exp(LAMBDA_MIN));
    w->lambda_count = SPAN_LAMBDAS;
    for (size_t k = 0; k < SPAN_LAMBDAS; k++)
        w->lambdas[k] =
            lambda_for_cost(p, least + (most - least) * ((double)k + 0.5) / SPAN_LAMBDAS);
}

/* Ties */

/* w->ties: how near each expert comes to being as good as the best other one, on average over the lambdas. */
static void find_ties(struct worth *w, size_t question)
{
    const struct cells_problem *p = w->p;
    double utilities[CELLS_EXPERTS_MAX];
    memset(w->ties, 0, p->experts * sizeof(*w->ties));
    for (size_t k = 0; k < w->lambda_count; k++) {
        double first = -INFINITY, second = -INFINITY;
        for (size_t e = 0; e < p->experts; e++) {
            double u = utilities[e] = utility(p, question, e, w->lambdas[k]);
            second = u > first ? first : fmax(second, u);
            first = fmax(first, u);
        }
        for (size_t e = 0; e < p->experts; e++) {
            double other = utilities[e] == first ? second : first;
            double gap = (utilities[e] - other) / TIE_WIDTH;
            w->ties[e] += exp(-gap * gap / 2) / (double)w->lambda_count;
        }
    }
}

/* How much better those who were asked did than was believed, as far as that says something of the others. */
static double surprise(const struct cells_problem *p, size_t question)
{
    double sum = 0, count = RESIDUAL_PRIOR;
    for (size_t e = 0; e < p->experts; e++) {
        size_t at = question * p->experts + e;
        if (p->states[at] != CELL_KNOWN)
            continue;
        sum += (double)p->scores[at] - (double)p->quality[at];
        count++;
    }
    return RESIDUAL_SHARE * sum / count;
}

/* Of an answer that is right with this probability; 1 at even odds. */
static double variance(double quality)
{
    quality = fmin(1 - QUALITY_EDGE, fmax(QUALITY_EDGE, quality));
    return 4 * quality * (1 - quality);
}

static void weigh_question(struct worth *w, size_t question, struct cells_worth *ret)
{
    const struct cells_problem *p = w->p;
    double more = surprise(p, question);
    find_ties(w, question);
    for (size_t e = 0; e < p->experts; e++) {
        size_t at = question * p->experts + e;
        double quality = (double)p->quality[at];
        ret->ties[at] = (float)w->ties[e];
        ret->cells[at] = (float)sqrt(variance(quality + more) * (w->ties[e] + NEAR_FLOOR));
        ret->experts[e] += w->ties[e] * variance(quality);
    }
}

/* Of all answers that say what an expert's are worth, the share that is prior: that all are worth the same. */
static void find_doubts(const struct cells_problem *p, double *doubts)
{
    double known[CELLS_EXPERTS_MAX] = {0};
    for (size_t i = 0; i < p->questions * p->experts; i++)
        known[i % p->experts] += p->states[i] == CELL_KNOWN;
    for (size_t e = 0; e < p->experts; e++)
        doubts[e] = DOUBT_ANSWERS / (DOUBT_ANSWERS + known[e]);
}

static double doubted(double worth, double doubt)
{
    return doubt + (1 - doubt) * worth;
}

/* To an average of 1 over an expert's questions, and to a most of 1 over the experts. */
static void scale(const struct cells_problem *p, struct cells_worth *ret)
{
    double means[CELLS_EXPERTS_MAX] = {0}, doubts[CELLS_EXPERTS_MAX], top = 0;
    size_t cells = p->questions * p->experts;
    find_doubts(p, doubts);
    for (size_t i = 0; i < cells; i++)
        means[i % p->experts] += (double)ret->cells[i] / (double)p->questions;
    for (size_t i = 0; i < cells; i++) {
        size_t e = i % p->experts;
        ret->cells[i] = (float)doubted((double)ret->cells[i] / means[e], doubts[e]);
    }
    for (size_t e = 0; e < p->experts; e++)
        top = fmax(top, ret->experts[e]);
    for (size_t e = 0; e < p->experts; e++) {
        double worth = top > 0 ? fmax(WORTH_FLOOR, ret->experts[e] / top) : 1;
        ret->experts[e] = doubted(worth, doubts[e]);
    }
}

static void weigh(const struct cells_problem *p, struct cells_worth *ret)
{
    struct worth w = {.p = p};
    find_lambdas(&w);
    for (size_t q = 0; q < p->questions; q++)
        weigh_question(&w, q, ret);
    scale(p, ret);
}

enum status cells_worth(const struct cells_problem *p, struct arena *a, struct cells_worth *ret,
                        struct error *err)
{
    size_t cells = p->questions * p->experts;
    CHECK(p->experts <= CELLS_EXPERTS_MAX);
    CHECK(p->lambda_count <= CELLS_LAMBDAS_MAX);
    struct cells_worth worth = {.cells = ARENA_ARRAY(a, cells + 1, float),
                                .ties = ARENA_ARRAY(a, cells + 1, float)};
    if (!worth.cells || !worth.ties)
        return error_set(err, ERR_MEMORY, "out of memory for %zu cells", cells);
    if (p->quality && p->questions && p->experts) {
        weigh(p, &worth);
    } else {
        for (size_t i = 0; i < cells; i++)
            worth.cells[i] = worth.ties[i] = 1;
        for (size_t e = 0; e < p->experts; e++)
            worth.experts[e] = 1;
    }
    *ret = worth;
    return OK;
}
