/* Why a question is not put to the experts. Every question that is dropped is counted under one reason, and its text
 * and the reason can be read in the run's dropped.jsonl. */
#pragma once

#include <stddef.h>

#include "base/str.h"

enum drop_reason {
    DROP_MALFORMED, /* no JSON, or cut off */
    DROP_FIELD_MISSING,
    DROP_FIELD_WRONG, /* of another type, or a word that is none of those wanted */
    DROP_CHOICES,     /* fewer than two, too many, an empty one, two alike */
    DROP_NOT_A_CHOICE,
    DROP_NO_NUMBER,
    DROP_TOO_LONG,
    DROP_GIVEN_AWAY,
    DROP_DUPLICATE,
    DROP_CONTAMINATED,
    DROP_DISAGREES,
    DROP_UNANIMOUS,
    DROP_UNCHECKED, /* the generator could not be asked again: it failed, or the money was used up */
    DROP_REASONS
};

struct drop_counts {
    size_t of[DROP_REASONS];
};

/* A few words for a table: "reference is not among the choices". */
const char *drop_reason_name(enum drop_reason reason);
/* The reason of a name; DROP_REASONS when it is none. */
enum drop_reason drop_reason_read(struct str name);
size_t drop_counts_sum(const struct drop_counts *c);
void drop_counts_add(struct drop_counts *into, const struct drop_counts *more);
/* "12 dropped: 7 duplicate, 5 too long", the most first, shortened to `size` bytes; "" when there are none. */
void drop_counts_print(const struct drop_counts *c, char *into, size_t size);

/* Who hears of each. */
struct drop_sink {
    void *self;
    /* `id` may be empty; `text` is the question, or what there was instead of one; `why` says more than the reason
     * ("like 'q17'") and may be empty. All are valid during the call. */
    void (*dropped)(void *self, struct str id, enum drop_reason reason, struct str text,
                    struct str why);
};

/* Tells the sink (NULL: nobody) and counts. */
void drop_tell(const struct drop_sink *sink, struct drop_counts *counts, struct str id,
               enum drop_reason reason, struct str text, struct str why);
