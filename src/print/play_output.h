/* What `leeroo play` and `collect` print: lines of each round, the end, the forecast. */
#pragma once

#include <stdio.h>

#include "play/play.h"

void play_print_round(const struct play_round *r, FILE *out);
/* The same of `leeroo collect`, which learns nothing: what was asked, and what it cost. */
void play_print_collected(const struct play_round *r, FILE *out);
/* `folder`: of the run. */
void play_print_end(const struct play_end *end, const struct play_settings *s, const char *folder,
                    FILE *out);
void play_print_forecast(const struct play_forecast *f, const struct play_options *o, FILE *out);
