/* The parts of `leeroo demo --verify`: coders that write programs (rehearse/coders.h), tasks with tests
 * (pose/coding_set.h), and a check that runs the one against the other, before and behind the gateway. The steps run in
 * this order; coded_tasks.c has the first, coded_learn.c the second, coded_ask.c the third, coded_table.c the last. */
#pragma once

#include "demo/demo.h"
#include "pose/coding_set.h"
#include "predict/verified.h"
#include "rehearse/coders.h"
#include "verify/verify.h"

#define CODED_COLUMN      "verified" /* of outcomes.csv */
#define CODED_SCRIPT      "check.sh"
#define CODED_LEARN       "learn"
#define CODED_HELD        "held-out"
#define CODED_CHECK_PRICE 200         /* nano-USD: some 10 ms of a processor at 7 cents an hour */
#define CODED_CHECK_USD   "0.0000002" /* the same */

struct coded { /* a data set, and what became of its answers */
    struct coding_set set;
    struct str *texts;            /* [experts × queries] the answers */
    struct check_job *checks;     /* [queries × experts] by the tests that are shown */
    uint8_t *said;                /* [queries × experts] the verdicts, as in data/check_column.h */
    size_t runs;                  /* of the check, hidden tests too */
    double seconds;               /* that took */
    struct dataset_check written; /* the column */
};

struct coded_demo {
    struct coders coders;
    struct verify_settings check;
    char script[DEMO_PATH_BYTES];
    const char *command[3], *files[2];
    struct coded learn, held;
    struct verified_check
        believed; /* how often the check is wrong, counted on what was learnt from */
};

NODISCARD enum status coded_hire(struct demo *d, struct error *err);    /* 1: coders and a check */
NODISCARD enum status coded_learn(struct demo *d, struct error *err);   /* 2: outcomes, a model */
NODISCARD enum status coded_ask(struct demo *d, struct error *err);     /* 3: the gateway */
NODISCARD enum status coded_compare(struct demo *d, struct error *err); /* 4: the table */
void coded_next_steps(const struct demo *d);                            /* 5: to be typed */
void coded_free(struct coded_demo *c); /* what is not in the demo's arena; NULL is fine */

/* A line of 80 columns at most, or several, each behind so many blanks. */
void coded_wrap(FILE *out, int indent, struct str text);
/* Of a set that was collected: the hundredths of answers of a level (0: all) that are right. */
double coded_right(const struct coded *s, size_t expert, unsigned level);
