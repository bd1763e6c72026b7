/* From the average quality that a policy promises to the least quality that one query's expert must be predicted to
 * have, so that the promise holds on average. */
#pragma once

#include "predict/model.h"

/* The smallest floor, at or above min_quality, at which "the cheapest arm predicted at or above the floor, else the
 * best one" averages min_quality over the sample, among the arms with use[i] (NULL: all). It lies above min_quality
 * where queries for which nobody is that good would pull the mean below. 1, which always takes the best, when no floor
 * reaches that mean. Without rows: min_quality. */
double quality_floor_find(const struct model_sample *sample, const bool *use, double min_quality);

#define QUALITY_FLOOR_STEPS 512

/* The same for any min_quality that comes along: the mean at each floor, in steps of 1 / QUALITY_FLOOR_STEPS. */
struct quality_floor_table {
    size_t rows;
    float mean[QUALITY_FLOOR_STEPS + 1];
};
void quality_floor_table_init(struct quality_floor_table *t, const struct model_sample *sample,
                              const bool *use);
/* No less than quality_floor_find, and at most a step more; 0 < min_quality <= 1. */
double quality_floor_table_find(const struct quality_floor_table *t, double min_quality);
