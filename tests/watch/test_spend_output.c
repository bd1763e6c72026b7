/* What `leeroo spend` reads and writes: times, the table, the JSON. */
#include "watch/spend_output.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/json.h"

#define NOW INT64_C(1764464400000) /* 2025-11-30T01:00:00Z */

static int64_t parsed(const char *text)
{
    int64_t ms = -1;
    return spend_time_parse(text, NOW, &ms) == OK ? ms : -1;
}

Test(spend_output, times_are_dates_moments_or_so_long_ago)
{
    cr_expect_eq(parsed("1970-01-02"), 86400000);
    cr_expect_eq(parsed("2025-11-30T01:00:00Z"), NOW);
    cr_expect_eq(parsed("2d"), NOW - 2 * 86400000);
    cr_expect_eq(parsed("12h"), NOW - 12 * 3600000);
    cr_expect_eq(parsed("30m"), NOW - 30 * 60000);
    cr_expect_eq(parsed("0d"), NOW);
}

Test(spend_output, other_times_are_refused)
{
    static const char *const wrong[] = {"",
                                        "d",
                                        "-1d",
                                        "1.5d",
                                        "1w",
                                        "2025-02-30",
                                        "2025-1-1",
                                        "2025-11-30T01:00:00",
                                        "2025-11-30T25:00:00Z",
                                        "2025-11-30 ",
                                        "99999999d"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_expect_eq(parsed(wrong[i]), -1, "'%s'", wrong[i]);
}

Test(spend_output, a_time_is_written_as_it_is_read)
{
    struct buf out;
    buf_init(&out, 64);
    spend_time_write(&out, NOW + 999);
    cr_expect_str_eq(out.ptr, "2025-11-30T01:00:00Z");
    buf_done(&out);
}

static struct spend_list two_experts(struct spend rows[2])
{
    rows[0] = (struct spend){.group = STR("big"),
                             .requests = 1234567,
                             .failed = 2,
                             .input_tokens = 1000,
                             .cost_nano_usd = 1500,
                             .reference_nano_usd = 3000,
                             .estimated_nano_usd = 500};
    rows[1] = (struct spend){.requests = 1, .open = 1};
    struct spend_list l = {.rows = rows,
                           .count = 2,
                           .total = rows[0],
                           .by = SPEND_EXPERT,
                           .since_ms = INT64_MIN,
                           .until_ms = NOW};
    l.total.requests++;
    l.total.open = 1;
    return l;
}

Test(spend_output, the_table_lines_up_and_rounds_to_a_millionth)
{
    struct spend rows[2];
    struct spend_list l = two_experts(rows);
    struct buf out;
    buf_init(&out, 1 << 16);
    l.loss = (struct spend_loss){.rows = 3, .nano_usd = 1499};
    spend_write_table(&l, 0, &out);
    cr_assert_eq(buf_status(&out, NULL), OK);
    cr_expect(strstr(out.ptr, "expert   requests  input tokens"), "%s", out.ptr);
    cr_expect(strstr(out.ptr, "big     1,234,567         1,000"), "%s", out.ptr);
    cr_expect(strstr(out.ptr, "0.000002     0.000003  0.000002  50.0 %     33.3 %"), "%s", out.ptr);
    cr_expect(strstr(out.ptr, "\n-  "), "a group without a name");
    cr_expect(strstr(out.ptr, "\ntotal   1,234,568"), "%s", out.ptr);
    cr_expect(strstr(out.ptr, "\n1 still running, not counted in what was spent\n"));
    cr_expect(strstr(out.ptr, "\n3 rows were lost while storage was away: $0.000001\n"));
    cr_expect(!strstr(out.ptr, "no requests"));
    buf_done(&out);
}

Test(spend_output, what_there_is_no_room_for_is_named)
{
    struct spend rows[2];
    struct spend_list l = two_experts(rows);
    struct buf out;
    buf_init(&out, 1 << 16);
    spend_write_table(&l, 110, &out);
    cr_expect(strstr(out.ptr, "saved  estimated  failed\n"), "%s", out.ptr);
    cr_expect(!strstr(out.ptr, "no room for"), "%s", out.ptr);
    buf_clear(&out);
    spend_write_table(&l, 80, &out);
    cr_expect(strstr(out.ptr, "\nno room for: "), "%s", out.ptr);
    cr_expect(strstr(out.ptr, "; a wider terminal or --json has it\n"), "%s", out.ptr);
    cr_expect(strstr(out.ptr, "spent $") && strstr(out.ptr, "requests"), "%s", out.ptr);
    buf_done(&out);
}

Test(spend_output, a_sum_of_nothing_says_what_is_counted)
{
    struct spend_list l = {.by = SPEND_DAY, .since_ms = INT64_MIN, .until_ms = NOW};
    struct buf out;
    buf_init(&out, 1 << 16);
    spend_write_table(&l, 0, &out);
    cr_expect(strstr(out.ptr, "\nno requests: what `leeroo serve` serves is counted"), "%s",
              out.ptr);
    buf_done(&out);
}

Test(spend_output, the_json_is_exact)
{
    struct spend rows[2];
    const struct spend_list l = two_experts(rows);
    struct buf out;
    struct json_value root, group, key;
    buf_init(&out, 1 << 16);
    spend_write_json(&l, &out);
    cr_assert_eq(json_parse(buf_str(&out), "spend", 1, &root, NULL), OK, "%s", out.ptr);
    cr_expect(json_string_equal(json_get(root, "by"), STR("expert")));
    cr_expect_eq(json_get(root, "since").type, JSON_NULL);
    cr_expect(json_string_equal(json_get(root, "until"), STR("2025-11-30T01:00:00Z")));
    struct json_iter it = json_iter_begin(json_get(root, "groups"));
    cr_assert(json_array_next(&it, &group));
    key = json_get(group, "spent_usd");
    cr_expect(str_equal(key.raw, STR("0.000001500")), "%.*s", STR_FMT(key.raw));
    cr_expect(str_equal(json_get(group, "saved_share").raw, STR("0.5")));
    cr_assert(json_array_next(&it, &group));
    cr_expect_eq(json_get(group, "saved_share").type, JSON_NULL);
    cr_expect(str_equal(json_get(json_get(root, "total"), "requests").raw, STR("1234568")));
    cr_expect(str_equal(json_get(json_get(root, "lost"), "usd").raw, STR("0.000000000")));
    buf_done(&out);
}
