/* Numbers first, then the lengths of the texts, then the texts. Native byte order: a journal does not travel. */
#include "store/row.h"

#include <string.h>

#include "base/check.h"
#include "store/ledger.h"

#define ID_BYTES_MAX        64
#define NAME_BYTES_MAX      128
#define MODEL_BYTES_MAX     256
#define PLAN_BYTES_MAX      512
#define PROBLEM_BYTES_MAX   512
#define BARE_NAME_BYTES_MAX 64
#define BARE_PLAN_BYTES_MAX 80

static const struct {
    uint32_t bytes_max;
    bool whole; /* half of it would be of no use */
} limits[ROW_TEXTS] = {
    [ROW_ID] = {ID_BYTES_MAX, false},
    [ROW_FRONT] = {NAME_BYTES_MAX, false},
    [ROW_KEY] = {NAME_BYTES_MAX, false},
    [ROW_POLICY] = {NAME_BYTES_MAX, false},
    [ROW_MODEL] = {MODEL_BYTES_MAX, false},
    [ROW_EXPERT] = {NAME_BYTES_MAX, false},
    [ROW_PLAN] = {PLAN_BYTES_MAX, false},
    [ROW_OUTCOME] = {NAME_BYTES_MAX, false},
    [ROW_BASIS] = {NAME_BYTES_MAX, false},
    [ROW_PROBLEM] = {PROBLEM_BYTES_MAX, false},
    [ROW_CALLS] = {LEDGER_CALLS_BYTES_MAX, true},
    [ROW_DECISION] = {LEDGER_DECISION_BYTES_MAX, true},
    [ROW_COMMENT] = {LEDGER_COMMENT_BYTES_MAX, false},
};

struct layout {
    struct row_numbers numbers;
    uint32_t lengths[ROW_TEXTS];
};
_Static_assert(sizeof(struct layout) + ID_BYTES_MAX + 6 * NAME_BYTES_MAX + MODEL_BYTES_MAX +
                       PLAN_BYTES_MAX + PROBLEM_BYTES_MAX + LEDGER_CALLS_BYTES_MAX +
                       LEDGER_DECISION_BYTES_MAX + LEDGER_COMMENT_BYTES_MAX <=
                   ROW_BYTES_MAX,
               "a row fits");
_Static_assert(ROW_BYTES_MAX <= JOURNAL_RECORD_MAX, "a row is one record");

static size_t length_kept(enum row_text which, struct str text)
{
    if (limits[which].whole && text.len > limits[which].bytes_max)
        return 0;
    return utf8_cut(text, limits[which].bytes_max).len;
}

_Static_assert(sizeof(struct layout) + ID_BYTES_MAX + 8 * BARE_NAME_BYTES_MAX +
                       BARE_PLAN_BYTES_MAX <=
                   ROW_BARE_MAX,
               "a bare row fits");

void row_strip(struct row *row)
{
    for (size_t i = ROW_FRONT; i <= ROW_BASIS; i++)
        row->texts[i].len =
            utf8_cut(row->texts[i], i == ROW_PLAN ? BARE_PLAN_BYTES_MAX : BARE_NAME_BYTES_MAX).len;
    for (size_t i = ROW_PROBLEM; i < ROW_TEXTS; i++)
        row->texts[i].len = 0;
}

size_t row_encode(const struct row *row, char into[ROW_BYTES_MAX])
{
    struct layout layout = {.numbers = row->numbers};
    size_t at = sizeof(layout);
    for (size_t i = 0; i < ROW_TEXTS; i++) {
        size_t n = length_kept((enum row_text)i, row->texts[i]);
        layout.lengths[i] = (uint32_t)n;
        if (n > 0)
            memcpy(into + at, row->texts[i].ptr, n);
        at += n;
    }
    memcpy(into, &layout, sizeof(layout));
    CHECK(at <= ROW_BYTES_MAX);
    return at;
}

enum status row_decode(const struct journal_record *record, struct row *ret)
{
    struct layout layout;
    struct row row = {.kind = (enum row_kind)record->kind};
    struct str left = record->payload;
    if (record->kind < ROW_BEGIN || record->kind > ROW_FEEDBACK || left.len < sizeof(layout))
        return ERR_CORRUPT;
    memcpy(&layout, left.ptr, sizeof(layout));
    left = str_slice(left, sizeof(layout), left.len);
    row.numbers = layout.numbers;
    for (size_t i = 0; i < ROW_TEXTS; i++) {
        if (layout.lengths[i] > left.len)
            return ERR_CORRUPT;
        row.texts[i] = str_slice(left, 0, layout.lengths[i]);
        left = str_slice(left, layout.lengths[i], left.len);
    }
    if (left.len > 0 || row.texts[ROW_ID].len == 0)
        return ERR_CORRUPT;
    *ret = row;
    return OK;
}
