/* What a data set asks about. Where queries have a domain, topics are domains, and parts of them where a domain is
 * large or uneven; all other queries are parted by their words alone.
 *
 * A topic has at least TOPIC_LEAST queries or TOPIC_LEAST_SHARE of all, whichever is more: fewer are neither believed
 * nor worth a model of their own. None has more than TOPIC_MOST_SHARE of all (or TOPIC_MOST queries in small data
 * sets), where its words let it be parted: a wider one is no brief for a specialist. In between the number of topics
 * is told by the scores: a topic is parted where its halves differ by TOPIC_TELLING standard errors in what was
 * missed. */
#pragma once

#include "gaps/splits.h"

#define TOPIC_LEAST       20
#define TOPIC_LEAST_SHARE 0.005
#define TOPIC_MOST        100
#define TOPIC_MOST_SHARE  0.05
#define TOPIC_TELLING     3.0

/* Queries of one domain, or all those without one that is large enough. */
struct topic_group {
    struct str domain; /* empty: the others */
    size_t queries;
    uint32_t root; /* in the forest */
    size_t first_topic, topics;
};

struct topic_set {
    struct corpus corpus;
    struct split_forest forest;
    struct topic_group
        *groups; /* [group_count], in the order of their first queries, the others last */
    size_t group_count;
    struct map *domains; /* of queries → group; not there: the others */
    size_t topic_count;
    uint32_t *topic_of; /* [queries] */
    size_t least;       /* queries of a topic; only the others may be fewer */
};

/* Reads the texts and makes the groups; topic_of[queries] is the group of each for now. Everything lives in `a`. */
NODISCARD enum status topics_begin(const struct dataset *d, struct arena *a, struct topic_set *ret,
                                   struct error *err);
/* Parts the groups into topics. missed: of the queries of `d`. `progress` may be NULL. */
NODISCARD enum status topics_find(const struct dataset *d, const struct split_missed *missed,
                                  uint64_t seed, split_placed *progress, void *arg, struct arena *a,
                                  struct topic_set *t, struct error *err);
/* The topic of another query; SIZE_MAX where there is none for it. */
size_t topics_assign(const struct topic_set *t, const struct query *q);
/* The group of a topic. */
const struct topic_group *topics_group(const struct topic_set *t, size_t topic);
