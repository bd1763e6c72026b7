/* Questions of a file, a data set directory or standard input, with or without references.
 *
 *   JSONL        one object a line. The text is "text", "question", "prompt", "query", "input", or the last user
 *                message of "messages"; the reference "answer", "reference", "target" or "expected"; the choices
 *                "choices" or "options" (a list, or an object of letters); id, domain, difficulty and task under
 *                their usual names. Data sets are read by the same rule.
 *   plain lines  one question a line; behind a tab, its reference.
 *
 * A line of a file that cannot be used is dropped, counted and told; the rest is read. */
#pragma once

#include "pose/drop.h"
#include "pose/posed.h"

#define QUESTION_FILE_MAX (UINT32_C(1) << 20) /* questions of one file */

struct question_list {
    struct posed *items;
    size_t count;
};

struct question_file_result {
    struct drop_counts dropped;
    struct error first; /* of what was dropped: file, line and why; status OK when nothing was */
};

/* Everything lives in `a`. Questions without an id get "PREFIX-LINE". ERR_NOT_FOUND, ERR_IO; ERR_INPUT when not one
 * question could be read, with the first complaint. `sink` may be NULL. */
NODISCARD enum status question_file_read(const char *path, const char *prefix, struct arena *a,
                                         const struct drop_sink *sink, struct question_list *ret,
                                         struct question_file_result *result, struct error *err);
/* One line of such a file. *ret_reason says why on ERR_INPUT. `line` must outlive the question. */
NODISCARD enum status question_line_json(struct str line, const char *place, size_t number,
                                         struct arena *a, struct posed *ret,
                                         enum drop_reason *ret_reason, struct error *err);
NODISCARD enum status question_line_plain(struct str line, const char *place, size_t number,
                                          struct arena *a, struct posed *ret,
                                          enum drop_reason *ret_reason, struct error *err);
