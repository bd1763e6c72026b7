/* Domains into groups: k-means (Lloyd) with a deterministic start, domains in order of their mean score, cut into
 * equal parts. Small domains are pulled to the expert's mean, so that luck does not make a group. It runs once for a
 * training, before the folds: a domain's group may have seen a row's score among many, which is why the group of a
 * row is only a target of the linear source and never a feature. */
#include "train/groups.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

#define ROUNDS_MAX    50
#define UNKNOWN_GROUP 255
#define PRIOR_ROWS    10.0
#define NAME_BYTES    60 /* a group's name has no more domains beyond */

enum status groups_domains(const struct dataset *d, uint32_t *domains, size_t *ret_count,
                           struct error *err)
{
    struct map *map = map_create(64);
    enum status status = map ? OK : ERR_MEMORY;
    for (size_t i = 0; i < d->query_count && status == OK; i++) {
        struct str name = d->queries[i].domain;
        domains[i] = UINT32_MAX;
        if (!name.len || map_get(map, name, &domains[i]))
            continue;
        domains[i] = (uint32_t)map_count(map);
        status = map_put(map, name, domains[i]);
    }
    if (status == OK)
        *ret_count = map_count(map);
    map_free(map);
    return status == OK ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

/* means[domains × experts], shrunk to the expert's overall mean so that small domains do not stand out by luck. */
static void domain_means(const float *scores, const float *weights, const uint32_t *domains,
                         size_t rows, size_t experts, size_t domain_count, double *means,
                         double *counts)
{
    memset(means, 0, domain_count * experts * sizeof(*means));
    memset(counts, 0, domain_count * experts * sizeof(*counts));
    for (size_t e = 0; e < experts; e++) {
        double sum = 0, known = 0;
        for (size_t i = 0; i < rows; i++) {
            double score = (double)scores[i * experts + e],
                   weight = (double)weights[i * experts + e];
            if (score < 0)
                continue;
            sum += weight * score;
            known += weight;
            if (domains[i] == UINT32_MAX)
                continue;
            means[domains[i] * experts + e] += weight * score;
            counts[domains[i] * experts + e] += weight;
        }
        double overall = known > 0 ? sum / known : 0.5;
        for (size_t k = 0; k < domain_count; k++)
            means[k * experts + e] = (means[k * experts + e] + PRIOR_ROWS * overall) /
                                     (counts[k * experts + e] + PRIOR_ROWS);
    }
}

struct ranked {
    double level;
    size_t domain;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->level != y->level)
        return x->level < y->level ? -1 : 1;
    return (x->domain > y->domain) - (x->domain < y->domain);
}

static void start_clusters(const double *means, size_t domains, size_t experts, size_t clusters,
                           struct ranked *ranked, uint8_t *assigned)
{
    for (size_t k = 0; k < domains; k++) {
        ranked[k] = (struct ranked){0, k};
        for (size_t e = 0; e < experts; e++)
            ranked[k].level += means[k * experts + e];
    }
    qsort(ranked, domains, sizeof(*ranked), compare_ranked);
    for (size_t r = 0; r < domains; r++)
        assigned[ranked[r].domain] = (uint8_t)(r * clusters / domains);
}

static void average_clusters(const double *means, size_t domains, size_t experts, size_t clusters,
                             const uint8_t *assigned, double *centers)
{
    for (size_t c = 0; c < clusters; c++) {
        double members = 0;
        double sums[256] = {0};
        for (size_t k = 0; k < domains; k++)
            if (assigned[k] == c) {
                members++;
                for (size_t e = 0; e < experts; e++)
                    sums[e] += means[k * experts + e];
            }
        for (size_t e = 0; e < experts && members > 0; e++)
            centers[c * experts + e] = sums[e] / members; /* an empty cluster keeps its centre */
    }
}

static bool assign_clusters(const double *means, size_t domains, size_t experts, size_t clusters,
                            const double *centers, uint8_t *assigned)
{
    bool changed = false;
    for (size_t k = 0; k < domains; k++) {
        uint8_t best = 0;
        double nearest = INFINITY;
        for (size_t c = 0; c < clusters; c++) {
            double distance = 0;
            for (size_t e = 0; e < experts; e++) {
                double delta = means[k * experts + e] - centers[c * experts + e];
                distance += delta * delta;
            }
            if (distance < nearest) {
                nearest = distance;
                best = (uint8_t)c;
            }
        }
        changed |= assigned[k] != best;
        assigned[k] = best;
    }
    return changed;
}

static enum status cluster(const double *means, size_t domains, size_t experts, size_t clusters,
                           uint8_t *assigned)
{
    struct ranked *ranked = calloc(domains, sizeof(*ranked));
    double *centers = calloc(clusters * experts, sizeof(*centers));
    enum status status = ranked && centers ? OK : ERR_MEMORY;
    if (status == OK) {
        start_clusters(means, domains, experts, clusters, ranked, assigned);
        for (int round = 0; round < ROUNDS_MAX; round++) {
            average_clusters(means, domains, experts, clusters, assigned, centers);
            if (!assign_clusters(means, domains, experts, clusters, centers, assigned))
                break;
        }
    }
    free(ranked);
    free(centers);
    return status;
}

