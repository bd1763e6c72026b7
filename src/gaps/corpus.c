/* Two passes over the texts: the first finds the words and in how many texts each is, the second writes the rows.
 * Words of one text alone tell nothing that two texts share, and are more than half of all; they are left out.
 *
 * One thread; memory comes from the caller's arena. The map's keys are copies there. */
#include "gaps/corpus.h"

#include <math.h>

#include "gaps/terms.h"

#define TEXTS_MIN     2
#define ROW_WORDS_MAX (2 * (32u << 10)) /* different words of a query: what its bytes allow */
#define LEFT_OUT      UINT32_MAX

struct corpus_reader {
    struct arena *arena;
    struct map *map;   /* word → number of the first pass */
    struct str *found; /* [found_count] of the first pass */
    uint32_t *texts;   /* [found_count] */
    uint32_t *stamps;  /* [found_count] the last text that had it; 0: none */
    uint32_t *kept;    /* [found_count] number that it keeps, or LEFT_OUT */
    uint32_t found_count, stamp;
    size_t cells; /* words of all texts, each once a text */
    bool failed;
    /* the row that is read */
    const float *idf;
    uint32_t *slots; /* [found_count] place in the row */
    uint32_t *words;
    float *weights;
    uint32_t count;
};

static void each_of(const struct query *q, void (*found)(void *arg, struct str term), void *arg)
{
    terms_each(q->text, found, arg);
    for (uint32_t i = 0; i < q->choice_count; i++)
        terms_each(q->choices[i], found, arg);
}

/* Words */

static void count_term(void *arg, struct str term)
{
    struct corpus_reader *r = arg;
    uint32_t i;
    if (!map_get(r->map, term, &i)) {
        if (r->found_count == CORPUS_WORDS_MAX || r->failed)
            return;
        struct str kept = arena_copy(r->arena, term);
        i = r->found_count;
        if (!kept.ptr || map_put(r->map, kept, i) != OK) {
            r->failed = true;
            return;
        }
        r->found[r->found_count++] = kept;
    }
    if (r->stamps[i] == r->stamp)
        return;
    r->stamps[i] = r->stamp;
    r->texts[i]++;
}

static void map_drop(void *map)
{
    map_free(map);
}

static enum status reader_create(struct arena *a, struct corpus_reader **ret, struct error *err)
{
    struct corpus_reader *r = ARENA_NEW(a, struct corpus_reader);
    if (!r)
        return error_set(err, ERR_MEMORY, "out of memory");
    *r = (struct corpus_reader){.arena = a, .map = map_create(1 << 14)};
    r->found = ARENA_ARRAY(a, CORPUS_WORDS_MAX, struct str);
    r->texts = ARENA_ARRAY(a, CORPUS_WORDS_MAX, uint32_t);
    r->stamps = ARENA_ARRAY(a, CORPUS_WORDS_MAX, uint32_t);
    r->kept = ARENA_ARRAY(a, CORPUS_WORDS_MAX, uint32_t);
    r->slots = ARENA_ARRAY(a, CORPUS_WORDS_MAX, uint32_t);
    r->words = ARENA_ARRAY(a, ROW_WORDS_MAX, uint32_t);
    r->weights = ARENA_ARRAY(a, ROW_WORDS_MAX, float);
    if (!r->map || !r->found || !r->texts || !r->stamps || !r->kept || !r->slots || !r->words ||
        !r->weights) {
        map_free(r->map);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    *ret = r;
    return arena_defer(a, map_drop, r->map) == OK ? OK
                                                  : error_set(err, ERR_MEMORY, "out of memory");
}

/* Numbers the words that stay. */
static enum status words_keep(struct corpus_reader *r, size_t texts, struct corpus *c,
                              struct error *err)
{
    struct str *words = ARENA_ARRAY(r->arena, r->found_count, struct str);
    float *idf = ARENA_ARRAY(r->arena, r->found_count, float);
    uint32_t *in = ARENA_ARRAY(r->arena, r->found_count, uint32_t);
    if (r->failed || (r->found_count && (!words || !idf || !in)))
        return error_set(err, ERR_MEMORY, "out of memory");
    for (uint32_t i = 0; i < r->found_count; i++) {
        r->kept[i] = LEFT_OUT;
        r->stamps[i] = 0;
        if (r->texts[i] < TEXTS_MIN)
            continue;
        words[c->word_count] = r->found[i];
        in[c->word_count] = r->texts[i];
        idf[c->word_count] = (float)log(((double)texts + 1) / (double)r->texts[i]);
        r->cells += r->texts[i];
        r->kept[i] = c->word_count++;
    }
    c->words = words;
    c->idf = r->idf = idf;
    c->texts = in;
    return OK;
}

/* Rows */

static void row_term(void *arg, struct str term)
{
    struct corpus_reader *r = arg;
    uint32_t i;
    if (!map_get(r->map, term, &i) || r->kept[i] == LEFT_OUT)
        return;
    if (r->stamps[i] != r->stamp) {
        if (r->count == ROW_WORDS_MAX)
            return;
        r->stamps[i] = r->stamp;
        r->slots[i] = r->count;
        r->words[r->count] = r->kept[i];
        r->weights[r->count++] = 0;
    }
    r->weights[r->slots[i]] += 1;
}

struct corpus_row corpus_read(const struct corpus *c, const struct query *q)
{
    struct corpus_reader *r = c->reader;
    r->stamp++;
    r->count = 0;
    each_of(q, row_term, r);
    double squares = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        r->weights[i] = (1 + logf(r->weights[i])) * r->idf[r->words[i]];
        squares += (double)r->weights[i] * (double)r->weights[i];
    }
    float scale = squares > 0 ? (float)(1 / sqrt(squares)) : 0;
    for (uint32_t i = 0; i < r->count; i++)
        r->weights[i] *= scale;
    return (struct corpus_row){r->words, r->weights, r->count};
}

static enum status rows_write(const struct query *queries, struct corpus *c, struct error *err)
{
    struct corpus_reader *r = c->reader;
    uint32_t *words = ARENA_ARRAY(r->arena, r->cells, uint32_t);
    float *weights = ARENA_ARRAY(r->arena, r->cells, float);
    if (r->cells && (!words || !weights))
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t q = 0; q < c->row_count; q++) {
        struct corpus_row row = corpus_read(c, &queries[q]);
        for (uint32_t i = 0; i < row.count; i++) {
            words[i] = row.words[i];
            weights[i] = row.weights[i];
        }
        c->rows[q] = (struct corpus_row){words, weights, row.count};
        words += row.count;
        weights += row.count;
    }
    return OK;
}

enum status corpus_build(const struct query *queries, size_t count, struct arena *a,
                         struct corpus *ret, struct error *err)
{
    struct corpus c = {.row_count = count, .rows = ARENA_ARRAY(a, count, struct corpus_row)};
    if (count && !c.rows)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = reader_create(a, &c.reader, err);
    if (status != OK)
        return status;
    for (size_t q = 0; q < count; q++) {
        c.reader->stamp++;
        each_of(&queries[q], count_term, c.reader);
    }
    c.reader->stamp = 0;
    status = words_keep(c.reader, count, &c, err);
    if (status == OK)
        status = rows_write(queries, &c, err);
    if (status == OK)
        *ret = c;
    return status;
}
