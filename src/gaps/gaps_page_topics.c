/* Each topic: its figures in words, the words that tell it, the experts' scores in it, and questions that were missed.
 *
 * Pure functions, any thread. Questions, choices, answers, words and names come from data and are escaped; long ones
 * are cut, because the page is a brief, not the data set. */
#include <math.h>
#include <stdlib.h>

#include "gaps/gaps_page_int.h"

#define SUMMARY_MAX  140 /* characters of a question that is closed */
#define TEXT_MAX     3000
#define CHOICE_MAX   300
#define CHOICES_MAX  26
#define EXPERTS_OPEN 5 /* experts of a topic that are shown at once */
#define RIGHT_MAX    8 /* experts named that had a question right */

/* Figures */

static void add_asides(const struct gaps *g, const struct gaps_topic *t, struct buf *b)
{
    if (t->again.queries) {
        buf_add_c(b, " Measured again: ");
        markup_percent_se(b, &t->again.achieved, 1);
        buf_add_c(b, " % of ");
        markup_count(b, t->again.queries);
        buf_add_c(b, ".");
    }
    if (t->alone != GAPS_NOBODY) {
        buf_add_c(b, " <b>");
        markup_text(b, g->scores.pool.names[t->alone]);
        buf_add_c(b, "</b> stands alone here.");
    }
}

/* One piece: a sentence. */
static void add_sentence(const struct gaps *g, const struct gaps_topic *t, struct buf *b)
{
    buf_add_c(b, "<p>");
    markup_count(b, t->queries);
    buf_add_c(b, t->recorded ? " questions; on " : " questions; expected: on ");
    markup_percent_se(b, &t->achieved, 1);
    buf_add_c(b, " % of them the model’s choice is right");
    if (isfinite(t->below.value)) {
        buf_add_c(b, ", ");
        markup_percent_se(b, &(struct figure){fabs(t->below.value), t->below.error}, 1);
        buf_add_c(b, t->below.value >= 0 ? " points less than on all others"
                                         : " points more than on all others");
    }
    buf_add_c(b, ". A new expert adds <b>");
    gaps_page_number(b, t->adds.value);
    buf_add_c(b, "</b> right answers per 1,000 questions");
    if (t->compared) {
        buf_add_c(b, ": ");
        gaps_page_number(b, t->routing);
        buf_add_c(b, " that choosing better may get, ");
        gaps_page_number(b, t->nobody);
        buf_add_c(b, " that nobody has");
    }
    buf_add_c(b, ".");
    add_asides(g, t, b);
    buf_add_c(b, "</p>\n");
}

static void add_words(const char *what, const struct str *words, size_t count, struct buf *b)
{
    if (!count)
        return;
    buf_addf(b, "<p class=\"facts\">%s</p><ul class=\"chips\">", what);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(b, "<li>");
        markup_text(b, words[i]);
        buf_add_c(b, "</li>");
    }
    buf_add_c(b, "</ul>\n");
}

/* Experts */

struct ranked {
    size_t expert;
    double score;
};

static int by_score(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->score > y->score || x->score < y->score)
        return x->score > y->score ? -1 : 1;
    return (x->expert > y->expert) - (x->expert < y->expert);
}

static void expert_row(const struct gaps *g, const struct gaps_expert *x, size_t expert,
                       struct buf *b)
{
    buf_add_c(b, "<tr><th scope=\"row\" class=\"name\">");
    markup_text(b, g->scores.pool.names[expert]);
    buf_addf(b,
             "</th><td><span class=\"bar\" aria-hidden=\"true\"><i class=\"b0\" "
             "style=\"width:%.1f%%\"></i></span></td><td>",
             100 * x->score);
    markup_percent(b, x->score, 1);
    buf_add_c(b, "</td><td>");
    if (x->recorded)
        markup_count(b, x->recorded);
    else
        buf_add_c(b, "<span class=\"soft\">estimated</span>");
    buf_add_c(b, "</td><td>");
    markup_count(b, x->chosen);
    buf_add_c(b, "</td></tr>\n");
}

