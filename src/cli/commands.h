/* Every command of the program, in the order `leeroo -h` shows them, which is that of use: the gateway and its books,
 * learning by play, the pool, data and what is learnt from it, rehearsal. `&train_command, &route_command,` with the
 * comma behind the last one too. */
#pragma once

#include "cli/options.h"

extern const struct command init_command;
extern const struct command check_command;
extern const struct command serve_command;
extern const struct command health_command;
extern const struct command ask_command;
extern const struct command keys_command;
extern const struct command spend_command;
extern const struct command ledger_command;
extern const struct command forget_command;
extern const struct command play_command;
extern const struct command rollback_command;
extern const struct command models_command;
extern const struct command select_command;
extern const struct command gaps_command;
extern const struct command enroll_command;
extern const struct command retire_command;
extern const struct command drift_command;
extern const struct command collect_command;
extern const struct command judge_command;
extern const struct command split_command;
extern const struct command train_command;
extern const struct command eval_command;
extern const struct command route_command;
extern const struct command export_command;
extern const struct command replay_command;
extern const struct command demo_command;
extern const struct command completion_command;

#define COMMANDS                                                                                   \
    &init_command, &check_command, &serve_command, &health_command, &ask_command, &keys_command,   \
        &spend_command, &ledger_command, &forget_command, &play_command, &rollback_command,        \
        &models_command, &select_command, &gaps_command, &enroll_command, &retire_command,         \
        &drift_command, &collect_command, &judge_command, &split_command, &train_command,          \
        &eval_command, &route_command, &export_command, &replay_command, &demo_command,            \
        &completion_command,
