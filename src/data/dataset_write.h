/* Writes data set directories in the format of dataset.h. Every file appears whole or not at all; files that are
 * there already are replaced, other files are left alone. */
#pragma once

#include "data/dataset.h"

/* The directory (made when missing, with its parent folders), queries.jsonl, experts.csv, and outcomes.csv
 * unless d->outcomes is NULL. Missing cells stay missing. The column `answer` is written when
 * d->has_answers; an answer may hold no line end; and a check's column when there is d->check. */
NODISCARD enum status dataset_write(const struct dataset *d, const char *path, struct error *err);

/* Appends the query as a line of queries.jsonl. */
void query_write(const struct query *q, struct buf *b);

/* responses/MODEL.jsonl of `path`: texts[d->query_count], in the order of the queries; ptr NULL leaves one out.
 * `certainty` likewise; NULL: none is known. */
NODISCARD enum status responses_write(const struct dataset *d, const char *path, struct str model,
                                      const struct str *texts, const struct certainty *certainty,
                                      struct error *err);
/* Copies responses/MODEL.jsonl or .jsonl.gz of one data set to another, byte for byte. ERR_NOT_FOUND when `from` has
 * neither. */
NODISCARD enum status responses_copy(const char *from, const char *path, struct str model,
                                     struct error *err);
