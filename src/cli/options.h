/* Command-line options as rows of a table, which also make --help. A command is one file with one
 * `struct command`; main.c holds the list of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum option_type {
    OPTION_FLAG,   /* bool *, no argument */
    OPTION_STRING, /* const char ** */
    OPTION_DOUBLE, /* double * */
    OPTION_COUNT,  /* size_t *, non-negative whole number */
    OPTION_SEED,   /* uint64_t * */
    OPTION_LIST,   /* struct option_list *: may be given several times */
};

#define OPTION_LIST_MAX 16

struct option_list {
    const char *items[OPTION_LIST_MAX];
    size_t count;
};

struct option_row {
    const char *name;     /* "--experts" */
    char letter;          /* 'o' for -o; 0: none */
    const char *argument; /* "NAME,..." in the help; NULL for flags */
    const char *help;
    enum option_type type;
    void *into;
    double min, max; /* for OPTION_DOUBLE and OPTION_COUNT; both 0: no bounds */
    bool *given;     /* set when the option was there; may be NULL */
};

struct command {
    const char *name;
    const char *summary; /* one line for `leeroo -h` */
    int (*run)(int argc,
               char **argv); /* argv[0] is the command's name; returns the exit status 0, 1, 2 */
};

struct usage {
    const char *synopsis; /* "train DATASET... -o MODEL [options]" */
    const char *text;     /* what it does, in paragraphs; examples last */
    const struct option_row *rows;
    size_t row_count;
};

/* Parses argv[1..]: options anywhere, "--" ends them, "--name=value" and "--name value" alike. Positional arguments
 * are moved to the front of argv (argv[0] .. argv[*ret_count - 1]). Returns OK; CLOSED when help was asked for and
 * printed (exit 0); ERR_USAGE after a message on standard error (exit 2). */
NODISCARD enum status options_parse(const struct usage *usage, int argc, char **argv,
                                    int *ret_count);

/* The same for a command that has options alone: arguments are refused, and `hint` (may be NULL) says what to do
 * instead. */
NODISCARD enum status options_parse_alone(const struct usage *usage, const char *hint, int argc,
                                          char **argv);

/* Prints "leeroo COMMAND: TEXT" on standard error and returns 1 (or 2 for ERR_USAGE). */
int cli_fail(const char *command, const struct error *err);
