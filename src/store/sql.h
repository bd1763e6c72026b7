/* Private to store/: the schema and the statements of the ledger, the same for every database. */
#pragma once

#include <stddef.h>

#include "store/backend.h"
#include "store/row.h"

#define SQL_SCHEMA_VERSION 1
#define SQL_SCHEMA_COUNT   5

enum sql_statement {
    SQL_BEGIN, /* a request that runs */
    SQL_END,   /* one that is over, whether its begin is there or not */
    SQL_FEEDBACK,
    SQL_LOSS,
    SQL_INTERRUPT, /* closes what an earlier process left open */
    /* Erase up to a time, which is included: feedback first, then its requests. */
    SQL_PRUNE_FEEDBACK,
    SQL_PRUNE_REQUESTS,
    SQL_PRUNE_LOSSES,
    SQL_PRUNE_ORPHANS, /* feedback on requests that are not there */
    SQL_STATEMENTS
};

/* Each may be said again; `BIGINT` and the like mean the same everywhere. */
extern const char *const sql_schema[SQL_SCHEMA_COUNT];
extern const char *const sql_statements[SQL_STATEMENTS];
extern const size_t sql_value_counts[SQL_STATEMENTS];

/* The values of a row's statement; returns which. Texts that a database would refuse are mended in `scratch`, which
 * must hold ROW_BYTES_MAX * 3 bytes. */
enum sql_statement sql_bind(const struct row *row, const char *instance, char *scratch,
                            struct value values[BACKEND_COLUMNS_MAX]);

/* Columns of a whole request with its feedback, in this order. */
extern const char sql_request[]; /* $1: id */
extern const char sql_whole[];   /* the same of all requests; a WHERE may follow */
/* The same, but decision and feedback are NULL; a WHERE may follow. */
extern const char sql_listed[];
