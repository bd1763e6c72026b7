/* What the gateway's own traffic gives to self-play: kept prompts (store/kept.h) with what their users said of the
 * answers (feedback in the ledger), and with scores that an earlier run found for them.
 *
 *   praise    feedback above .5: a weak outcome of the expert that answered, score as given, method "feedback",
 *             confidence FEEDBACK_CONFIDENCE; more of them for the same expert and question add up, to
 *             FEEDBACK_CONFIDENCE_MAX at most
 *   blame     feedback of .5 or less is no proof of anything: users press thumbs down for answers that they do not
 *             like, too. It makes no outcome, but `recheck`: the question comes first, to be asked anew and judged
 *   scores    outcomes of the earlier run for the same text and expert stand as they are, with their method, in the
 *             place of praise. Blame halves the confidence of one that says the answer was right
 *
 * Reads both stores beside whoever writes to them, and waits for them: for commands, never for an event loop. */
#pragma once

#include "pose/posed.h"

#define FEEDBACK_CONFIDENCE     0.3f
#define FEEDBACK_CONFIDENCE_MAX 0.6f
#define FROM_LEDGER_MAX         100000 /* questions; the newest of more */

struct from_ledger_options {
    const char *kept;             /* the file of prompts */
    const char *ledger;           /* as ledger_reader_create takes it; NULL: no feedback */
    int64_t since_ms;             /* requests that began before are passed over */
    const struct dataset *scores; /* of an earlier run, as DATASET_ALL; NULL: none */
};

struct traffic_outcome {
    size_t question;
    struct str expert; /* by name, as the ledger has it */
    struct outcome outcome;
};

struct traffic {
    struct posed *questions; /* POSED_TRAFFIC; ids are those of the requests; equal texts are one */
    bool *recheck;           /* [count]; those come first, the newest first, then the others */
    size_t count;
    struct traffic_outcome *outcomes;
    size_t outcome_count;
    size_t praised, blamed; /* requests with feedback whose prompt is kept */
};

/* Everything lives in `a`. ERR_NOT_FOUND: no prompts are kept there; what the stores fail with. */
NODISCARD enum status from_ledger_read(const struct from_ledger_options *options, struct arena *a,
                                       struct traffic *ret, struct error *err);
