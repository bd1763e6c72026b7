/* Between table*.c: rows go from the readers of a form into the builder. */
#pragma once

#include "base/json.h"
#include "data/dataset_int.h"

#define TABLE_ARRAY_BYTES_MAX ((size_t)1 << 30) /* of one list in JSON, however many lines it has */

enum table_field {
    TABLE_ID,
    TABLE_MODEL,
    TABLE_TEXT,
    TABLE_SCORE,
    TABLE_COST,
    TABLE_INPUT_TOKENS,
    TABLE_OUTPUT_TOKENS,
    TABLE_ANSWER,
    TABLE_DOMAIN,
    TABLE_FIELDS
};

/* Which field a column or member of this name is, and how usual the name is for it: 0 the most. TABLE_FIELDS: none. */
enum table_field table_field_of(struct str name, size_t *rank);
/* "id, query_id, question_id, ..." for complaints. */
const char *table_field_names(enum table_field field);

struct table_place {
    const char *path;
    size_t line, column; /* 0: not known */
};

/* One answer of one model. Strings are valid during the call. */
struct table_row {
    struct str fields[TABLE_FIELDS]; /* empty: not said */
    size_t columns[TABLE_FIELDS];    /* where they stand; 0: not known */
};

struct table_builder;

NODISCARD enum status table_builder_create(const char *path, struct table_builder **ret,
                                           struct error *err);
void table_builder_free(struct table_builder *b); /* NULL is fine */
NODISCARD enum status table_builder_add(struct table_builder *b, const struct table_row *row,
                                        const char *path, size_t line, struct error *err);
/* Takes what was built; the builder is empty then. */
NODISCARD enum status table_builder_finish(struct table_builder *b, struct dataset **ret,
                                           struct error *err);

NODISCARD enum status table_csv_read(const char *path, struct table_builder *b, struct error *err);
NODISCARD enum status table_json_read(const char *path, struct table_builder *b, struct error *err);
