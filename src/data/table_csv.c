/* Tables in CSV, long and wide. Which columns there are decides which it is: a column MODEL|total_cost, or
 * MODEL|model_response, makes it wide.
 *
 * Rows go to the builder one by one, as they are read; cells are valid until the next row. It belongs to one thread and
 * blocks: it is for commands, never for the gateway. */
#include <string.h>

#include "base/csv.h"
#include "data/table_int.h"

struct csv_columns {
    int at[TABLE_FIELDS]; /* -1: there is none */
};

static struct csv_columns columns_find(const struct csv *c)
{
    struct csv_columns found;
    size_t ranks[TABLE_FIELDS];
    for (int f = 0; f < TABLE_FIELDS; f++)
        found.at[f] = -1;
    for (int i = 0; i < csv_column_count(c); i++) {
        size_t rank;
        enum table_field f = table_field_of(csv_column_name(c, i), &rank);
        if (f == TABLE_FIELDS || (found.at[f] >= 0 && ranks[f] <= rank))
            continue;
        found.at[f] = i;
        ranks[f] = rank;
    }
    return found;
}

static void take(const struct csv *c, int column, enum table_field f, struct table_row *row)
{
    if (column < 0)
        return;
    row->fields[f] = csv_cell(c, column);
    row->columns[f] = csv_cell_column(c, column);
}

static enum status missing(const struct csv *c, enum table_field f, struct error *err)
{
    return error_set_at(err, ERR_INPUT, csv_path(c), 1, 0,
                        "a table of results needs a column %s; the first here is '%.*s'",
                        table_field_names(f), STR_FMT(csv_column_name(c, 0)));
}

/* Long: a row for each answer */

static enum status read_long(struct csv *c, struct table_builder *b, struct error *err)
{
    static const enum table_field needed[] = {TABLE_MODEL, TABLE_SCORE};
    struct csv_columns found = columns_find(c);
    for (size_t i = 0; i < 2; i++)
        if (found.at[needed[i]] < 0)
            return missing(c, needed[i], err);
    if (found.at[TABLE_ID] < 0 && found.at[TABLE_TEXT] < 0)
        return missing(c, TABLE_ID, err);
    enum status status;
    while ((status = csv_next(c, err)) == OK) {
        struct table_row row = {0};
        for (enum table_field f = 0; f < TABLE_FIELDS; f++)
            take(c, found.at[f], f, &row);
        status = table_builder_add(b, &row, csv_path(c), csv_line(c), err);
        if (status != OK)
            return status;
    }
    return status == CLOSED ? OK : status;
}

/* Wide: a column for each model */

struct wide_model {
    struct str name;
    int score, cost; /* columns; cost -1: none */
};

static bool cut_suffix(struct str name, struct str *model)
{
    static const struct str suffixes[] = {
        {"|total_cost", 11}, {"|model_response", 15}, {"|cost", 5}};
    for (size_t i = 0; i < 3; i++)
        if (str_ends(name, suffixes[i])) {
            *model = str_slice(name, 0, name.len - suffixes[i].len);
            return model->len > 0;
        }
    return false;
}

static int column_named(const struct csv *c, struct str name)
{
    for (int i = 0; i < csv_column_count(c); i++)
        if (str_equal(csv_column_name(c, i), name))
            return i;
    return -1;
}

/* One piece: a model is known by any of its columns, and its scores must be there, too. */
static enum status models_find(const struct csv *c, struct wide_model *models, size_t *ret_count,
                               struct error *err)
{
    size_t count = 0;
    for (int i = 0; i < csv_column_count(c); i++) {
        struct str name = csv_column_name(c, i), model;
        if (!cut_suffix(name, &model))
            continue;
        size_t at = 0;
        while (at < count && !str_equal(models[at].name, model))
            at++;
        if (at == count) {
            int score = column_named(c, model);
            if (score < 0)
                return error_set_at(err, ERR_INPUT, csv_path(c), 1, 0,
                                    "there is a column '%.*s', but none '%.*s' with the scores",
                                    STR_FMT(name), STR_FMT(model));
            if (count == DATASET_EXPERTS_MAX)
                return error_set_at(err, ERR_TOO_LARGE, csv_path(c), 1, 0, "more than %d models",
                                    DATASET_EXPERTS_MAX);
            models[count++] = (struct wide_model){model, score, -1};
        }
        if (!str_ends(name, STR("response")))
            models[at].cost = i;
    }
    *ret_count = count;
    return OK;
}

static enum status wide_row(const struct csv *c, const struct csv_columns *found,
                            const struct wide_model *models, size_t count, struct table_builder *b,
                            struct error *err)
{
    static const enum table_field shared[] = {TABLE_ID, TABLE_TEXT, TABLE_ANSWER, TABLE_DOMAIN};
    enum status status = OK;
    for (size_t i = 0; i < count && status == OK; i++) {
        struct table_row row = {0};
        for (size_t k = 0; k < sizeof(shared) / sizeof(shared[0]); k++)
            take(c, found->at[shared[k]], shared[k], &row);
        row.fields[TABLE_MODEL] = models[i].name;
        take(c, models[i].score, TABLE_SCORE, &row);
        take(c, models[i].cost, TABLE_COST, &row);
        status = table_builder_add(b, &row, csv_path(c), csv_line(c), err);
    }
    return status;
}

static enum status read_wide(struct csv *c, const struct wide_model *models, size_t count,
                             struct table_builder *b, struct error *err)
{
    struct csv_columns found = columns_find(c);
    if (found.at[TABLE_ID] < 0 && found.at[TABLE_TEXT] < 0)
        return missing(c, TABLE_ID, err);
    enum status status;
    while ((status = csv_next(c, err)) == OK) {
        status = wide_row(c, &found, models, count, b, err);
        if (status != OK)
            return status;
    }
    return status == CLOSED ? OK : status;
}

enum status table_csv_read(const char *path, struct table_builder *b, struct error *err)
{
    struct csv *c = NULL;
    struct wide_model models[DATASET_EXPERTS_MAX];
    size_t count = 0;
    enum status status = csv_open_spanning(path, &c, err);
    if (status != OK)
        return status;
    status = models_find(c, models, &count, err);
    if (status == OK)
        status = count ? read_wide(c, models, count, b, err) : read_long(c, b, err);
    csv_close(c);
    return status;
}
