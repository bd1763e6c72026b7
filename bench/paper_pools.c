/* The pools file (paper_pools.h), read by the same rows of settings as a configuration, so that complaints name file,
 * line, column and the mend. One thread; all that is read lives in the caller's arena and is never changed afterwards.
 * Nothing here looks at a data set, but paper_pool_find, which finds a pool's experts in one that is loaded. It must
 * not print: bench_paper does. */
#include "paper_pools.h"

#include <stddef.h>
#include <stdio.h>

#include "base/file.h"
#include "config/config_read.h"

#define FILE_BYTES_MAX 262144
#define ROWS(table)    (table), sizeof(table) / sizeof((table)[0])

const char *const paper_claim_names[REPORT_CLAIMS] = {
    [CLAIM_TWO_THIRDS] = "two-thirds",
    [CLAIM_EQUAL_COST] = "equal-cost",
    [CLAIM_HALF] = "half",
    [CLAIM_THREE_QUARTERS] = "three-quarters",
};

static enum status need_list(const struct conf_reader *r, const struct conf_row *row,
                             const struct yaml_tree *value, size_t max, struct error *err)
{
    if (value->kind != TREE_LIST || value->count == 0)
        return conf_fail(r, value, err, "%s must be a list, [a, b]", row->key);
    if (value->count > max)
        return conf_fail(r, &value->items[max], err, "%s: more than %zu", row->key, max);
    return OK;
}

static enum status need_word(struct conf_reader *r, const char *key, const struct yaml_tree *value,
                             struct str *ret, struct error *err)
{
    const struct conf_row row = {.key = key};
    return conf_read_str(r, &row, value, ret, err);
}

static enum status read_word_at(struct conf_reader *r, const struct conf_row *row,
                                const struct yaml_tree *value, void *into, struct error *err)
{
    struct str word;
    enum status status = need_word(r, row->key, value, &word, err);
    if (status == OK)
        *(const struct yaml_tree **)into = value;
    return status;
}

static enum status read_experts(struct conf_reader *r, const struct conf_row *row,
                                const struct yaml_tree *value, void *into, struct error *err)
{
    struct str name;
    enum status status = need_list(r, row, value, PAPER_EXPERTS_MAX, err);
    for (size_t i = 0; status == OK && i < value->count; i++) {
        status = need_word(r, row->key, &value->items[i], &name, err);
        for (size_t before = 0; status == OK && before < i; before++)
            if (str_equal(value->items[before].scalar, name))
                status = conf_fail(r, &value->items[i], err, "%s: '%.*s' is named twice", row->key,
                                   STR_FMT(name));
    }
    if (status == OK)
        *(const struct yaml_tree **)into = value;
    return status;
}

