/* Reasons have names that are told apart, and a line that says how many of each. */
#include "pose/drop.h"

#include "posing.h"

Test(drop, names_are_read_back)
{
    for (size_t i = 0; i < DROP_REASONS; i++)
        cr_assert_eq(drop_reason_read(str_from(drop_reason_name((enum drop_reason)i))), i);
    cr_assert_eq(drop_reason_read(STR("bored")), DROP_REASONS);
}

Test(drop, told_and_counted)
{
    struct told told = {0};
    struct drop_sink sink = {&told, told_drop};
    struct drop_counts c = {0}, sum = {0};
    drop_tell(&sink, &c, STR("g1-1"), DROP_DUPLICATE, STR("a"), STR(""));
    drop_tell(NULL, &c, STR("g1-2"), DROP_DUPLICATE, STR("b"), STR(""));
    drop_tell(&sink, &c, STR("g1-3"), DROP_TOO_LONG, STR("c"), STR(""));
    drop_counts_add(&sum, &c);
    drop_counts_add(&sum, &c);
    cr_assert_eq(told.count, 2);
    cr_assert_str_eq(told.texts[1], "c");
    cr_assert_eq(drop_counts_sum(&sum), 6);
    char line[100];
    drop_counts_print(&sum, line, sizeof(line));
    cr_assert_str_eq(line, "6 dropped: 4 duplicate, 2 too long");
    char narrow[16];
    drop_counts_print(&sum, narrow, sizeof(narrow));
    cr_assert_str_eq(narrow, "6 dropped: 4 du");
    drop_counts_print(&(struct drop_counts){{0}}, line, sizeof(line));
    cr_assert_str_eq(line, "");
}
