/* Tables of the page: the members, what each is for by domain, proposals that were routed, sets of domains, who is
 * dominated.
 *
 * Pure functions from figures to HTML in a buffer, any thread. Each row is one function that writes its cells in the
 * order of the head; text from data goes through eval/markup.h. */
#include <math.h>

#include "universe/universe_page_int.h"

#define HEAT_MEMBERS 16 /* columns of the table of domains */
#define HEAT_DEEPEST 62 /* percent of the colour */
#define HEAT_DOMAINS 60

static void cell_percent(struct buf *b, double share)
{
    buf_add_c(b, "<td>");
    markup_percent(b, share, 1);
    buf_add_c(b, "</td>");
}

static void cell_points(struct buf *b, double share)
{
    buf_add_c(b, "<td>");
    markup_points(b, share, 1);
    buf_add_c(b, "</td>");
}

static void cell_usd(struct buf *b, int64_t nano_usd)
{
    buf_add_c(b, "<td>");
    markup_usd(b, candidate_usd(nano_usd));
    buf_add_c(b, "</td>");
}

/* Titles up to NULL; the first is that of the rows, column `left` has words. */
static void table_begin(struct buf *b, const char *const *titles, size_t left)
{
    buf_add_c(b, "<div class=\"scroll\"><table><thead><tr>");
    for (size_t i = 0; titles[i]; i++)
        buf_addf(b, "<th scope=\"col\"%s>%s</th>", i == left ? " class=\"l\"" : "", titles[i]);
    buf_add_c(b, "</tr></thead><tbody>\n");
}

static void table_end(struct buf *b)
{
    buf_add_c(b, "</tbody></table></div>\n");
}

static void row_name(const struct universe_page *p, size_t candidate, struct buf *b)
{
    buf_add_c(b, "<tr><th scope=\"row\" class=\"name\">");
    markup_text(b, candidate_name(p->u->c, candidate));
    buf_add_c(b, "</th>");
}

static struct str domain_name(const struct universe *u, size_t domain)
{
    return u->c->domain[domain].len ? u->c->domain[domain] : STR("(no domain)");
}

/* Members */

static double most_worth(const struct universe *u)
{
    double most = 0;
    for (size_t i = 0; i < u->s.set.count; i++)
        most = fmax(most, u->uses[u->s.set.members[i]].worth);
    return most;
}

static void member_row(const struct universe_page *p, size_t i, double most, struct buf *b)
{
    const struct universe *u = p->u;
    size_t member = u->s.set.members[i];
    const struct candidate_use *use = &u->uses[member];
    double before = i ? u->s.set.values[i - 1] : 0;
    row_name(p, member, b);
    cell_points(b, (u->s.set.values[i] - before) * u->s.unit);
    cell_percent(b, u->s.set.values[i] * u->s.unit);
    cell_usd(b, u->c->cost_nano_usd[member]);
    cell_percent(b, u->c->score[member]);
    buf_add_c(b, "<td>");
    markup_points_se(b, &(struct figure){-use->worth, use->worth_error}, 1);
    buf_addf(b,
             "</td><td><span class=\"bar\" aria-hidden=\"true\"><i class=\"b4\" "
             "style=\"width:%.1f%%\"></i></span></td>",
             most > 0 ? 100 * use->worth / most : 0);
    cell_percent(b, use->alone);
    buf_add_c(b, "</tr>\n");
}

void universe_page_members(const struct universe_page *p, struct buf *b)
{
    static const char *const titles[] = {"member",
                                         "adds,<br />points",
                                         "together,<br />%",
                                         "USD per<br />1,000",
                                         "alone<br />scores, %",
                                         "dropping it<br />costs, points",
                                         "",
                                         "only it is<br />right, %",
                                         NULL};
    double most = most_worth(p->u);
    page_section(b, "members", "The members, and what dropping one would cost",
                 p->routed ? "In the order in which they were taken: what each adds is measured "
                             "when sets are routed; what dropping it costs, by coverage."
                           : "In the order in which they were taken. What a member adds hangs on "
                             "whom it joins; what dropping it costs is told of the whole set.");
    table_begin(b, titles, 0);
    for (size_t i = 0; i < p->u->s.set.count; i++)
        member_row(p, i, most, b);
    table_end(b);
    page_section_end(b);
}

