/* What a person would do with the report: the headline, the offers, the paper's claims.
 *
 * Pure functions from a report to HTML in a buffer, any thread. Every sentence gives a figure of the report with its
 * error; a claim holds or fails without a "just" only where its figure is two standard errors away from the bar. */
#include <math.h>

#include "eval/report_html_int.h"

#define HEADLINE_FRACTION (2.0 / 3.0) /* lead with the best promise that costs at most this */
#define ERROR_SHOWN       0.0005      /* smaller ones, and none, are not worth a sentence */
#define CLAIM_NEARLY      0.98        /* "nearly matches": at least this share of the accuracy */
#define CLAIM_OVER        0.05        /* "by over 5 %" */

static double reference_accuracy(const struct page *p)
{
    return page_reference(p)->accuracy.value;
}

static void add_reference(const struct page *p, struct buf *b)
{
    buf_add_c(b, "<span class=\"name\">");
    markup_text(b, page_reference(p)->name);
    buf_add_c(b, "</span>");
}

/* The promise to lead with; NULL: not even the smallest can be kept for less than the reference costs. */
static const struct report_keep *best_keep(const struct page *p)
{
    const struct report_keep *best = NULL;
    for (size_t i = REPORT_KEEPS; i-- > 0;) {
        const struct report_keep *k = &p->r->keeps[i];
        if (!(k->fraction.value < 1)) /* NaN: never */
            continue;
        if (k->fraction.value <= HEADLINE_FRACTION)
            return k;
        if (!best || k->fraction.value < best->fraction.value)
            best = k;
    }
    return best;
}

static void add_accuracies(const struct page *p, double accuracy, struct buf *b)
{
    markup_percent(b, accuracy, 1);
    buf_add_c(b, " against ");
    markup_percent(b, reference_accuracy(p), 1);
    buf_add_c(b, " %");
}

static void headline_keep(const struct page *p, const struct report_keep *k, struct buf *b)
{
    buf_add_c(b, "At <em>");
    markup_usd(b, k->usd_per_1k);
    buf_add_c(b, " per 1,000 queries</em> you ");
    if (k->share < 1) {
        buf_addf(b, "keep <em>%.0f %%</em> of ", 100 * k->share);
        add_reference(p, b);
        buf_add_c(b, "’s accuracy (");
        add_accuracies(p, k->accuracy, b);
        buf_add_c(b, ")");
    } else {
        buf_add_c(b, "match ");
        add_reference(p, b);
        buf_add_c(b, " (");
        markup_percent(b, reference_accuracy(p), 1);
        buf_add_c(b, " % right)");
    }
    buf_add_c(b, " at <em>");
    markup_percent(b, k->fraction.value, k->fraction.value < 0.1 ? 1 : 0);
    buf_add_c(b, " %</em> of its cost.");
}

static void headline_end(const struct page *p, struct buf *b)
{
    struct report_curve_point end = report_curve_end(p->r);
    buf_add_c(b, "At most, this model has ");
    add_accuracies(p, end.accuracy, b);
    buf_add_c(b, " of ");
    add_reference(p, b);
    buf_add_c(b, ", for <em>");
    markup_usd(b, end.usd_per_1k);
    buf_add_c(b, " per 1,000 queries</em> against ");
    markup_usd(b, page_reference(p)->usd_per_1k);
    buf_add_c(b, ".");
}

static void add_money_line(const struct page *p, const struct report_keep *k, struct buf *b)
{
    double saved = 1000 * (page_reference(p)->usd_per_1k - k->usd_per_1k);
    buf_add_c(b, "Always asking ");
    add_reference(p, b);
    buf_add_c(b, " costs ");
    markup_usd(b, page_reference(p)->usd_per_1k);
    buf_add_c(b, " per 1,000 queries");
    if (saved > 0) {
        buf_add_c(b, "; on a million queries that saves ");
        markup_usd(b, saved);
    }
    buf_add_c(b, ". ");
    if (k->fraction.error >= ERROR_SHOWN) {
        buf_add_c(b, "The share of its cost has a standard error of ");
        markup_percent(b, k->fraction.error, 1);
        buf_add_c(b, " points. ");
    }
}

static void add_end_line(const struct page *p, struct buf *b)
{
    struct report_curve_point end = report_curve_end(p->r);
    double reference = page_reference(p)->usd_per_1k;
    buf_add_c(b, "Where only quality counts, ");
    markup_percent(b, end.accuracy, 1);
    buf_add_c(b, " % are right for ");
    markup_usd(b, end.usd_per_1k);
    buf_add_c(b, " (");
    markup_points(b, end.accuracy - reference_accuracy(p), 1);
    buf_add_c(b, " points at ");
    markup_percent(b, reference > 0 ? end.usd_per_1k / reference : NAN, 0);
    buf_add_c(b, " % of the cost).");
}

