/* Between the files of the race. */
#pragma once

#include "base/arena.h"
#include "probe/probe.h"
#include "universe/greedy.h"

#define PROBE_UNKNOWN (-1.0f)

struct probe {
    struct probe_options o;
    struct arena *arena;
    uint32_t *order; /* [questions] in which they are opened */
    float *scores;   /* [questions × candidates]; PROBE_UNKNOWN */
    size_t decided;  /* of the order: rows of which nothing more is wanted, and that count */
    size_t opened;   /* of the order: rows that are asked about */
    size_t
        whole; /* of the order: rows of which all were asked that were not out; after the first member for good, as
                        many as there were then */
    enum probe_standing standing[CANDIDATES_MAX];
    struct probe_figure loss[CANDIDATES_MAX]; /* of deciding against it, as last known */
    size_t weighed[CANDIDATES_MAX];           /* rows that it is known by; 0: it is not */
    bool dropped[CANDIDATES_MAX];             /* by the caller: it is out, whatever is known */
    double cost[CANDIDATES_MAX];              /* of a question, mean; nano-USD */
    double money, money_first; /* nano-USD: now, and when it began; below 0: it has not */
    /* It was decided, and is looked at once more: how it stood. */
    bool is_again;
    enum probe_standing standing_before[CANDIDATES_MAX];
    size_t decided_before;
    enum probe_end end;
    struct probe_cell *cells; /* [questions × candidates] */
    size_t cell_count;
    float *
        columns; /* [candidates × questions], of decided rows: how likely each is not to answer it */
    double *ease;                         /* [questions], of decided rows */
    float *fails, *other_fails, *scratch; /* [questions] */
};

static inline float *probe_row(const struct probe *p, size_t at)
{
    return p->scores + (size_t)p->order[at] * p->o.candidates;
}

static inline const float *probe_column(const struct probe *p, size_t candidate)
{
    return p->columns + candidate * p->o.questions;
}

/* Rows: what one wants next, as wanted[candidates]. Returns how many; 0: it can change no choice any more. */
size_t probe_row_wants(const struct probe *p, const float *row, bool *wanted);
/* What a new row is expected to cost, by those that are decided. */
double probe_row_cost(const struct probe *p);

/* What answers are taken for: fills the columns. */
enum probe_view {
    PROBE_SMOOTHED, /* fit to choose by */
    PROBE_PLAIN,    /* as they are, what is unknown by expectation: fit to report */
};
void probe_fill(struct probe *p, enum probe_view view);
/* The share of an answer that is expectation, where it is smoothed. */
double probe_smoothing(const struct probe *p);

/* Sets: the best of those that are allowed still. with: it is in; without: it is not; SIZE_MAX: nobody. */
NODISCARD enum status probe_best_set(struct probe *p, size_t with, size_t without,
                                     struct chosen_set *ret, struct error *err);
/* Of asking it 1,000 questions, nano-USD. */
int64_t probe_cost_of(const struct probe *p, size_t candidate);
/* Whether it costs too much for a set that has the members for good and it. */
bool probe_is_too_dear(const struct probe *p, size_t candidate);
/* fails[decided]: how likely nobody of members[count] answers. */
void probe_set_fails(const struct probe *p, const size_t *members, size_t count, float *fails);
bool probe_set_has(const struct chosen_set *s, size_t candidate);
/* Mean of b − a over decided rows. `more`: squares of rows that are made up. */
struct probe_figure probe_difference(const struct probe *p, const float *a, const float *b,
                                     double more);

/* Opens again who was put out by fewer rows than there are now and not clearly, and the members that they may be in the
 * place of: the weakest, and all whose loss is below so many standard errors. False: there is nobody. */
bool probe_open_again(struct probe *p, double sigmas);
/* The second look has come to nothing: the money has ended amid it. */
void probe_as_before(struct probe *p);
/* Puts candidates in and out by what the decided rows say. */
NODISCARD enum status probe_decide(struct probe *p, struct error *err);
