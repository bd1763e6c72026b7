/* Reads experts.csv, or where there is none, the experts that outcomes.csv names. A price may be left out where the
 * costs of the outcomes say it (prices_fit.c).
 *
 * It fills a data set that is still being built, so it belongs to one thread and runs once per data set. Reading
 * blocks: it is for commands, never for the gateway. */
#include "base/csv.h"
#include "base/name.h"
#include "data/dataset_int.h"

/* "0,5": as people write it, and spreadsheets. */
static bool has_comma(struct str cell)
{
    size_t commas = 0, others = 0;
    for (size_t i = 0; i < cell.len; i++) {
        commas += cell.ptr[i] == ',';
        others += cell.ptr[i] != ',' && (cell.ptr[i] < '0' || cell.ptr[i] > '9');
    }
    return commas == 1 && !others && cell.len > 1;
}

enum status dataset_cell_error(const struct csv *c, int column, struct error *err, const char *want)
{
    struct str cell = csv_cell(c, column);
    error_set_at(err, ERR_INPUT, csv_path(c), csv_line(c), csv_cell_column(c, column),
                 "'%.*s' is not %s", (int)(cell.len < 60 ? cell.len : 60), cell.ptr, want);
    return has_comma(cell) ? error_mend(err, "a decimal number has a point: 0.5") : ERR_INPUT;
}

struct expert_columns {
    int model;
    int input, output, cached, cache_write, cache_write_1h, reasoning; /* -1: no such column */
};

/* Reads a price that may be missing; then *ret keeps its value. */
static enum status read_other(const struct csv *c, int column, int64_t *ret, struct error *err)
{
    struct str cell = column < 0 ? (struct str){0} : csv_cell(c, column);
    if (cell.len > 0 && money_parse_usd(cell, ret) != OK)
        return dataset_cell_error(c, column, err, "a price in USD per million tokens, like 0.6");
    return OK;
}

/* An empty cell means the price of plain input or output; for an hour in the cache, twice that of input. */
static enum status read_parts(const struct csv *c, const struct expert_columns *at,
                              struct price *price, struct error *err)
{
    int64_t written = price->input_nano_usd_per_m, reasoning = price->output_nano_usd_per_m;
    int64_t hour = price_cache_write_1h_nano_usd_per_m(price);
    enum status status = read_other(c, at->cache_write, &written, err);
    if (status == OK)
        status = read_other(c, at->cache_write_1h, &hour, err);
    if (status == OK)
        status = read_other(c, at->reasoning, &reasoning, err);
    price_set_cache_write(price, written);
    price_set_cache_write_1h(price, hour);
    price_set_reasoning(price, reasoning);
    return status;
}

/* An empty cell means the price of plain input. */
static enum status read_cached(const struct csv *c, int column, struct price *price,
                               struct error *err)
{
    struct str cell = column < 0 ? (struct str){0} : csv_cell(c, column);
    int64_t cached;
    if (!cell.len)
        return OK;
    if (money_parse_usd(cell, &cached) != OK || !price_set_cached_input(price, cached))
        return dataset_cell_error(c, column, err,
                                  "a price in USD per million tokens, at most that of other input");
    return OK;
}

static enum status check_name(const struct csv *c, int column, struct error *err)
{
    struct str name = csv_cell(c, column);
    const char *mistake = expert_name_mistake(name);
    if (!mistake)
        return OK;
    return error_set_at(err, ERR_INPUT, csv_path(c), csv_line(c), csv_cell_column(c, column),
                        "a model's name '%.*s' %s", (int)(name.len < 60 ? name.len : 60), name.ptr,
                        mistake);
}

static struct str cell_at(const struct csv *c, int column)
{
    return column < 0 ? STR("") : csv_cell(c, column);
}

/* The prices of plain input and output. Where neither is there, the costs may say them. */
static enum status read_usual(const struct csv *c, const struct expert_columns *at,
                              struct dataset_expert *e, enum price_basis *basis, struct error *err)
{
    if (cell_at(c, at->input).len == 0 && cell_at(c, at->output).len == 0) {
        *basis = PRICE_UNKNOWN;
        return OK;
    }
    if (money_parse_usd(cell_at(c, at->input), &e->price.input_nano_usd_per_m) != OK)
        return dataset_cell_error(c, at->input, err, "a price in USD per million tokens, like 0.6");
    if (money_parse_usd(cell_at(c, at->output), &e->price.output_nano_usd_per_m) != OK)
        return dataset_cell_error(c, at->output, err,
                                  "a price in USD per million tokens, like 0.6");
    return OK;
}

