/* Between the files of data/ and its tests: the readers of the single files of a data set directory. */
#pragma once

#include "data/dataset.h"

struct csv;

/* What one data set may hold in memory. */
#define DATASET_BYTES_MAX   (UINT64_C(16) << 30)
#define DATASET_QUERIES_MAX (UINT32_C(50) * 1000 * 1000)

/* The prompt of a query: how many bytes it takes, and it itself, into[that many]; returns how many again. */
size_t query_prompt_bytes(struct str text, const struct str *choices, uint32_t count);
size_t query_prompt_write(struct str text, const struct str *choices, uint32_t count, char *into);

/* An empty data set that owns an arena. */
NODISCARD enum status dataset_create(const char *path, struct dataset **ret, struct error *err);

/* id → index of its query. The map points into the queries and is the caller's to free. */
NODISCARD enum status dataset_ids_map(const struct dataset *d, struct map **ret, struct error *err);

/* Appends the queries of a JSONL file. With `ids`, each must have an id of its own. */
NODISCARD enum status queries_read(struct dataset *d, const char *path, bool ids,
                                   struct error *err);
/* "FILE:LINE:COLUMN: 'CELL' is not WANT" */
enum status dataset_cell_error(const struct csv *c, int column, struct error *err,
                               const char *want);
/* experts.csv → d->experts. */
NODISCARD enum status experts_read(struct dataset *d, const char *path, struct error *err);
/* The models that outcomes.csv names → d->experts, in the order of their first rows, without prices. */
NODISCARD enum status experts_from_outcomes(struct dataset *d, const char *path, struct error *err);
#define COST_NANO_USD_MAX (1000000000 * NANO_PER_USD) /* of one answer, as money_parse_usd has it */
/* Whether what its answers have cost may say more than what is written of its price: nothing, or 0. */
static inline bool price_may_be_fitted(const struct dataset *d, size_t e)
{
    const struct price *p = &d->experts[e].price;
    return dataset_price_basis(d, e) == PRICE_UNKNOWN ||
           (!p->input_nano_usd_per_m && !p->output_nano_usd_per_m);
}
/* Finds prices for these experts in what their answers have cost, and then the cost of their other answers. */
void prices_fit(struct dataset *d);
/* As check_column_read, from this file. */
NODISCARD enum status check_column_read_file(const struct dataset *d, const char *path,
                                             const char *column, uint8_t *cells, struct error *err);
/* outcomes.csv → d->outcomes; needs the queries and the experts. */
NODISCARD enum status outcomes_read(struct dataset *d, const char *path, struct error *err);
