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
    cr_assert_eq(enroll_suggest(w.model, &is.belief, &is.price, rows, count, may_ask, want, w.arena,
                                picks, &n, &err),
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

static size_t hard_among(int64_t usd_per_m)
{
    struct error err;
    uint32_t picks[60];
    size_t n = 0, hard = 0;
    struct enroll_newcomer is = enroll_world_newcomer(NULL, 0);
    is.belief.accuracy = 0.85;
    const struct price price = {.input_nano_usd_per_m = usd_per_m * NANO_PER_USD,
                                .output_nano_usd_per_m = 3 * usd_per_m * NANO_PER_USD};
    cr_assert_eq(enroll_suggest(w.model, &is.belief, &price,
                                enroll_world_rows(&w, 0, 1, ROWS, NULL), ROWS, NULL, 60, w.arena,
                                picks, &n, &err),
                 OK, "%s", err.text);
    cr_assert_eq(n, 60);
    for (size_t i = 0; i < n; i++)
        hard += (size_t)world_kind(picks[i]);
    return hard;
}

Test(suggest, never_asks_of_one_kind_alone)
{
    for (int64_t usd_per_m = 1; usd_per_m <= 9; usd_per_m += 4) {
        size_t hard = hard_among(usd_per_m);
        cr_expect(hard >= 6 && hard <= 54, "%zu at %d", hard, (int)usd_per_m);
    }
}
