/* Arms: the ways to answer a query between which the orchestrator chooses. A single expert is an arm; so is a plan
 * over several:
 *
 *   single(e)          ask e
 *   cascade(a→b)       ask a; keep its answer if a learned verdict of (query, answer) trusts it, else ask b
 *   panel(a,b→c)       ask a and b together; answer when they agree, else ask c
 *   panel(a,b→c ~30%)  the same with a learned verdict in place of bare agreement; the share of the training queries on
 *                      which it asked c is part of its name
 *   sequential(a,b,c,d ~1.8 calls)  one after the other, whoever is worth most then, until nobody is worth its price;
 *                      up to eight; how many it asked on average of the training queries is part of its name
 *   verified(a→b→c)    one after the other until a check passes an answer (predict/verified.h); no plan of a model:
 *                      who takes part, in which order, is found for each query
 *
 * All calls of a plan are paid. Offline (training, evaluation) and online (the gateway) run a plan by the same
 * function, model_plan_verdict (predict/model.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/certainty.h"
#include "base/error.h"
#include "base/str.h"
#include "encode/answer_stats.h"

#define PLAN_MEMBERS_MAX 8 /* a set of them is a uint8_t: bit i is member i */

enum plan_kind { PLAN_SINGLE, PLAN_CASCADE, PLAN_PANEL, PLAN_SEQUENTIAL, PLAN_VERIFIED };
enum plan_rule {
    PLAN_AGREE, /* panels: go on when the first answers differ, or one is unknown */
    PLAN_TRUST  /* go on when that is expected to gain more than `gain_per_usd` a dollar */
};

struct plan {
    enum plan_kind kind;
    enum plan_rule rule;
    size_t
        member_count; /* 1 single, 2 cascade, 3 panel, 2 to PLAN_MEMBERS_MAX sequential, 1 to as many verified */
    /* Expert indices. Of a cascade and a panel all but the last are asked at once, first; of a sequential plan those
     * whom the verdict names. */
    size_t members[PLAN_MEMBERS_MAX];
    float gain_per_usd; /* PLAN_TRUST */
    float share;        /* of the training queries on which the last was asked */
    float
        next_cost_ratio; /* mean cost of the last where it was asked / its mean cost on all queries */
    float calls;         /* sequential: mean number on the training queries */
    float cost_ratio[PLAN_MEMBERS_MAX]; /* sequential: as next_cost_ratio, of each member */
    struct str name;                    /* "panel(a,b→c)"; of a single the expert's name */
};

/* How many of the members are asked first, of a cascade or a panel. */
static inline size_t plan_first_count(const struct plan *p)
{
    return p->member_count > 1 ? p->member_count - 1 : 1;
}

struct estimate {
    float quality; /* calibrated probability of a good answer, 0..1 */
    float
        quality_sd; /* how far the question's own probability may lie from it (predict/spread.h) */
    float unfamiliar; /* how far the text is from training, 0..1 (predict/guard.h): so much of the
                            * estimate is what training knows on average; alike for all arms */
    float output_tokens; /* expected; of a plan 0 */
    float input_tokens;  /* expected; of a plan 0 */
    float input_excess;  /* tokens that four characters each make too many, by script as learnt */
    bool counted;        /* input_tokens is no estimate: a tokenizer has counted them */
    /* Of a plan: probability that the last member is asked; of a sequential one the expected share of the members
     * beyond the first. Of a single 0. */
    float escalation;
    float asked[PLAN_MEMBERS_MAX]; /* sequential, verified: probability that each member is asked */
    int64_t cost_nano_usd;         /* expected, at the expert's price */
    int64_t cost_max_nano_usd; /* if every member is asked; of a single the same as cost_nano_usd */
    /* So much of cost_nano_usd a decision leaves out, for the text is unlike training (predict/guard.h): arms are
     * weighed by what they cost on ordinary texts. May be negative; 0: all of it counts. Caps go by the whole. */
    int64_t unweighed_nano_usd;
};

/* What a decision weighs against quality. */
static inline int64_t estimate_weighed_nano_usd(const struct estimate *e)
{
    return e->cost_nano_usd - e->unweighed_nano_usd;
}
/* Sets both costs of a single expert; what is weighed changes in proportion. */
void estimate_reprice(struct estimate *e, int64_t cost_nano_usd);

/* Fills both costs of `plan_estimate` (its escalation, or asked[], is set), and what is weighed of them, from those of
 * the members. */
void plan_price(const struct plan *p, const struct estimate *const members[PLAN_MEMBERS_MAX],
                struct estimate *plan_estimate);

/* What a check has said of a member's answer, in a verified plan. */
enum plan_check {
    PLAN_UNCHECKED,
    PLAN_CHECKING,
    PLAN_PASSED,
    PLAN_REJECTED,
    PLAN_CHECK_DOWN, /* it could not say: nothing is known of the answer */
};

/* What is known of one query while a plan runs. */
struct plan_answer {
    bool pending;          /* it was asked and has said nothing yet */
    bool asked;            /* its answer is there, or it has failed */
    bool failed;           /* there is none */
    enum plan_check check; /* of a verified plan, once it has answered */
    uint16_t answer_class; /* 0: unknown what it says; equal classes agree (judge) */
    float stats[ANSWER_STATS];
    struct certainty certainty;
};

struct plan_state {
    float characters;      /* of the prompt, as struct features counts them */
    uint8_t calls_max;     /* a sequential plan asks no more members than so many; 0: no limit */
    uint32_t choice_count; /* 0: an open question */
    bool is_timed;         /* an answer is wanted within left_ms; 0: now (predict/timed.h) */
    uint32_t left_ms;
    uint32_t
        latency_ms[PLAN_MEMBERS_MAX]; /* how long asking each is expected to take; 0: unknown */
    const struct estimate *members[PLAN_MEMBERS_MAX]; /* with their costs at the prices in force */
    struct plan_answer answers[PLAN_MEMBERS_MAX];
};

/* What to do next: ask somebody, else wait, else let the winner's answer stand. */
struct plan_verdict {
    uint8_t ask;   /* these members, now; those pending that are not among them are cancelled */
    bool wait;     /* for those pending */
    bool final;    /* whatever the one that is asked says stands */
    size_t winner; /* member whose answer stands if nobody else is asked */
    float
        trust[PLAN_MEMBERS_MAX]; /* probability that each member's answer is right, asked or not */
};

/* "single", "cascade", "panel", "sequential", "verified" */
const char *plan_kind_name(enum plan_kind kind);
/* Appends the plan's name made of its kind, its members' names and its share. `names` [experts]. */
void plan_name_add(struct buf *out, const struct plan *p, const struct str *names);
/* Appends a plan's name in ASCII, as headers take it: "->" for every "→". */
void plan_label_add(struct buf *out, struct str name);
/* Reads "cascade(a->b)", "panel(a,b->c)", with "→" too, or "sequential(a,b,c)"; names[count] are the experts. No more
 * than kind and members is set. ERR_INPUT: not of that form, or an expert twice; ERR_NOT_FOUND: an unknown expert. */
NODISCARD enum status plan_parse(struct str text, const struct str *names, size_t count,
                                 struct plan *ret, struct error *err);
/* Whether `pattern` means plan `p`: "all", "cascade", "panel", "sequential", a plan's name with "→" or "->" and any
 * blanks, or such a name without "~30%" or "~1.8 calls", which stands for all of them. */
bool plan_matches(const struct plan *p, struct str pattern);
