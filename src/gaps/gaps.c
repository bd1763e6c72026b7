/* From scores and topics to the ranked list. All work is done here and in the files of gaps_int.h; what is shown of it
 * is gaps_json.c, gaps_page.c and print's.
 *
 * One thread. The same model, data set and seed give the same result. Topics are found by words and, for their number
 * alone, by scores; they are measured on the queries that they were found on, so that the list is a little too good at
 * finding gaps. gaps_again() says how much. */
#include "gaps/gaps.h"

#include <stdlib.h>

#include "gaps/gaps_int.h"

/* Ranking */

static int by_adds(const void *a, const void *b)
{
    const struct gaps_topic *x = a, *y = b;
    if (x->few != y->few)
        return x->few - y->few;
    if (x->sure != y->sure)
        return y->sure - x->sure;
    if (x->adds.value > y->adds.value || x->adds.value < y->adds.value)
        return x->adds.value > y->adds.value ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static double loss_of(const struct gaps_topic *t)
{
    return t->experts[t->alone].loss.value;
}

/* Topics where an expert stands alone, by insertion: there are few. */
static enum status alone_list(struct gaps *g, struct arena *a, struct error *err)
{
    g->alone = ARENA_ARRAY(a, g->topic_count, uint32_t);
    if (!g->alone)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t t = 0; t < g->topic_count; t++) {
        if (g->topics[t].alone == GAPS_NOBODY)
            continue;
        size_t at = g->alone_count++;
        for (; at > 0 && loss_of(&g->topics[g->alone[at - 1]]) < loss_of(&g->topics[t]); at--)
            g->alone[at] = g->alone[at - 1];
        g->alone[at] = (uint32_t)t;
    }
    return OK;
}

static enum status rank(struct gaps *g, struct arena *a, struct error *err)
{
    g->place = ARENA_ARRAY(a, g->topic_count, uint32_t);
    if (!g->place)
        return error_set(err, ERR_MEMORY, "out of memory");
    qsort(g->topics, g->topic_count, sizeof(*g->topics), by_adds);
    for (size_t t = 0; t < g->topic_count; t++)
        g->place[g->topics[t].number] = (uint32_t)t;
    return alone_list(g, a, err);
}

/* Figures */

static void topic_begin(const struct topic_set *set, const struct gaps_sums *sums, size_t number,
                        struct gaps_topic *t)
{
    const struct topic_group *group = topics_group(set, number);
    t->number = (uint32_t)number;
    t->domain = group->domain;
    t->whole = group->topics == 1 && (group->domain.len > 0 || set->topic_count == 1);
    t->few = sums->queries < set->least && set->topic_count > 1;
}

static enum status figures(struct gaps *g, struct arena *a, struct error *err)
{
    size_t queries = g->scores.d->query_count;
    struct gaps_sums *sums = ARENA_ARRAY(a, g->topic_count, struct gaps_sums), all = {0};
    if (!sums)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t q = 0; q < queries; q++) {
        gaps_sums_add(&sums[g->set.topic_of[q]], &g->scores, q);
        gaps_sums_add(&all, &g->scores, q);
    }
    g->prior_queries = gaps_prior_queries(sums, g->topic_count);
    for (size_t t = 0; t < g->topic_count; t++) {
        topic_begin(&g->set, &sums[t], t, &g->topics[t]);
        gaps_figures(&sums[t], g->prior_queries, g->level, &all, &g->topics[t]);
    }
    gaps_figures(&all, g->prior_queries, g->level, &all, &g->all);
    enum status status = gaps_experts(&g->scores, NULL, g->prior_queries, &g->all, 1, a, err);
    if (status == OK)
        status = gaps_experts(&g->scores, g->set.topic_of, g->prior_queries, g->topics,
                              g->topic_count, a, err);
    return status;
}

/* Topics are the second half of the work. */
struct second_half {
    const struct gaps_options *options;
    size_t queries;
};

static void show_placed(size_t placed, void *arg)
{
    const struct second_half *h = arg;
    if (h->options->progress)
        h->options->progress(h->queries + placed, h->options->arg);
}

/* Topics. Who would be chosen on queries that the model was trained on hangs on what they are grouped with: the domain
 * until topics are known, then the topic. */
static enum status find_topics(const struct dataset *d, const struct gaps_options *options,
                               struct arena *a, struct gaps *g, struct error *err)
{
    const struct split_missed missed = {g->scores.missed, g->scores.noise};
    struct second_half half = {options, d->query_count};
    struct topic_set *set = &g->set;
    enum status status = topics_begin(d, a, set, err);
    if (status == OK)
        status = score_seen(&g->scores, set->topic_of, set->group_count, false, a, err);
    if (status == OK)
        status = topics_find(d, &missed, options->seed, show_placed, &half, a, set, err);
    if (status == OK)
        status = score_seen(&g->scores, set->topic_of, set->topic_count, true, a, err);
    g->topic_count = set->topic_count;
    return status;
}

/* One piece: each step needs the one before. */
enum status gaps_find(const struct model *m, const struct dataset *d,
                      const struct gaps_options *options, struct arena *a, struct gaps *ret,
                      struct error *err)
{
    struct gaps g = {.level = options->level};
    struct score_pool pool;
    if (d->query_count == 0)
        return error_set(err, ERR_INPUT, "%.*s has no queries", STR_FMT(d->path));
    enum status status = score_pool_find(m, d, options->experts, a, &pool, err);
    if (status == OK)
        status = score_queries(m, d, &pool, options->progress, options->arg, a, &g.scores, err);
    if (status == OK)
        status = find_topics(d, options, a, &g, err);
    if (status != OK)
        return status;
    g.topics = ARENA_ARRAY(a, g.topic_count, struct gaps_topic);
    if (!g.topics)
        return error_set(err, ERR_MEMORY, "out of memory");
    status = figures(&g, a, err);
    if (status == OK)
        status = gaps_words(&g.scores, &g.set, g.topics, a, err);
    if (status == OK)
        status = gaps_examples(&g.scores, &g.set, options->examples, g.topics, a, err);
    if (status == OK)
        status = rank(&g, a, err);
    if (status == OK)
        *ret = g;
    return status;
}

void gaps_topic_name(const struct gaps_topic *t, size_t words, struct buf *b)
{
    const char *between = t->domain.len > 0 ? ": " : "";
    buf_add(b, t->domain);
    if (t->whole)
        words = 0;
    for (size_t i = 0; i < t->word_count && i < words; i++) {
        buf_add_c(b, between);
        buf_add(b, t->words[i]);
        between = ", ";
    }
    if (t->domain.len == 0 && t->word_count == 0)
        buf_add_c(b, t->whole ? "all questions" : "other questions");
}
