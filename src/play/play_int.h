/* Between the files of the loop: the state of a run and the steps of a round, in the order in which they run. */
#pragma once

#include "calls/calls.h"
#include "play/cells.h"
#include "play/play.h"
#include "play/run.h"
#include "predict/model.h"
#include "probe/probe.h"
#include "score/evaluate.h"

#define PLAY_ARENA_BYTES  (UINT64_C(8) << 30)
#define PLAY_OUTPUT_GUESS 300 /* tokens of an answer, before any was seen */
#define PLAY_VALIDATION_SHARE                                                                      \
    0.2 /* of a round's money: whole rows of questions that are never learnt from */
#define PLAY_VALIDATION_MAX 400 /* rows of them; more say little more */
#define PLAY_POSE_SHARE     0.3 /* of a round's money, for making questions up and checking them */
#define PLAY_PASSES         4 /* of a round: what answers cost less than was thought buys more cells */
#define PLAY_PASS_SHARE     0.05 /* of a round's money; with less left it ends */
#define PLAY_STRETCHES      8 /* doublings of a round's money that buys nothing, the last to all of it */
#define PLAY_GROWTH         2.0 /* a round may spend so many times what the one before may */

struct play_questions;

struct play {
    const struct play_options *o;
    const struct play_settings *s;
    struct run *run;
    struct calls_share share;
    struct calls *calls;
    struct play_questions *questions;
    struct arena *arena;        /* of the round; reset between rounds */
    struct arena *kept;         /* of the run */
    struct trained *trained;    /* of the round; NULL: nothing could be learnt */
    struct model *model;        /* the last that was learnt; NULL: none yet */
    struct model *model_before; /* the one before that */
    uint64_t checksum_before;   /* of the model of the round before; 0: none */
    struct model *prior;        /* what is believed before */
    int64_t spent_before_nano_usd, booked_before_nano_usd;
    size_t ended_before; /* calls, when this process took the run up */
    bool is_short;       /* there is a cell, or a first request, that the money does not reach */
    int64_t scoring_nano_usd;        /* what scoring the round's answers will cost, about */
    size_t scored[EVALUATE_METHODS]; /* answers of the round that a reference scored as they came */
    const char *folder;              /* of the round */
    const char *judged;              /* judge.json of the round; NULL */
    size_t passes;                   /* of asking, in the round */
    struct play_round r;
};

/* What is believed of every cell. */
struct play_beliefs {
    float *quality, *sd; /* [questions × experts]; NULL both: no model yet */
    int64_t *cost_nano_usd;
};

/* The money of a round, by plan: its share of the cap and what earlier rounds have left of theirs; where those have
 * taken more, its share of what is left of the cap. */
int64_t play_round_budget(const struct play_settings *s, size_t round, int64_t spent_nano_usd);

/* 1: new questions into the run. */
NODISCARD enum status play_questions_open(struct play *p, struct error *err);
void play_questions_close(struct play *p);
NODISCARD enum status play_pose(struct play *p, struct error *err);
/* Whether there is a cell that somebody who answers could be asked, whatever it costs. */
NODISCARD enum status play_is_left(struct play *p, bool *ret, struct error *err);
/* Nobody was asked for questions, for the money of the whole run does not reach for one request. */
bool play_pose_is_short(const struct play *p);
/* As many as the round may bring; those that are made up by dummies. `with_files`: what the files have, too. */
NODISCARD enum status play_pose_forecast(const struct play_settings *s, struct run *run,
                                         size_t round, bool with_files, struct arena *a,
                                         struct play_posed *posed, struct error *err);
/* Whether the expert is put the questions, not only asked about others' answers. */
bool play_is_asked(const struct play_options *o, size_t expert);
/* 2: which cells to buy. `left_out` [experts], NULL: none. */
NODISCARD enum status play_believe(const struct run *run, const struct play_options *o,
                                   const struct model *m, struct arena *a, struct play_beliefs *ret,
                                   struct error *err);
NODISCARD enum status play_choose(const struct run *run, const struct play_options *o,
                                  const struct play_beliefs *b, const bool *left_out,
                                  int64_t budget_nano_usd, struct arena *a, struct cells *ret,
                                  struct error *err);
/* 3: their answers, scored. */
NODISCARD enum status play_ask(struct play *p, const struct cells *cells, struct error *err);
/* In its place, where a set is looked for: what to ask, its answers, scored, and again, until the set is found. */
NODISCARD enum status play_probe(struct play *p, struct cells *ret, struct error *err);
/* [questions × experts], of asking and scoring, by what answers have cost so far. */
void play_guess_costs(const struct run *run, const struct play_options *o, int64_t *ret);
/* The most that a cell may cost, one try of it. */
int64_t play_cell_most_nano_usd(const struct run *run, const struct play_options *o, size_t query,
                                size_t expert);
/* The texts of what earlier rounds bought, out of the journal. */
NODISCARD enum status play_recall(struct play *p, struct error *err);
/* Scores for what has none, by the methods of score/evaluate.h. */
NODISCARD enum status play_evaluate(struct play *p, struct error *err);
/* What scoring an answer to it costs beside the answer, about: what the teacher is paid for it, and the judge. */
struct play_scoring {
    int64_t teacher_nano_usd, judge_nano_usd;
};
struct play_scoring play_evaluate_cost(const struct play_options *o, const struct query *q,
                                       int64_t teacher_tokens);
/* How long the teacher's answers are expected to be: as those are that it has given, else a guess; 0 without one. */
int64_t play_teacher_tokens(const struct run *run, const struct play_options *o);
/* 4: a model of all that is known; p->model. That nothing can be learnt yet is no failure. */
NODISCARD enum status play_learn(struct play *p, struct error *err);
/* 5: what it is worth. */
NODISCARD enum status play_measure(struct play *p, struct error *err);
/* What an earlier round has learnt; *ret is NULL where it learnt nothing. */
NODISCARD enum status play_load_model(const struct play *p, size_t round, struct model **ret,
                                      struct error *err);
/* 6: whether it takes the place of the one in force. */
NODISCARD enum status play_publish(struct play *p, struct error *err);
/* 7: round.json and cells.csv into the round's folder. */
NODISCARD enum status play_write_round(const struct play *p, const struct cells *cells,
                                       struct error *err);
/* What the next round needs of the last. */
NODISCARD enum status play_read_round(struct play *p, struct error *err);

/* An answer into the run, scored where that is known at once. */
NODISCARD enum status play_take_answer(struct play *p, size_t query, size_t expert,
                                       const struct call_result *r, struct error *err);
/* The job of a cell; its key lives in `a`. */
NODISCARD enum status play_query_job(const struct query *q, struct str expert_name, size_t expert,
                                     struct arena *a, struct call_job *ret, struct error *err);
NODISCARD enum status play_cell_job(const struct run *run, size_t query, size_t expert,
                                    struct arena *a, struct call_job *ret, struct error *err);
