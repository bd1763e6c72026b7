/* What `leeroo train` prints: the experts, the plans, what is doubtful. */
#pragma once

#include <stdio.h>

#include "print/lambda_points.h"

void train_print_experts(const struct trained *t, FILE *out);
/* What the search for plans found, and the arms that were kept. */
void train_print_plans(const struct trained *t, FILE *out);
/* What became of each encoder that was read beside the n-grams; nothing where there was none. */
void train_print_late(const struct trained *t, FILE *out);
/* A warning, where there are too few answers to tell an AUC from a coin's. */
void train_print_doubts(const struct trained *t, FILE *out);
/* All of it as one JSON object. */
NODISCARD enum status train_print_json(const struct trained *t, const struct lambda_points *lambdas,
                                       const char *path, FILE *out, struct error *err);
