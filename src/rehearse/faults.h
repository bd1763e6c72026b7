/* Failures on purpose: which requests fail, and how.
 *
 * Deterministic, whatever the concurrency: whether a request fails depends on the seed, the expert, the prompt
 * and how often this expert has been asked this prompt before (so that a retry may succeed). The kinds are drawn
 * independently, in the order of the enum, and the first one drawn happens. Thread-safe. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "rehearse/source.h"

enum fault_kind {
    FAULT_429,   /* too many requests, with Retry-After */
    FAULT_500,   /* internal error */
    FAULT_STALL, /* goes silent, before the first byte or during the answer; the connection stays */
    FAULT_CUT,   /* the connection ends during the answer */
    FAULT_COUNT,
    FAULT_NONE = FAULT_COUNT
};

struct fault {
    enum fault_kind kind;
    bool at_once; /* stall, cut: before the first byte */
    double at;    /* stall, cut: after this share of the answer, 0..1 */
};

struct faults;

/* specs[kind]: NULL (never), "P", or a list of "P" (all experts) and "NAME=P", P in 0..1: "0.01,gpt-4o=0.2".
 * ERR_USAGE says what is wrong with which; ERR_NOT_FOUND an unknown expert. */
NODISCARD enum status faults_create(const struct rehearse_source *source,
                                    const char *const specs[FAULT_COUNT], uint64_t seed,
                                    struct faults **ret, struct error *err);
void faults_free(struct faults *f); /* NULL is fine */
bool faults_any(const struct faults *f);
struct fault faults_draw(struct faults *f, size_t expert, uint64_t prompt_hash);
const char *fault_name(enum fault_kind kind); /* "429", "500", "stall", "cut", "none" */
