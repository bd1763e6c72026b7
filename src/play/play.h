/* The loop: questions, answers, scores, a model; round after round within a sum of money.
 *
 *     pose ─▶ choose cells (play/cells.h) ─▶ ask (calls/calls.h) ─▶ score ─▶ learn ─▶ measure, publish ─▶ round-K/
 *
 * All of it hangs on the settings, the seed and what experts answered: a run that was killed and is begun again asks
 * nobody what it has an answer to, and goes on as if nothing had happened. It blocks, on the thread of its caller, and
 * prints nothing but a progress line; each round that is over is told. */
#pragma once

#include <signal.h>

#include "calls/calls.h"
#include "expert/expert.h"
#include "net/http_client.h"
#include "plan/decide.h"
#include "play/publish.h"
#include "play/settings.h"
#include "pose/drop.h"
#include "probe/probe.h"
#include "train/train.h"
#include "watch/watch.h"

enum play_publication {
    PLAY_NO_MODEL,   /* nothing could be learnt yet, or nothing was to be */
    PLAY_UNCOMPARED, /* too few questions for validation to say which is better: the old one stays */
    PLAY_KEPT,       /* the one in force is not beaten */
    PLAY_FIRST,      /* there was none in force */
    PLAY_PUBLISHED,
};

struct play_posed {   /* where the round's questions come from */
    size_t requests;  /* to experts that make questions up */
    size_t failed;    /* of these, and of those that asked for their answers, without one */
    size_t generated; /* valid questions that came back */
    size_t split;     /* of these that were put to cheap experts */
    struct drop_counts dropped; /* with what files lost on being read, in the first round */
    struct error
        first; /* what is wrong with the first line of a file that was dropped; status OK: none was */
};

struct play_round { /* as round.json has it; what is unknown is NAN */
    size_t round, rounds;
    size_t questions_new, questions; /* asked about so far */
    struct play_posed posed;
    size_t cells;                            /* answered in this round */
    size_t broken, left_out, unpaid;         /* and not */
    size_t outcomes;                         /* scores known in all */
    int64_t budget_nano_usd, spent_nano_usd; /* of this round */
    int64_t spent_all_nano_usd;              /* of all rounds, as the answers cost */
    int64_t booked_nano_usd; /* of the cap: with failed calls, and those lost with a process */
    int64_t cap_nano_usd;
    size_t calls_ended; /* of all rounds, those that failed with them */
    size_t validation;  /* questions that the figures are of */
    double area;        /* mean quality over costs from a tenth of the best expert's to all of it */
    double area_error;  /* standard error, by draws of the questions */
    double area_prior;  /* of the prior, on the same questions */
    double gain_mix;    /* of area, over the best random mix of experts */
    double gain_last;   /* of area, over the round before */
    double doubt;       /* mean spread of the estimates, 0..1 */
    enum play_publication publication;
    size_t compared;        /* questions that it is compared on with the one in force */
    double confidence;      /* that it is better */
    double confidence_min;  /* that is asked for */
    double gain_in_force;   /* utility over it, a question */
    const char *problem;    /* why there is no model; NULL */
    const char *evaluation; /* how answers were scored, in lines; the judges' trust; NULL */
    bool cap_reached;
};

const char *play_publication_name(enum play_publication p); /* "published", ... */

struct play_probed {            /* the set that was looked for */
    const struct dataset *data; /* of the run */
    struct probe_result result; /* candidates are its experts */
    int64_t cost_max_nano_usd;  /* of the set, for 1,000 questions to each member; 0: any */
    int64_t spent_nano_usd, cap_nano_usd;
};

struct play_options {
    const struct play_settings *settings;
    const struct expert *experts; /* [expert_count], with prices */
    size_t expert_count;
    const struct str
        *likes; /* [expert_count] known models that they are like; empty: not said. NULL: none */
    const bool *asked; /* [expert_count] whom the questions are put to; NULL: to all */
    struct http_client_options network;
    const struct policy *policies; /* [policy_count] in force */
    size_t policy_count, default_policy;
    const struct train_source
        *late; /* [late_count] encoders beside the n-grams; kept where worth it */
    size_t late_count;
    /* Of from_ledger: the file of kept prompts, and the ledger with its secrets. NULL: none. */
    const char *kept, *ledger;
    const char *model_path;            /* where a better model is published; NULL: nowhere */
    const volatile sig_atomic_t *stop; /* as of calls_options; a round that is learning is ended */
    const struct watch *watch;         /* NULL: nobody hears of the calls */
    /* Other machines make calls, too; without the run's name, which is its folder's. url NULL: none do. */
    struct calls_share share;
    void (*on_round)(void *arg, const struct play_round *r);
    void (*on_probed)(void *arg,
                      const struct play_probed *p); /* where settings->members is not 0 */
    void *arg;
};

struct play_end {
    size_t rounds; /* that are over, those of earlier processes with them */
    size_t played; /* of them in this process */
    bool cap_reached;
    bool nothing_left;       /* every cell that could be bought is known, or its expert fails */
    size_t failing;          /* experts that kept failing in the last round */
    struct play_posed posed; /* what came of the last try to make questions up */
    int64_t spent_nano_usd, booked_nano_usd, lost_nano_usd;
    int64_t booked_before_nano_usd; /* by earlier processes */
};

/* Begins or goes on. ERR_OVERLOAD: another process runs there. ERR_UPSTREAM: no expert has answered anything. */
NODISCARD enum status play_run(const char *folder, const struct play_options *o,
                               struct play_end *ret, struct error *err);

/* What a run would cost, by round, phase and expert, at the costs that are expected before anybody was asked. */
enum play_phase { PLAY_POSING, PLAY_ASKING, PLAY_SCORING, PLAY_PHASES };

const char *play_phase_name(enum play_phase phase); /* "questions", "answers", "scores" */

struct play_forecast_row {
    size_t calls;
    int64_t expected_nano_usd,
        most_nano_usd; /* most: one try of each, with answers as long as they may be */
};
struct play_forecast {
    size_t rounds, experts, questions;
    struct play_posed posed;              /* what files lost */
    const struct play_forecast_row *rows; /* [rounds × PLAY_PHASES × experts] */
};
/* Asks nobody and writes nothing; lives in `a`. `folder`: of a run, which goes on where it is there already; NULL: a
 * new one. */
NODISCARD enum status play_forecast(const struct play_options *o, const char *folder,
                                    struct arena *a, struct play_forecast *ret, struct error *err);
