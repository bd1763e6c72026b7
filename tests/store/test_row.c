/* row.h: what is encoded is decoded; limits cut names and leave out JSON; any bytes are refused or read safely. */
#include "store/row.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "store/ledger.h"

static char bytes[ROW_BYTES_MAX];

static enum status decode(enum row_kind kind, size_t len, struct row *ret)
{
    const struct journal_record record = {kind, {bytes, len}};
    return row_decode(&record, ret);
}

Test(row, comes_back_as_it_went_in)
{
    struct row in = {.kind = ROW_END, .numbers = {.at_ms = 5, .quality = 0.125, .total_ms = -7}},
               out;
    static const char *const texts[ROW_TEXTS] = {
        "id",       "chat",  "",    "policy", "model", "expert", "panel(a,b\u2192c)",
        "answered", "usage", "why", "[1]",    "{}",    "fine"};
    for (size_t i = 0; i < ROW_TEXTS; i++)
        in.texts[i] = str_from(texts[i]);
    size_t len = row_encode(&in, bytes);
    cr_assert_eq(decode(ROW_END, len, &out), OK);
    cr_assert_eq(out.kind, ROW_END);
    cr_assert_eq(memcmp(&in.numbers, &out.numbers, sizeof(in.numbers)), 0);
    for (size_t i = 0; i < ROW_TEXTS; i++)
        cr_assert(str_equal(in.texts[i], out.texts[i]), "text %zu", i);
}

Test(row, too_long_texts_are_cut_and_json_is_left_out)
{
    static char e_acute[20001];
    for (size_t i = 0; i < 20000; i += 2)
        memcpy(e_acute + i, "\xc3\xa9", 2);
    struct row in = {.kind = ROW_BEGIN}, out;
    for (size_t i = 0; i < ROW_TEXTS; i++)
        in.texts[i] = (struct str){e_acute + 1, 19999}; /* begins within a character */
    in.texts[ROW_ID] = STR("id");
    cr_assert_eq(decode(ROW_BEGIN, row_encode(&in, bytes), &out), OK);
    cr_assert_eq(out.texts[ROW_CALLS].len, 0);
    cr_assert_eq(out.texts[ROW_DECISION].len, 0);
    cr_assert_eq(out.texts[ROW_COMMENT].len, LEDGER_COMMENT_BYTES_MAX - 1, "no half character");
    cr_assert_eq(out.texts[ROW_EXPERT].len, 127);
}

Test(row, stripped_ones_fit_in_what_is_kept_for_them)
{
    static char many[9000];
    memset(many, 'x', sizeof(many));
    struct row in = {.kind = ROW_END, .numbers = {.cost_nano_usd = 42}}, out;
    for (size_t i = 0; i < ROW_TEXTS; i++)
        in.texts[i] = (struct str){many, sizeof(many)};
    in.texts[ROW_EXPERT] = STR("cheap");
    row_strip(&in);
    size_t len = row_encode(&in, bytes);
    cr_assert_leq(len, ROW_BARE_MAX);
    cr_assert_eq(decode(ROW_END, len, &out), OK);
    cr_assert_eq(out.numbers.cost_nano_usd, 42);
    cr_assert(str_equal(out.texts[ROW_EXPERT], STR("cheap")));
}

Test(row, wrong_bytes_are_refused)
{
    struct row in = {.kind = ROW_END}, out;
    in.texts[ROW_ID] = STR("id");
    size_t len = row_encode(&in, bytes);
    cr_assert_eq(decode(ROW_END, len - 1, &out), ERR_CORRUPT);
    cr_assert_eq(decode(ROW_END, len + 1, &out), ERR_CORRUPT);
    cr_assert_eq(decode(ROW_END, 3, &out), ERR_CORRUPT);
    cr_assert_eq(decode((enum row_kind)0, len, &out), ERR_CORRUPT);
    cr_assert_eq(decode((enum row_kind)9, len, &out), ERR_CORRUPT);
    in.texts[ROW_ID] = STR("");
    cr_assert_eq(decode(ROW_END, row_encode(&in, bytes), &out), ERR_CORRUPT, "a row without id");
}
