/* The built-in coders of `leeroo demo --verify`: experts of different strength and price that answer a programming task
 * (rehearse/program.h) with a program. It is the right one, or one with a mistake, by their strength and the task's
 * level; whether it passes tests is for whoever runs it to find out.
 *
 * Deterministic: the same seed, coder and question give the same answer. */
#pragma once

#include <stdint.h>

#include "base/money.h"
#include "rehearse/program.h"
#include "rehearse/source.h"

#define CODER_COUNT 4

struct coder {
    const char *name;
    const char *summary;
    const char *opening, *ending; /* of its answers, around the program */
    struct price price;
    float right[PROGRAM_LEVELS]; /* how often, by level */
};

struct coders {
    uint64_t seed;
};

const struct coder *coder_at(size_t index); /* < CODER_COUNT */
/* `c` must outlive the source. */
struct rehearse_source coders_source(const struct coders *c);
