/* Private to store/: a database, as little of it as the ledger needs. One file per kind (sqlite.c, postgres.c) owns its
 * library. A backend belongs to the thread that uses it. Statements are one SQL for both, with $1, $2 ... in order.
 *
 * Errors: ERR_INPUT when the database refuses what was said (this row will never go in); ERR_CORRUPT when it is not a
 * ledger of ours; anything else means that storage is away, full, locked or slow, and the connection may be gone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

enum value_type { VALUE_NULL, VALUE_INT, VALUE_REAL, VALUE_TEXT };

struct value {
    enum value_type type;
    int64_t integer;
    double real;
    struct str text;
};

#define BACKEND_COLUMNS_MAX 40

struct backend;

/* Values are valid during the call. Not OK ends the query with that status. */
typedef enum status backend_row_fn(const struct value *values, size_t count, void *arg,
                                   struct error *err);

struct backend_ops {
    /* Drops a connection whose storage is no longer the one of that name; NULL: it cannot be. */
    void (*look)(struct backend *b);
    /* Connects within seconds; with `write` it makes or migrates the schema, else nothing is ever written. */
    enum status (*connect)(struct backend *b, bool write, struct error *err);
    /* Statements of one transaction. `put` may only queue; `commit` says OK when all of it is durable as far as the
     * database promises. After a failure of any of them: `rollback`, which drops the connection if it must. */
    enum status (*begin)(struct backend *b, struct error *err);
    enum status (*put)(struct backend *b, size_t statement, const struct value *values,
                       size_t count, struct error *err);
    enum status (*commit)(struct backend *b, struct error *err);
    void (*rollback)(struct backend *b);
    enum status (*query)(struct backend *b, const char *sql, const struct value *values,
                         size_t count, backend_row_fn *on_row, void *arg, struct error *err);
    void (*free)(struct backend *b);
    /* How a SQL reads the members of requests.calls: something to put behind FROM requests, and formats that take the
     * name of a member. */
    const char *each_call, *call_text, *call_integer;
};

struct backend_gone { /* found by `look`, where it writes */
    uint64_t files;   /* moved away or deleted under it */
    uint64_t rows;    /* ended requests in those that were deleted */
    int64_t nano_usd; /* what they had cost */
};

struct backend { /* the head of each kind's own struct */
    const struct backend_ops *ops;
    bool connected;
    struct backend_gone gone;
    bool
        takes_empty; /* connecting to read is OK, too, where there are no tables yet: then `empty` */
    bool empty;
    uint64_t answer_ms; /* how long a query may take, where a backend limits it; 0: some seconds */
};

NODISCARD enum status sqlite_backend_create(const char *path, struct backend **ret,
                                            struct error *err);
NODISCARD enum status postgres_backend_create(const char *url, struct backend **ret,
                                              struct error *err);
/* By what the store's name looks like. Connects nothing yet. */
NODISCARD enum status backend_create(const char *store, struct backend **ret, struct error *err);
NODISCARD enum status backend_connect(struct backend *b, bool write, struct error *err);
void backend_free(struct backend *b); /* NULL is fine */
