/* Growing bytes with a ceiling: no buffer without a named limit.
 *
 * A buf that once failed (out of memory or over its limit) stays failed and ignores further appends, so a
 * writer may append many times and look at buf_status once. Always NUL-terminated when ptr is not NULL. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct buf {
    char *ptr;
    size_t len;
    size_t capacity;
    size_t limit;
    enum status status;
};

void buf_init(struct buf *b, size_t limit); /* allocates nothing */
void buf_done(struct buf *b);               /* frees; b may be initialised again */
void buf_clear(struct buf *b);              /* length 0 and status OK, memory kept */
void buf_add(struct buf *b, struct str s);
void buf_add_c(struct buf *b, const char *c_string);
void buf_add_char(struct buf *b, char c);
void buf_add_int(struct buf *b, int64_t value); /* in decimal */
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for `n` more bytes; returns where to write them (then add to b->len), or NULL once failed. */
char *buf_reserve(struct buf *b, size_t n);
struct str buf_str(const struct buf *b);
NODISCARD enum status buf_status(const struct buf *b, struct error *err);
/* Moves the bytes to the caller (free() them); NULL when empty. The buf is empty afterwards. */
char *buf_take(struct buf *b);
