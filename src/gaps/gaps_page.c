/* The gaps as one page for a browser: the headline, the order of topics as bars (gaps_page_ranks.c), then each topic
 * (gaps_page_topics.c), who stands alone, and what was measured again.
 *
 * Pure functions from what was found to bytes in a buffer, any thread. No network, no script. All text from data goes
 * through eval/markup.h; what is written without it are figures and constants. */
#include <math.h>
#include <stdio.h>

#include "gaps/gaps_page_int.h"

#define NAME_BYTES (64u << 10)

static const char *const more_style[] = {
    ".chips{display:flex;flex-wrap:wrap;gap:5px;margin:.3em 0 "
    ".7em;padding:0;list-style:none}.chips "
    "li{background:var(--faint);border-radius:6px;padding:1px 8px;font-size:.88rem;"
    "overflow-wrap:anywhere}\n",
    ".topic{border-top:1px solid var(--line);padding-top:14px;margin-top:22px}.topic h3{margin:0 0 "
    ".3em;font-size:1.08rem;overflow-wrap:anywhere}.topic p{max-width:62em}.rank{color:var(--soft);"
    "font-weight:400;margin-right:.4em}\n",
    "details.ask{border:1px solid var(--line);border-radius:8px;padding:7px 12px;margin-top:7px;"
    "background:var(--card)}details.ask summary{color:var(--ink);overflow-wrap:anywhere}"
    "details.ask>p,details.ask>ol{margin:.6em 0 0;overflow-wrap:anywhere}details.ask ol{"
    "padding-left:1.6em}\n",
    ".score .bar{width:140px;background:var(--faint)}.score td:nth-child(2){width:150px}\n",
    "@media (max-width:640px){.score .bar{width:70px}.score td:nth-child(2){width:76px}}\n",
    "@media print{.topic{break-inside:avoid}}\n",
    NULL,
};

/* Pieces */

size_t gaps_page_shown(const struct gaps_page *p)
{
    size_t shown = 0;
    while (shown < p->gaps->topic_count && shown < p->topics && !p->gaps->topics[shown].few &&
           p->gaps->topics[shown].adds.value > 0)
        shown++;
    return shown;
}

void gaps_page_name(struct buf *b, const struct gaps_topic *t, size_t most)
{
    struct buf name;
    buf_init(&name, NAME_BYTES);
    gaps_topic_name(t, GAPS_PAGE_NAME_WORDS, &name);
    markup_cut(b, buf_str(&name), most);
    buf_done(&name);
}

void gaps_page_number(struct buf *b, double value)
{
    if (isfinite(value))
        buf_addf(b, "%.1f", value);
    else
        buf_add_c(b, "–");
}

static void add_error(struct buf *b, double error)
{
    if (isfinite(error))
        buf_addf(b, "<span class=\"se\"> ±%.1f</span>", error);
}

/* The headline */

static void add_facts(const struct gaps_page *p, struct buf *b)
{
    buf_add_c(b, "<p class=\"facts\"><b>");
    markup_text(b, str_from(p->model));
    buf_add_c(b, "</b> on <b>");
    markup_text(b, str_from(p->dataset));
    buf_add_c(b, "</b> · ");
    markup_count(b, p->gaps->all.queries);
    buf_add_c(b, " questions · ");
    markup_count(b, p->gaps->scores.pool.count);
    buf_add_c(b, p->gaps->scores.pool.count == 1 ? " expert</p>\n" : " experts</p>\n");
}

static void add_lede(const struct gaps *g, struct buf *b)
{
    const struct gaps_topic *all = &g->all;
    buf_add_c(b, "<p class=\"lede\">The model’s choice, whatever it costs, is ");
    buf_add_c(b, all->recorded ? "right on " : "expected to be right on ");
    markup_percent(b, all->achieved.value, 1);
    buf_addf(b, " %% of the questions. A new expert that is right on %g %% of them would add ",
             100 * g->level);
    gaps_page_number(b, all->adds.value);
    buf_add_c(b, " right answers per 1,000");
    if (all->compared) {
        buf_add_c(b, ": ");
        gaps_page_number(b, all->routing);
        buf_add_c(
            b, " that another expert here had right, so that choosing better may get them, and ");
        gaps_page_number(b, all->nobody);
        buf_add_c(b, " that nobody had");
    }
    buf_add_c(b, ".</p>\n");
}

static void add_headline(const struct gaps_page *p, struct buf *b)
{
    const struct gaps *g = p->gaps;
    buf_add_c(b, "<h1>");
    if (gaps_page_shown(p) == 0) {
        buf_add_c(b, "No topic lacks anything");
    } else {
        buf_add_c(b, "A new expert for <em>");
        gaps_page_name(b, &g->topics[0], GAPS_PAGE_NAME);
        buf_addf(b, "</em> would add %.1f right answers per 1,000 questions",
                 g->topics[0].adds.value);
    }
    buf_add_c(b, "</h1>\n");
    add_facts(p, b);
    add_lede(g, b);
    if (g->scores.trained_on) {
        buf_add_c(b, "<p class=\"warn\">The model was trained on ");
        markup_count(b, g->scores.trained_on);
        buf_add_c(
            b, g->scores.seen
                   ? " of these questions and remembers them. There, whoever is best on the rest "
                     "of the topic is taken for its choice.</p>\n"
                   : " of these questions and remembers them: its estimates are too sure.</p>\n");
    }
}

