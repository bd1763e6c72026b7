/* Command-line options as rows of a table: what is parsed, what --help says, and what shells complete
 * (options/completion.h). Nothing here prints or exits; that is the command line's business (cli/options.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
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

struct usage {
    const char *synopsis; /* "train DATASET... -o MODEL [options]" */
    const char *text;     /* what it does, in paragraphs; examples last */
    const struct option_row *rows;
    size_t row_count;
};

/* Parses argv[1..]: options anywhere, "--" ends them, "--name=value" and "--name value" alike. Positional arguments
 * are moved to the front of argv (argv[0] .. argv[*ret_count - 1]). CLOSED: help was asked for; ERR_USAGE: a sentence
 * that says what is wrong, without the command's name. */
NODISCARD enum status options_read(const struct usage *usage, int argc, char **argv, int *ret_count,
                                   struct error *err);
/* The text of -h, as the rows have it, in lines of at most `width` columns where words allow. */
void options_usage_write(const struct usage *usage, size_t width, struct buf *out);
