/* Domains → at most LINEAR_GROUPS_MAX groups of domains in which the experts do alike (k-means on their mean
 * scores). What the group of a query tells about the experts is learnt even where the domain is not known later. */
#pragma once

#include "data/dataset.h"
#include "predict/linear.h"

/* domains[query_count] gets each query's domain, by number in the order in which they come, UINT32_MAX where it has
 * none; and how many there are. ERR_MEMORY. */
NODISCARD enum status groups_domains(const struct dataset *d, uint32_t *domains, size_t *ret_count,
                                     struct error *err);
/* groups[query_count] gets each query's group, 255 where it has no domain. Returns how many groups there are: 0 with
 * fewer than two domains. scores and weights [query_count × experts]; negative scores are unknown. */
NODISCARD enum status groups_find(const struct dataset *d, const float *scores,
                                  const float *weights, size_t experts, uint8_t *groups,
                                  size_t *ret_count, struct error *err);

/* ret[group_count]: what domains are in each group, in the order in which they come, "math, physics"; of many the first
 * ones and how many more. Made of the data alone. */
NODISCARD enum status groups_names(const struct dataset *d, const uint8_t *groups,
                                   size_t group_count, struct arena *a, const struct str **ret,
                                   struct error *err);

/* quality[groups × experts]: mean score of the rows order[count], pulled to the expert's mean by 10 rows. */
void groups_quality(const float *scores, const float *weights, const uint8_t *groups,
                    size_t group_count, size_t experts, const uint32_t *order, size_t count,
                    float *quality);
