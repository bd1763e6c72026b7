/* The last stage: far from all that training has seen, estimates become what training knows of each expert on average,
 * so that a router decides as a mix of single experts would, instead of by what it makes of texts that it cannot read.
 * On logits, with z_e of the estimated quality and m_e of the expert's training accuracy:
 *
 *   z'_e = z_e + s · (m_e − z_e)              s = 0 leaves every bit as it is
 *   s    = max(ramp(distance), ramp(novelty)) ramp(x) = (x − begin) / (full − begin), within 0 and 1
 *
 * The distance is of the encoders' statistics from the nearest of a few kinds of training texts, after Lee et al. 2018
 * (arXiv 1807.03888): with the statistics standardised and clipped, and W what whitens their covariance in a kind,
 *
 *   distance = min over kinds k of |W x − c_k|² / number of statistics
 *
 * A kind of which training has few texts is between: its level is told by its few outcomes, what single texts are worth
 * hardly (stage/guard_kinds.h). With k the nearest kind, a the share above, s_k how little is known of the kind, and
 * o_ke how far its level is from the expert's mean,
 *
 *   s = a + (1 − a) · s_k        z'_e = z_e + s · (m_e + o_ke − z_e)
 *
 * Novelty is what the sources say (predict/model_source.h). How long answers get is extrapolated, too: with a the
 * slopes of an expert's output tokens become those of all experts on average, around the training texts' means.
 *
 * A mix of single experts asks them whatever a query costs. So a decision weighs, in place of a cost C_e, what a text
 * of training's mean length costs, K_e (where little is known of the kind, what its texts do), and both experts and
 * texts are alike in what is left out:
 *
 *   C'_e = K_e · (C_e / K_e)^(1 − s) · x^s     x = what f, the geometric mean of C_e / K_e, is beyond 1/8 … 8
 *
 * Only what is far longer or shorter than any text of training is weighed by that. Money, caps and budgets know C_e. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUARD_KINDS_MAX 8
#define GUARD_CLIP      3.0f /* standard deviations, of one statistic */
#define GUARD_ORDINARY  8.0  /* times what a text of mean length costs */

enum guard_limit {
    GUARD_DISTANCE_BEGIN,
    GUARD_DISTANCE_FULL,
    GUARD_NOVELTY_BEGIN,
    GUARD_NOVELTY_FULL,
    GUARD_LENGTH,         /* mean predicted length of training texts */
    GUARD_LOG_CHARACTERS, /* mean ln(1 + characters) of them */
    GUARD_LIMITS
};

/* What is known of a kind of which training has few texts, for each expert. */
enum guard_kind_term {
    GUARD_KIND_LEVEL, /* o_ke */
    GUARD_KIND_INPUT, /* ln of how many times the input tokens of a text of mean length */
    GUARD_KIND_OUTPUT,
    GUARD_KIND_TERMS
};

struct guard {
    size_t kinds; /* 0: there is no guard, and s is 0 */
    size_t statistics;
    const float *scale;  /* [2 × statistics] means, then one over standard deviations */
    const float *whiten; /* [statistics × statistics] W; only its lower triangle is read */
    const float *centre; /* [kinds × statistics] whitened */
    const float *limits; /* [GUARD_LIMITS] */
    const float *levels; /* [experts] m_e; not of the file, but of its experts' accuracies */
    /* Both NULL where training has enough of every kind. */
    const float *few;     /* [kinds] s_k, 0 to 1 */
    const float *of_kind; /* [kinds × GUARD_KIND_TERMS × experts] 0: as any text */
};

/* What the guard makes of a text. */
struct guard_view {
    float share; /* s, 0 to 1 */
    float far;   /* a: of it, how far from all kinds */
    size_t kind; /* the nearest */
};

/* A statistic in standard deviations, clipped. */
float guard_standard(float value, float mean, float over_deviation);
/* The distance of statistics[g->statistics], each standardised and clipped, from the nearest kind. */
float guard_distance(const struct guard *g, const float *statistics, size_t *ret_kind);
/* Shares from 0 to 1 whatever the numbers are. */
void guard_look(const struct guard *g, const float *statistics, float novelty,
                struct guard_view *ret);
/* One of the terms of an expert of `experts`; 0 where nothing is said of kinds. */
float guard_kind(const struct guard *g, size_t kind, enum guard_kind_term term, size_t experts,
                 size_t expert);
/* A probability, moved by s > 0 towards the level m. */
float guard_quality(float share, float level, float quality);
/* C'_e, of costs C[count] of all experts for a text and K[count] for a text of mean length; nano-USD, s > 0. At s = 1
 * it is K_e to the last bit, but for texts beyond eight times, of which those with apart[e] tell nothing (NULL: all
 * tell). Where an expert costs nothing C' is C. */
void guard_weigh(float share, const int64_t *costs, const int64_t *usual, const bool *apart,
                 size_t count, int64_t *weighed);
/* m_e of a training accuracy. */
float guard_level(double accuracy);
