/* Scores of the answers that a run has no score of yet, each with the method that found it and how far it is to be
 * believed. For every question the first of these that there is:
 *
 *     check       the question says how (judge/answer_check.h): "regex", "schema", "command"
 *     reference   it has an answer that can be compared: "choice", "number", "text"
 *     teacher     the teacher's answer stands for the reference: "teacher"
 *     judge       an expert says which of two answers is better, asked in both orders: "judge"; where there is a
 *                 reference or a teacher's answer that only a reader can compare, it says whether an answer agrees
 *     consensus   three answers or more that can be compared; two, once abilities are learnt: "consensus"
 *
 * A judge must earn its trust (judge/trust.h): a stated share of its calls are canaries and pairs whose better answer
 * is known; below a floor its scores are refused, and the reason is said. Each call has a key ("teacher/QUESTION",
 * "judge/...", "canary/..."), so that whoever makes them pays for none twice. It knows no endpoint: `ask` is the
 * caller's. One thread; deterministic given its seed and what is answered. */
#pragma once

#include "base/arena.h"
#include "data/dataset.h"
#include "judge/trust.h"

#define EVALUATE_JUDGES_MAX 8
#define EVALUATE_TRUST_SHARE                                                                       \
    0.1 /* of a judge's calls that test it, once it has had EVALUATE_TRUST_MIN */
#define EVALUATE_NONE SIZE_MAX

enum evaluate_method {
    EVALUATE_UNSCORED,
    EVALUATE_CHOICE,
    EVALUATE_NUMBER,
    EVALUATE_TEXT,
    EVALUATE_REGEX,
    EVALUATE_SCHEMA,
    EVALUATE_COMMAND,
    EVALUATE_TEACHER,
    EVALUATE_JUDGE,
    EVALUATE_CONSENSUS,
    EVALUATE_METHODS
};

const char *evaluate_method_name(enum evaluate_method m); /* "choice"; "" for unscored */

/* What an expert is asked. */
struct evaluate_ask {
    struct str key;
    size_t expert;
    struct str system, user; /* an empty system message is left out */
    struct str text;         /* what it answered, as long as the evaluation; ptr NULL: nothing */
};

/* Where answers come from and scores go: a run, or a test's table. */
struct evaluate_table {
    void *self;
    const struct dataset *data; /* DATASET_ALL */
    /* The answer of an expert; ptr NULL: none. */
    struct str (*text)(void *self, size_t query, size_t expert);
    /* score, known, method and confidence of `o` are new, the rest as it was. */
    enum status (*put)(void *self, size_t query, size_t expert, const struct outcome *o,
                       struct error *err);
};

struct evaluate_options {
    const struct evaluate_table *table;
    /* Puts all of them and fills their texts; that an expert fails is none of its errors. */
    enum status (*ask)(void *self, struct evaluate_ask *asks, size_t count, const char *what,
                       struct error *err);
    void *asker;    /* `self` of ask */
    size_t teacher; /* expert; EVALUATE_NONE */
    const size_t *judges;
    size_t judge_count;  /* the first that is trusted judges */
    bool allow_commands; /* run what a question's check names */
    /* [EVALUATE_METHODS]: answers that a reference has scored already, to be counted with the others; NULL: none */
    const size_t *scored_before;
    uint64_t seed;
    struct arena *arena; /* of what is read and found */
};

/* Where a judge's or the consensus's score stands beside a reference: of one expert, or all. */
struct evaluate_gap {
    size_t count;
    double agreement; /* share where both say better than even, or both worse */
    double bias;      /* mean score less mean reference: above 0, too kind */
};

struct evaluate_figures {
    size_t scored
        [EVALUATE_METHODS]; /* answers scored, now or before; [EVALUATE_UNSCORED]: left without */
    double confidence[EVALUATE_METHODS]; /* mean */
    size_t commands_refused;             /* answers to questions whose check names a command */
    size_t checks_broken;                /* answers whose check could not be made */
    struct str first_problem;            /* of these; empty: none */
    struct judge_trust *trust;           /* [judge_count] */
    size_t judge_count;
    struct evaluate_gap *judge_gap, *consensus_gap; /* [experts + 1]; the last: of all */
    size_t experts;
};

/* How a reference scores an answer by itself; EVALUATE_UNSCORED: there is none, it is a text that only a reader can
 * compare, or the question has a check. */
enum evaluate_method evaluate_reference_method(const struct query *q);
/* Errors are those of `ask`, of `put` and of memory; that experts fail, or a judge is not trusted, is none. */
NODISCARD enum status evaluate_run(const struct evaluate_options *o, struct evaluate_figures *ret,
                                   struct error *err);
/* round-K/judge.json: all of the figures, as one object. */
void evaluate_write_json(const struct evaluate_figures *f, const struct dataset *data,
                         struct buf *out);
/* A line for each thing a person should know ("judge gpt-4o: refused, because ..."), for the terminal. */
void evaluate_write_text(const struct evaluate_figures *f, const struct dataset *data,
                         struct buf *out);
