/* Tables of the page: domains, experts and plans, two models side by side.
 *
 * Pure functions from a report to HTML in a buffer, any thread. Each row is one function that writes its cells in the
 * order of the head, so that the two can be compared by eye; text from data goes through markup.c. */
#include <math.h>

#include "eval/report_html_int.h"

static void cell_usd(struct buf *b, double usd)
{
    buf_add_c(b, "<td>");
    markup_usd(b, usd);
    buf_add_c(b, "</td>");
}

static void cell_percent(struct buf *b, const struct figure *f)
{
    buf_add_c(b, "<td>");
    markup_percent_se(b, f, 1);
    buf_add_c(b, "</td>");
}

static void cell_points(struct buf *b, const struct figure *f)
{
    buf_add_c(b, "<td>");
    markup_points_se(b, f, 1);
    buf_add_c(b, "</td>");
}

static void head(struct buf *b, const char *css, const char *text)
{
    buf_addf(b, "<th scope=\"col\"%s>%s</th>", css, text);
}

/* Domains */

static double others_share(const struct page *p, const double *shares)
{
    double sum = 0;
    for (size_t c = 0; c < p->r->columns; c++)
        sum += p->slot[c] == PAGE_SLOTS ? shares[c] : 0;
    return sum;
}

static void share_bar(const struct page *p, const double *shares, struct buf *b)
{
    buf_add_c(b, "<td><span class=\"bar\" aria-hidden=\"true\">");
    for (size_t i = 0; i < p->slot_count; i++)
        if (shares[p->slotted[i]] > 0)
            buf_addf(b, "<i class=\"b%zu\" style=\"width:%.1f%%\"></i>", i,
                     100 * shares[p->slotted[i]]);
    if (others_share(p, shares) > 0)
        buf_addf(b, "<i class=\"b%d\" style=\"width:%.1f%%\"></i>", PAGE_SLOTS,
                 100 * others_share(p, shares));
    buf_add_c(b, "</span></td>");
}

static void share_cell(struct buf *b, double share)
{
    buf_add_c(b, share >= 0.005 ? "<td class=\"n\">" : "<td class=\"n soft\">");
    markup_percent(b, fmax(0, share), 0);
    buf_add_c(b, "</td>");
}

/* A name may break behind its underscores. */
static void add_breakable(struct buf *b, struct str name)
{
    while (name.len) {
        size_t end = str_find(name, STR("_"), 0);
        end = end == SIZE_MAX ? name.len : end + 1;
        markup_text(b, str_slice(name, 0, end));
        name = str_slice(name, end, name.len);
        if (name.len)
            buf_add_c(b, "<wbr />");
    }
}

/* One row, cell by cell in the order of the head. */
static void domain_row(const struct page *p, const struct detail_domain *d, struct buf *b)
{
    buf_add_c(b, "<tr><th scope=\"row\" class=\"wrap\">");
    if (d->name.len)
        add_breakable(b, d->name);
    else
        buf_add_c(b, "<span class=\"soft\">(none)</span>");
    buf_add_c(b, "</th><td>");
    markup_count(b, d->queries);
    buf_add_c(b, "</td>");
    cell_percent(b, &d->accuracy);
    buf_add_c(b, "<td>");
    markup_percent(b, d->reference.value, 1);
    buf_add_c(b, "</td>");
    cell_points(b, &d->difference);
    cell_usd(b, d->usd_per_1k);
    buf_add_c(b, "<td>");
    markup_percent(b, d->reference_usd_per_1k > 0 ? d->usd_per_1k / d->reference_usd_per_1k : NAN,
                   0);
    buf_add_c(b, "</td>");
    share_bar(p, d->shares, b);
    for (size_t i = 0; i < p->slot_count; i++)
        share_cell(b, d->shares[p->slotted[i]]);
    if (p->others)
        share_cell(b, others_share(p, d->shares));
    buf_add_c(b, "</tr>\n");
}

static void share_head(const struct page *p, size_t slot, const char *name, struct buf *b)
{
    char text[PAGE_NAME_BYTES];
    buf_addf(b, "<th scope=\"col\" class=\"n\"><i class=\"sw b%zu\"></i><span class=\"vh\">", slot);
    markup_text(b, name ? str_from(name) : page_short_name(p, p->slotted[slot], text));
    buf_add_c(b, ", %</span></th>");
}

static void domains_head(const struct page *p, struct buf *b)
{
    buf_add_c(b, "<div class=\"scroll\"><table><thead><tr>");
    head(b, "", "domain");
    head(b, "", "queries");
    head(b, "", "accuracy, %");
    head(b, "", "reference, %");
    head(b, "", "difference,<br />points");
    head(b, "", "USD per<br />1,000");
    head(b, "", "cost against<br />reference, %");
    head(b, " class=\"l\"", "who answers, %");
    for (size_t i = 0; i < p->slot_count; i++)
        share_head(p, i, NULL, b);
    if (p->others)
        share_head(p, PAGE_SLOTS, "all others", b);
    buf_add_c(b, "</tr></thead><tbody>\n");
}

