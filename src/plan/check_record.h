/* What a policy's check has said so far, and what feedback has said of the check: who passes how often, and how often
 * the check is wrong. Sums that forget, so that a better expert or a mended test is seen within some hundred answers;
 * not thread-safe (route/check_cell.h has a lock).
 *
 * Feedback on answers that stood tells how many that passed were wrong and how many that were rejected were right. With
 * the share that passes, Bayes' rule makes of them how many answers are right in truth, and the check's false_pass and
 * false_alarm. Of each expert the same gives how often it was right, beside how often its estimates had it; the shift
 * of its log-odds brings both together. All begin at what the owner and the estimates believe, with the weight of
 * CHECK_PRIOR answers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "predict/verified.h"

#define CHECK_PRIOR           20.0
#define CHECK_DECAY           0.998 /* of all sums, at each answer that is checked */
#define CHECK_SHIFT_MAX       10.0
#define CHECK_STATE_BYTES_MAX (1u << 20)

struct check_tally { /* of one expert */
    double checks, passes;
    double right; /* sum of P(the answer is right), as far as was known before the check */
};

struct check_record {
    size_t count;
    const struct str *names;     /* [count] of the experts */
    struct check_tally *experts; /* [count] */
    /* Feedback on answers that stood, each 0 to 1 for how good it was */
    double passed_good, passed_bad, rejected_good, rejected_bad;
    uint64_t answers; /* that were checked or judged, ever: whether there is news */
};

/* An answer of experts[expert] was checked, which was right with probability `right` as far as was known then. */
void check_record_observe(struct check_record *r, size_t expert, bool passed, double right);
/* Somebody says how good an answer was that has stood. */
void check_record_feedback(struct check_record *r, bool passed, double score);
/* For struct verified_terms: what is believed of the check, with its owner's price, and shift[count] of the experts. */
void check_record_believe(const struct check_record *r, const struct verified_check *owner,
                          struct verified_check *ret, float *shift);
/* Takes over what `from` knows of experts of the same names. */
void check_record_adopt(struct check_record *r, const struct check_record *from);

/* The state in a file, `"POLICY": {...}` of a JSON object: what is written, and what of it is taken up again. */
struct check_named {
    struct str policy;
    struct check_record *record;
};
void check_state_write(struct buf *out, const struct check_named *records, size_t count);
/* Records whose policy the text does not have stay as they are; experts that a record does not have are passed over.
 * ERR_INPUT, ERR_UNSUPPORTED: not such a file, of another version, damaged; nothing is filled then. */
NODISCARD enum status check_state_parse(struct str text, const char *place,
                                        const struct check_named *records, size_t count,
                                        struct error *err);
