/* Between the steps of an evaluation, in the order in which they run. */
#pragma once

#include "score/evaluate.h"

#define EVAL_CANARIES_EACH   2   /* of each kind, for a judge, at least */
#define EVAL_PAIRS_MIN       12  /* known pairs, where there are so many */
#define EVAL_TESTS_MAX       400 /* of either, however much is judged */
#define EVAL_TEACHER_UNKNOWN 0.8 /* confidence of a teacher that no reference has tested */
#define EVAL_TEACHER_TESTED  20  /* references that test one */
#define EVAL_CONSENSUS_LEARNT                                                                      \
    20 /* questions with so many, from which abilities are learnt: then two answers do */
#define EVAL_CONSENSUS_MIN 3 /* answers that can be compared */
#define EVAL_PROMPT_BYTES  (1u << 20)

struct eval {
    const struct evaluate_options *o;
    const struct dataset *d;
    struct arena *a;
    size_t queries, experts;
    bool *open; /* [queries × experts]: there is a text and no score yet */
    bool *
        compared; /* [queries × experts]: its score is of a reference that compares, or was recorded */
    struct str
        *reference; /* [queries]: a text that only a reader can compare with; ptr NULL: none */
    double *reference_trust; /* [queries]: how far that is to be believed */
    struct evaluate_figures f;
};

struct str eval_text(const struct eval *ev, size_t q, size_t e);
/* The answer's score, by the table's `put`. */
NODISCARD enum status eval_score(struct eval *ev, size_t q, size_t e, double score,
                                 enum evaluate_method method, double confidence, struct error *err);
/* What a text answers where that can be compared with other answers; false: it is a text that only a reader can
 * compare, or nothing. */
bool eval_answer(const struct query *q, struct str text, struct str *ret);
/* The number of the marks around what a judge reads. It hangs on the texts, too: whoever writes one of them must not
 * know it, though it knows the key and the seed. */
uint64_t eval_nonce(const struct eval *ev, const char *key, struct str first, struct str second);
/* The question to a judge that stands in the two buffers, which are done with. `key` NULL: out of memory. */
NODISCARD enum status eval_judge_job(struct eval *ev, size_t judge, const char *key,
                                     struct buf *system, struct buf *user, struct evaluate_ask *ret,
                                     struct error *err);
/* All of them, answered or not. */
NODISCARD enum status eval_ask_all(struct eval *ev, struct evaluate_ask *asks, size_t count,
                                   const char *what, struct error *err);

/* 1: checks and references, asking nobody. */
NODISCARD enum status eval_references(struct eval *ev, struct error *err);
/* 2: the teacher's answers. */
NODISCARD enum status eval_teacher(struct eval *ev, struct error *err);
/* 3: judges, tested; the first that is trusted judges. */
NODISCARD enum status eval_judges(struct eval *ev, struct error *err);
/* 4: what those who answered agree on. */
NODISCARD enum status eval_consensus(struct eval *ev, struct error *err);

/* Two answers of one question before one judge, in both orders. */
struct eval_pair {
    struct str key; /* without the order */
    size_t query;
    struct str better, worse; /* as far as that is known */
    struct judge_pair verdicts;
};
/* Fills the verdicts; a call that was not answered leaves *ret_asked[i] false. */
NODISCARD enum status eval_pairs_ask(struct eval *ev, size_t judge, struct eval_pair *pairs,
                                     size_t count, bool *ret_asked, const char *what,
                                     struct error *err);
/* The tests of one judge, for so many calls that it will judge; its trust and its gaps. */
NODISCARD enum status eval_test_judge(struct eval *ev, size_t judge, size_t calls,
                                      struct judge_trust *ret, struct error *err);
