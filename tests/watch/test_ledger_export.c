/* ledger_export.h: as many cells as names, whatever a row holds, and no formula for a spreadsheet. */
#include "watch/ledger_export.h"

#include <string.h>

#include <criterion/criterion.h>

static struct buf out;

static const char *row(const struct ledger_found *f)
{
    buf_init(&out, 1u << 20);
    ledger_export_row(f, &out);
    buf_add_char(&out, '\0');
    cr_assert_eq(out.status, OK);
    return out.ptr;
}

static size_t count(const char *text, char c)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == c;
    return n;
}

Test(ledger_export, formats_by_name)
{
    enum ledger_export_format f = LEDGER_EXPORT_JSONL;
    cr_assert_eq(ledger_export_format_parse(STR("csv"), &f), OK);
    cr_assert_eq(f, LEDGER_EXPORT_CSV);
    cr_assert_eq(ledger_export_format_parse(STR("xml"), &f), ERR_INPUT);
    cr_assert_eq(ledger_export_format_parse(STR("jsonl"), &f), OK);
    cr_assert_eq(f, LEDGER_EXPORT_JSONL);
}

Test(ledger_export, a_row_has_a_cell_for_each_name)
{
    const struct ledger_found f = {.id = STR("req_1"),
                                   .outcome = STR("answered"),
                                   .front = STR("chat"),
                                   .model = STR("leeroo"),
                                   .expert = STR("mid"),
                                   .begin_ms = 1790000000123,
                                   .stream = true,
                                   .quality = 0.5,
                                   .lambda = 20,
                                   .cost_nano_usd = 1500,
                                   .basis = STR("usage"),
                                   .http_status = 200,
                                   .first_token_ms = -1,
                                   .total_ms = 12};
    buf_init(&out, 4096);
    ledger_export_names(&out);
    buf_add_char(&out, '\0');
    size_t names = count(out.ptr, ',');
    buf_done(&out);
    const char *text = row(&f);
    cr_assert_eq(count(text, ','), names);
    cr_assert_str_eq(
        text, "req_1,2026-09-21T14:13:20.123Z,1790000000123,answered,chat,,,leeroo,,mid,1,0,0.5,"
              "20,0.000000000,0.000000000,0.000001500,usage,0,0,0,0,0,200,0,,12,,,,,\n");
    buf_done(&out);
}

Test(ledger_export, hostile_texts_stay_in_their_cell)
{
    const struct ledger_found f = {.id = STR("r"),
                                   .model = STR("=HYPERLINK(\"http://x\",\"y\")"),
                                   .problem = STR("line\nbreak, \"quoted\""),
                                   .comment = STR("-1+2"),
                                   .has_feedback = true,
                                   .score = 0.25};
    const char *text = row(&f);
    cr_assert_not_null(strstr(text, ",\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\","), "%s", text);
    cr_assert_not_null(strstr(text, ",\"line\nbreak, \"\"quoted\"\"\","), "%s", text);
    cr_assert_not_null(strstr(text, ",0.25,'-1+2,0\n"), "%s", text);
    buf_done(&out);
}