/* Domains */

static void heat_cell(double worth, double most, struct buf *b)
{
    if (worth <= 0) {
        buf_add_c(b, "<td class=\"soft\">·</td>");
        return;
    }
    buf_addf(b, "<td style=\"background:color-mix(in srgb,var(--s1) %.0f%%,transparent)\">",
             HEAT_DEEPEST * worth / most);
    markup_percent(b, worth, 1);
    buf_add_c(b, "</td>");
}

static void heat_head(const struct universe_page *p, size_t members, struct buf *b)
{
    buf_add_c(b, "<div class=\"scroll\"><table class=\"heat\"><thead><tr><th scope=\"col\">domain"
                 "</th><th scope=\"col\">questions</th><th scope=\"col\">covered, %</th>");
    for (size_t i = 0; i < members; i++) {
        buf_add_c(b, "<th scope=\"col\">");
        markup_text(b, candidate_name(p->u->c, p->u->s.set.members[i]));
        buf_add_c(b, "</th>");
    }
    buf_add_c(b, "</tr></thead><tbody>\n");
}

static void heat_row(const struct universe_page *p, size_t domain, size_t members, double most,
                     struct buf *b)
{
    const struct universe *u = p->u;
    buf_add_c(b, "<tr><th scope=\"row\" class=\"wrap\">");
    markup_text(b, domain_name(u, domain));
    buf_add_c(b, "</th><td>");
    markup_count(b, u->domain_sizes[domain]);
    buf_add_c(b, "</td>");
    cell_percent(b, u->domain_covers[domain]);
    for (size_t i = 0; i < members; i++)
        heat_cell(u->uses[u->s.set.members[i]].domain_worth[domain], most, b);
    buf_add_c(b, "</tr>\n");
}

void universe_page_domains(const struct universe_page *p, struct buf *b)
{
    const struct universe *u = p->u;
    size_t members = u->s.set.count < HEAT_MEMBERS ? u->s.set.count : HEAT_MEMBERS;
    size_t domains = u->c->domains < HEAT_DOMAINS ? u->c->domains : HEAT_DOMAINS;
    double most = 1e-9;
    if (!domains)
        return;
    for (size_t i = 0; i < members; i++)
        for (size_t d = 0; d < domains; d++)
            most = fmax(most, u->uses[u->s.set.members[i]].domain_worth[d]);
    page_section(b, "domains", "What each member is for",
                 "Points of a domain’s coverage that are lost without it: the stronger the colour, "
                 "the more. A member "
                 "is there for the questions that no other one answers as well.");
    heat_head(p, members, b);
    for (size_t d = 0; d < domains; d++)
        heat_row(p, d, members, most, b);
    table_end(b);
    if (members < u->s.set.count || domains < u->c->domains)
        buf_addf(b,
                 "<p class=\"how\">The first %zu members and %zu domains are shown; "
                 "<code>leeroo select --json</code> has all.</p>\n",
                 members, domains);
    page_section_end(b);
}

static void domain_set_row(const struct universe_page *p, const struct domain_set *d, struct buf *b)
{
    buf_add_c(b, "<tr><th scope=\"row\" class=\"wrap\">");
    markup_text(b, domain_name(p->u, d->domain));
    buf_add_c(b, "</th><td>");
    markup_count(b, d->questions);
    buf_add_c(b, "</td>");
    cell_percent(b, d->best_score);
    cell_percent(b, selection_mean(&d->s));
    cell_usd(b, d->s.set.cost_nano_usd);
    buf_add_c(b, "<td class=\"l members\">");
    universe_page_names(p, d->s.set.members, d->s.set.count, b);
    buf_add_c(b, d->s.promise == SELECTION_PROVED
                     ? "</td></tr>\n"
                     : " <span class=\"soft\">(not proved)</span></td></tr>\n");
}

