/* What a topic is called, what its missed queries have in common, and which of them show it best.
 *
 * Words are counted in texts, a query that is missed by half as half a text. One thread; scratch memory lives in the
 * caller's arena, a count for each word, and is used for one topic after the other. */
#include <string.h>

#include "gaps/gaps_int.h"
#include "gaps/telling.h"

#define TOPIC_Z 2.0 /* of the words that tell a topic from the others */
#define MISSED_Z                                                                                   \
    3.0 /* of those that tell missed queries: there are many words, and chance finds some */

/* Words */

/* How many texts have each word: of all, of one topic, of its missed queries, and of its answered ones. */
struct word_counts {
    double *all, *in, *out, *missed, *answered; /* [words] */
};

static enum status counts_init(const struct corpus *c, struct arena *a, struct word_counts *w,
                               struct error *err)
{
    double **of[] = {&w->all, &w->in, &w->out, &w->missed, &w->answered};
    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
        if (!(*of[i] = ARENA_ARRAY(a, c->word_count + 1, double)))
            return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < c->word_count; i++)
        w->all[i] = c->texts[i];
    return OK;
}

/* rows[count] of one topic; returns how much of them is missed. */
static double counts_fill(const struct score_set *s, const struct corpus *c, const uint32_t *rows,
                          size_t count, struct word_counts *w)
{
    double missed = 0;
    memset(w->in, 0, c->word_count * sizeof(double));
    memset(w->missed, 0, c->word_count * sizeof(double));
    for (size_t i = 0; i < count; i++) {
        const struct corpus_row *row = &c->rows[rows[i]];
        double share = (double)s->missed[rows[i]];
        missed += share;
        for (uint32_t k = 0; k < row->count; k++) {
            w->in[row->words[k]] += 1;
            w->missed[row->words[k]] += share;
        }
    }
    for (size_t i = 0; i < c->word_count; i++) {
        w->out[i] = w->all[i] - w->in[i];
        w->answered[i] = w->in[i] - w->missed[i];
    }
    return missed;
}

/* Whether one is the other with an "s" or "es" behind it. */
static bool same_noun(struct str a, struct str b)
{
    struct str less = a.len < b.len ? a : b, more = a.len < b.len ? b : a;
    return str_starts(more, less) && (str_equal(str_slice(more, less.len, more.len), STR("s")) ||
                                      str_equal(str_slice(more, less.len, more.len), STR("es")));
}

static bool has_noun(const struct str *words, size_t count, struct str word)
{
    for (size_t i = 0; i < count; i++)
        if (same_noun(words[i], word))
            return true;
    return false;
}

/* The most telling words; of a noun in the singular and in the plural the more telling one. */
static enum status words_take(const struct corpus *c, const struct telling_set *in,
                              const struct telling_set *out, double z_least, struct arena *a,
                              const struct str **ret, size_t *ret_count, struct error *err)
{
    struct telling_word found[2 * GAPS_WORDS];
    size_t count = telling_words(in, out, c->word_count, z_least, found, 2 * GAPS_WORDS), kept = 0;
    struct str *words = ARENA_ARRAY(a, count + 1, struct str);
    if (!words)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < count && kept < GAPS_WORDS; i++)
        if (!has_noun(words, kept, c->words[found[i].word]))
            words[kept++] = c->words[found[i].word];
    *ret = words;
    *ret_count = kept;
    return OK;
}

static enum status topic_words(const struct score_set *s, const struct corpus *c,
                               const uint32_t *rows, struct word_counts *w, struct arena *a,
                               struct gaps_topic *t, struct error *err)
{
    double n = (double)t->queries, missed = counts_fill(s, c, rows, t->queries, w);
    const struct telling_set in = {w->in, n}, out = {w->out, (double)c->row_count - n};
    const struct telling_set failed = {w->missed, missed}, passed = {w->answered, n - missed};
    enum status status = words_take(c, &in, &out, TOPIC_Z, a, &t->words, &t->word_count, err);
    if (status != OK || !(missed > 0) || !(missed < n))
        return status;
    return words_take(c, &failed, &passed, MISSED_Z, a, &t->missed_words, &t->missed_word_count,
                      err);
}