void page_headline(const struct page *p, struct buf *b)
{
    const struct report_keep *k = best_keep(p);
    buf_add_c(b, "<h1>");
    if (k)
        headline_keep(p, k, b);
    else
        headline_end(p, b);
    buf_add_c(b, "</h1>\n");
    if (!k)
        return;
    buf_add_c(b, "<p class=\"lede\">");
    add_money_line(p, k, b);
    add_end_line(p, b);
    buf_add_c(b, "</p>\n");
}

/* Offers */

struct offer {
    double share; /* of the reference's accuracy that is promised; NaN: no promise */
    double usd_per_1k, accuracy, lambda, fraction, fraction_error;
};

static void offer_row(const struct page *p, const struct offer *o, bool highlight, struct buf *b)
{
    buf_addf(b, "<tr%s><th scope=\"row\" class=\"l\">", highlight ? " class=\"hi\"" : "");
    if (isnan(o->share))
        buf_add_c(b, "the best answers, whatever they cost");
    else if (o->share < 1)
        buf_addf(b, "keep %.0f %% of its accuracy", 100 * o->share);
    else
        buf_add_c(b, "match it");
    buf_add_c(b, "</th><td>");
    markup_percent(b, o->accuracy, 1);
    buf_add_c(b, "</td><td>");
    markup_percent(b, reference_accuracy(p) > 0 ? o->accuracy / reference_accuracy(p) : NAN, 1);
    buf_add_c(b, "</td><td>");
    markup_usd(b, o->usd_per_1k);
    buf_add_c(b, "</td><td>");
    markup_percent_se(b, &(struct figure){o->fraction, o->fraction_error}, 1);
    buf_add_c(b, "</td><td>");
    markup_lambda(b, o->lambda);
    buf_add_c(b, "</td></tr>\n");
}

static void never_row(double share, struct buf *b)
{
    buf_addf(b, "<tr><th scope=\"row\" class=\"l\">");
    if (share < 1)
        buf_addf(b, "keep %.0f %% of its accuracy", 100 * share);
    else
        buf_add_c(b, "match it");
    buf_add_c(b, "</th><td colspan=\"5\" class=\"soft\">not on these queries</td></tr>\n");
}

static void offers_table(const struct page *p, const struct report_keep *lead, struct buf *b)
{
    buf_add_c(b, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">to</th>"
                 "<th scope=\"col\">accuracy, %</th><th scope=\"col\">of the<br />reference, %</th>"
                 "<th scope=\"col\">USD per 1,000</th><th scope=\"col\">of the<br />reference’s "
                 "cost, %</th><th scope=\"col\">lambda</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < REPORT_KEEPS; i++) {
        const struct report_keep *k = &p->r->keeps[i];
        if (isnan(k->fraction.value)) {
            never_row(k->share, b);
            continue;
        }
        /* The next promise costs no more, so nobody would choose this one. */
        if (i + 1 < REPORT_KEEPS && p->r->keeps[i + 1].usd_per_1k <= k->usd_per_1k)
            continue;
        offer_row(p,
                  &(struct offer){k->share, k->usd_per_1k, k->accuracy, k->lambda,
                                  k->fraction.value, k->fraction.error},
                  k == lead, b);
    }
    struct report_curve_point end = report_curve_end(p->r);
    double reference = page_reference(p)->usd_per_1k;
    double fraction = reference > 0 ? end.usd_per_1k / reference : NAN;
    offer_row(p, &(struct offer){NAN, end.usd_per_1k, end.accuracy, 0, fraction, NAN}, !lead, b);
    buf_add_c(b, "</tbody></table></div>\n");
}

static void add_policy(const struct page *p, const struct report_keep *k, struct buf *b)
{
    double lambda = k ? k->lambda : 0;
    buf_add_c(b,
              "<p>In the gateway’s configuration, the highlighted line is either of these "
              "policies: the first fixes what a dollar must buy, the second holds the mean cost "
              "per 1,000 queries when traffic changes.</p>\n<pre>policies:\n  default: {lambda: ");
    markup_lambda(b, lambda);
    buf_addf(b, "}\n  steady:  {budget: %.4g}</pre>\n<p>Without a gateway:</p>\n<pre>leeroo route ",
             k ? k->usd_per_1k : report_curve_end(p->r).usd_per_1k);
    markup_text(b, str_from(p->in->model));
    buf_add_c(b, " queries.jsonl --lambda ");
    markup_lambda(b, lambda);
    buf_add_c(b, "</pre>\n");
}

