/* A query's "check": how an answer is scored where its text alone does not say.
 *
 *     {"regex": "^\\d+ km$"}              1 where the text matches somewhere, else 0
 *     {"schema": {...}}                   1 where the text, or its one fenced block, is JSON that it holds, else 0
 *     {"command": ["python3", "t.py"]}    given {"question", "answer", "reference"} on standard input; exit 0 is right
 *                                         and 1 wrong, or its last line is a score between 0 and 1; anything else, and
 *                                         being killed, is no score
 *
 * A data set may come from strangers, so a command is run only by who says so, and shut in (judge/confined.h). */
#pragma once

#include "base/json.h"
#include "data/dataset.h"
#include "judge/confined.h"
#include "judge/pattern.h"

enum check_kind { CHECK_REGEX, CHECK_SCHEMA, CHECK_COMMAND };

struct judge_check {
    enum check_kind kind;
    struct pattern *pattern;
    struct json_value schema;
    const char *const *argv;
};

const char *check_kind_name(enum check_kind kind); /* "regex" */
/* `raw` is well-formed JSON and outlives the check, which lives in `a`. ERR_INPUT says what of it will not do. */
NODISCARD enum status check_read(struct str raw, struct arena *a, struct judge_check *ret,
                                 struct error *err);
/* The score of what a response says behind its thoughts. ERR_FORBIDDEN: it is a command, and those are not allowed;
 * ERR_UPSTREAM, ERR_TIMEOUT: the command gave no score; ERR_TOO_LARGE: over a limit. `a` is for scratch. `limits` of
 * commands; NULL: those of confined.h. */
NODISCARD enum status check_score(const struct judge_check *c, const struct query *q,
                                  struct str response, bool allow_commands,
                                  const struct confined_limits *limits, struct arena *a, float *ret,
                                  struct error *err);
