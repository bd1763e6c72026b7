/* What a policy's check has said so far (plan/check_record.h) behind a lock, counted: requests that began before a
 * reload still tell theirs to the cell that they began with. Any thread. */
#pragma once

#include "plan/check_record.h"

struct check_cell;

/* Held once, empty; names[count] of the experts are copied. NULL: no memory. */
struct check_cell *check_cell_create(const struct str *names, size_t count,
                                     const struct verified_check *owner);
struct check_cell *check_cell_hold(struct check_cell *c); /* returns c */
void check_cell_release(struct check_cell *c);            /* NULL is fine */
/* What is believed now: shift[experts] is the caller's. */
void check_cell_terms(struct check_cell *c, float *shift, struct verified_check *ret);
void check_cell_observe(struct check_cell *c, size_t expert, bool passed, double right);
void check_cell_feedback(struct check_cell *c, bool passed, double score);
/* Goes on with what `from` knows. */
void check_cell_adopt(struct check_cell *c, struct check_cell *from);
uint64_t check_cell_answers(struct check_cell *c); /* moves when there is something to write down */
/* `"policy": ...` of check_state_write, and a file's text taken up. As check_state_parse. */
void check_cells_write(struct check_cell *const *cells, const struct str *policies, size_t count,
                       struct buf *out);
NODISCARD enum status check_cells_resume(struct check_cell *const *cells,
                                         const struct str *policies, size_t count, struct str text,
                                         const char *place, struct error *err);