void page_offers(const struct page *p, struct buf *b)
{
    const struct report_keep *lead = best_keep(p);
    page_section(
        b, "offers", "What you can have",
        "Each line is a policy of the same model, compared with always asking the "
        "reference. Lambda is what a dollar must buy: at 5, a call that costs one cent more "
        "is made where it is expected to be right 5 points more often.");
    offers_table(p, lead, b);
    add_policy(p, lead, b);
    page_section_end(b);
}

/* The paper's claims */

enum verdict { HOLDS, JUST_HOLDS, JUST_FAILS, PARTLY, FAILS, UNKNOWN };

static void add_verdict(struct buf *b, enum verdict v)
{
    static const char *const words[] = {
        "<span class=\"verdict good\">yes</span>",
        "<span class=\"verdict good\">yes</span>, within error",
        "<span class=\"verdict\">not quite</span>, within error",
        "<span class=\"verdict\">ahead, by less</span>",
        "<span class=\"verdict\">no</span>",
        "<span class=\"soft\">no policy is that cheap</span>",
    };
    buf_add_c(b, words[v]);
}

/* Whether a figure reaches a bar. */
static enum verdict judge(const struct figure *f, double bar)
{
    if (isnan(f->value))
        return UNKNOWN;
    double error = isnan(f->error) ? 0 : 2 * f->error;
    if (f->value >= bar)
        return f->value - error >= bar ? HOLDS : JUST_HOLDS;
    return f->value + error >= bar ? JUST_FAILS : FAILS;
}

static void claim_row(const struct page *p, enum report_claim which, const char *claim,
                      const char *cost, enum verdict v, struct buf *b)
{
    const struct report_at *at = &p->r->claims[which];
    buf_addf(b, "<tr><th scope=\"row\" class=\"l wrap\">%s</th><td>%s</td><td>", claim, cost);
    markup_usd(b, at->usd_per_1k);
    buf_add_c(b, "</td><td>");
    markup_percent_se(b, &at->accuracy, 1);
    buf_add_c(b, "</td><td>");
    markup_points_se(b, &at->difference, 1);
    buf_add_c(b, "</td><td>");
    markup_percent_se(b, &at->relative, 1);
    buf_add_c(b, "</td><td class=\"l\">");
    add_verdict(b, v);
    buf_add_c(b, "</td></tr>\n");
}

static void add_claims_text(const struct page *p, struct buf *b)
{
    buf_add_c(
        b, "<section id=\"claims\"><h2>The paper’s four claims, measured here</h2>\n"
           "<p class=\"how\">The Leeroo paper (arXiv 2401.13979) makes the first two for an open "
           "pool against Mixtral, the others for a pool that holds GPT-4. Here the reference "
           "is ");
    add_reference(p, b);
    buf_add_c(b,
              page_reference(p)->in_pool ? ", which is in the pool" : ", which is not in the pool");
    buf_addf(
        b,
        "; “nearly” is taken as at least %.0f %% of its accuracy, “within error” is within two "
        "standard errors of the other answer.</p>\n",
        100 * CLAIM_NEARLY);
}

void page_claims(const struct page *p, struct buf *b)
{
    const struct report_at *c = p->r->claims;
    enum verdict equal = judge(&c[CLAIM_EQUAL_COST].difference, CLAIM_OVER);
    if (equal >= JUST_FAILS && c[CLAIM_EQUAL_COST].difference.value > 0)
        equal = PARTLY;
    add_claims_text(p, b);
    buf_add_c(b, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">claim</th>"
                 "<th scope=\"col\">at of the<br />reference’s cost</th><th scope=\"col\">USD per "
                 "1,000</th><th scope=\"col\">accuracy, %</th><th scope=\"col\">difference,<br />"
                 "points</th><th scope=\"col\">of the<br />reference, %</th><th scope=\"col\" "
                 "class=\"l\">here</th></tr></thead><tbody>\n");
    claim_row(p, CLAIM_TWO_THIRDS, "on par with the reference at two thirds of its cost", "⅔",
              judge(&c[CLAIM_TWO_THIRDS].difference, 0), b);
    claim_row(p, CLAIM_EQUAL_COST, "over 5 points more than the reference at equal cost", "1",
              equal, b);
    claim_row(p, CLAIM_HALF, "nearly matches the reference at half its cost", "½",
              judge(&c[CLAIM_HALF].relative, CLAIM_NEARLY), b);
    claim_row(p, CLAIM_THREE_QUARTERS, "exceeds the reference at a quarter less cost", "¾",
              judge(&c[CLAIM_THREE_QUARTERS].difference, 0), b);
    buf_add_c(b, "</tbody></table></div>\n");
    page_section_end(b);
}