void universe_page_domain_sets(const struct universe_page *p, struct buf *b)
{
    static const char *const titles[] = {"domain",    "questions",          "best<br />single, %",
                                         "covers, %", "USD per<br />1,000", "the set’s members",
                                         NULL};
    const struct universe *u = p->u;
    if (!u->domain_count)
        return;
    page_section(b, "sets", "A set for each domain",
                 "The best set under the same limits, if all questions were of that domain.");
    table_begin(b, titles, 5);
    for (size_t i = 0; i < u->domain_count; i++)
        domain_set_row(p, &u->domains[i], b);
    buf_addf(b, "<tr class=\"hi\"><th scope=\"row\">all %zu together</th><td>", u->joint_count);
    markup_count(b, u->c->rows);
    buf_add_c(b, "</td><td></td>");
    cell_percent(b, u->joint_covers);
    cell_usd(b, u->joint_cost_nano_usd);
    buf_add_c(b, "<td></td></tr>\n");
    table_end(b);
    page_section_end(b);
}

/* Routed */

static void final_row(const struct universe_page *p, const struct routed_final *f, bool taken,
                      struct buf *b)
{
    const struct figure behind = {-f->behind, f->behind_error};
    buf_addf(b, "<tr%s><th scope=\"row\" class=\"wrap\">%s</th>", taken ? " class=\"hi\"" : "",
             f->from);
    cell_percent(b, f->score);
    buf_add_c(b, "<td>");
    markup_points_se(b, &behind, 2);
    buf_add_c(b, "</td>");
    cell_percent(b, f->below);
    buf_add_c(b, "<td class=\"l members\">");
    universe_page_names(p, f->members, f->count, b);
    buf_add_c(b, "</td></tr>\n");
}

void universe_page_routed(const struct universe_page *p, struct buf *b)
{
    static const char *const titles[] = {
        "proposal", "routed, %", "behind<br />the best", "with less<br />money, %",
        "members",  NULL};
    if (!p->routed)
        return;
    page_section(b, "routed", "Sets that were routed",
                 "Each proposal was trained by itself and measured on held-out questions. Of those "
                 "within one standard error of the best at the budget, the best at an eighth, a "
                 "quarter and a half of it is taken.");
    table_begin(b, titles, 4);
    for (size_t i = 0; i < p->routed->choice->count; i++)
        final_row(p, &p->routed->choice->finals[i], i == p->routed->choice->taken, b);
    table_end(b);
    page_section_end(b);
}

/* Dominated */

static void dominated_row(const struct universe_page *p, size_t candidate, struct buf *b)
{
    const struct universe *u = p->u;
    const struct candidate_use *use = &u->uses[candidate];
    const struct figure behind = {-use->behind, use->behind_error};
    row_name(p, candidate, b);
    buf_add_c(b, "<td class=\"l\">");
    markup_text(b, candidate_name(u->c, use->dominated_by));
    buf_add_c(b, "</td><td>");
    markup_points_se(b, &behind, 1);
    buf_add_c(b, "</td>");
    cell_usd(b, u->c->cost_nano_usd[candidate]);
    cell_usd(b, u->c->cost_nano_usd[use->dominated_by]);
    cell_points(b, use->worth);
    buf_addf(b, "<td>%s</td></tr>\n", use->member ? "yes" : "");
}

void universe_page_dominated(const struct universe_page *p, struct buf *b)
{
    static const char *const titles[] = {"candidate",
                                         "dominated by",
                                         "its score is<br />behind, points",
                                         "USD per<br />1,000",
                                         "the other’s",
                                         "is worth to<br />the set, points",
                                         "in the<br />set",
                                         NULL};
    size_t count = 0;
    for (size_t c = 0; c < p->u->c->count; c++)
        count += p->u->uses[c].dominated_by != SIZE_MAX;
    if (!count)
        return;
    page_section(b, "dominated", "Who is dominated",
                 "Another candidate costs no more, and its scores on the same questions are higher "
                 "by more than two standard errors. Such a one can still be worth having beside "
                 "others: where it is right and they are not.");
    table_begin(b, titles, 1);
    for (size_t c = 0; c < p->u->c->count; c++)
        if (p->u->uses[c].dominated_by != SIZE_MAX)
            dominated_row(p, c, b);
    table_end(b);
    page_section_end(b);
}
