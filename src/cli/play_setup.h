/* What `leeroo play`, `leeroo collect` and `leeroo select --probe` share: options and run.json to settings, the
 * configuration, the loop. */
#pragma once

#include <signal.h>

#include "base/arena.h"
#include "cli/options.h"
#include "config/config.h"
#include "play/play.h"

#define PLAY_SPEND_MAX  1e9 /* USD */
#define PLAY_TOKENS_MAX 1e6 /* of an answer */

/* What the command line says; `has_...`: the option was there. */
struct play_setup {
    const char *command; /* "play" */
    const char *config, *experts, *teacher, *from;
    const char *redis;      /* where other machines find the run; NULL: it is not shared */
    const char *join, *run; /* a run to work for; NULL: none, the only one */
    struct option_list questions, protect, generators, domains, judges;
    double spend_usd;
    size_t rounds, workers, round_questions, output_tokens;
    size_t members;            /* of the set to find; 0: none is looked for */
    int64_t cost_max_nano_usd; /* of it; 0: not said */
    uint64_t seed;
    bool allow_commands, sandbox, everything, dry_run, quiet, json;
    bool has_spend, has_rounds, has_workers, has_questions, has_tokens, has_seed, has_members;
    const char *folder; /* of the run; NULL: a new one by date and time */
    char name[64];      /* then */

    struct arena *arena;
    struct play_settings settings;
    struct config *configuration;
};

/* As options_parse, with the options that both commands have behind those of `own`. */
NODISCARD enum status play_setup_parse(struct play_setup *c, const struct usage *own, int argc,
                                       char **argv, int *ret_count);

#define PLAY_REDIS_PASSWORD "LEEROO_REDIS_PASSWORD" /* in the environment */

/* Where the address of Redis is said, and what is heard of it. */
struct calls_share play_setup_share(const char *url, const char *run);
/* Ctrl-C and SIGTERM set the flag that comes back; the second ends the process. */
const volatile sig_atomic_t *play_setup_signals(void);
/* `leeroo play --join`: makes calls for another machine's run. The command's exit status. */
int play_join(const struct play_setup *c);

/* Does it all; what is wrong is said on standard error. Returns the command's exit status. */
int play_setup_run(struct play_setup *c);
