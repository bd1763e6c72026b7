/* Small programming tasks that the sandbox's coders know: what is asked in plain English, an awk program that does it,
 * and programs with the mistakes that people make. A family is one row of a table, with up to two parameters: "@1" and
 * "@2" in its texts and programs. Pure functions over constant tables, any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

#define PROGRAM_ARGS       2
#define PROGRAM_ARG_BYTES  16
#define PROGRAM_TEXTS      2
#define PROGRAM_BUGS       4
#define PROGRAM_LEVELS     3
#define PROGRAM_BYTES_MAX  4096                /* of one program */
#define PROGRAM_INTRODUCES "awk program that " /* a task stands behind it, up to the full stop */

struct program_family {
    const char *name;
    unsigned level;                   /* how hard it is, 1..PROGRAM_LEVELS */
    const char *texts[PROGRAM_TEXTS]; /* "prints the sum of column @1" */
    const char *reference;
    const char *bugs[PROGRAM_BUGS]; /* programs; NULL: no more */
    const char *endless;            /* one that does not end, or prints without end */
};

struct program_ask { /* a family with its parameters */
    const struct program_family *family;
    char args[PROGRAM_ARGS][PROGRAM_ARG_BYTES]; /* "": unused */
};

size_t program_family_count(void);
const struct program_family *program_family_at(size_t index); /* < count */
size_t program_bug_count(const struct program_family *f);

/* The task that a question asks for; false: none that is known. */
bool program_read(struct str question, struct program_ask *ret);

/* `pattern` (a text or a program of the family) with the parameters in their places. */
void program_write(const struct program_ask *ask, const char *pattern, struct buf *out);
