/* Whether a candidate takes the place of the model in force, by what they make of questions that neither has seen.
 * How it takes the place is publish_file.h. Pure: nothing is read but the texts of answers, where a model has plans.
 *
 * A fixed share of the questions, by the hash of their text, is for validation: self-play buys whole rows of them and
 * never trains on them, so that neither model has seen what they are compared on, round after round. Both models decide
 * every such question under every policy in force, as decide() does for requests; what counts is the recorded
 * utility = quality − lambda · cost of what each has chosen, its mean over the policies, and a bootstrap over the
 * questions, in which both models meet the same draws. */
#pragma once

#include "data/dataset.h"
#include "plan/decide.h"

#define PUBLISH_POLICIES_MAX   256
#define PUBLISH_SHARE          8    /* a question in so many is for validation */
#define PUBLISH_CONFIDENCE_MIN 0.8  /* published at or above it */
#define PUBLISH_CONFIDENCE_FEW 0.95 /* or this, on fewer questions than PUBLISH_QUESTIONS_FEW */
#define PUBLISH_QUESTIONS_FEW  20
#define PUBLISH_QUESTIONS_MIN  10 /* on fewer nothing is said to be better */

/* What is in force. An earlier round's model learnt from a part of what the candidate did, which speaks for the
 * candidate before they are compared (bench/play.md): it must be the better one, and PUBLISH_CONFIDENCE_LATER sure, or
 * PUBLISH_CONFIDENCE_MIN where there are few questions. */
enum publish_rival { PUBLISH_ANOTHER, PUBLISH_EARLIER };
#define PUBLISH_CONFIDENCE_LATER 0.5

/* What it takes to be published on so many questions: a bootstrap of few knows too little of their spread. */
double publish_confidence_min(size_t questions, enum publish_rival rival);

/* Whether a question (query.text_hash) is for validation and never for training. */
bool publish_validates(uint64_t text_hash);

/* What one policy made of the validation questions, by either model: means per question. */
struct publish_side {
    double quality, cost_usd, utility;
};

struct publish_figures {
    struct publish_side before, after;
    double lambda; /* what a dollar is worth in the utilities */
    double gain;   /* of utility */
};

struct publish_verdict {
    size_t questions; /* with a known score and cost of every expert that both models have */
    double
        gain; /* mean utility of the candidate less that of the model in force, over all policies */
    double error;      /* its standard error */
    double low, high;  /* 95 % of the draws */
    double confidence; /* share of the draws in which the candidate is better; ties count half */
    double confidence_min;
    bool better; /* confident enough, on enough questions */
    size_t policies;
    struct publish_figures of[PUBLISH_POLICIES_MAX]; /* in the order of the policies */
};

/* Compares on those queries of `d` that are for validation and known as a whole: score and cost of every expert that
 * both models know and that was asked at least half as often as any. Estimates are priced by the experts' prices in
 * `d`, and budgets and floors calibrated at them. A policy with a budget: each model at its own lambda for that
 * budget, utilities at the mean of the two. With a min_quality: each at its own quality floor, a dollar worth as much
 * as the model in force gets for one on average. ERR_INPUT: there is no such expert. policy_count > 0.
 * Deterministic. */
NODISCARD enum status publish_compare(const struct model *candidate, const struct model *in_force,
                                      enum publish_rival rival, const struct dataset *d,
                                      const struct policy *policies, size_t policy_count,
                                      struct publish_verdict *ret, struct error *err);