static void experts_table(const struct gaps *g, const struct gaps_topic *t,
                          const struct ranked *order, size_t count, struct buf *b)
{
    buf_add_c(
        b, "<div class=\"scroll score\"><table><thead><tr><th scope=\"col\">expert</th><th "
           "scope=\"col\"></th><th scope=\"col\">score, %</th><th scope=\"col\">recorded</th><th "
           "scope=\"col\">chosen</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < count; i++)
        expert_row(g, &t->experts[order[i].expert], order[i].expert, b);
    buf_add_c(b, "</tbody></table></div>\n");
}

static void add_experts(const struct gaps *g, const struct gaps_topic *t, struct buf *b)
{
    struct ranked order[MODEL_EXPERTS_MAX];
    size_t count = g->scores.pool.count, open = count < EXPERTS_OPEN ? count : EXPERTS_OPEN;
    for (size_t e = 0; e < count; e++)
        order[e] = (struct ranked){e, t->experts[e].score};
    qsort(order, count, sizeof(*order), by_score);
    experts_table(g, t, order, open, b);
    if (open == count)
        return;
    buf_addf(b, "<details><summary>%zu more expert%s</summary>\n", count - open,
             count - open == 1 ? "" : "s");
    experts_table(g, t, order + open, count - open, b);
    buf_add_c(b, "</details>\n");
}

/* Questions */

static void add_question(const struct query *q, struct buf *b)
{
    buf_add_c(b, "<p>");
    markup_cut(b, q->text, TEXT_MAX);
    buf_add_c(b, "</p>\n");
    if (q->choice_count) {
        buf_add_c(b, "<ol type=\"A\">");
        for (uint32_t i = 0; i < q->choice_count && i < CHOICES_MAX; i++) {
            buf_add_c(b, "<li>");
            markup_cut(b, q->choices[i], CHOICE_MAX);
            buf_add_c(b, "</li>");
        }
        buf_add_c(b, "</ol>\n");
    }
    buf_add_c(b, "<p class=\"facts\">");
    markup_cut(b, q->id, GAPS_PAGE_NAME);
    if (q->answer.len > 0) {
        buf_add_c(b, " · right: <b>");
        markup_cut(b, q->answer, CHOICE_MAX);
        buf_add_c(b, "</b>");
    }
}

/* Who had it right, of how many. */
static void add_right(const struct score_set *s, size_t q, struct buf *b)
{
    size_t asked = 0, right = 0;
    for (size_t e = 0; e < s->pool.count; e++) {
        const struct outcome *o = score_outcome(s, q, e);
        asked += o != NULL;
        if (!o || o->score < 0.5f)
            continue;
        buf_add_c(b, right == 0 ? " · had it right: " : right < RIGHT_MAX ? ", " : "");
        if (right++ < RIGHT_MAX)
            markup_text(b, s->pool.names[e]);
    }
    if (right > RIGHT_MAX)
        buf_addf(b, " and %zu more", right - RIGHT_MAX);
    if (asked && !right)
        buf_addf(b, " · nobody of %zu had it right", asked);
}

static void add_example(const struct gaps *g, size_t q, struct buf *b)
{
    const struct query *query = &g->scores.d->queries[q];
    const struct score_query *x = &g->scores.queries[q];
    buf_add_c(b, "<details class=\"ask\"><summary>");
    markup_cut(b, query->text, SUMMARY_MAX);
    buf_add_c(b, "</summary>\n");
    add_question(query, b);
    buf_add_c(b, " · chosen: ");
    markup_text(b, g->scores.pool.names[x->expert]);
    buf_add_c(b, ", expected ");
    markup_percent(b, (double)x->expected, 0);
    buf_add_c(b, " %");
    if (x->recorded) {
        buf_add_c(b, ", scored ");
        markup_percent(b, (double)x->achieved, 0);
        buf_add_c(b, " %");
    }
    add_right(&g->scores, q, b);
    buf_add_c(b, "</p></details>\n");
}

static void add_topic(const struct gaps *g, size_t rank, struct buf *b)
{
    const struct gaps_topic *t = &g->topics[rank];
    buf_addf(b, "<article class=\"topic\"><h3><span class=\"rank\">%zu.</span>", rank + 1);
    gaps_page_name(b, t, GAPS_PAGE_NAME);
    buf_add_c(b, "</h3>\n");
    add_sentence(g, t, b);
    add_words("Words that tell it from all other questions", t->words, t->word_count, b);
    add_words("Words that tell its missed questions from its others", t->missed_words,
              t->missed_word_count, b);
    add_experts(g, t, b);
    if (t->example_count)
        buf_addf(
            b,
            "<p class=\"facts\" style=\"margin-top:12px\">Typical questions that %s missed</p>\n",
            t->recorded ? "were" : "are expected to be");
    for (size_t i = 0; i < t->example_count; i++)
        add_example(g, t->examples[i], b);
    buf_add_c(b, "</article>\n");
}

void gaps_page_topics(const struct gaps_page *p, struct buf *b)
{
    if (gaps_page_shown(p) == 0)
        return;
    page_section(
        b, "topics", "The topics",
        "The brief for each: what it is about, who does how well, and which questions were "
        "missed.");
    for (size_t t = 0; t < gaps_page_shown(p); t++)
        add_topic(p->gaps, t, b);
    page_section_end(b);
}
