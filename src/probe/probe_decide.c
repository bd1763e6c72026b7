/* Who is in and who is out, after a batch: see probe.h.
 *
 * Deciding against a candidate loses what the best set with it would have been better by, times how likely that is; for
 * a member, the best set without it. The decisions that lose least are taken first, and each makes the questions to
 * come cheaper, so that more of them can be asked: then a decision must be surer. So where money is short much is
 * decided by little, and where it is plentiful only what is clear. */
#include "probe/probe_int.h"

#include <math.h>

/* Chosen on bfcl, livecodebench and mmlu (bench/universe.md). */
#define LOSS_MIN       0.0003 /* coverage that is not worth asking for */
#define LOSS_ROWS      0.4 /* what a decision may lose, times the questions that the money reaches for */
#define UNCLEAR_SIGMAS 2.0 /* whoever loses less may have been put out by chance */
#define UNCLEAR_ROWS   0.7 /* of those that are there now: by more, it is what they say, too */
#define MADE_UP        0.3 /* rows that two sets differ on: that they agree on a few proves nothing */

/* The mean of what is lost: of the part of a normal distribution that is below 0. */
static double expected_loss(struct probe_figure f)
{
    if (f.error <= 0)
        return fmax(0, -f.mean);
    const double z = f.mean / f.error;
    return f.error * (exp(-z * z / 2) / sqrt(2 * M_PI) - z * erfc(z / M_SQRT2) / 2);
}

/* Smoothed differences are smaller than those of answers. Between what they seem to vary by, and what answers would. */
static struct probe_figure widened(const struct probe *p, struct probe_figure f)
{
    f.error /= sqrt(1 - probe_smoothing(p));
    return f;
}

static enum status weigh(struct probe *p, const struct chosen_set *leader, size_t c,
                         struct error *err)
{
    struct chosen_set rival;
    const bool in = probe_set_has(leader, c);
    if (!in && probe_is_too_dear(p, c)) {
        p->loss[c] = (struct probe_figure){1, 0};
        return OK;
    }
    enum status status = probe_best_set(p, in ? SIZE_MAX : c, in ? c : SIZE_MAX, &rival, err);
    if (status != OK)
        return status;
    probe_set_fails(p, rival.members, rival.count, p->other_fails);
    p->loss[c] = widened(p, probe_difference(p, p->fails, p->other_fails, MADE_UP));
    p->weighed[c] = p->decided;
    return OK;
}

static double loss_allowed(const struct probe *p)
{
    const double row = probe_row_cost(p), all = (double)p->o.questions;
    const double rows = row > 0 ? (double)p->decided + p->money / row : all;
    return fmax(LOSS_MIN, LOSS_ROWS / fmin(rows, all));
}

static size_t least(const struct probe *p)
{
    size_t at = SIZE_MAX;
    for (size_t c = 0; c < p->o.candidates; c++)
        if (p->standing[c] == PROBE_OPEN &&
            (at == SIZE_MAX || expected_loss(p->loss[c]) < expected_loss(p->loss[at])))
            at = c;
    return at;
}

static bool is_unclear(const struct probe *p, size_t c)
{
    const struct probe_figure f = p->loss[c];
    return p->standing[c] == PROBE_OUT && !p->dropped[c] && p->weighed[c] > 0 &&
           (double)p->weighed[c] < UNCLEAR_ROWS * (double)p->decided &&
           f.mean < UNCLEAR_SIGMAS * f.error;
}

/* By how many standard errors the set is worse without it. */
static double strength(const struct probe *p, size_t member)
{
    return p->loss[member].mean / fmax(p->loss[member].error, 1e-9);
}

bool probe_open_again(struct probe *p, double sigmas)
{
    bool any = false;
    size_t weakest = SIZE_MAX;
    for (size_t c = 0; c < p->o.candidates; c++) {
        if (is_unclear(p, c)) {
            p->standing[c] = PROBE_OPEN;
            any = true;
        }
        if (p->standing[c] == PROBE_MEMBER &&
            (weakest == SIZE_MAX || strength(p, c) < strength(p, weakest)))
            weakest = c;
    }
    for (size_t c = 0; c < p->o.candidates && any; c++)
        if (p->standing[c] == PROBE_MEMBER && (c == weakest || strength(p, c) < sigmas))
            p->standing[c] = PROBE_OPEN;
    return any;
}

/* From the first member for good on, who is asked what hangs on what it answers. */
static void count_whole(struct probe *p)
{
    if (p->is_again)
        return;
    for (size_t c = 0; c < p->o.candidates; c++)
        if (p->standing[c] == PROBE_MEMBER)
            return;
    p->whole = p->decided;
}

enum status probe_decide(struct probe *p, struct error *err)
{
    struct chosen_set leader;
    count_whole(p);
    probe_fill(p, PROBE_SMOOTHED);
    enum status status = probe_best_set(p, SIZE_MAX, SIZE_MAX, &leader, err);
    if (status != OK)
        return status;
    probe_set_fails(p, leader.members, leader.count, p->fails);
    for (size_t c = 0; c < p->o.candidates && status == OK; c++)
        if (p->standing[c] == PROBE_OPEN)
            status = weigh(p, &leader, c, err);
    for (size_t c = least(p); status == OK && c != SIZE_MAX; c = least(p)) {
        if (expected_loss(p->loss[c]) >= loss_allowed(p))
            break;
        p->standing[c] = probe_set_has(&leader, c) ? PROBE_MEMBER : PROBE_OUT;
    }
    return status;
}
