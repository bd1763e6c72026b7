/* Which questions to ask. */
#include "enroll/suggest.h"

#include "enroll_world.h"

static struct enroll_world w;

static void begin(void)
{
    w = enroll_world_make();
}

static void end(void)
{
    enroll_world_done(&w);
}

TestSuite(suggest, .init = begin, .fini = end);

static size_t suggest(const struct enroll_row *rows, size_t count, const bool *may_ask, size_t want,
                      uint32_t *picks)
{
    struct error err;
    size_t n = 0;
    struct enroll_newcomer is = enroll_world_newcomer(NULL, 0);
    cr_assert_eq(
        enroll_suggest(w.model, &is.belief, rows, count, may_ask, want, w.arena, picks, &n, &err),
        OK, "%s", err.text);
    return n;
}

Test(suggest, asks_every_question_once_and_none_that_is_answered)
{
    uint32_t picks[ROWS];
    bool seen[ROWS] = {false}, may[ROWS];
    struct enroll_row *rows = enroll_world_rows(&w, 0, 1, ROWS, NULL);
    for (size_t i = 0; i < ROWS; i++) {
        may[i] = i % 10 != 3;
        rows[i].score = i % 10 == 4 ? 1 : -1;
    }
    rows[1].text_hash = rows[0].text_hash;
    size_t n = suggest(rows, ROWS, may, ROWS, picks);
    cr_assert_eq(n, ROWS - 2 * ROWS / 10 - 1);
    for (size_t i = 0; i < n; i++) {
        cr_assert(!seen[picks[i]] && may[picks[i]] && rows[picks[i]].score < 0);
        seen[picks[i]] = true;
    }
    cr_expect(seen[0] != seen[1]);
}

Test(suggest, asks_of_both_kinds)
{
    uint32_t picks[40];
    size_t hard = 0;
    const struct enroll_row *rows = enroll_world_rows(&w, 0, 1, ROWS, NULL);
    cr_assert_eq(suggest(rows, ROWS, NULL, 40, picks), 40);
    for (size_t i = 0; i < 40; i++)
        hard += (size_t)world_kind(picks[i]);
    cr_expect(hard >= 5 && hard <= 35, "%zu", hard);
}
