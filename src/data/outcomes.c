/* Reads outcomes.csv. An empty cell is unknown; every other cell must be right, because one wrong score among millions
 * would never be noticed later. Rows of experts that the data set does not have are passed over and counted.
 *
 * It fills a data set that is still being built, so it belongs to one thread and runs once per data set. Reading
 * blocks: it is for commands, never for the gateway. */
#include "base/csv.h"
#include "data/dataset_int.h"

struct outcome_columns {
    int id, model, score;
    int cost, input, output, answer, method, confidence; /* -1: the file has no such column */
};

static struct str cell_or_empty(const struct csv *c, int column)
{
    return column < 0 ? (struct str){"", 0} : csv_cell(c, column);
}

static enum status score_read(const struct csv *c, int column, struct outcome *o, struct error *err)
{
    struct str cell = csv_cell(c, column);
    if (cell.len == 0)
        return OK;
    double score;
    if (cell.len == 1 && (cell.ptr[0] == '0' || cell.ptr[0] == '1'))
        score = cell.ptr[0] - '0'; /* nearly every cell there is */
    else if (str_to_double(cell, &score) != OK)
        return dataset_cell_error(c, column, err, "a score between 0 and 1");
    else if (!(score >= 0 && score <= 1)) {
        (void)!dataset_cell_error(c, column, err, "a score between 0 and 1");
        return score > 1 && score <= 100 ? error_mend(err, "of percent take the hundredth")
                                         : ERR_INPUT;
    }
    o->score = (float)score;
    o->known = true;
    return OK;
}

static enum status token_read(const struct csv *c, int column, int32_t *ret, bool *known,
                              struct error *err)
{
    struct str cell = cell_or_empty(c, column);
    *known = cell.len > 0;
    if (!*known)
        return OK;
    int64_t n;
    double real; /* pandas writes whole numbers as 10.0 where some are unknown */
    if (str_to_int64(cell, &n) != OK) {
        n = -1;
        if (str_to_double(cell, &real) == OK && real >= 0 && real <= INT32_MAX &&
            real == (double)(int32_t)real)
            n = (int32_t)real;
    }
    if (n < 0 || n > INT32_MAX)
        return dataset_cell_error(c, column, err, "a number of tokens");
    *ret = (int32_t)n;
    return OK;
}

/* Most answers are one letter: those share one table's bytes instead of an allocation each. */
static enum status answer_read(const struct csv *c, int column, struct arena *a, struct str *ret,
                               struct error *err)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct str cell = cell_or_empty(c, column);
    if (cell.len == 1 && cell.ptr[0] >= 'A' && cell.ptr[0] <= 'Z') {
        *ret = (struct str){&letters[cell.ptr[0] - 'A'], 1};
        return OK;
    }
    struct str kept = cell.len > 0 ? arena_copy(a, cell) : (struct str){"", 0};
    if (!kept.ptr)
        return error_set(err, ERR_MEMORY, "%s: out of memory", csv_path(c));
    *ret = kept;
    return OK;
}

/* Rows that stand together were mostly scored by the same method: they share its bytes. */
static enum status method_read(const struct csv *c, int column, struct arena *a, struct str *last,
                               struct str *ret, struct error *err)
{
    struct str cell = cell_or_empty(c, column);
    if (cell.len > 0 && !str_equal(cell, *last)) {
        struct str kept = arena_copy(a, cell);
        if (!kept.ptr)
            return error_set(err, ERR_MEMORY, "%s: out of memory", csv_path(c));
        *last = kept;
    }
    *ret = cell.len > 0 ? *last : (struct str){"", 0};
    return OK;
}

/* A score with a confidence of 0 would say nothing: its cell belongs empty. */
static enum status confidence_read(const struct csv *c, int column, float *ret, struct error *err)
{
    struct str cell = cell_or_empty(c, column);
    double confidence = 1;
    if (cell.len > 0 &&
        (str_to_double(cell, &confidence) != OK || !((float)confidence > 0 && confidence <= 1)))
        return dataset_cell_error(c, column, err, "a confidence above 0 and at most 1");
    *ret = (float)confidence;
    return OK;
}

/* One piece: the cells of a row, the cost last because tokens may say it. */
static enum status outcome_read(const struct csv *c, const struct outcome_columns *at,
                                const struct dataset *d, size_t expert, struct outcome *o,
                                struct error *err)
{
    bool input_known, output_known;
    enum status status = score_read(c, at->score, o, err);
    if (status == OK)
        status = answer_read(c, at->answer, d->arena, &o->answer, err);
    if (status == OK)
        status = token_read(c, at->input, &o->input_tokens, &input_known, err);
    if (status == OK)
        status = token_read(c, at->output, &o->output_tokens, &output_known, err);
    if (status != OK)
        return status;
    o->tokens_known = input_known && output_known;
    struct str cost = cell_or_empty(c, at->cost);
    if (cost.len > 0) {
        if (money_parse_usd(cost, &o->cost_nano_usd) != OK)
            return dataset_cell_error(c, at->cost, err, "a cost in USD, at most 1e9");
        o->cost_known = true;
    } else if (o->tokens_known && !price_may_be_fitted(d, expert)) {
        o->cost_nano_usd =
            price_cost_nano_usd(&d->experts[expert].price, o->input_tokens, o->output_tokens);
        if (o->cost_nano_usd > COST_NANO_USD_MAX)
            return dataset_cell_error(c, at->output, err, "tokens that cost at most 1e9 USD");
        o->cost_known = true;
    }
    return OK;
}

