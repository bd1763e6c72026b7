/* Private to src/export. */
#pragma once

#include "export/export.h"

#include "base/buf.h"

#define EXPORT_BYTES_MAX     (UINT64_C(16) << 30) /* what is known of cells, ids and rows */
#define EXPORT_ROW_BYTES_MAX (1u << 30)
#define EXPORT_NOBODY        UINT32_MAX

enum {
    CELL_CANDIDATE = 1,
    CELL_TEXT = 2,   /* there is a text */
    CELL_NEEDED = 4, /* it stands in a row */
};

struct export_row {
    uint32_t query, chosen, rejected; /* rejected: EXPORT_NOBODY where it is no pair */
};

struct exporting {
    const struct dataset *d;
    const struct export_options *o;
    struct export_figures *figures;
    struct arena *arena;
    uint8_t *cells; /* [query_count × expert_count] of CELL_* */
    double lambda;
    struct export_row *rows;
    size_t row_count, row_room;
};

static inline uint8_t *export_cell(const struct exporting *x, size_t query, size_t expert)
{
    return &x->cells[query * x->d->expert_count + expert];
}

/* export_pick.c: who is best, and against whom. */

/* Marks the candidates; CELL_TEXT is there already. */
void export_candidates_mark(struct exporting *x);
/* Fills in x->rows and the figures. */
NODISCARD enum status export_rows_pick(struct exporting *x, struct error *err);

/* export_prompt.c */

/* What comes before and behind the question, as the inside of a JSON string; empty for answers. ERR_INPUT: more
 * experts than there are labels. */
NODISCARD enum status export_preamble_write(const struct exporting *x, struct buf *out,
                                            struct error *err);
void export_tail_write(const struct exporting *x, struct buf *out);
/* What the prompt calls the expert: one letter, in *room. */
struct str export_label(const struct exporting *x, uint32_t expert, char *room);

/* export_texts.c: texts of answers, in a file without a name. */
struct export_texts;
/* Marks every cell that has a text by CELL_TEXT. ERR_NOT_FOUND when none has. */
NODISCARD enum status export_texts_find(struct exporting *x, struct export_texts **ret,
                                        struct error *err);
/* Reads those of CELL_NEEDED. */
NODISCARD enum status export_texts_gather(struct export_texts *t, struct error *err);
/* One that was gathered. */
NODISCARD enum status export_text_read(struct export_texts *t, size_t query, size_t expert,
                                       struct buf *into, struct error *err);
void export_texts_free(struct export_texts *t);