/* The queries of each topic, topic by topic. */
static uint32_t *rows_by_topic(const struct topic_set *set, const struct gaps_topic *topics,
                               struct arena *a)
{
    uint32_t *rows = ARENA_ARRAY(a, set->corpus.row_count, uint32_t);
    size_t *at = ARENA_ARRAY(a, set->topic_count + 1, size_t);
    if (!rows || !at)
        return NULL;
    for (size_t t = 0; t < set->topic_count; t++)
        at[t + 1] = at[t] + topics[t].queries;
    for (size_t q = 0; q < set->corpus.row_count; q++)
        rows[at[set->topic_of[q]]++] = (uint32_t)q;
    return rows;
}

enum status gaps_words(const struct score_set *s, const struct topic_set *set,
                       struct gaps_topic *topics, struct arena *a, struct error *err)
{
    struct word_counts w;
    uint32_t *rows = rows_by_topic(set, topics, a);
    enum status status =
        rows ? counts_init(&set->corpus, a, &w, err) : error_set(err, ERR_MEMORY, "out of memory");
    for (size_t t = 0; t < set->topic_count && status == OK; t++) {
        status = topic_words(s, &set->corpus, rows, &w, a, &topics[t], err);
        rows += topics[t].queries;
    }
    return status;
}

/* Examples */

struct example {
    uint32_t query;
    double typical;
};

/* Keeps the most typical of those seen, each text once. */
static void example_offer(const struct dataset *d, struct example *kept, size_t *count,
                          size_t wanted, uint32_t query, double typical)
{
    for (size_t i = 0; i < *count; i++)
        if (d->queries[kept[i].query].text_hash == d->queries[query].text_hash)
            return;
    if (*count == wanted && typical <= kept[*count - 1].typical)
        return;
    size_t at = *count < wanted ? (*count)++ : *count - 1;
    for (; at > 0 && kept[at - 1].typical < typical; at--)
        kept[at] = kept[at - 1];
    kept[at] = (struct example){query, typical};
}

static enum status topic_examples(const struct score_set *s, const struct corpus *c,
                                  const uint32_t *rows, size_t wanted, float *middle,
                                  struct arena *a, struct gaps_topic *t, struct error *err)
{
    struct example kept[GAPS_EXAMPLES_MAX];
    size_t count = 0;
    memset(middle, 0, c->word_count * sizeof(float));
    for (size_t i = 0; i < t->queries; i++)
        split_add(&c->rows[rows[i]], middle);
    split_normalize(middle, c->word_count);
    for (size_t i = 0; i < t->queries && wanted > 0; i++) {
        uint32_t q = rows[i];
        double missed = (double)s->missed[q];
        if (missed >= 0.5 || (!s->queries[q].recorded && missed > 0))
            example_offer(s->d, kept, &count, wanted, q,
                          missed * (corpus_dot(&c->rows[q], middle) + 1e-6));
    }
    uint32_t *examples = ARENA_ARRAY(a, count + 1, uint32_t);
    if (!examples)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        examples[i] = kept[i].query;
    t->examples = examples;
    t->example_count = count;
    return OK;
}

enum status gaps_examples(const struct score_set *s, const struct topic_set *set, size_t wanted,
                          struct gaps_topic *topics, struct arena *a, struct error *err)
{
    uint32_t *rows = rows_by_topic(set, topics, a);
    float *middle = ARENA_ARRAY(a, set->corpus.word_count + 1, float);
    if (!rows || !middle)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = OK;
    for (size_t t = 0; t < set->topic_count && status == OK; t++) {
        status = topic_examples(s, &set->corpus, rows, wanted, middle, a, &topics[t], err);
        rows += topics[t].queries;
    }
    return status;
}
