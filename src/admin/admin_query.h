/* Private to admin/: what stands behind the ? of a path, strictly: a name that nobody knows, one that comes twice, and
 * a number that is none are errors that name them. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

#define ADMIN_QUERY_NAMES_MAX 24

struct admin_query {
    struct str rest; /* at first all of it */
    size_t count;
    struct str seen[ADMIN_QUERY_NAMES_MAX];
};

struct admin_parameter {
    struct str name, value; /* decoded, in the arena */
};

/* CLOSED: there are no more. ERR_INPUT: one without a name, twice the same, a text that is no UTF-8 or holds a NUL;
 * ERR_MEMORY. Texts of errors may be shown. */
NODISCARD enum status admin_query_next(struct admin_query *q, struct arena *a,
                                       struct admin_parameter *ret, struct error *err);
/* ERR_INPUT; `known` are those there are, for the sentence. */
enum status admin_query_unknown(const struct admin_parameter *p, const char *known,
                                struct error *err);
NODISCARD enum status admin_query_integer(const struct admin_parameter *p, uint64_t min,
                                          uint64_t max, uint64_t *ret, struct error *err);
/* "0.01" in nano-USD. */
NODISCARD enum status admin_query_usd(const struct admin_parameter *p, int64_t *ret_nano_usd,
                                      struct error *err);
