/* Every command of the program, in the order `leeroo -h` shows them: `&train_command, &route_command,` with the
 * comma behind the last one too. */
#pragma once

#include "cli/options.h"

extern const struct command replay_command;

#define COMMANDS &replay_command,
