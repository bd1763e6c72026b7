/* Programming tasks with tests, over the families of rehearse/program.h: what `leeroo demo --verify` asks. What a
 * program has to print is worked out here, from the inputs drawn, and not by the families' own programs: the two check
 * each other in the tests. Every bug of a family fails at least one test of each of its tasks. Seeded. */
#pragma once

#include "base/buf.h"
#include "base/rng.h"
#include "rehearse/program.h"

#define CODING_TESTS_MIN  3
#define CODING_TESTS_MAX  8
#define CODING_TEST_BYTES 640   /* of what a test gives to read, and of what is to be printed */
#define CODING_TEXT_BYTES 16384 /* of a question */

struct coding_test {
    char input[CODING_TEST_BYTES], output[CODING_TEST_BYTES]; /* whole lines */
};

struct coding_task {
    struct program_ask ask;
    unsigned opening, wording; /* of the question */
    size_t count;              /* CODING_TESTS_MIN..CODING_TESTS_MAX */
    size_t shown;              /* the first so many stand in the question */
    struct coding_test tests[CODING_TESTS_MAX];
};

void coding_task_draw(struct rng *rng, struct coding_task *ret);
void coding_task_of(struct rng *rng, const struct program_family *family, struct coding_task *ret);

/* The question with tests[from, to) in a fence that examples/check_awk.sh reads. */
void coding_task_text(const struct coding_task *t, size_t from, size_t to, struct buf *out);