static void domains_text(const struct page *p, const struct report_at *at, struct buf *b)
{
    buf_add_c(b, "<section id=\"domains\"><h2>Domain by domain</h2>\n<p class=\"how\">At ");
    markup_percent(b, at->fraction, 0);
    buf_add_c(b, " % of the cost of ");
    markup_text(b, page_reference(p)->name);
    buf_add_c(b, " (");
    markup_usd(b, at->usd_per_1k);
    buf_add_c(b, " per 1,000 queries, lambda ");
    markup_lambda(b, at->cut.lambda);
    buf_add_c(b, ")");
    if (at->spent_usd_per_1k < at->usd_per_1k * (1 - 1e-6)) {
        buf_add_c(b, ", of which ");
        markup_usd(b, at->spent_usd_per_1k);
        buf_add_c(b, " are spent: more money finds nothing better to buy");
    }
    buf_add_c(b, ". The percentages to the right are shares of the domain’s queries.</p>\n");
}

void page_domains(const struct page *p, struct buf *b)
{
    const struct detail *d = p->in->detail;
    if (d->domain_count < 2)
        return;
    domains_text(p, &p->r->at[d->at], b);
    page_legend(p, true, b);
    domains_head(p, b);
    for (size_t i = 0; i < d->domain_count; i++)
        domain_row(p, &d->domains[i], b);
    buf_add_c(b, "</tbody></table></div>\n");
    page_section_end(b);
}

/* Experts, plans, baselines */

static void cell_plain(struct buf *b, double value)
{
    if (isnan(value))
        buf_add_c(b, "<td class=\"soft\">–</td>");
    else
        buf_addf(b, "<td>%.3f</td>", value);
}

static double share_at(const struct page *p, size_t column)
{
    size_t at = p->in->detail->at;
    return at == SIZE_MAX ? NAN : p->r->at[at].shares[column];
}

static void column_row(const struct page *p, size_t column, struct buf *b)
{
    const struct report_expert *e = &p->r->experts[column];
    buf_addf(b, "<tr%s><th scope=\"row\" class=\"wrap\">",
             column == p->r->reference ? " class=\"hi\"" : "");
    page_key(p, column, b);
    if (column == p->r->reference)
        buf_add_c(b, " <span class=\"soft\">(reference)</span>");
    if (!e->in_pool)
        buf_add_c(b, " <span class=\"soft\">(not in the pool)</span>");
    buf_add_c(b, "</th>");
    cell_percent(b, &e->accuracy);
    cell_usd(b, e->usd_per_1k);
    if (column >= p->r->expert_count) {
        buf_add_c(b, "<td>");
        markup_percent(b, e->escalation, 1);
        buf_add_c(b, "</td>");
    }
    cell_plain(b, e->auc);
    cell_plain(b, e->ece);
    buf_add_c(b, "<td>");
    markup_percent(b, share_at(p, column), 1);
    buf_add_c(b, "</td></tr>\n");
}

static void columns_table(const struct page *p, size_t from, size_t to, struct buf *b)
{
    bool plans = from >= p->r->expert_count;
    buf_add_c(b, "<div class=\"scroll\"><table><thead><tr>");
    head(b, "", plans ? "plan" : "expert");
    head(b, "", "accuracy, %");
    head(b, "", "USD per<br />1,000");
    if (plans)
        head(b, "", "asks its last<br />expert, %");
    head(b, "", "AUC");
    head(b, "", "ECE");
    head(b, "", "answers<br />there, %");
    buf_add_c(b, "</tr></thead><tbody>\n");
    for (size_t c = from; c < to; c++)
        column_row(p, c, b);
}

static void baseline_row(const char *name, const struct report_baseline *base, struct buf *b)
{
    buf_addf(b, "<tr><th scope=\"row\" class=\"wrap soft\">%s</th>", name);
    cell_percent(b, &base->accuracy);
    cell_usd(b, base->usd_per_1k);
    buf_add_c(b, "<td></td><td></td><td></td></tr>\n");
}

void page_columns(const struct page *p, struct buf *b)
{
    page_section(b, "experts", "Experts and plans, each alone",
                 "What always asking it would give. AUC is the chance that a right answer was "
                 "predicted above a wrong one; ECE the expected calibration error. The last column "
                 "is its share of the queries at the operating point of the domains above.");
    columns_table(p, 0, p->r->expert_count, b);
    baseline_row("a random expert for every query", &p->r->random_mix, b);
    baseline_row("oracle: the cheapest right expert", &p->r->oracle, b);
    buf_add_c(b, "</tbody></table></div>\n");
    if (p->r->columns > p->r->expert_count) {
        buf_add_c(b, "<h3>Plans</h3>\n");
        columns_table(p, p->r->expert_count, p->r->columns, b);
        buf_add_c(b, "</tbody></table></div>\n");
    }
    page_section_end(b);
}

