/* Between the files of the page: what was read of a run, and its sections in the order of the page. */
#pragma once

#include "data/dataset.h"
#include "eval/markup.h"
#include "eval/page.h"
#include "eval/svg.h"
#include "runpage/lessons.h"
#include "runpage/provenance.h"
#include "runpage/round_file.h"
#include "runpage/runpage.h"

#define RUNPAGE_ROUNDS_MAX 1000
#define RUNPAGE_ROWS       30 /* rounds in a table or chart; earlier ones are added up */
#define RUNPAGE_SLOTS      7  /* colours for experts of their own; all others share one more */
#define RUNPAGE_USD(nano)  ((double)(nano) / (double)NANO_PER_USD)

struct run_record {
    const char *folder;
    struct round_file *rounds; /* [round_count], the first first */
    size_t round_count;
    const struct dataset *data;
    struct lessons lessons;
    struct provenance provenance;
};

static inline const struct round_file *run_record_last(const struct run_record *r)
{
    return &r->rounds[r->round_count - 1];
}

/* Reads a run's folder; everything lives in `a` but the data set, which the caller frees also on failure.
 * round_count 0: no round is over, and nothing else was read. */
NODISCARD enum status run_record_read(const char *folder, struct arena *a, struct run_record *ret,
                                      struct dataset **ret_data, struct error *err);

/* Sections, each a whole <section>. */
void runpage_headline(const struct run_record *r, struct buf *b);
void runpage_curve(const struct run_record *r, struct buf *b);
void runpage_money(const struct run_record *r, struct buf *b);
void runpage_trust(const struct run_record *r, struct buf *b);
void runpage_questions(const struct run_record *r, struct buf *b);
void runpage_lessons(const struct run_record *r, struct buf *b);
void runpage_experts(const struct run_record *r, struct buf *b);
/* All of it. */
void runpage_render(const struct run_record *r, struct buf *b);

/* Cells of tables: <td>…</td>, a dash where it is unknown. */
void runpage_cell_count(struct buf *b, size_t count);
void runpage_cell_usd(struct buf *b, int64_t nano_usd);
void runpage_cell_percent(struct buf *b, double share);
void runpage_cell_points(struct buf *b, double share);
/* <thead> of these titles, a NULL ends them, and <tbody>; runpage_table_end closes both. A title that begins with '<'
 * stands at the left, over words. */
void runpage_table(struct buf *b, const char *caption, const char *const *titles);
void runpage_table_end(struct buf *b);
/* The colour of an expert of the last round, 0..RUNPAGE_SLOTS; the last is shared. */
size_t runpage_slot(const struct run_record *r, struct str expert);
