/* Every command of the program, in the order `leeroo -h` shows them. */
#pragma once

#include "cli/options.h"

#define COMMANDS
