/* The words in which a language model is asked whom to ask: what an orchestrator reads, what `leeroo export` writes for
 * fine-tuning one, and what a fine-tuned one was taught are these bytes. The message of a user is a head, which is the
 * same for all questions, then the question, then a tail; the reply is an expert's label, one letter. Nothing is told
 * as a system message: some chat templates know none.
 *
 * Labels are the last letters of the alphabet, because the first are those of the question's own choices; of more than
 * 26 experts all capitals, then small letters. Each is one token wherever letters are. */
#pragma once

#include "base/buf.h"
#include "base/money.h"

#define OPINION_EXPERTS_MAX    52
#define OPINION_HEAD_BYTES_MAX ((size_t)64 << 10)

struct opinion_expert {
    struct str name;
    bool priced;
    struct price price;
    double accuracy; /* mean score, 0 to 1; NAN: not known */
};

/* Of expert e, one of `count`. */
static inline char opinion_label(size_t count, size_t e)
{
    if (count <= 26)
        return (char)('Z' + 1 - count + e);
    return (char)(e < 26 ? 'A' + e : 'a' + e - 26);
}

/* What is best: the highest quality - lambda * cost in USD; lambda 0: the cheapest of the good. Text, not JSON.
 * ERR_INPUT: no expert, or more than OPINION_EXPERTS_MAX; ERR_TOO_LARGE: names too long for OPINION_HEAD_BYTES_MAX. */
NODISCARD enum status opinion_head_write(const struct opinion_expert *experts, size_t count,
                                         double lambda, struct buf *out, struct error *err);
extern const struct str opinion_tail;

/* Around a question with choices that the model is to answer itself, which tells how sure it is of it. */
extern const struct str opinion_choices_head, opinion_choices_tail;
