/* A policy's min_quality promises a mean. From it comes the quality floor: the least quality that the arm chosen for
 * one query must be predicted to have, so that the mean over many queries keeps the promise. */
#pragma once

#include "predict/model.h"

/* The smallest floor, at or above min_quality, at which the rule "the cheapest arm predicted at or above the floor; if
 * there is none, the best one" has a mean predicted quality of min_quality over the sample, among the arms with use[i]
 * (NULL: all). It is above min_quality where there are queries for which no arm is that good, since these pull the mean
 * down. 1, at which the best arm is always taken, if no floor reaches that mean. min_quality if the sample has no rows.
 */
double quality_floor_find(const struct model_sample *sample, const bool *use, double min_quality);

#define QUALITY_FLOOR_STEPS 512

/* The same, prepared for many values of min_quality: the mean at each floor, in steps of 1 / QUALITY_FLOOR_STEPS. */
struct quality_floor_table {
    size_t rows;
    float mean[QUALITY_FLOOR_STEPS + 1];
};
void quality_floor_table_init(struct quality_floor_table *t, const struct model_sample *sample,
                              const bool *use);
/* At least what quality_floor_find gives, and at most one step more. 0 < min_quality <= 1. */
double quality_floor_table_find(const struct quality_floor_table *t, double min_quality);
