/* From the average quality that a policy promises to the least quality that one query's expert must be predicted to
 * have, so that the promise holds on average. */
#pragma once

#include "predict/model.h"

/* The smallest floor, at or above min_quality, at which "the cheapest arm predicted at or above the floor, else the
 * best one" averages min_quality over the sample, among the arms with use[i] (NULL: all). It lies above min_quality
 * where queries for which nobody is that good would pull the mean below. 1, which always takes the best, when no floor
 * reaches that mean. Without rows: min_quality. */
double floor_for_quality(const struct model_sample *sample, const bool *use, double min_quality);

#define FLOOR_STEPS 512

/* The same for any min_quality that comes along: at floors in steps of 1 / FLOOR_STEPS, the mean that each gives. */
struct floor_table {
    size_t rows;
    float mean[FLOOR_STEPS + 1];
};
void floor_table_init(struct floor_table *t, const struct model_sample *sample, const bool *use);
/* No less than floor_for_quality, and at most a step more; 0 < min_quality <= 1. */
double floor_table_find(const struct floor_table *t, double min_quality);
