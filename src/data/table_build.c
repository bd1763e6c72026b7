/* Rows of a table become a data set: queries and experts in the order in which they are first named, then the matrix,
 * whose size is known only at the end.
 *
 * A builder belongs to one thread. Everything that stays lives in the arena of the data set. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/name.h"
#include "data/table_int.h"

#define CELLS_MAX (UINT64_C(100) * 1000 * 1000)

struct cell {
    uint32_t query, expert;
    struct outcome outcome;
};

struct table_builder {
    struct dataset *d;
    struct map *ids;    /* of queries */
    struct map *seen;   /* "QUERY/EXPERT" by index */
    struct buf queries; /* of struct query */
    struct buf cells;   /* of struct cell */
    size_t textless;    /* queries without a text yet */
    bool has_text;      /* some row has one */
};

static enum status no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory for a table");
}

enum status table_builder_create(const char *path, struct table_builder **ret, struct error *err)
{
    struct table_builder *b = calloc(1, sizeof(*b));
    if (!b)
        return no_memory(err);
    buf_init(&b->queries, DATASET_QUERIES_MAX * sizeof(struct query));
    buf_init(&b->cells, CELLS_MAX * sizeof(struct cell));
    b->ids = map_create(1024);
    b->seen = map_create(1024);
    enum status status = b->ids && b->seen ? dataset_create(path, &b->d, err) : no_memory(err);
    if (status == OK) {
        b->d->experts = ARENA_ARRAY(b->d->arena, DATASET_EXPERTS_MAX, struct dataset_expert);
        b->d->prices = ARENA_ARRAY(b->d->arena, DATASET_EXPERTS_MAX, struct dataset_price);
        status = b->d->experts && b->d->prices ? OK : no_memory(err);
    }
    if (status != OK) {
        table_builder_free(b);
        return status;
    }
    *ret = b;
    return OK;
}

void table_builder_free(struct table_builder *b)
{
    if (!b)
        return;
    dataset_free(b->d);
    map_free(b->ids);
    map_free(b->seen);
    buf_done(&b->queries);
    buf_done(&b->cells);
    free(b);
}

/* Values */

static enum status value_error(const struct table_row *row, enum table_field f, const char *path,
                               size_t line, struct error *err, const char *want)
{
    struct str v = row->fields[f];
    return error_set_at(err, ERR_INPUT, path, line, row->columns[f], "'%.*s' is not %s",
                        (int)(v.len < 60 ? v.len : 60), v.ptr, want);
}

/* What programs write for "unknown". */
static bool is_unknown(struct str v)
{
    static const char *const words[] = {"", "nan", "none", "null", "na", "n/a", "<na>"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_equal_nocase(str_trim(v), str_from(words[i])))
            return true;
    return false;
}

static bool score_of(struct str v, double *ret)
{
    static const char *const right[] = {"true", "yes", "correct"}, *const wrong[] = {"false", "no",
                                                                                     "incorrect",
                                                                                     "wrong"};
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
        if (str_equal_nocase(v, str_from(right[i]))) {
            *ret = 1;
            return true;
        }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (str_equal_nocase(v, str_from(wrong[i]))) {
            *ret = 0;
            return true;
        }
    return str_to_double(v, ret) == OK && *ret >= 0 && *ret <= 1;
}

static bool tokens_of(struct str v, int32_t *ret)
{
    double n;
    if (str_to_double(v, &n) != OK || !(n >= 0 && n <= INT32_MAX) || n != floor(n))
        return false;
    *ret = (int32_t)n;
    return true;
}

/* One piece: each value is taken, unknown, or wrong, and says which. */
static enum status outcome_of(const struct table_row *row, const char *path, size_t line,
                              struct outcome *ret, struct error *err)
{
    struct outcome o = {.present = true, .confidence = 1, .answer = STR(""), .method = STR("")};
    bool known[TABLE_FIELDS];
    struct str v[TABLE_FIELDS];
    double score = 0;
    for (enum table_field f = 0; f < TABLE_FIELDS; f++) {
        v[f] = str_trim(row->fields[f]);
        known[f] = !is_unknown(v[f]);
    }
    if (known[TABLE_SCORE] && !score_of(v[TABLE_SCORE], &score))
        return value_error(row, TABLE_SCORE, path, line, err, "a score between 0 and 1");
    o.known = known[TABLE_SCORE];
    o.score = (float)score;
    if (known[TABLE_COST] && money_parse_usd(v[TABLE_COST], &o.cost_nano_usd) != OK)
        return value_error(row, TABLE_COST, path, line, err, "a cost in USD, at most 1e9");
    o.cost_known = known[TABLE_COST];
    if (known[TABLE_INPUT_TOKENS] && !tokens_of(v[TABLE_INPUT_TOKENS], &o.input_tokens))
        return value_error(row, TABLE_INPUT_TOKENS, path, line, err, "a number of tokens");
    if (known[TABLE_OUTPUT_TOKENS] && !tokens_of(v[TABLE_OUTPUT_TOKENS], &o.output_tokens))
        return value_error(row, TABLE_OUTPUT_TOKENS, path, line, err, "a number of tokens");
    o.tokens_known = known[TABLE_INPUT_TOKENS] && known[TABLE_OUTPUT_TOKENS];
    *ret = o;
    return OK;
}

