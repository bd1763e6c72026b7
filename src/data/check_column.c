/* What a check has said, read from outcomes.csv a second time: see check_column.h. */
#include "data/check_column.h"

#include <string.h>

#include "base/csv.h"
#include "data/dataset_int.h"

static enum status cell_read(const struct csv *c, int column, uint8_t *ret, struct error *err)
{
    struct str cell = csv_cell(c, column);
    double share;
    if (cell.len == 0)
        return OK;
    if (str_to_double(cell, &share) != OK || !(share >= 0 && share <= 1))
        return dataset_cell_error(
            c, column, err,
            "what a check says: 1 (it passes), 0 (it rejects), a share of 1, or nothing");
    *ret = share >= 0.5 ? CHECK_PASSES : CHECK_REJECTS;
    return OK;
}

/* Rows of experts that the data set does not have were counted when it was loaded. */
static enum status rows_read(struct csv *c, const struct dataset *d, const struct map *ids,
                             const char *name, uint8_t *cells, struct error *err)
{
    int id, model, column;
    enum status status = csv_require(c, name, &column, err);
    if (status == OK)
        status = csv_require(c, "id", &id, err);
    if (status == OK)
        status = csv_require(c, "model", &model, err);
    while (status == OK && (status = csv_next(c, err)) == OK) {
        uint32_t query;
        size_t expert = dataset_expert_index(d, csv_cell(c, model));
        if (!map_get(ids, csv_cell(c, id), &query))
            return dataset_cell_error(c, id, err, "the id of a query in queries.jsonl");
        if (expert != SIZE_MAX)
            status = cell_read(c, column, &cells[(size_t)query * d->expert_count + expert], err);
    }
    return status == CLOSED ? OK : status;
}

enum status check_column_read_file(const struct dataset *d, const char *path, const char *column,
                                   uint8_t *cells, struct error *err)
{
    struct csv *c = NULL;
    struct map *ids = NULL;
    memset(cells, CHECK_UNKNOWN, d->query_count * d->expert_count);
    enum status status = csv_open(path, &c, err);
    if (status != OK)
        return status;
    status = dataset_ids_map(d, &ids, err);
    if (status == OK)
        status = rows_read(c, d, ids, column, cells, err);
    map_free(ids);
    csv_close(c);
    return status;
}

enum status check_column_read(const struct dataset *d, const char *column, uint8_t *cells,
                              struct error *err)
{
    struct buf path;
    if (d->is_table)
        return error_set(
            err, ERR_INPUT,
            "%.*s is a table of results, which has no column '%s' for a check; make it "
            "a folder with outcomes.csv",
            STR_FMT(d->path), column);
    buf_init(&path, 1 << 16);
    buf_addf(&path, "%.*s/outcomes.csv", STR_FMT(d->path));
    enum status status = buf_status(&path, err);
    if (status == OK)
        status = check_column_read_file(d, path.ptr, column, cells, err);
    buf_done(&path);
    return status;
}
