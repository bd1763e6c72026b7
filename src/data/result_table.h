/* Tables of results as others write them, read as data sets: one file with a row for each answer, or a column for each
 * model, or a folder of such files. docs/datasets.md says which columns and members are known.
 *
 *   long CSV    id, model, score, cost, prompt and more, in any order, under any of their usual names
 *   wide CSV    RouterBench: sample_id, prompt, eval_name, and for each model MODEL, MODEL|total_cost
 *   JSON        an array of objects, or an object a line, with the members of the long form; ZeroEval's results
 *
 * Experts are those that the table names, in the order of their first rows; their prices come out of the costs. */
#pragma once

#include <stdbool.h>

#include "data/dataset.h"

/* Whether the path is a file, or a folder with tables in it and without queries.jsonl. */
bool table_is(const char *path);
/* Whether `file` is one of those that the table, a folder, is read from. */
bool table_holds(const char *path, const char *file);
/* ERR_INPUT with file, line and column: no column for what is needed, values that cannot be, an answer twice. */
NODISCARD enum status table_load(const char *path, struct dataset **ret, struct error *err);