/* Queries */

static struct query *query_at(const struct table_builder *b, size_t i)
{
    return (struct query *)(void *)b->queries.ptr + i;
}

/* Pandas writes a list of one text as Python does: ['...'], with \n and \' inside. */
static struct str unlisted(struct str text, struct arena *a)
{
    struct str t = str_trim(text);
    char quote = t.len >= 4 ? t.ptr[1] : '\0';
    if ((quote != '\'' && quote != '"') || t.ptr[0] != '[' || t.ptr[t.len - 1] != ']' ||
        t.ptr[t.len - 2] != quote)
        return arena_copy(a, text);
    char *into = arena_alloc(a, t.len);
    size_t n = 0;
    for (size_t i = 2; into && i + 2 < t.len; i++) {
        char c = t.ptr[i], next = t.ptr[i + 1];
        if (c == '\\' && i + 3 < t.len && strchr("nt'\"\\", next)) {
            c = next == 'n' ? '\n' : next == 't' ? '\t' : next;
            i++;
        }
        into[n++] = c;
    }
    return (struct str){into, n};
}

static enum status text_set(struct table_builder *b, struct query *q, struct str text,
                            struct error *err)
{
    q->text = unlisted(text, b->d->arena);
    if (!q->text.ptr)
        return no_memory(err);
    q->prompt = q->text;
    q->text_hash = text_hash(q->text);
    b->has_text = true;
    return OK;
}

static enum status copy(struct table_builder *b, struct str from, struct str *ret,
                        struct error *err)
{
    *ret = arena_copy(b->d->arena, is_unknown(from) ? STR("") : str_trim(from));
    return ret->ptr ? OK : no_memory(err);
}

static enum status query_new(struct table_builder *b, struct str id, const struct table_row *row,
                             uint32_t *ret, struct error *err)
{
    struct query q = {0};
    size_t index = b->queries.len / sizeof(q);
    q.id = arena_copy(b->d->arena, id);
    if (!q.id.ptr)
        return no_memory(err);
    enum status status = copy(b, row->fields[TABLE_ANSWER], &q.answer, err);
    if (status == OK)
        status = copy(b, row->fields[TABLE_DOMAIN], &q.domain, err);
    if (status == OK && row->fields[TABLE_TEXT].len > 0)
        status = text_set(b, &q, row->fields[TABLE_TEXT], err);
    if (status != OK)
        return status;
    b->textless += !q.text.len;
    buf_add(&b->queries, (struct str){(const char *)&q, sizeof(q)});
    if (b->queries.status != OK || map_put(b->ids, q.id, (uint32_t)index) != OK)
        return no_memory(err);
    *ret = (uint32_t)index;
    return OK;
}

/* Without an id the text is one; one that no table of ours can have gets another. */
static enum status query_find(struct table_builder *b, const struct table_row *row,
                              const char *path, size_t line, uint32_t *ret, struct error *err)
{
    char name[32];
    struct str id = str_trim(row->fields[TABLE_ID]), text = row->fields[TABLE_TEXT];
    if (id.len == 0 && str_trim(text).len > 0) {
        snprintf(name, sizeof(name), "t%016llx", (unsigned long long)text_hash(text));
        id = str_from(name);
    }
    if (id.len > 0 && !query_id_fits(id)) {
        snprintf(name, sizeof(name), "t%016llx", (unsigned long long)text_hash(id));
        id = str_from(name);
    }
    if (id.len == 0)
        return error_set_at(err, ERR_INPUT, path, line, row->columns[TABLE_ID],
                            "neither an id nor a text of the question");
    if (!map_get(b->ids, id, ret))
        return query_new(b, id, row, ret, err);
    struct query *q = query_at(b, *ret);
    if (q->text.len || !text.len)
        return OK;
    b->textless--;
    return text_set(b, q, text, err);
}

/* Experts */

static enum status expert_find(struct table_builder *b, const struct table_row *row,
                               const char *path, size_t line, uint32_t *ret, struct error *err)
{
    struct str name = str_trim(row->fields[TABLE_MODEL]);
    size_t at = dataset_expert_index(b->d, name);
    if (at != SIZE_MAX) {
        *ret = (uint32_t)at;
        return OK;
    }
    const char *mistake = expert_name_mistake(name);
    if (mistake)
        return error_set_at(err, ERR_INPUT, path, line, row->columns[TABLE_MODEL],
                            "a model's name '%.*s' %s", (int)(name.len < 60 ? name.len : 60),
                            name.ptr, mistake);
    if (b->d->expert_count == DATASET_EXPERTS_MAX)
        return error_set_at(err, ERR_TOO_LARGE, path, line, 0, "more than %d models",
                            DATASET_EXPERTS_MAX);
    at = b->d->expert_count;
    b->d->experts[at].name = arena_copy(b->d->arena, name);
    b->d->prices[at].basis = PRICE_UNKNOWN;
    if (!b->d->experts[at].name.ptr)
        return no_memory(err);
    b->d->expert_count++;
    *ret = (uint32_t)at;
    return OK;
}