static enum status group_domains(const struct dataset *d, const float *scores, const float *weights,
                                 size_t experts, const uint32_t *domains, size_t domain_count,
                                 uint8_t *groups, size_t *ret_count)
{
    size_t clusters = domain_count < LINEAR_GROUPS_MAX ? domain_count : LINEAR_GROUPS_MAX;
    double *means = calloc(2 * domain_count * experts + 1, sizeof(*means));
    uint8_t *assigned = calloc(domain_count + 1, 1);
    enum status status = means && assigned ? OK : ERR_MEMORY;
    if (status == OK && clusters > 1) {
        domain_means(scores, weights, domains, d->query_count, experts, domain_count, means,
                     means + domain_count * experts);
        status = cluster(means, domain_count, experts, clusters, assigned);
    }
    for (size_t i = 0; i < d->query_count && status == OK; i++)
        groups[i] = domains[i] == UINT32_MAX ? UNKNOWN_GROUP : assigned[domains[i]];
    free(means);
    free(assigned);
    if (status == OK)
        *ret_count = clusters > 1 ? clusters : 0;
    return status;
}

enum status groups_find(const struct dataset *d, const float *scores, const float *weights,
                        size_t experts, uint8_t *groups, size_t *ret_count, struct error *err)
{
    size_t domain_count = 0;
    uint32_t *domains = calloc(d->query_count + 1, sizeof(*domains));
    enum status status = domains ? groups_domains(d, domains, &domain_count, err) : ERR_MEMORY;
    if (status == OK)
        status =
            group_domains(d, scores, weights, experts, domains, domain_count, groups, ret_count);
    free(domains);
    return status == OK ? OK : error_set(err, status, "out of memory");
}

void groups_quality(const float *scores, const float *weights, const uint8_t *groups,
                    size_t group_count, size_t experts, const uint32_t *order, size_t count,
                    float *quality)
{
    for (size_t e = 0; e < experts; e++) {
        double sums[LINEAR_GROUPS_MAX] = {0}, counts[LINEAR_GROUPS_MAX] = {0}, sum = 1, known = 2;
        for (size_t i = 0; i < count; i++) {
            size_t at = order[i] * experts + e;
            double score = (double)scores[at], weight = (double)weights[at];
            if (score < 0)
                continue;
            sum += weight * score;
            known += weight;
            if (groups[order[i]] < group_count) {
                sums[groups[order[i]]] += weight * score;
                counts[groups[order[i]]] += weight;
            }
        }
        for (size_t g = 0; g < group_count; g++)
            quality[g * experts + e] =
                (float)((sums[g] + PRIOR_ROWS * sum / known) / (counts[g] + PRIOR_ROWS));
    }
}

/* Adds the domain to its group's text, unless that is long enough. */
static void add_name(struct buf *text, size_t *more, struct str domain)
{
    if (text->len > NAME_BYTES) {
        ++*more;
        return;
    }
    buf_add_c(text, text->len ? ", " : "");
    buf_add(text, domain);
}

static enum status keep_names(struct buf *texts, const size_t *more, size_t count, struct arena *a,
                              const struct str **ret, struct error *err)
{
    struct str *names = ARENA_ARRAY(a, count + 1, struct str);
    bool good = names != NULL;
    for (size_t g = 0; good && g < count; g++) {
        if (more[g])
            buf_addf(&texts[g], " and %zu more", more[g]);
        names[g] = arena_copy(a, buf_str(&texts[g]));
        good = names[g].ptr != NULL && texts[g].status == OK;
    }
    *ret = names;
    return good ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

enum status groups_names(const struct dataset *d, const uint8_t *groups, size_t group_count,
                         struct arena *a, const struct str **ret, struct error *err)
{
    struct buf texts[LINEAR_GROUPS_MAX];
    size_t more[LINEAR_GROUPS_MAX] = {0};
    struct map *seen = map_create(64);
    uint32_t at;
    enum status status = seen ? OK : ERR_MEMORY;
    for (size_t g = 0; g < group_count; g++)
        buf_init(&texts[g], 65536);
    for (size_t i = 0; i < d->query_count && status == OK; i++) {
        struct str domain = d->queries[i].domain;
        if (!domain.len || groups[i] >= group_count || map_get(seen, domain, &at))
            continue;
        status = map_put(seen, domain, 0);
        add_name(&texts[groups[i]], &more[groups[i]], domain);
    }
    status = status == OK ? keep_names(texts, more, group_count, a, ret, err)
                          : error_set(err, ERR_MEMORY, "out of memory");
    for (size_t g = 0; g < group_count; g++)
        buf_done(&texts[g]);
    map_free(seen);
    return status;
}
