/* Which questions taught most: see lessons.h for the measure.
 *
 * All cells of the run are read once, put in order of their questions, added up, and the first questions kept. One
 * thread; what is kept lives in the caller's arena. */
#include "runpage/lessons.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/map.h"

#define QUALITY_EDGE 0.02 /* nothing is taken for more certain */

struct reading {
    const struct dataset *d;
    struct map *queries;
    struct buf cells; /* of struct lesson_cell */
    struct lesson_expert *experts;
};

struct columns {
    int id, model, quality, quality_sd, tie;
};

static enum status find_columns(struct csv *c, struct columns *ret, struct error *err)
{
    enum status status = csv_require(c, "id", &ret->id, err);
    if (status == OK)
        status = csv_require(c, "model", &ret->model, err);
    if (status == OK)
        status = csv_require(c, "quality", &ret->quality, err);
    if (status == OK)
        status = csv_require(c, "quality_sd", &ret->quality_sd, err);
    return status == OK ? csv_require(c, "tie", &ret->tie, err) : status;
}

/* NAN of an empty cell. */
static enum status share_in(const struct csv *c, int column, double *ret, struct error *err)
{
    struct str cell = csv_cell(c, column);
    double value = NAN;
    if (cell.len > 0 && (str_to_double(cell, &value) != OK || value < 0 || value > 1))
        return error_set(err, ERR_CORRUPT, "%s:%zu:%zu: '%.*s' is not from 0 to 1", csv_path(c),
                         csv_line(c), csv_cell_column(c, column), STR_FMT(str_slice(cell, 0, 40)));
    *ret = value;
    return OK;
}

/* Bayes' rule of a normal belief and one answer, see the header. */
static double movement(const struct outcome *o, double quality, double sd)
{
    double q = fmin(1 - QUALITY_EDGE, fmax(QUALITY_EDGE, quality));
    double noise = q * (1 - q) / (double)outcome_confidence(o);
    return sd * sd / (sd * sd + noise) * ((double)o->score - quality);
}

/* One piece: a row is read, judged and counted, and every step needs what the one before has found. */
static enum status take_row(struct reading *r, const struct csv *c, const struct columns *at,
                            size_t round, struct error *err)
{
    uint32_t query;
    double quality, sd, tie;
    size_t expert = dataset_expert_index(r->d, csv_cell(c, at->model));
    enum status status = share_in(c, at->quality, &quality, err);
    if (status == OK)
        status = share_in(c, at->quality_sd, &sd, err);
    if (status == OK)
        status = share_in(c, at->tie, &tie, err);
    if (status != OK || expert == SIZE_MAX || !map_get(r->queries, csv_cell(c, at->id), &query))
        return status;
    const struct outcome *o = dataset_outcome(r->d, query, expert);
    if (!o->known || isnan(quality) || isnan(sd))
        return OK;
    struct lesson_cell cell = {.query = query,
                               .expert = (uint32_t)expert,
                               .round = (uint32_t)round,
                               .expected = (float)quality,
                               .tie = isnan(tie) ? 0 : (float)tie,
                               .moved = (float)movement(o, quality, sd)};
    cell.taught = cell.tie * cell.moved * cell.moved;
    r->experts[expert].cells++;
    r->experts[expert].expected += quality;
    r->experts[expert].scored += (double)o->score;
    r->experts[expert].taught += (double)cell.taught;
    if (cell.tie > 0)
        buf_add(&r->cells, (struct str){(const char *)&cell, sizeof(cell)});
    return buf_status(&r->cells, err);
}

static enum status read_round(struct reading *r, const char *folder, size_t round,
                              struct error *err)
{
    char path[PATH_MAX];
    struct csv *c = NULL;
    struct columns at;
    snprintf(path, sizeof(path), "%s/round-%zu/cells.csv", folder, round);
    enum status status = csv_open(path, &c, err);
    if (status == OK)
        status = find_columns(c, &at, err);
    while (status == OK && (status = csv_next(c, err)) == OK)
        status = take_row(r, c, &at, round, err);
    csv_close(c);
    return status == CLOSED ? OK : status;
}

/* Order */

static int by_query(const void *a, const void *b)
{
    const struct lesson_cell *x = a, *y = b;
    if (x->query != y->query)
        return x->query < y->query ? -1 : 1;
    if (x->taught > y->taught || x->taught < y->taught)
        return x->taught > y->taught ? -1 : 1;
    return x->expert < y->expert ? -1 : x->expert > y->expert;
}

/* Equal ones by the order of the cells, which is that of the questions. */
static int by_taught(const void *a, const void *b)
{
    const struct lesson *x = a, *y = b;
    if (x->taught > y->taught || x->taught < y->taught)
        return x->taught > y->taught ? -1 : 1;
    return x->cells < y->cells ? -1 : x->cells > y->cells;
}

static enum status add_up(const struct reading *r, struct arena *a, struct lessons *ret,
                          struct error *err)
{
    size_t count = r->cells.len / sizeof(struct lesson_cell), lessons = 0;
    struct lesson_cell *cells = ARENA_ARRAY(a, count + 1, struct lesson_cell);
    struct lesson *all = ARENA_ARRAY(a, count + 1, struct lesson);
    if (!cells || !all)
        return error_set(err, ERR_MEMORY, "out of memory for %zu cells", count);
    if (count > 0) {
        memcpy(cells, r->cells.ptr, r->cells.len);
        qsort(cells, count, sizeof(*cells), by_query);
    }
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || cells[i].query != cells[i - 1].query)
            all[lessons++] = (struct lesson){.cells = &cells[i]};
        all[lessons - 1].cell_count++;
        all[lessons - 1].taught += (double)cells[i].taught;
        ret->taught += (double)cells[i].taught;
    }
    if (lessons > 0)
        qsort(all, lessons, sizeof(*all), by_taught);
    ret->all = all;
    ret->questions = lessons;
    ret->cells = count;
    return OK;
}

static enum status index_queries(struct reading *r, struct error *err)
{
    enum status status = r->queries ? OK : ERR_MEMORY;
    for (size_t q = 0; q < r->d->query_count && status == OK; q++)
        status = map_put(r->queries, r->d->queries[q].id, (uint32_t)q);
    return status == OK ? OK : error_set(err, ERR_MEMORY, "out of memory for questions");
}

enum status lessons_read(const char *folder, size_t rounds, const struct dataset *d,
                         struct arena *a, struct lessons *ret, struct error *err)
{
    struct reading r = {.d = d,
                        .queries = map_create(d->query_count),
                        .experts = ARENA_ARRAY(a, d->expert_count + 1, struct lesson_expert)};
    struct lessons lessons = {.experts = r.experts};
    buf_init(&r.cells, LESSONS_CELLS_MAX * sizeof(struct lesson_cell));
    enum status status = index_queries(&r, err);
    if (status == OK && !r.experts)
        status = error_set(err, ERR_MEMORY, "out of memory for experts");
    for (size_t e = 0; status == OK && e < d->expert_count; e++)
        r.experts[e] = (struct lesson_expert){0};
    for (size_t k = 1; k <= rounds && status == OK; k++)
        status = read_round(&r, folder, k, err);
    if (status == OK)
        status = add_up(&r, a, &lessons, err);
    buf_done(&r.cells);
    map_free(r.queries);
    if (status == OK)
        *ret = lessons;
    return status;
}
