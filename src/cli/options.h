/* What every command does with its options: parses them, prints help and what is wrong. A command is one file with one
 * `struct command`; main.c holds the list of them. */
#pragma once

#include "options/option_rows.h"

struct command {
    const char *name;
    const char *summary; /* one line for `leeroo -h` */
    int (*run)(int argc,
               char **argv); /* argv[0] is the command's name; returns the exit status 0, 1, 2 */
};

/* As options_read. OK; CLOSED when help was asked for and printed (exit 0); ERR_USAGE after a message on standard error
 * (exit 2). */
NODISCARD enum status options_parse(const struct usage *usage, int argc, char **argv,
                                    int *ret_count);

/* The same for a command that has options alone: arguments are refused, and `hint` (may be NULL) says what to do
 * instead. */
NODISCARD enum status options_parse_alone(const struct usage *usage, const char *hint, int argc,
                                          char **argv);

/* While a listener is there, options_parse tells it the command's usage and parses nothing: CLOSED. NULL: none. So a
 * list of all options is made of the very rows that are parsed (options/completion.h). */
typedef void options_listener(void *arg, const struct usage *usage);
void options_listen(options_listener *listener, void *arg);

/* Prints "leeroo COMMAND: TEXT" on standard error and returns 1 (or 2 for ERR_USAGE). */
int cli_fail(const char *command, const struct error *err);