/* The index of a word; complains with what it may be. */
static enum status read_one_of(struct conf_reader *r, const char *key,
                               const struct yaml_tree *value, const char *const *words,
                               size_t count, size_t *ret, struct error *err)
{
    struct str word;
    char list[160] = "";
    enum status status = need_word(r, key, value, &word, err);
    if (status != OK)
        return status;
    for (size_t i = 0, used = 0; i < count; i++) {
        if (str_equal(word, str_from(words[i])))
            return *ret = i, OK;
        if (used < sizeof(list))
            used +=
                (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", words[i]);
    }
    return conf_fail(r, value, err, "%s must be of %s, not '%.*s'", key, list, STR_FMT(word));
}

static enum status read_claims(struct conf_reader *r, const struct conf_row *row,
                               const struct yaml_tree *value, void *into, struct error *err)
{
    bool claims[REPORT_CLAIMS] = {false};
    enum status status = need_list(r, row, value, REPORT_CLAIMS, err);
    for (size_t i = 0; status == OK && i < value->count; i++) {
        size_t which = 0;
        status = read_one_of(r, row->key, &value->items[i], paper_claim_names, REPORT_CLAIMS,
                             &which, err);
        claims[which] = true;
    }
    for (size_t i = 0; status == OK && i < REPORT_CLAIMS; i++)
        ((bool *)into)[i] = claims[i];
    return status;
}

static enum status read_scores(struct conf_reader *r, const struct conf_row *row,
                               const struct yaml_tree *value, void *into, struct error *err)
{
    static const char *const words[] = {"recorded", "rescored"};
    size_t which;
    enum status status = read_one_of(r, row->key, value, words, 2, &which, err);
    if (status == OK)
        *(bool *)into = which == 1;
    return status;
}

static enum status read_pool(struct conf_reader *r, const struct yaml_tree *node,
                             struct paper_pools *pools, struct error *err)
{
    static const struct conf_row rows[] = {
        {"name", conf_read_str, offsetof(struct paper_pool, name), true, 0, 0},
        {"dataset", read_word_at, offsetof(struct paper_pool, dataset_at), true, 0, 0},
        {"experts", read_experts, offsetof(struct paper_pool, experts), true, 0, 0},
        {"reference", read_word_at, offsetof(struct paper_pool, reference), true, 0, 0},
        {"claims", read_claims, offsetof(struct paper_pool, claims), true, 0, 0},
        {"scores", read_scores, offsetof(struct paper_pool, rescored), false, 0, 0},
        {"plans", conf_read_bool, offsetof(struct paper_pool, plans), false, 0, 0},
        {"why", conf_read_str, offsetof(struct paper_pool, why), true, 0, 0},
    };
    struct paper_pool *p = &pools->pool[pools->count];
    enum status status = conf_read_map(r, node, "a pool", ROWS(rows), p, NULL, err);
    if (status != OK)
        return status;
    p->dataset = p->dataset_at->scalar;
    if (p->experts->count == 1 && str_equal(p->experts->items[0].scalar, p->reference->scalar))
        return conf_fail(r, p->experts, err,
                         "experts: the reference alone leaves nothing to choose");
    for (size_t i = 0; i < pools->count; i++)
        if (str_equal(pools->pool[i].name, p->name))
            return conf_fail(r, node, err, "there are two pools named '%.*s'", STR_FMT(p->name));
    pools->count++;
    return OK;
}

static enum status read_pools(struct conf_reader *r, const struct conf_row *row,
                              const struct yaml_tree *value, void *into, struct error *err)
{
    enum status status = need_list(r, row, value, PAPER_POOLS_MAX, err);
    (void)into;
    for (size_t i = 0; status == OK && i < value->count; i++)
        status = read_pool(r, &value->items[i], r->context, err);
    return status;
}

enum status paper_pools_read(const char *place, struct arena *a, struct paper_pools *ret,
                             struct error *err)
{
    static const struct conf_row rows[] = {{"pools", read_pools, 0, true, 0, 0}};
    struct paper_pools pools = {.place = place};
    struct conf_reader r = {.place = place, .arena = a, .context = &pools};
    const struct yaml_tree *tree;
    struct buf text;
    buf_init(&text, FILE_BYTES_MAX);
    enum status status = file_read(place, FILE_BYTES_MAX, &text, err);
    if (status == OK)
        status = yaml_tree_parse(buf_str(&text), place, a, &tree, err);
    if (status == OK)
        status = conf_read_map(&r, tree, "the file", ROWS(rows), &pools, NULL, err);
    buf_done(&text);
    if (status == OK)
        *ret = pools;
    return status;
}

static enum status find_expert(const struct paper_pools *pools, const struct yaml_tree *at,
                               const struct dataset *d, size_t *ret, struct error *err)
{
    const struct conf_reader r = {.place = pools->place};
    *ret = dataset_expert_index(d, at->scalar);
    if (*ret != SIZE_MAX)
        return OK;
    return conf_fail(&r, at, err, "%.*s/experts.csv has no expert '%.*s'", STR_FMT(d->path),
                     STR_FMT(at->scalar));
}

enum status paper_pool_find(const struct paper_pools *pools, const struct paper_pool *p,
                            const struct dataset *d, size_t *ret, size_t *ret_count,
                            size_t *ret_reference, struct error *err)
{
    size_t found[PAPER_EXPERTS_MAX + 1], count = p->experts->count, at = 0;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < count; i++)
        status = find_expert(pools, &p->experts->items[i], d, &found[i], err);
    if (status == OK)
        status = find_expert(pools, p->reference, d, &found[count], err);
    if (status != OK)
        return status;
    while (found[at] != found[count])
        at++;
    *ret_reference = at;
    *ret_count = at == count ? count + 1 : count;
    for (size_t i = 0; i < *ret_count; i++)
        ret[i] = found[i];
    return OK;
}
