/* A slice of bytes that are owned elsewhere. Not NUL-terminated; may hold NUL bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }                                    /* for static tables */
#define STR_FMT(s) (int)(s).len, (s).ptr /* for "%.*s" */

struct str str_from(const char *c_string); /* NULL gives the empty slice */
bool str_equal(struct str a, struct str b);
bool str_equal_nocase(struct str a, struct str b); /* ASCII case only */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
int str_compare(struct str a, struct str b);                /* bytewise, as memcmp; shorter first */
struct str str_trim(struct str s);                          /* ASCII white space off both ends */
struct str str_slice(struct str s, size_t from, size_t to); /* clamps both to s.len */
/* Index of `needle` in `s` at or after `from`; SIZE_MAX when absent. */
size_t str_find(struct str s, struct str needle, size_t from);
/* Cuts the part before the first `sep` off the front of *rest; without one takes all and leaves *rest empty. */
struct str str_split(struct str *rest, char sep);

/* Whole-slice number parsing: no blanks, no trailing bytes, finite. ERR_INPUT otherwise. */
NODISCARD enum status str_to_double(struct str s, double *ret);
NODISCARD enum status str_to_int64(struct str s, int64_t *ret);
NODISCARD enum status str_to_uint64(struct str s, uint64_t *ret);
NODISCARD enum status str_to_hash(struct str s, uint64_t *ret); /* of "%016lx": 16 small digits */

bool str_is_ascii(struct str s); /* no byte of 0x80 or more; in one quick pass */
bool utf8_valid(struct str s);
/* Whether a terminal or a log may show it as it is: valid, and without control characters (C0, DEL, C1), ends of lines
 * and marks that turn the direction of writing. */
bool utf8_printable(struct str s);
/* The text made printable: a blank for each control character or mark, U+FFFD for each byte that is no UTF-8. At most
 * size - 1 bytes and never half a character, then a NUL; returns the length. `size` is at least 1. */
size_t utf8_make_printable(char *into, size_t size, struct str s);
/* Its first bytes, at most so many, without a part of a character at their end. */
struct str utf8_cut(struct str s, size_t bytes_max);
/* What to do about bytes that should be UTF-8 text and are not ("this is UTF-16; save the file as UTF-8"); NULL: they
 * are. */
const char *utf8_mend(struct str s);
size_t utf8_count(struct str s); /* code points, of a text that is valid */
/* Decodes one code point at *at (< s.len) and moves *at past it; an invalid byte gives U+FFFD and moves one byte. */
uint32_t utf8_next(struct str s, size_t *at);
