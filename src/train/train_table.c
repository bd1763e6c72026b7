/* Data set → the arrays that training works on: what the encoders say of every text, scores, lengths, groups, folds.
 * Texts are encoded one after the other by the function that decisions use, and blocks where an encoder does:
 * training has the time. Folds are made by a hash of the normalised text, so that equal questions never stand on
 * both sides. Arrays live in the arena of the work; the table is read-only once it is filled. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "data/split.h"
#include "encode/encoding_cache.h"
#include "fit/expect.h"
#include "train/groups.h"
#include "train/train_int.h"

/* What an expected outcome weighs against one that is known (bench/quality.md). More than one: a known outcome is one
 * toss, and what is expected is the mean of many. */
#define EXPECTED_SHARE 2.0f

struct growing {
    uint32_t *buckets;
    float *values;
    size_t count, capacity;
};

static bool grow(struct growing *g, size_t more)
{
    if (g->count + more <= g->capacity)
        return true;
    size_t capacity = (g->count + more) * 2;
    uint32_t *buckets = realloc(g->buckets, capacity * sizeof(*buckets));
    if (buckets)
        g->buckets = buckets;
    float *values = realloc(g->values, capacity * sizeof(*values));
    if (values)
        g->values = values;
    g->capacity = buckets && values ? capacity : g->capacity;
    return buckets && values;
}

static void append(struct growing *g, const struct encoding *f)
{
    if (!f->count)
        return; /* blank texts at the front: there is nothing to point to yet */
    memcpy(g->buckets + g->count, f->buckets, f->count * sizeof(*f->buckets));
    memcpy(g->values + g->count, f->values, f->count * sizeof(*f->values));
    g->count += f->count;
}

/* Where the rows of one encoder go while they come. */
struct encoding_rows {
    struct growing sparse;
    size_t *starts; /* [rows + 1]; NULL: it has no buckets */
    float *dense;
};

static enum status append_row(struct encoding_rows *r, const struct encoder *e, size_t row,
                              const struct encoding *said, struct error *err)
{
    if (said->silent)
        return error_set(err, ERR_UPSTREAM,
                         "encoder '%s' said nothing of query %zu; training needs "
                         "all that it reads",
                         e->name, row + 1);
    if (e->dense_count)
        memcpy(r->dense + row * e->dense_count, said->dense, e->dense_count * sizeof(float));
    if (!e->bucket_count)
        return OK;
    if (!grow(&r->sparse, said->count))
        return error_set(err, ERR_MEMORY, "out of memory");
    append(&r->sparse, said);
    r->starts[row + 1] = r->sparse.count;
    return OK;
}

static enum status encode_rows(struct train_table *t, const struct encoder *const *encoders,
                               struct encoding_rows *to, struct features *f, struct error *err)
{
    const struct encoder *asked[ENCODERS_MAX];
    size_t place[ENCODERS_MAX], count = 0;
    for (size_t k = 0; k < t->encoder_count; k++)
        if (!encoders[k]->encode_many) {
            asked[count] = encoders[k];
            place[count++] = k;
        }
    for (size_t i = 0; i < t->rows; i++) {
        enum status status = features_encode(f, asked, count, t->dataset->queries[i].prompt, err);
        for (size_t k = 0; k < count && status == OK; k++)
            status = append_row(&to[place[k]], asked[k], i, &f->said[k], err);
        if (status != OK)
            return status;
        t->characters[i] = (float)f->characters;
        t->scripts[i] = f->scripts;
    }
    return OK;
}

/* The dense halves of all rows at once, where the encoder offers that; those that were kept are not asked for. */
static enum status encode_together(const struct train_table *t, const struct encoder *e,
                                   const char *folder, struct encoding_rows *to, struct error *err)
{
    struct str *texts = malloc((t->rows + 1) * sizeof(*texts));
    if (!texts)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < t->rows; i++)
        texts[i] = t->dataset->queries[i].prompt;
    enum status status =
        encoding_cache_encode(folder, e, texts, t->rows, to->dense, NULL, NULL, err);
    free(texts);
    return status;
}