/* Who stands alone */

static void alone_row(const struct gaps *g, const struct gaps_topic *t, struct buf *b)
{
    const struct gaps_expert *x = &t->experts[t->alone];
    buf_add_c(b, "<tr><th scope=\"row\" class=\"name\">");
    markup_text(b, g->scores.pool.names[t->alone]);
    buf_add_c(b, "</th><td class=\"l wrap\">");
    gaps_page_name(b, t, GAPS_PAGE_NAME);
    buf_add_c(b, "</td><td>");
    gaps_page_number(b, x->loss.value);
    add_error(b, x->loss.error);
    buf_add_c(b, "</td><td>");
    markup_percent(b, x->score, 1);
    buf_add_c(b, "</td><td>");
    markup_percent(b, t->experts[t->second].score, 1);
    buf_add_c(b, "</td><td class=\"l\">");
    markup_text(b, g->scores.pool.names[t->second]);
    buf_add_c(b, "</td></tr>\n");
}

static void add_alone(const struct gaps_page *p, struct buf *b)
{
    const struct gaps *g = p->gaps;
    page_section(b, "alone", "Where one expert stands alone",
                 g->alone_count ? "Here the second best is at least five points behind. What is "
                                  "lost, in right answers per 1,000 questions, when the best goes "
                                  "and the model’s next choice is asked."
                                : "In no topic is the second best five points behind the best, and "
                                  "much would be lost with it.");
    if (g->alone_count) {
        buf_add_c(b, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">expert</th><th "
                     "scope=\"col\" class=\"l\">topic</th><th scope=\"col\">lost,<br />per "
                     "1,000</th><th scope=\"col\">its score, %</th><th scope=\"col\">second, %</th>"
                     "<th scope=\"col\" class=\"l\">who is second</th></tr></thead><tbody>\n");
        for (size_t i = 0; i < g->alone_count && i < p->topics; i++)
            alone_row(g, &g->topics[g->alone[i]], b);
        buf_add_c(b, "</tbody></table></div>\n");
    }
    page_section_end(b);
}

/* Again */

static void again_row(const struct gaps_topic *t, struct buf *b)
{
    const struct gaps_again *again = &t->again;
    buf_add_c(b, "<tr><th scope=\"row\" class=\"wrap\">");
    gaps_page_name(b, t, GAPS_PAGE_NAME);
    buf_add_c(b, "</th><td>");
    markup_percent_se(b, &t->achieved, 1);
    buf_add_c(b, "</td><td>");
    markup_count(b, again->queries);
    buf_add_c(b, "</td><td>");
    markup_percent_se(b, &again->achieved, 1);
    buf_add_c(b, "</td><td>");
    markup_points_se(b, &again->difference, 1);
    buf_add_c(b, again->difference.value < -2 * again->difference.error
                     ? "</td><td class=\"l\"><span class=\"verdict good\">a gap</span></td></tr>\n"
                     : "</td><td class=\"l\"><span class=\"soft\">not shown</span></td></tr>\n");
}

static void add_again(const struct gaps_page *p, struct buf *b)
{
    if (!p->again || !p->gaps->again.queries)
        return;
    page_section(
        b, "again", "Measured again",
        "On questions that the topics were not found on, but find them by the same domains "
        "and words. A topic is shown to be a gap where less is achieved than on all other "
        "questions by two standard errors.");
    buf_add_c(b, "<p class=\"facts\"><b>");
    markup_text(b, str_from(p->again));
    buf_add_c(b, "</b> · ");
    markup_count(b, p->gaps->again.queries);
    buf_add_c(b, " questions · ");
    markup_percent(b, p->gaps->again.achieved.value, 1);
    buf_add_c(
        b,
        " % achieved</p>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\">topic</th><th "
        "scope=\"col\">achieved<br />where found, %</th><th scope=\"col\">questions</th><th "
        "scope=\"col\">achieved<br />again, %</th><th scope=\"col\">to all others,<br />points"
        "</th><th scope=\"col\" class=\"l\">so it is</th></tr></thead><tbody>\n");
    for (size_t t = 0; t < gaps_page_shown(p); t++)
        again_row(&p->gaps->topics[t], b);
    buf_add_c(b, "</tbody></table></div>\n");
    page_section_end(b);
}

/* The page */

static void add_foot(const struct gaps *g, struct buf *b)
{
    buf_addf(
        b,
        "<footer><h2>How this was measured</h2>\n<p>Questions are taken together by their domain "
        "and their words. On each the score counts of the expert that the model chooses for "
        "quality, whatever it costs; where it was not asked, the model’s estimate. In each "
        "topic the estimates count as %.0f recorded answers more. Topics where less is achieved "
        "than elsewhere by three standard errors come first. That another expert had an answer "
        "right may be luck: what choosing better may get is an upper bound. ± is one standard "
        "error.</p></footer>\n",
        g->prior_queries);
}

void gaps_write_html(const struct gaps_page *p, struct buf *b)
{
    page_open(b, "leeroo gaps", str_from(p->dataset), more_style);
    add_headline(p, b);
    gaps_page_ranks(p, b);
    gaps_page_topics(p, b);
    add_alone(p, b);
    add_again(p, b);
    add_foot(p->gaps, b);
    page_close(b);
}
