/* Between the files of gaps/. */
#pragma once

#include "gaps/gaps.h"

/* Sums over the queries of a topic. */
struct gaps_sums {
    size_t queries, recorded, compared;
    double missed, missed_squares; /* 1 - achieved */
    double recorded_missed,
        recorded_expected;  /* 1 - achieved, 1 - expected, where it is recorded */
    double expected_missed; /* 1 - expected, of all */
    double differs_squares; /* of missed - expected to be, where it is recorded */
    double noise;           /* variance of what is estimated */
    double routing;         /* best - achieved */
};

void gaps_sums_add(struct gaps_sums *s, const struct score_set *scores, size_t q);
/* How many answers the model's estimate of a topic counts for. */
double gaps_prior_queries(const struct gaps_sums *topics, size_t count);
/* Fills the figures of a topic; `all`: the sums of the whole data set. */
void gaps_figures(const struct gaps_sums *s, double prior_queries, double level,
                  const struct gaps_sums *all, struct gaps_topic *t);
/* The experts of every topic: experts, best, second, alone. */
NODISCARD enum status gaps_experts(const struct score_set *s, const uint32_t *topic_of,
                                   double prior_queries, struct gaps_topic *topics, size_t count,
                                   struct arena *a, struct error *err);
/* The words of every topic, and of its missed queries. */
NODISCARD enum status gaps_words(const struct score_set *s, const struct topic_set *set,
                                 struct gaps_topic *topics, struct arena *a, struct error *err);
/* Typical missed queries of every topic. */
NODISCARD enum status gaps_examples(const struct score_set *s, const struct topic_set *set,
                                    size_t wanted, struct gaps_topic *topics, struct arena *a,
                                    struct error *err);
