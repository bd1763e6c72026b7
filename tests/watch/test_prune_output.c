/* prune_output.h: what was erased, and what would be, in one sentence and as one object. */
#include "watch/prune_output.h"

#include <criterion/criterion.h>

#include "base/json.h"

static void expect_text(const struct prune_told *t, const char *expected)
{
    struct buf out;
    buf_init(&out, 4096);
    prune_write_text(t, &out);
    cr_assert(str_equal(buf_str(&out), str_from(expected)), "%.*s", STR_FMT(buf_str(&out)));
    buf_done(&out);
}

static const struct ledger_old old = {.requests = 2,
                                      .feedback = 1,
                                      .nano_usd = 1500000,
                                      .first_ms = 1790000000000,
                                      .last_ms = 1790000001000};

Test(prune_output, for_people)
{
    struct prune_told t = {.before_ms = 1790000002000, .old = old, .erased = 2};
    expect_text(&t, "2 requests erased that began before 2026-09-21T14:13:22Z: from "
                    "2026-09-21T14:13:20Z to 2026-09-21T14:13:21Z, 1 with feedback, USD "
                    "0.001500000\n");
    t.dry_run = t.compact = true;
    t.old.open = 1;
    expect_text(&t, "2 requests would be erased that began before 2026-09-21T14:13:22Z: from "
                    "2026-09-21T14:13:20Z to 2026-09-21T14:13:21Z, 1 with feedback, USD "
                    "0.001500000\n1 as old that is open stays\n");
    expect_text(
        &(struct prune_told){.before_ms = 1790000002000, .compact = true, .freed_bytes = 2500000},
        "0 requests erased that began before 2026-09-21T14:13:22Z\n2.5 MB given back\n");
}

Test(prune_output, for_programs)
{
    struct buf out;
    struct json_value root;
    const struct prune_told t = {.before_ms = 1790000002000, .old = old, .erased = 2};
    buf_init(&out, 4096);
    prune_write_json(&t, &out);
    cr_assert_eq(json_parse(buf_str(&out), "out", 1, &root, NULL), OK);
    cr_assert(str_equal(json_get(root, "erased").raw, STR("2")));
    cr_assert(str_equal(json_get(root, "first").raw, STR("\"2026-09-21T14:13:20Z\"")));
    buf_clear(&out);
    prune_write_json(&(struct prune_told){.dry_run = true}, &out);
    cr_assert_eq(json_parse(buf_str(&out), "out", 1, &root, NULL), OK);
    cr_assert_eq(json_get(root, "first").type, JSON_NULL);
    buf_done(&out);
}
