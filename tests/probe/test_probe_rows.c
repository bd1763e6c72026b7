/* What a question is still worth being asked, by who is in, out or open, and what is known. */
#include "probe/probe_int.h"

#include <string.h>

#include <criterion/criterion.h>

/* m: a member for good, o: open, x: out; scores: 0, 1, ? unknown. Costs: 1, but 100 for capitals. */
static void wants(const char *standing, const char *scores, size_t members, const char *expected)
{
    struct probe p = {.o = {1, strlen(standing), members, 0, 1}};
    float row[8];
    bool wanted[8];
    for (size_t c = 0; c < p.o.candidates; c++) {
        const char s = standing[c] | ' ';
        p.standing[c] = s == 'm' ? PROBE_MEMBER : s == 'x' ? PROBE_OUT : PROBE_OPEN;
        p.cost[c] = standing[c] == s ? 1 : 100;
        row[c] = scores[c] == '?' ? PROBE_UNKNOWN : (float)(scores[c] - '0');
    }
    const size_t count = probe_row_wants(&p, row, wanted);
    size_t set = 0;
    for (size_t c = 0; c < p.o.candidates; c++) {
        cr_assert_eq(wanted[c], expected[c] == '+', "%s %s: %zu", standing, scores, c);
        set += wanted[c];
    }
    cr_assert_eq(count, set);
}

Test(probe_rows, at_first_everybody)
{
    wants("ooo", "???", 2, "+++");
    wants("oxo", "???", 2, "+-+");
    wants("ooo", "?1?", 2, "+-+");
}

Test(probe_rows, a_cheap_member_first_and_alone)
{
    wants("moo", "???", 2, "+--");
    wants("moo", "1??", 2, "---");
    wants("moo", "0??", 2, "-++");
}

Test(probe_rows, a_dear_member_last_and_only_where_others_differ)
{
    wants("Moo", "???", 2, "-++");
    wants("Moo", "?00", 2, "---");
    wants("Moo", "?11", 2, "---");
    wants("Moo", "?10", 2, "+--");
    wants("Moo", "010", 2, "---");
}

Test(probe_rows, nothing_where_every_set_has_one_that_solved_it)
{
    wants("ooo", "11?", 2, "---");
    wants("ooo", "1??", 2, "-++");
    wants("oooo", "11??", 3, "---");
}
