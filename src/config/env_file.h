/* A file of environment variables, for the `env:NAME` of a configuration: lines NAME=VALUE. It is read strictly, since
 * a key that is cut at a blank fails later and elsewhere.
 *
 * A line is empty, a comment (# ...), or NAME=VALUE, with or without `export` in front. NAME is letters, digits and _,
 * no digit first. VALUE stands to the end of the line and has no blanks and quotes inside, or is in quotes: in 'single'
 * ones everything is itself; in "double" ones \n, \t, \", \\ and \$ are what they are in a shell. Behind it, set off by
 * a blank, a comment may stand. Nothing is expanded, no line goes on in the next, and no name is given twice. */
#pragma once

#include "base/arena.h"
#include "base/problems.h"
#include "base/str.h"

#define ENV_FILE_BYTES_MAX     (256u << 10)
#define ENV_FILE_VARIABLES_MAX 512

struct env_variable {
    const char *name, *value; /* the value is secret */
    size_t line;
};

struct env_file {
    struct env_variable list[ENV_FILE_VARIABLES_MAX];
    size_t count;
};

/* Texts are copied into the arena. Whatever is wrong goes into *all, a line each, without repeating a value; *err is
 * the first of it. */
NODISCARD enum status env_file_parse(struct str text, const char *place, struct arena *a,
                                     struct problems *all, struct env_file *ret, struct error *err);

struct env_file_taken {
    size_t set;          /* variables that now come from the file */
    size_t there;        /* that the environment had before: it goes before the file */
    bool others_read_it; /* by its rights, other users may */
};
/* Reads the file and puts its variables into the environment of this process: before there are threads. */
NODISCARD enum status env_file_load(const char *path, struct problems *all,
                                    struct env_file_taken *ret, struct error *err);
