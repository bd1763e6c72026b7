/* Verdicts between pairs of answers to one question → a score for each: Bradley and Terry's strengths with a normal
 * prior (mean 0, deviation 1), and of each answer the mean probability to win against one of the others. So scores of
 * one question have the mean 0.5: they say which answer is better, not whether any is right. */
#pragma once

#include <stddef.h>

struct pairwise_game {
    size_t a, b;
    double a_share; /* 1: a won in both orders; 0.5: a tie, or it turned with the order; 0: b won */
};

#define PAIRWISE_ANSWERS_MAX 256

/* scores[n], 0..1. 2 <= n <= PAIRWISE_ANSWERS_MAX. */
void pairwise_scores(const struct pairwise_game *games, size_t count, size_t n, double *scores);
