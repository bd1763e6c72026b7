/* The page: complete, well nested, nothing from data becomes markup, small. */
#include "eval/report_html.h"

#include <stdio.h>

#include "nested.h"
#include "random_table.h"

#define PAGE_BYTES_MAX (1u << 20)

struct made {
    struct random_table r;
    struct report report, second;
    struct detail detail;
    struct str *domains;
    struct report_page page;
    struct buf out;
};

static void write_page(struct made *m, size_t draws)
{
    const struct report_options o = {.draws = draws};
    struct arena *a = m->r.arena;
    size_t queries = m->r.table.queries;
    m->domains = ARENA_ARRAY(a, queries, struct str);
    for (size_t q = 0; q < queries; q++)
        m->domains[q] = q % 3 ? STR("law & order") : STR("</td><script>");
    cr_assert_eq(report_make(&m->r.table, &o, a, &m->report, NULL), OK);
    cr_assert_eq(detail_make(&m->r.table, &m->report, m->domains, a, &m->detail, NULL), OK);
    m->page.model = "a \"model\" <b>";
    m->page.dataset = "data & set";
    m->page.table = &m->r.table;
    m->page.report = &m->report;
    m->page.detail = &m->detail;
    buf_init(&m->out, 16u << 20);
    report_write_html(&m->page, &m->out);
    cr_assert_eq(buf_status(&m->out, NULL), OK);
    cr_assert_lt(m->out.len, PAGE_BYTES_MAX);
}

static void done(struct made *m)
{
    buf_done(&m->out);
    random_table_done(&m->r);
}

static bool has(const struct made *m, const char *text)
{
    return strstr(m->out.ptr, text);
}

Test(report_html, is_a_page_with_every_part)
{
    struct made m = {0};
    random_table_make(&m.r, 800, 4, 0.8, 1);
    random_table_add_cascade(&m.r, 2);
    write_page(&m, 20);
    expect_nested(m.out.ptr);
    static const char *const ids[] = {"offers",  "plane",   "shares",     "claims",
                                      "domains", "experts", "calibration"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char text[40];
        snprintf(text, sizeof(text), "<section id=\"%s\">", ids[i]);
        cr_expect(has(&m, text), "%s", text);
    }
    cr_expect(!has(&m, "id=\"compare\""));
    cr_expect(has(&m, "cascade(first→last)") && has(&m, "<h3>Plans</h3>"));
    cr_expect(has(&m, "class=\"band\""), "errors along the curve");
    cr_expect(!has(&m, "nan") && !has(&m, "inf,") && !has(&m, "-0 %"));
    done(&m);
}

Test(report_html, nothing_from_data_becomes_markup_and_nothing_is_fetched)
{
    struct made m = {0};
    random_table_make(&m.r, 300, 3, 0.8, 3);
    m.r.names[0] = STR("<script>alert(1)</script>");
    m.r.names[1] = STR("a&b \"quoted\" 'name'");
    m.r.names[2] = STR("reference <img src=x onerror=y>");
    write_page(&m, 5);
    expect_nested(m.out.ptr);
    cr_expect(!has(&m, "<script") && !has(&m, "<img"));
    cr_expect(has(&m, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    cr_expect(has(&m, "a&amp;b &quot;quoted&quot; &#39;name&#39;"));
    cr_expect(has(&m, "law &amp; order") && has(&m, "a &quot;model&quot; &lt;b&gt;"));
    cr_expect(!has(&m, " src=\"") && !has(&m, "href=") && !has(&m, "url(") && !has(&m, "@import"));
    done(&m);
}

Test(report_html, a_second_model_is_laid_over_the_first)
{
    struct made m = {0};
    random_table_make(&m.r, 300, 3, 0.8, 4);
    const struct report_options o = {.draws = 10};
    cr_assert_eq(report_make(&m.r.table, &o, m.r.arena, &m.second, NULL), OK);
    m.page.compare = &m.second;
    m.page.compare_model = "the <second>";
    write_page(&m, 10);
    expect_nested(m.out.ptr);
    cr_expect(has(&m, "id=\"compare\"") && has(&m, "class=\"two\""));
    cr_expect(has(&m, "the &lt;second&gt;") && !has(&m, "<second>"));
    done(&m);
}

Test(report_html, odd_tables_make_pages_too)
{
    for (size_t variant = 0; variant < 6; variant++) {
        struct made m = {0};
        random_table_make(&m.r, variant == 5 ? 1 : 60, variant == 0 ? 1 : 3, 0.8, variant);
        for (size_t i = 0; i < m.r.table.queries * m.r.table.experts; i++) {
            if (variant == 1) /* all free */
                m.r.outcomes[i].cost_nano_usd = m.r.estimates[i].cost_nano_usd = 0;
            if (variant == 2) /* nobody is ever right */
                m.r.outcomes[i].score = 0;
            if (variant == 3) /* all cost the same */
                m.r.outcomes[i].cost_nano_usd = m.r.estimates[i].cost_nano_usd = 1000;
        }
        if (variant == 4) { /* the reference is nobody's choice, and out of reach */
            m.r.pool[2] = false;
            for (size_t q = 0; q < 60; q++)
                m.r.outcomes[q * 3 + 2].score = 1;
        }
        write_page(&m, variant % 2 ? 5 : 0);
        expect_nested(m.out.ptr);
        cr_expect(!has(&m, "nan") && !has(&m, "\"inf") && !has(&m, "-inf"), "variant %zu", variant);
        if (variant == 4)
            cr_expect(has(&m, "not in the pool") && has(&m, "not on these queries"));
        done(&m);
    }
}
