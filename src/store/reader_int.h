/* Private to store/: what the files that ask a ledger share. */
#pragma once

#include "store/backend.h"
#include "store/reader.h"

struct ledger_reader {
    struct backend *backend;
    uint64_t most_ms; /* 0: no limit */
};

/* Connects where it is not; `answer_ms` as in struct backend. */
NODISCARD enum status reader_ask(struct ledger_reader *r, uint64_t answer_ms, const char *sql,
                                 const struct value *values, size_t count, backend_row_fn *on_row,
                                 void *arg, struct error *err);

struct reader_row { /* of a row of sql_request or sql_listed */
    struct ledger_found *found;
    struct arena *arena;
    bool there, no_memory;
};
/* A backend_row_fn whose argument is a struct reader_row. */
enum status reader_take_row(const struct value *values, size_t count, void *row, struct error *err);

static inline int64_t reader_integer(const struct value *v, int64_t otherwise)
{
    return v->type == VALUE_INT ? v->integer : otherwise;
}

static inline double reader_real(const struct value *v)
{
    return v->type == VALUE_REAL ? v->real : v->type == VALUE_INT ? (double)v->integer : 0;
}

static inline struct str reader_text(const struct value *v)
{
    return v->type == VALUE_TEXT ? v->text : STR("");
}