static enum status allocate_rows(const struct train_table *t, const struct encoder *e,
                                 struct arena *a, struct encoding_rows *to, struct error *err)
{
    to->starts = ARENA_ARRAY(a, t->rows + 1, size_t);
    to->dense = ARENA_ARRAY(a, t->rows * e->dense_count + 1, float);
    return to->starts && to->dense ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static enum status keep_rows(struct encoded_rows *kept, struct arena *a,
                             const struct encoding_rows *from, struct error *err)
{
    kept->sparse = (struct sparse_rows){from->sparse.buckets, from->sparse.values, from->starts};
    kept->dense = from->dense;
    enum status status = arena_defer(a, free, from->sparse.buckets);
    if (status == OK)
        status = arena_defer(a, free, from->sparse.values);
    return status == OK ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

/* What is no number would make everything that is learnt from it none. */
static enum status check_dense(const struct encoder *e, const float *dense, size_t rows,
                               struct error *err)
{
    for (size_t i = 0; i < rows * e->dense_count; i++)
        if (!isfinite(dense[i]))
            return error_set(err, ERR_UPSTREAM,
                             "encoder '%s' says something of query %zu that is no number", e->name,
                             i / e->dense_count + 1);
    return OK;
}

static enum status encode_table(struct train_table *t, const char *cache, struct arena *a,
                                struct error *err)
{
    const struct encoder *encoders[ENCODERS_MAX];
    struct encoding_rows to[ENCODERS_MAX] = {0};
    struct features f;
    enum status status = features_init(&f, err);
    for (size_t k = 0; k < t->encoder_count && status == OK; k++) {
        encoders[k] = t->encoded[k].encoder;
        status = allocate_rows(t, encoders[k], a, &to[k], err);
    }
    if (status == OK)
        status = encode_rows(t, encoders, to, &f, err);
    for (size_t k = 0; k < t->encoder_count && status == OK; k++)
        if (encoders[k]->encode_many)
            status = encode_together(t, encoders[k], cache, &to[k], err);
    for (size_t k = 0; k < t->encoder_count && status == OK; k++)
        status = check_dense(encoders[k], to[k].dense, t->rows, err);
    features_done(&f);
    for (size_t k = 0; k < t->encoder_count; k++) {
        enum status kept = keep_rows(&t->encoded[k], a, &to[k], err);
        status = status == OK ? kept : status;
    }
    return status;
}

void train_table_said(const struct train_table *t, size_t row, struct encoding *said)
{
    for (size_t k = 0; k < t->encoder_count; k++) {
        const struct encoded_rows *r = &t->encoded[k];
        size_t from = r->sparse.starts[row];
        said[k] = (struct encoding){.count = (uint32_t)(r->sparse.starts[row + 1] - from),
                                    .dense = r->dense + row * r->encoder->dense_count};
        if (said[k].count) { /* blank texts at the front have no place */
            said[k].buckets = r->sparse.buckets + from;
            said[k].values = r->sparse.values + from;
        }
    }
}

static void fill_scores(struct train_table *t)
{
    for (size_t i = 0; i < t->rows; i++)
        for (size_t e = 0; e < t->experts; e++) {
            const struct outcome *o = dataset_outcome(t->dataset, i, t->expert[e]);
            size_t at = i * t->experts + e;
            t->scores[at] = t->targets[at] = o->known ? o->score : -1;
            t->weights[at] = o->known ? outcome_confidence(o) : 0;
        }
}

/* A query's length: the mean over the experts of log(1 + output tokens), each in standard deviations of that expert,
 * so that long-winded experts do not stand for long answers. */
static void fill_lengths(struct train_table *t, double *sums, double *counts)
{
    memset(sums, 0, t->rows * sizeof(*sums));
    memset(counts, 0, t->rows * sizeof(*counts));
    for (size_t e = 0; e < t->experts; e++) {
        double sum = 0, squares = 0, n = 0;
        for (size_t i = 0; i < t->rows; i++) {
            const struct outcome *o = dataset_outcome(t->dataset, i, t->expert[e]);
            double x = o->tokens_known ? log1p(o->output_tokens) : 0;
            sum += x;
            squares += x * x;
            n += o->tokens_known;
        }
        double mean = n > 0 ? sum / n : 0, variance = n > 0 ? squares / n - mean * mean : 0;
        double scale = variance > 1e-6 ? 1 / sqrt(variance) : 0;
        for (size_t i = 0; i < t->rows; i++) {
            const struct outcome *o = dataset_outcome(t->dataset, i, t->expert[e]);
            if (!o->tokens_known)
                continue;
            sums[i] += (log1p(o->output_tokens) - mean) * scale;
            counts[i]++;
        }
    }
    for (size_t i = 0; i < t->rows; i++)
        t->lengths[i] = counts[i] > 0 ? (float)(sums[i] / counts[i]) : NAN;
}

struct row_of_text {
    uint64_t text_hash;
    size_t row;
};

static int compare_texts(const void *a, const void *b)
{
    const struct row_of_text *x = a, *y = b;
    if (x->text_hash != y->text_hash)
        return x->text_hash < y->text_hash ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Whether one of rows[count], which have the same text, says what expert e made of it. */
static bool text_known(const struct train_table *t, const struct row_of_text *rows, size_t count,
                       size_t e)
{
    for (size_t i = 0; i < count; i++)
        if (t->scores[rows[i].row * t->experts + e] >= 0)
            return true;
    return false;
}

/* Where another row of the same text has the outcome, as in data sets that were put together, nothing is expected. */
static void forget_known_texts(const struct train_table *t, const struct row_of_text *rows,
                               size_t count)
{
    for (size_t e = 0; count > 1 && e < t->experts; e++) {
        if (!text_known(t, rows, count, e))
            continue;
        for (size_t i = 0; i < count; i++) {
            size_t at = rows[i].row * t->experts + e;
            t->targets[at] = t->scores[at];
            t->weights[at] = t->scores[at] < 0 ? 0 : t->weights[at];
        }
    }
}

static enum status fill_holes(struct train_table *t, struct arena *a, struct error *err)
{
    struct row_of_text *rows = ARENA_ARRAY(a, t->rows, struct row_of_text);
    if (!rows)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = expect_fill(t->targets, t->weights, t->groups, t->rows, t->experts,
                                     t->group_count, EXPECTED_SHARE, err);
    for (size_t i = 0; i < t->rows; i++)
        rows[i] = (struct row_of_text){t->dataset->queries[i].text_hash, i};
    qsort(rows, t->rows, sizeof(*rows), compare_texts);
    for (size_t i = 0, j; i < t->rows && status == OK; i = j) {
        for (j = i; j < t->rows && rows[j].text_hash == rows[i].text_hash; j++)
            ;
        forget_known_texts(t, rows + i, j - i);
    }
    return status;
}

/* Every array of the table, and what fills it, in the order in which one needs the other. */
enum status train_table_fill(struct train_table *t, struct arena *a, uint64_t seed,
                             const char *cache, struct error *err)
{
    t->characters = ARENA_ARRAY(a, t->rows, float);
    t->scripts = ARENA_ARRAY(a, t->rows, struct script_counts);
    t->scores = ARENA_ARRAY(a, t->rows * t->experts, float);
    t->targets = ARENA_ARRAY(a, t->rows * t->experts, float);
    t->weights = ARENA_ARRAY(a, t->rows * t->experts, float);
    t->lengths = ARENA_ARRAY(a, t->rows, float);
    t->groups = ARENA_ARRAY(a, t->rows, uint8_t);
    t->folds = ARENA_ARRAY(a, t->rows, uint8_t);
    double *scratch = ARENA_ARRAY(a, t->rows * 2, double);
    if (!t->characters || !t->scripts || !t->scores || !t->targets || !t->weights || !t->lengths ||
        !t->groups || !t->folds || !scratch)
        return error_set(err, ERR_MEMORY, "out of memory");
    fill_scores(t);
    fill_lengths(t, scratch, scratch + t->rows);
    for (size_t i = 0; i < t->rows; i++)
        t->folds[i] =
            (uint8_t)split_fold(t->dataset->queries[i].text_hash, hash64_mix(seed, 1), TRAIN_FOLDS);
    enum status status = encode_table(t, cache, a, err);
    if (status == OK)
        status = groups_find(t->dataset, t->scores, t->weights, t->experts, t->groups,
                             &t->group_count, err);
    if (status == OK)
        status = fill_holes(t, a, err);
    return status;
}

size_t train_table_rows(const struct train_table *t, unsigned fold, bool inside, uint32_t *order)
{
    size_t count = 0;
    for (size_t i = 0; i < t->rows; i++)
        if ((t->folds[i] == fold) == inside)
            order[count++] = (uint32_t)i;
    return count;
}