static enum status cell_put(struct table_builder *b, const struct cell *cell, const char *path,
                            size_t line, struct error *err)
{
    uint32_t other;
    const uint32_t where[2] = {cell->query, cell->expert};
    struct str key = {(const char *)where, sizeof(where)};
    if (map_get(b->seen, key, &other))
        return error_set_at(err, ERR_INPUT, path, line, 0,
                            "the answer of '%.*s' to '%.*s' is there twice; keep one",
                            STR_FMT(b->d->experts[cell->expert].name),
                            STR_FMT(query_at(b, cell->query)->id));
    key = arena_copy(b->d->arena, key);
    buf_add(&b->cells, (struct str){(const char *)cell, sizeof(*cell)});
    if (!key.ptr || b->cells.status != OK || map_put(b->seen, key, 0) != OK)
        return no_memory(err);
    return OK;
}

enum status table_builder_add(struct table_builder *b, const struct table_row *row,
                              const char *path, size_t line, struct error *err)
{
    struct cell cell;
    enum status status = query_find(b, row, path, line, &cell.query, err);
    if (status == OK)
        status = expert_find(b, row, path, line, &cell.expert, err);
    if (status == OK)
        status = outcome_of(row, path, line, &cell.outcome, err);
    return status == OK ? cell_put(b, &cell, path, line, err) : status;
}

/* The end */

/* A table without texts has them in queries.jsonl beside it. */
static enum status texts_beside(struct table_builder *b, struct error *err)
{
    struct str path = b->d->path;
    size_t slash = path.len;
    while (slash > 0 && path.ptr[slash - 1] != '/')
        slash--;
    char *beside = arena_printf(b->d->arena, "%.*squeries.jsonl", (int)slash, path.ptr);
    struct dataset *texts = NULL;
    struct error why;
    if (!beside)
        return no_memory(err);
    if (dataset_load_queries(beside, &texts, &why) != OK)
        return error_set(err, ERR_INPUT,
                         "%.*s has no text of the questions: expected a column %s, or a file "
                         "queries.jsonl beside it",
                         STR_FMT(path), table_field_names(TABLE_TEXT));
    enum status status = OK;
    for (size_t i = 0; i < texts->query_count && status == OK; i++) {
        uint32_t at;
        if (!map_get(b->ids, texts->queries[i].id, &at) || query_at(b, at)->text.len)
            continue;
        status = text_set(b, query_at(b, at), texts->queries[i].prompt, err);
        b->textless--;
    }
    dataset_free(texts);
    return status;
}

static enum status check_texts(const struct table_builder *b, struct error *err)
{
    for (size_t i = 0; b->textless && i < b->queries.len / sizeof(struct query); i++)
        if (!query_at(b, i)->text.len)
            return error_set(err, ERR_INPUT, "%.*s: the question '%.*s' has no text",
                             STR_FMT(b->d->path), STR_FMT(query_at(b, i)->id));
    return OK;
}

static enum status matrix_fill(struct table_builder *b, struct error *err)
{
    struct dataset *d = b->d;
    size_t cells, count = b->cells.len / sizeof(struct cell);
    d->query_count = b->queries.len / sizeof(struct query);
    d->queries = ARENA_ARRAY(d->arena, d->query_count + 1, struct query);
    if (__builtin_mul_overflow(d->query_count, d->expert_count, &cells))
        return no_memory(err);
    d->outcomes = ARENA_ARRAY(d->arena, cells + 1, struct outcome);
    if (!d->queries || !d->outcomes)
        return no_memory(err);
    if (b->queries.len)
        memcpy(d->queries, b->queries.ptr, b->queries.len);
    for (size_t i = 0; i < count; i++) {
        const struct cell *cell = (const struct cell *)(const void *)b->cells.ptr + i;
        d->outcomes[(size_t)cell->query * d->expert_count + cell->expert] = cell->outcome;
    }
    return OK;
}

enum status table_builder_finish(struct table_builder *b, struct dataset **ret, struct error *err)
{
    enum status status = OK;
    if (!b->cells.len)
        return error_set(err, ERR_INPUT, "%.*s has no rows", STR_FMT(b->d->path));
    if (!b->has_text)
        status = texts_beside(b, err);
    if (status == OK)
        status = check_texts(b, err);
    if (status == OK)
        status = matrix_fill(b, err);
    if (status != OK)
        return status;
    b->d->is_table = b->d->experts_unlisted = true;
    prices_fit(b->d);
    *ret = b->d;
    b->d = NULL;
    return OK;
}
