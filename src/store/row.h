/* Private to store/: a row as it stands in the journal and as it is written to a database. One shape for all kinds; a
 * kind leaves the rest empty. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "store/journal.h"

enum row_kind { ROW_BEGIN = 1, ROW_END, ROW_FEEDBACK };

enum row_text {
    ROW_ID,
    ROW_FRONT,
    ROW_KEY,
    ROW_POLICY,
    ROW_MODEL,
    ROW_EXPERT,
    ROW_PLAN,
    ROW_OUTCOME,
    ROW_BASIS,
    ROW_PROBLEM,
    ROW_CALLS,
    ROW_DECISION,
    ROW_COMMENT,
    ROW_TEXTS
};

struct row_numbers {
    int64_t at_ms; /* wall clock: the request's begin, the feedback's arrival */
    double quality, lambda, score;
    int64_t predicted_nano_usd, reference_nano_usd, cost_nano_usd;
    int64_t input_tokens, cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens;
    int64_t first_token_ms, total_ms;
    int32_t http_status;
    uint32_t attempts;
    uint32_t stream, cached; /* 0 or 1 */
};

struct row {
    enum row_kind kind;
    struct row_numbers numbers;
    struct str texts[ROW_TEXTS];
};

#define ROW_BYTES_MAX 20480 /* encoded; checked at compile time */
#define ROW_BARE_MAX  840   /* the same, after row_strip */

/* Of an end what matters most: for a journal that is nearly full. */
void row_strip(struct row *row);
/* Cuts texts to their limits; JSON that is too long is left out. Returns the bytes written. */
size_t row_encode(const struct row *row, char into[ROW_BYTES_MAX]);
/* Texts point into `payload`. ERR_CORRUPT. */
NODISCARD enum status row_decode(const struct journal_record *record, struct row *ret);
