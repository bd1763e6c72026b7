/* Settings as rows of a table: key, reader, where it lands, bounds. conf_read_map walks a section and fills a
 * struct; each complaint names file:line:column, the key, and what would be right. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/problems.h"
#include "config/yaml_tree.h"

struct conf_reader {
    const char *place; /* the file's name, for messages */
    struct arena *arena;
    void *context;        /* of the rows' own readers */
    bool without_secrets; /* variables that env:NAME names need not exist; such values stay empty */
    struct problems
        *problems; /* every mistake goes here, and reading goes on; NULL: the first ends it */
};

struct conf_row;
typedef enum status conf_read_fn(struct conf_reader *r, const struct conf_row *row,
                                 const struct yaml_tree *value, void *into, struct error *err);

struct conf_row {
    const char *key;
    conf_read_fn *read;
    size_t offset; /* of the field in the struct that conf_read_map fills */
    bool required;
    double min, max; /* numbers; in bytes and milliseconds for sizes and durations */
};

#define CONF_ROWS_MAX 64 /* in one section */

/* `what` names the section in messages ("an expert"). *ret_seen (may be NULL) has bit i set when row i was there. Where
 * problems are gathered, it reads all rows that it can and returns the status of the first mistake. */
NODISCARD enum status conf_read_map(struct conf_reader *r, const struct yaml_tree *node,
                                    const char *what, const struct conf_row *rows, size_t row_count,
                                    void *base, uint64_t *ret_seen, struct error *err);

/* Whether reading goes on after `status` of a part: it is OK, or a mistake that is noted. */
bool conf_goes_on(const struct conf_reader *r, enum status status);

conf_read_fn conf_read_str;    /* struct str, not empty */
conf_read_fn conf_read_bool;   /* bool: true, false, yes, no, on, off */
conf_read_fn conf_read_u32;    /* uint32_t */
conf_read_fn conf_read_bytes;  /* size_t: 1048576, 64KiB, 10MiB */
conf_read_fn conf_read_ms;     /* uint32_t: 30s, 500ms, 5m, 1500 (milliseconds) */
conf_read_fn conf_read_real;   /* double */
conf_read_fn conf_read_usd;    /* int64_t nano-USD, an exact decimal */
conf_read_fn conf_read_secret; /* struct str from the environment: env:NAME */

/* One of two words; *ret: it is the second. */
NODISCARD enum status conf_read_either(const struct conf_reader *r, const struct conf_row *row,
                                       const struct yaml_tree *value, const char *first,
                                       const char *second, bool *ret, struct error *err);

/* "LINE:COLUMN: KEY: ..."; noted in r->problems. */
enum status conf_fail(const struct conf_reader *r, const struct yaml_tree *at, struct error *err,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
/* "30s", "500ms", "1500": milliseconds. ERR_INPUT. */
NODISCARD enum status conf_parse_ms(struct str text, double *ret_ms);
