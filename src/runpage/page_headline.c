/* What came of the run, in words: its area, what it is compared with, and whether its model is in force and why.
 *
 * Pure functions from a run to HTML in a buffer, any thread. A figure that is unknown is not spoken of, and one that is
 * known badly is said to be. */
#include <math.h>

#include "runpage/runpage_int.h"

#define ALIKE     1e-12 /* utility, a question */
#define FEW_ERROR 0.03  /* of the area: with more, rounds differ by chance */

/* The last round that was measured; NULL: none. */
static const struct round_file *last_measured(const struct run_record *r)
{
    for (size_t k = r->round_count; k > 0; k--)
        if (!isnan(r->rounds[k - 1].area))
            return &r->rounds[k - 1];
    return NULL;
}

/* The round whose model is in force; 0: none of this run's. */
static size_t in_force(const struct run_record *r)
{
    size_t round = 0;
    for (size_t k = 0; k < r->round_count; k++)
        if (str_equal(r->rounds[k].publication, STR("first")) ||
            str_equal(r->rounds[k].publication, STR("published")))
            round = r->rounds[k].round;
    return round;
}

static void add_points_over_mix(const struct round_file *m, struct buf *b)
{
    if (isnan(m->gain_mix))
        return;
    buf_add_c(b, ", ");
    markup_percent(b, fabs(m->gain_mix), 1);
    buf_add_c(b, m->gain_mix < 0 ? " points under the best mix of experts"
                                 : " points over the best mix of experts");
}

/* `leeroo collect` asks and scores, and that is all. */
static bool only_collects(const struct run_record *r)
{
    for (size_t k = 0; k < r->round_count; k++)
        if (!str_equal(r->rounds[k].publication, STR("no model")) || r->rounds[k].problem.ptr)
            return false;
    return true;
}

static void add_title(const struct run_record *r, struct buf *b)
{
    const struct round_file *last = run_record_last(r), *m = last_measured(r);
    buf_addf(b, "<h1>After %zu round%s and ", r->round_count, r->round_count == 1 ? "" : "s");
    markup_usd(b, RUNPAGE_USD(last->spent_all_nano_usd));
    if (only_collects(r)) {
        buf_add_c(b, ": <em>");
        markup_count(b, last->outcomes);
        buf_add_c(b, "</em> scored answers</h1>\n");
        return;
    }
    if (!m) {
        buf_add_c(b, " nothing could be measured yet</h1>\n");
        return;
    }
    buf_add_c(b, " the orchestrator’s area is <em>");
    markup_percent(b, m->area, 1);
    buf_add_c(b, "</em>");
    add_points_over_mix(m, b);
    buf_add_c(b, "</h1>\n");
}

static void add_confidence(const struct round_file *last, struct buf *b)
{
    if (isnan(last->confidence)) {
        buf_add_c(b, ", because nothing new was learnt");
        return;
    }
    buf_add_c(b, ": the confidence that the new model is better is ");
    markup_percent(b, last->confidence, 0);
    buf_add_c(b, " % on ");
    markup_count(b, last->compared);
    buf_add_c(b, " questions, where ");
    markup_percent(b, last->confidence_min, 0);
    buf_add_c(b, " % are asked for");
}

/* Two models that always choose the same are equally good, however different their estimates. */
static void add_alike(const struct round_file *last, struct buf *b)
{
    if (last->compared > 0 && fabs(last->gain_in_force) < ALIKE)
        buf_add_c(b, "At the policies in force both choose alike. ");
}

/* What there was before, on the same questions. */
static void add_prior(const struct round_file *m, struct buf *b)
{
    if (!m || isnan(m->area_prior))
        return;
    buf_add_c(b, "The prior, which nothing was paid for, has ");
    markup_percent(b, m->area_prior, 1);
    buf_add_c(b, " on the same questions. ");
}

/* Whether the last round's model is in force, and why. */
static void add_publication(const struct run_record *r, struct buf *b)
{
    const struct round_file *last = run_record_last(r);
    size_t round = in_force(r);
    if (last->problem.ptr) {
        buf_add_c(b, "There is no model of the last round: ");
        markup_text(b, last->problem);
        buf_add_c(b, ". ");
    } else if (str_equal(last->publication, STR("kept"))) {
        buf_add_c(b, "What was in force stays");
        add_confidence(last, b);
        buf_add_c(b, ". ");
    } else if (str_equal(last->publication, STR("uncompared"))) {
        buf_add_c(b, "What was in force stays: too few validation questions are answered to "
                     "say which is better. ");
    } else if (str_equal(last->publication, STR("first"))) {
        buf_add_c(b, "Its model is published, the first in force");
        add_confidence(last, b);
        buf_add_c(b, ". ");
    } else if (str_equal(last->publication, STR("published"))) {
        buf_add_c(b, "Its model has taken the place of the one in force");
        add_confidence(last, b);
        buf_add_c(b, ". ");
    } else {
        buf_add_c(b, "Nothing was to be learnt of them. ");
    }
    if (round > 0 && round != last->round)
        buf_addf(b, "In force is what round %zu has learnt. ", round);
}

static void add_warning(const struct round_file *m, struct buf *b)
{
    if (!m || isnan(m->area_error) || m->area_error < FEW_ERROR)
        return;
    buf_addf(b, "<p class=\"warn\"><b>The area is known to ±");
    markup_percent(b, m->area_error, 1);
    buf_add_c(b, " points only</b> (one standard error), because ");
    markup_count(b, m->validation);
    buf_add_c(b, " validation questions are answered by every expert. Rounds differ by as much "
                 "without any reason; more money makes them more.</p>\n");
}

void runpage_headline(const struct run_record *r, struct buf *b)
{
    const struct round_file *last = run_record_last(r), *m = last_measured(r);
    buf_add_c(b, "<header>");
    add_title(r, b);
    buf_add_c(b, "<p class=\"lede\">");
    add_publication(r, b);
    add_alike(last, b);
    add_prior(m, b);
    if (last->cap_reached)
        buf_add_c(b, "The cap is reached.");
    buf_add_c(b, "</p>\n<p class=\"facts\"><b>");
    markup_text(b, str_from(r->folder));
    buf_addf(b, "</b> · round %zu of %zu · ", last->round, last->rounds);
    markup_count(b, last->questions);
    buf_add_c(b, " questions · ");
    markup_count(b, last->outcomes);
    buf_add_c(b, " scored answers of ");
    markup_count(b, last->expert_count);
    buf_add_c(b, " experts · ");
    markup_count(b, m ? m->validation : 0);
    buf_add_c(b, " questions for validation</p></header>\n");
    add_warning(m, b);
}