/* Two models */

static void compare_matched(const struct report *r, struct buf *b)
{
    if (isnan(r->matched.value))
        buf_add_c(b, "<td class=\"soft\">never</td>");
    else
        cell_percent(b, &r->matched);
}

static void compare_head(const struct page *p, struct buf *b)
{
    buf_add_c(b, "<div class=\"scroll\"><table><thead><tr>");
    head(b, "", "at of the<br />reference’s cost, %");
    head(b, "", "USD per 1,000");
    buf_add_c(b, "<th scope=\"col\" class=\"wrap\">");
    markup_text(b, str_from(p->in->model));
    buf_add_c(b, ",<br />accuracy, %</th><th scope=\"col\" class=\"wrap\">");
    markup_text(b, str_from(p->in->compare_model));
    buf_add_c(b, ",<br />accuracy, %</th>");
    head(b, "", "second − first,<br />points");
    buf_add_c(b, "</tr></thead><tbody>\n");
}

/* The section from its head to its end: one row for each fraction, then the two rows that have another form. */
void page_compare(const struct page *p, struct buf *b)
{
    const struct report *r = p->r, *two = p->in->compare;
    if (!two)
        return;
    page_section(b, "compare", "Two models on the same queries",
                 "The error of the difference is that of paired draws: both models are measured on "
                 "the same ones.");
    compare_head(p, b);
    for (size_t i = 0; i < r->at_count; i++) {
        struct figure difference = report_difference(r, two, i);
        buf_addf(b, "<tr><th scope=\"row\">%.1f</th>", 100 * r->at[i].fraction);
        cell_usd(b, r->at[i].usd_per_1k);
        cell_percent(b, &r->at[i].accuracy);
        cell_percent(b, &two->at[i].accuracy);
        cell_points(b, &difference);
        buf_add_c(b, "</tr>\n");
    }
    struct report_curve_point ends[] = {report_curve_end(r), report_curve_end(two)};
    buf_add_c(b, "<tr><th scope=\"row\">at lambda 0</th><td></td>");
    for (size_t m = 0; m < 2; m++) {
        buf_add_c(b, "<td>");
        markup_percent(b, ends[m].accuracy, 1);
        buf_add_c(b, " for ");
        markup_usd(b, ends[m].usd_per_1k);
        buf_add_c(b, "</td>");
    }
    cell_points(b, &(struct figure){ends[1].accuracy - ends[0].accuracy, NAN});
    buf_add_c(b, "</tr>\n<tr><th scope=\"row\">reference matched at</th><td></td>");
    compare_matched(r, b);
    compare_matched(two, b);
    buf_add_c(b, "<td></td></tr>\n</tbody></table></div>\n");
    page_section_end(b);
}

/* Verified plans */

static void verified_row(const struct report_at *at, const struct verified_point *v, struct buf *b)
{
    buf_addf(b, "<tr><th scope=\"row\">%.4g %%</th>", 100 * at->fraction);
    cell_usd(b, at->usd_per_1k);
    cell_percent(b, &at->accuracy);
    buf_addf(b, "<td>%.2f</td><td>", v->calls);
    markup_percent(b, v->checked, 1);
    buf_add_c(b, "</td><td>");
    markup_percent(b, v->passed, 1);
    buf_add_c(b, "</td><td>");
    markup_percent(b, v->wrong, 2);
    buf_add_c(b, "</td></tr>\n");
}

static void verified_sentence(const struct report_verified *v, struct buf *b)
{
    buf_addf(b,
             "<p>The best single expert is right on %.2f %% at $%.4g a query. With the check that "
             "accuracy ",
             100 * v->accuracy, v->single_usd);
    if (isnan(v->usd))
        buf_add_c(b, "is never reached.</p>\n");
    else
        buf_addf(b, "is reached at $%.4g: <b>%.1f times cheaper</b>, by %.2f calls a query.</p>\n",
                 v->usd, v->single_usd / v->usd, v->matched.calls);
}

void page_verified(const struct page *p, struct buf *b)
{
    const struct report_verified *v = p->r->verified;
    if (!v)
        return;
    page_section(b, "verified", "Answers that are checked",
                 "Experts are asked one after another until a check passes an answer. Right and "
                 "wrong are what was recorded; the last column is the share of wrong answers among "
                 "those that the check has passed.");
    verified_sentence(v, b);
    buf_add_c(b, "<div class=\"scroll\"><table><thead><tr>");
    head(b, "", "of the<br />reference's cost");
    head(b, "", "USD per<br />1,000");
    head(b, "", "accuracy, %");
    head(b, "", "calls");
    head(b, "", "checked, %");
    head(b, "", "passed, %");
    head(b, "", "wrong of<br />them, %");
    buf_add_c(b, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < p->r->at_count; i++)
        if (!isnan(p->r->at[i].spent_usd_per_1k))
            verified_row(&p->r->at[i], &v->at[i], b);
    buf_add_c(b, "</tbody></table></div></section>\n");
}
