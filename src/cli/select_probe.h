/* `leeroo select --probe`: the experts worth having, of those that nobody has outcomes of yet. */
#pragma once

#include <stdbool.h>

/* Whether the option is there; argv[0] is the command's name. */
bool select_probe_wanted(int argc, char **argv);
/* As a command's `run`. */
int select_probe(int argc, char **argv);
