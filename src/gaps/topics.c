/* Queries to groups, groups to trees, leaves to topics.
 *
 * One thread; everything lives in the caller's arena. The same data set, scores and seed give the same topics. A query
 * that was not there when they were found goes the same way: by its domain to a tree, by its words down to a leaf. */
#include "gaps/topics.h"

#include <math.h>

static size_t at_least(size_t count, double share, size_t queries)
{
    size_t part = (size_t)ceil(share * (double)queries);
    return part > count ? part : count;
}

static void map_drop(void *map)
{
    map_free(map);
}

/* Counts domains; sizes[domain_count] in the order of first queries. */
static enum status domains_count(const struct dataset *d, struct map *numbers, size_t *sizes,
                                 size_t *ret_count, struct error *err)
{
    size_t count = 0;
    for (size_t q = 0; q < d->query_count; q++) {
        struct str domain = d->queries[q].domain;
        uint32_t i;
        if (!map_get(numbers, domain, &i)) {
            i = (uint32_t)count++;
            if (map_put(numbers, domain, i) != OK)
                return error_set(err, ERR_MEMORY, "out of memory");
        }
        sizes[i]++;
    }
    *ret_count = count;
    return OK;
}

/* Makes a group of each domain that is large enough. */
static enum status groups_fill(const struct dataset *d, const struct map *numbers, size_t *sizes,
                               struct topic_set *t, struct error *err)
{
    size_t grouped = 0;
    for (size_t q = 0; q < d->query_count; q++) {
        struct str domain = d->queries[q].domain;
        uint32_t i = 0, group;
        if (domain.len == 0 || !map_get(numbers, domain, &i) || sizes[i] < t->least ||
            map_get(t->domains, domain, &group))
            continue;
        if (map_put(t->domains, domain, (uint32_t)t->group_count) != OK)
            return error_set(err, ERR_MEMORY, "out of memory");
        t->groups[t->group_count++] = (struct topic_group){.domain = domain, .queries = sizes[i]};
        grouped += sizes[i];
    }
    if (grouped < d->query_count)
        t->groups[t->group_count++] = (struct topic_group){.queries = d->query_count - grouped};
    return OK;
}

static size_t group_of(const struct topic_set *t, const struct query *q)
{
    uint32_t group;
    if (q->domain.len > 0 && map_get(t->domains, q->domain, &group))
        return group;
    bool others = t->group_count > 0 && t->groups[t->group_count - 1].domain.len == 0;
    return others ? t->group_count - 1 : SIZE_MAX;
}

static enum status groups_find(const struct dataset *d, struct arena *a, struct topic_set *t,
                               struct error *err)
{
    struct map *numbers = map_create(64);
    size_t *sizes = ARENA_ARRAY(a, d->query_count, size_t), count = 0;
    t->domains = map_create(64);
    enum status status = numbers && t->domains && (sizes || !d->query_count)
                             ? domains_count(d, numbers, sizes, &count, err)
                             : error_set(err, ERR_MEMORY, "out of memory");
    t->groups = status == OK ? ARENA_ARRAY(a, count + 1, struct topic_group) : NULL;
    if (status == OK)
        status = t->groups ? groups_fill(d, numbers, sizes, t, err)
                           : error_set(err, ERR_MEMORY, "out of memory");
    map_free(numbers);
    if (t->domains && arena_defer(a, map_drop, t->domains) != OK) {
        map_free(t->domains);
        status = error_set(err, ERR_MEMORY, "out of memory");
    }
    return status;
}

/* rows[queries], group by group. */
static void rows_sort(const struct dataset *d, const struct topic_set *t, uint32_t *rows,
                      size_t *at)
{
    for (size_t g = 0, sum = 0; g < t->group_count; g++) {
        at[g] = sum;
        sum += t->groups[g].queries;
    }
    for (size_t q = 0; q < d->query_count; q++)
        rows[at[t->topic_of[q]]++] = (uint32_t)q;
}

/* One piece: what is set up first is used by every tree. */
static enum status trees_grow(const struct dataset *d, const struct split_missed *missed,
                              uint64_t seed, split_placed *progress, void *arg, struct arena *a,
                              struct topic_set *t, struct error *err)
{
    uint32_t *rows = ARENA_ARRAY(a, d->query_count, uint32_t);
    size_t *at = ARENA_ARRAY(a, t->group_count, size_t);
    if (d->query_count && (!rows || !at))
        return error_set(err, ERR_MEMORY, "out of memory");
    const struct split_rules rules = {.least = t->least,
                                      .most =
                                          at_least(TOPIC_MOST, TOPIC_MOST_SHARE, d->query_count),
                                      .telling = TOPIC_TELLING};
    struct rng rng;
    rng_seed(&rng, seed);
    rows_sort(d, t, rows, at);
    enum status status =
        split_forest_init(&t->corpus, t->least, t->group_count, a, &t->forest, err);
    t->forest.progress = progress;
    t->forest.arg = arg;
    for (size_t g = 0; g < t->group_count && status == OK; g++) {
        struct topic_group *group = &t->groups[g];
        group->first_topic = t->forest.leaf_count;
        status = split_grow(&t->forest, rows, group->queries, &rules, missed, &rng, a, &group->root,
                            err);
        group->topics = t->forest.leaf_count - group->first_topic;
        rows += group->queries;
    }
    return status;
}

enum status topics_begin(const struct dataset *d, struct arena *a, struct topic_set *ret,
                         struct error *err)
{
    *ret = (struct topic_set){.least = at_least(TOPIC_LEAST, TOPIC_LEAST_SHARE, d->query_count),
                              .topic_of = ARENA_ARRAY(a, d->query_count, uint32_t)};
    if (d->query_count && !ret->topic_of)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = corpus_build(d->queries, d->query_count, a, &ret->corpus, err);
    if (status == OK)
        status = groups_find(d, a, ret, err);
    for (size_t q = 0; q < d->query_count && status == OK; q++)
        ret->topic_of[q] = (uint32_t)group_of(ret, &d->queries[q]);
    return status;
}

enum status topics_find(const struct dataset *d, const struct split_missed *missed, uint64_t seed,
                        split_placed *progress, void *arg, struct arena *a, struct topic_set *t,
                        struct error *err)
{
    enum status status = trees_grow(d, missed, seed, progress, arg, a, t, err);
    if (status != OK)
        return status;
    t->topic_count = t->forest.leaf_count;
    for (size_t q = 0; q < d->query_count; q++)
        t->topic_of[q] = split_leaf(&t->forest, t->groups[t->topic_of[q]].root, &t->corpus.rows[q]);
    return OK;
}

size_t topics_assign(const struct topic_set *t, const struct query *q)
{
    size_t group = group_of(t, q);
    if (group == SIZE_MAX)
        return SIZE_MAX;
    struct corpus_row row = corpus_read(&t->corpus, q);
    return split_leaf(&t->forest, t->groups[group].root, &row);
}

const struct topic_group *topics_group(const struct topic_set *t, size_t topic)
{
    size_t g = 0;
    while (topic >= t->groups[g].first_topic + t->groups[g].topics)
        g++;
    return &t->groups[g];
}
