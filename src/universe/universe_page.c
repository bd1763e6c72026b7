/* The page: its head, the order of its sections, its foot. The sections are universe_page_*.c, each of which writes one
 * whole <section> or nothing.
 *
 * Pure functions from figures to bytes in a buffer, any thread. No text from data is written here but by eval/markup.h,
 * which escapes it. */
#include "universe/universe_page.h"

#include <math.h>

#include "universe/universe_page_int.h"

static const char *const style[] = {
    ".heat td{text-align:right}.heat thead "
    "th{min-width:6em;max-width:9.5em;white-space:normal;overflow-wrap:"
    "anywhere}.members{white-space:normal;overflow-wrap:anywhere;min-width:16em}\n",
    NULL};

void universe_page_names(const struct universe_page *p, const size_t *members, size_t count,
                         struct buf *b)
{
    for (size_t i = 0; i < count; i++) {
        buf_add_c(b, i ? ", " : "");
        markup_text(b, candidate_name(p->u->c, members[i]));
    }
}

/* As far as what the set costs, or twice the best single, for beyond that nothing changes. */
enum status universe_routed_fill(struct routed *r, struct universe_routed *routed,
                                 struct error *err)
{
    double low = routed->figures->budget_usd_per_1k / 8;
    double high = fmin(candidate_usd(routed->choice->set.cost_nano_usd),
                       2 * routed->figures->best_usd_per_1k);
    high = fmax(high, 2 * low);
    for (size_t i = 0; i < UNIVERSE_BUDGETS; i++)
        routed->usd_per_1k[i] = low * pow(high / low, (double)i / (UNIVERSE_BUDGETS - 1));
    return routed_scores(r, routed->choice->set.members, routed->choice->set.count,
                         routed->usd_per_1k, UNIVERSE_BUDGETS, routed->score, err);
}

/* Head and foot */

/* "88.9 % for $7.88 per 1,000"; without the cost where it is not known. */
static void percent_for(struct buf *b, double share, int64_t nano_usd, const char *behind)
{
    markup_percent(b, share, 1);
    buf_addf(b, " %%%s", behind);
    if (nano_usd >= CANDIDATE_COST_UNKNOWN)
        return;
    buf_add_c(b, " for ");
    markup_usd(b, candidate_usd(nano_usd));
    buf_add_c(b, " per 1,000");
}

/* One piece: two sentences. */
static void write_headline(const struct universe_page *p, struct buf *b)
{
    const struct universe *u = p->u;
    const char *s = u->s.set.count == 1 ? "s" : "";
    buf_addf(b, "<h1><em>%zu of %zu</em> candidate%s ", u->s.set.count, u->c->count,
             u->c->count == 1 ? "" : "s");
    if (p->routed) {
        buf_addf(b, "answer%s <em>", s);
        markup_percent(b, p->routed->choice->finals[p->routed->choice->taken].score, 1);
        buf_add_c(b, " %</em> well when routed for ");
        markup_usd(b, p->routed->figures->budget_usd_per_1k);
        buf_add_c(b, " per 1,000");
    } else {
        buf_addf(b, "cover%s <em>", s);
        percent_for(b, u->covers, u->s.set.cost_nano_usd, "</em>");
    }
    buf_add_c(b, "</h1>\n<p class=\"lede\">The best single one, ");
    markup_text(b, candidate_name(u->c, u->best));
    buf_add_c(b, ", scores ");
    percent_for(b, u->c->score[u->best], u->c->cost_nano_usd[u->best], "");
    if (u->c->count > 1) {
        buf_addf(b, "; all %zu together cover ", u->c->count);
        percent_for(b, u->all, u->all_cost_nano_usd, "");
    }
    buf_add_c(b, ".</p>\n");
}

static void write_facts(const struct universe_page *p, struct buf *b)
{
    const struct candidates *c = p->u->c;
    buf_add_c(b, "<p class=\"facts\"><b>");
    markup_text(b, str_from(p->dataset));
    buf_add_c(b, "</b> · ");
    markup_count(b, c->rows);
    buf_add_c(b, " questions");
    if (c->rows < c->d->query_count) {
        buf_add_c(b, " · ");
        markup_count(b, c->d->query_count - c->rows);
        buf_add_c(b, " left out, because some candidate’s score is not known");
    }
    buf_addf(b, " · chosen by %s: <b>", p->u->objective);
    selection_promise_add(&p->u->s, b);
    buf_add_c(b, "</b></p>\n");
}

static void write_foot(struct buf *b)
{
    buf_add_c(
        b, "<footer><h2>How this was measured</h2>\n<p>Coverage is the mean over questions of "
           "the best score that a member has: what routing would achieve if it always knew whom "
           "to ask. It counts lucky guesses, too. What a set costs is what asking every member "
           "everything costs, per 1,000 questions; routed, each question goes to one member, and "
           "that costs less. Sets are optimal where it says so: branch and bound with a "
           "Lagrangean bound. ± is one standard error.</p></footer>\n");
}

void universe_write_html(const struct universe_page *p, struct buf *b)
{
    page_open(b, "leeroo select", str_from(p->dataset), style);
    buf_add_c(b, "<header>");
    write_headline(p, b);
    write_facts(p, b);
    buf_add_c(b, "</header>\n");
    universe_page_frontier(p, b);
    universe_page_number(p, b);
    universe_page_members(p, b);
    universe_page_domains(p, b);
    universe_page_routed(p, b);
    universe_page_domain_sets(p, b);
    universe_page_dominated(p, b);
    write_foot(b);
    page_close(b);
}