enum status dataset_ids_map(const struct dataset *d, struct map **ret, struct error *err)
{
    struct map *m = map_create(d->query_count);
    bool full = !m;
    for (size_t i = 0; i < d->query_count && !full; i++)
        full = map_put(m, d->queries[i].id, (uint32_t)i) != OK;
    if (full) {
        map_free(m);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    *ret = m;
    return OK;
}

static enum status outcomes_columns(const struct csv *c, struct outcome_columns *at,
                                    struct error *err)
{
    enum status status = csv_require(c, "id", &at->id, err);
    if (status == OK)
        status = csv_require(c, "model", &at->model, err);
    if (status == OK)
        status = csv_require(c, "score", &at->score, err);
    at->cost = csv_column(c, "cost_usd");
    at->input = csv_column(c, "input_tokens");
    at->output = csv_column(c, "output_tokens");
    at->answer = csv_column(c, "answer");
    at->method = csv_column(c, "method");
    at->confidence = csv_column(c, "confidence");
    return status;
}

/* A row of an expert that the data set does not have. */
static enum status skip_row(const struct csv *c, int column, struct dataset *d, struct error *err)
{
    struct str name = csv_cell(c, column);
    struct dataset_skipped *s = &d->skipped;
    if (s->outcomes++ == 0) {
        s->line = csv_line(c);
        s->column = csv_cell_column(c, column);
    }
    for (size_t i = 0; i < s->named; i++)
        if (str_equal(s->names[i], name))
            return OK;
    if (s->named == DATASET_SKIPPED_NAMES)
        return OK;
    struct str kept = arena_copy(d->arena, name);
    if (!kept.ptr)
        return error_set(err, ERR_MEMORY, "%s: out of memory", csv_path(c));
    s->names[s->named++] = kept;
    return OK;
}

static enum status there_twice(const struct csv *c, const struct outcome_columns *at,
                               struct error *err)
{
    struct str id = csv_cell(c, at->id), model = csv_cell(c, at->model);
    return error_set_at(
        err, ERR_INPUT, csv_path(c), csv_line(c), csv_cell_column(c, at->id),
        "the outcome of '%.*s' on '%.*s' is there twice (first on line %zu); keep one",
        (int)(model.len < 60 ? model.len : 60), model.ptr, (int)(id.len < 60 ? id.len : 60), id.ptr,
        csv_find_line(csv_path(c), "id", id, "model", model));
}

/* Outcomes without questions: the questions' file is to blame. */
static enum status no_queries(const struct dataset *d, struct error *err)
{
    return error_set(err, ERR_INPUT,
                     "%.*s/queries.jsonl: no query in it; each line is one, like {\"id\": \"q1\", "
                     "\"text\": \"...\"}",
                     STR_FMT(d->path));
}

/* One piece: what rows share (the last expert, the last method) lives between them. */
static enum status outcomes_rows(struct csv *c, struct dataset *d, const struct map *ids,
                                 struct error *err)
{
    struct outcome_columns at;
    enum status status = outcomes_columns(c, &at, err);
    d->has_answers = at.answer >= 0;
    struct str method = STR("");
    size_t expert = 0; /* rows mostly come expert by expert: try the last one first */
    size_t rows = 0;
    while (status == OK && (status = csv_next(c, err)) == OK) {
        uint32_t query;
        struct str model = csv_cell(c, at.model);
        if (!d->query_count)
            return no_queries(d, err);
        if (!map_get(ids, csv_cell(c, at.id), &query))
            return dataset_cell_error(c, at.id, err, "the id of a query in queries.jsonl");
        if (expert >= d->expert_count || !str_equal(d->experts[expert].name, model))
            expert = dataset_expert_index(d, model);
        if (expert == SIZE_MAX) {
            status = skip_row(c, at.model, d, err);
            continue;
        }
        struct outcome *o = &d->outcomes[(size_t)query * d->expert_count + expert];
        if (o->present)
            return there_twice(c, &at, err);
        o->present = true;
        rows++;
        status = outcome_read(c, &at, d, expert, o, err);
        if (status == OK)
            status = method_read(c, at.method, d->arena, &method, &o->method, err);
        if (status == OK)
            status = confidence_read(c, at.confidence, &o->confidence, err);
    }
    if (status == CLOSED && !rows && d->skipped.outcomes)
        return error_set_at(err, ERR_INPUT, csv_path(c), d->skipped.line, d->skipped.column,
                            "'%.*s' is not a model in experts.csv, nor is that of any other row",
                            STR_FMT(d->skipped.names[0]));
    return status == CLOSED ? OK : status;
}

enum status outcomes_read(struct dataset *d, const char *path, struct error *err)
{
    struct csv *c = NULL;
    struct map *ids = NULL;
    enum status status = csv_open(path, &c, err);
    if (status != OK)
        return status;
    size_t cells;
    if (__builtin_mul_overflow(d->query_count, d->expert_count, &cells))
        cells = SIZE_MAX;
    d->outcomes = ARENA_ARRAY(d->arena, cells, struct outcome);
    if (!d->outcomes && cells > 0)
        status = error_set(err, ERR_MEMORY, "%s: out of memory", path);
    if (status == OK)
        status = dataset_ids_map(d, &ids, err);
    if (status == OK)
        status = outcomes_rows(c, d, ids, err);
    if (status == OK)
        prices_fit(d);
    map_free(ids);
    csv_close(c);
    return status;
}
