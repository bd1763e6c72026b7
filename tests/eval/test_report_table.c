/* The report as tables. */
#include <string.h>

#include "eval/report_write.h"
#include "random_table.h"

static void table(struct random_table *r, size_t draws, struct buf *out)
{
    struct report_options o = {.draws = draws, .seed = 3};
    struct report report;
    cr_assert_eq(report_make(&r->table, &o, r->arena, &report, NULL), OK);
    buf_init(out, 1 << 20);
    report_write_table(&report, out);
    cr_assert_eq(buf_status(out, NULL), OK);
}

static size_t columns(const char *line)
{
    size_t n = 0;
    for (; *line && *line != '\n'; line++)
        n += ((unsigned char)*line & 0xC0) != 0x80;
    return n;
}

Test(report_table, columns_line_up_though_a_sign_takes_two_bytes)
{
    struct random_table r;
    struct buf out;
    random_table_make(&r, 500, 3, 0.8, 1);
    table(&r, 20, &out);
    const char *head = strstr(out.ptr, "  expert ");
    cr_assert_not_null(head);
    const char *line = head;
    for (size_t i = 0; i < 3; i++) {
        line = strchr(line, '\n') + 1;
        cr_assert_eq(columns(line), columns(head), "%.90s", line);
        cr_assert_not_null(strstr(line, "±"));
    }
    cr_assert_null(strstr(out.ptr, "nan"));
    cr_assert_null(strstr(out.ptr, "APGR"), "three experts are no pair");
    buf_done(&out);
    random_table_done(&r);
}

Test(report_table, says_what_is_missing)
{
    struct random_table r;
    struct buf out;
    random_table_make(&r, 300, 3, 0.8, 2);
    r.pool[2] = false;
    for (size_t q = 0; q < 300; q++)
        r.outcomes[q * 3 + 2].score = 1; /* nobody reaches it */
    table(&r, 20, &out);
    cr_assert_not_null(strstr(out.ptr, "not in the pool"));
    cr_assert_not_null(strstr(out.ptr, "the reference is never matched"));
    buf_done(&out);
    random_table_done(&r);
}

Test(report_table, experts_may_be_free)
{
    struct random_table r;
    struct buf out;
    random_table_make(&r, 100, 2, 0.8, 3);
    for (size_t i = 0; i < 200; i++)
        r.outcomes[i].cost_nano_usd = r.estimates[i].cost_nano_usd = 0;
    table(&r, 10, &out);
    cr_assert_null(strstr(out.ptr, "nan"));
    buf_done(&out);
    random_table_done(&r);
}

Test(report_table, plans_have_a_table_of_their_own)
{
    struct random_table r;
    struct buf out;
    random_table_make(&r, 200, 3, 0.8, 4);
    random_table_add_cascade(&r, 5);
    table(&r, 10, &out);
    const char *head = strstr(out.ptr, "asks last %"),
               *name = strstr(out.ptr, "cascade(first→last)\n");
    cr_assert(head && name && head < name);
    cr_assert_null(strstr(name + 1, "cascade("), "a plan is no expert and no baseline");
    buf_done(&out);
    random_table_done(&r);
}