/* One row. The price is read in place, so the row counts only when nothing is wrong with it any more. */
static enum status expert_read(const struct csv *c, const struct expert_columns *at,
                               struct dataset *d, struct error *err)
{
    struct str name = csv_cell(c, at->model);
    enum status status = check_name(c, at->model, err);
    if (status != OK)
        return status;
    if (dataset_expert_index(d, name) != SIZE_MAX)
        return error_set_at(err, ERR_INPUT, csv_path(c), csv_line(c), csv_cell_column(c, at->model),
                            "'%.*s' is there twice (first on line %zu); keep one", STR_FMT(name),
                            csv_find_line(csv_path(c), "model", name, NULL, name));
    if (d->expert_count == DATASET_EXPERTS_MAX)
        return error_set_at(err, ERR_TOO_LARGE, csv_path(c), csv_line(c), 0, "more than %d experts",
                            DATASET_EXPERTS_MAX);
    struct dataset_expert *e = &d->experts[d->expert_count];
    enum price_basis *basis = &d->prices[d->expert_count].basis;
    status = read_usual(c, at, e, basis, err);
    if (status == OK && *basis == PRICE_GIVEN)
        status = read_cached(c, at->cached, &e->price, err);
    if (status == OK && *basis == PRICE_GIVEN)
        status = read_parts(c, at, &e->price, err);
    if (status != OK)
        return status;
    e->name = arena_copy(d->arena, name);
    if (!e->name.ptr)
        return error_set(err, ERR_MEMORY, "out of memory");
    d->expert_count++;
    return OK;
}

static enum status experts_rows(struct csv *c, struct dataset *d, struct error *err)
{
    struct expert_columns at;
    enum status status = csv_require(c, "model", &at.model, err);
    at.input = csv_column(c, "usd_per_m_input");
    at.output = csv_column(c, "usd_per_m_output");
    if (status == OK && (at.input >= 0) != (at.output >= 0)) /* both, or none */
        status =
            csv_require(c, at.input < 0 ? "usd_per_m_input" : "usd_per_m_output", &at.output, err);
    at.cached = csv_column(c, "usd_per_m_cached_input");
    at.cache_write = csv_column(c, "usd_per_m_cache_write");
    at.cache_write_1h = csv_column(c, "usd_per_m_cache_write_1h");
    at.reasoning = csv_column(c, "usd_per_m_reasoning");
    while (status == OK && (status = csv_next(c, err)) == OK)
        status = expert_read(c, &at, d, err);
    return status == CLOSED ? OK : status;
}

static enum status experts_list(struct dataset *d, struct error *err)
{
    d->experts = ARENA_ARRAY(d->arena, DATASET_EXPERTS_MAX, struct dataset_expert);
    d->prices = ARENA_ARRAY(d->arena, DATASET_EXPERTS_MAX, struct dataset_price);
    return d->experts && d->prices ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

/* A model that is named for the first time. */
static enum status named_add(const struct csv *c, int column, struct dataset *d, struct error *err)
{
    struct str name = csv_cell(c, column);
    if (dataset_expert_index(d, name) != SIZE_MAX)
        return OK;
    const struct expert_columns at = {column, -1, -1, -1, -1, -1, -1};
    return expert_read(c, &at, d, err);
}

enum status experts_from_outcomes(struct dataset *d, const char *path, struct error *err)
{
    struct csv *c = NULL;
    int model;
    enum status status = csv_open(path, &c, err);
    if (status != OK)
        return status;
    status = csv_require(c, "model", &model, err);
    if (status == OK)
        status = experts_list(d, err);
    while (status == OK && (status = csv_next(c, err)) == OK)
        status = named_add(c, model, d, err);
    csv_close(c);
    return status == CLOSED ? OK : status;
}

enum status experts_read(struct dataset *d, const char *path, struct error *err)
{
    struct csv *c = NULL;
    enum status status = csv_open(path, &c, err);
    if (status != OK)
        return status;
    status = experts_list(d, err);
    if (status == OK)
        status = experts_rows(c, d, err);
    csv_close(c);
    return status;
}
