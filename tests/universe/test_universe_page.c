/* The page has its sections, says what was chosen, and escapes what others wrote. */
#include "universe/universe_page.h"

#include <string.h>

#include <criterion/criterion.h>

#include "universe/universe_toy.h"

static char *page_of(struct toy *t, bool per_domain)
{
    struct universe u;
    struct error err;
    struct buf b;
    const struct universe_options o = {.count_max = 3,
                                       .cost_max_nano_usd = INT64_MAX,
                                       .per_domain = per_domain,
                                       .frontier = true,
                                       .exact = {.work_max = UINT64_C(1) << 40}};
    const struct universe_page page = {"<here>", &u, &o, NULL};
    cr_assert_eq(universe_make(&t->c, &o, t->a, &u, &err), OK);
    buf_init(&b, 1 << 22);
    universe_write_html(&page, &b);
    cr_assert_eq(buf_status(&b, &err), OK);
    char *text = arena_printf(t->a, "%.*s", (int)b.len, b.ptr);
    buf_done(&b);
    return text;
}

static struct toy draw(uint64_t seed)
{
    struct rng r;
    struct toy t;
    rng_seed(&r, seed);
    toy_draw(&r, TOY_TENTHS, 8, 90, &t);
    return t;
}

Test(universe_page, has_its_sections)
{
    struct toy t = draw(71);
    toy_domains(&t, 3);
    const char *text = page_of(&t, true);
    static const char *const ids[] = {"frontier", "number", "members", "domains", "sets"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        cr_assert(strstr(text, arena_printf(t.a, "<section id=\"%s\">", ids[i])), "%s", ids[i]);
    cr_assert_null(strstr(text, "<section id=\"routed\">"), "nothing was routed");
    cr_assert(strstr(text, "optimal (proved)"));
    cr_assert_null(strstr(text, "nan"));
    cr_assert_null(strstr(text, "inf\""));
    arena_free(t.a);
}

Test(universe_page, escapes_names)
{
    struct toy t = draw(72);
    for (size_t i = 0; i < t.c.count; i++)
        t.c.d->experts[i].name = STR("a<b>&\"c");
    const char *text = page_of(&t, false);
    cr_assert(strstr(text, "a&lt;b&gt;&amp;"));
    cr_assert_null(strstr(text, "a<b>"));
    cr_assert_null(strstr(text, "<here>"));
    cr_assert_null(strstr(text, "<section id=\"domains\">"), "there are none");
    arena_free(t.a);
}

Test(universe_page, without_costs_there_is_no_chart)
{
    struct toy t = draw(73);
    for (size_t i = 0; i < t.c.count; i++)
        t.c.cost_nano_usd[i] = CANDIDATE_COST_UNKNOWN;
    const char *text = page_of(&t, false);
    cr_assert_null(strstr(text, "<svg id=\"frontier"));
    cr_assert_null(strstr(text, "for its cost"), "nor a section that would be empty");
    cr_assert(strstr(text, "<section id=\"number\">"));
    cr_assert(strstr(text, "–"), "a cost that is not known is a dash");
    cr_assert_null(strstr(text, "nan"));
    arena_free(t.a);
}
