/* Where the questions come from, and why others were not asked. */
#include <math.h>

#include "runpage/runpage_int.h"

#define EXAMPLE_MAX 160 /* characters of a dropped question that are shown */

static void write_sources(const struct provenance *p, struct buf *b)
{
    static const char *const titles[] = {"source",  "questions",     "asked",
                                         "answers", "mean score, %", NULL};
    runpage_table(b, NULL, titles);
    for (size_t i = 0; i < p->source_count; i++) {
        const struct provenance_source *s = &p->sources[i];
        if (s->questions == 0)
            continue;
        buf_add_c(b, "<tr><th scope=\"row\">");
        markup_text(b, s->name);
        buf_add_c(b, "</th>");
        runpage_cell_count(b, s->questions);
        runpage_cell_count(b, s->asked);
        runpage_cell_count(b, s->outcomes);
        runpage_cell_percent(b, s->scored ? s->score / (double)s->scored : NAN);
        buf_add_c(b, "</tr>\n");
    }
    runpage_table_end(b);
}

/* Made-up questions: how many were wanted of generators, and what came. */
static void write_made_up(const struct run_record *r, struct buf *b)
{
    size_t requests = 0, failed = 0, generated = 0, split = 0;
    for (size_t k = 0; k < r->round_count; k++) {
        requests += r->rounds[k].requests;
        failed += r->rounds[k].requests_failed;
        generated += r->rounds[k].generated;
        split += r->rounds[k].split;
    }
    if (requests == 0)
        return;
    buf_addf(
        b,
        "<p>Generators were asked %zu times; %zu of these requests, and of those for their own "
        "answers, failed. %zu valid questions came back, and %zu of them were put to cheap "
        "experts to see whether they tell experts apart.</p>\n",
        requests, failed, generated, split);
}

/* Dropped */

/* Sums over the rounds, by reason, the reasons in the order in which they are met. */
static size_t sum_drops(const struct run_record *r, struct round_drop sums[PROVENANCE_REASONS_MAX])
{
    size_t count = 0;
    for (size_t k = 0; k < r->round_count; k++)
        for (size_t i = 0; i < r->rounds[k].drop_count; i++) {
            const struct round_drop *drop = &r->rounds[k].drops[i];
            size_t at = 0;
            while (at < count && !str_equal(sums[at].reason, drop->reason))
                at++;
            if (at == PROVENANCE_REASONS_MAX)
                continue;
            if (at == count)
                sums[count++] = (struct round_drop){.reason = drop->reason};
            sums[at].count += drop->count;
        }
    return count;
}

static void write_example(const struct provenance *p, struct str reason, struct buf *b)
{
    buf_add_c(b, "<td class=\"l q\">");
    for (size_t i = 0; i < p->example_count; i++) {
        if (!str_equal(p->examples[i].reason, reason))
            continue;
        markup_cut(b, p->examples[i].text, EXAMPLE_MAX);
        if (p->examples[i].why.len > 0) {
            buf_add_c(b, " <span class=\"soft\">(");
            markup_cut(b, p->examples[i].why, EXAMPLE_MAX);
            buf_add_c(b, ")</span>");
        }
    }
    buf_add_c(b, "</td>");
}

static void write_drops(const struct run_record *r, struct buf *b)
{
    static const char *const titles[] = {"dropped, because", "questions", "<the first", NULL};
    struct round_drop sums[PROVENANCE_REASONS_MAX];
    size_t count = sum_drops(r, sums);
    if (count == 0) {
        buf_add_c(b, "<p>None was dropped.</p>\n");
        return;
    }
    runpage_table(b, NULL, titles);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(b, "<tr><th scope=\"row\" class=\"wrap\">");
        markup_text(b, sums[i].reason);
        buf_add_c(b, "</th>");
        runpage_cell_count(b, sums[i].count);
        write_example(&r->provenance, sums[i].reason, b);
        buf_add_c(b, "</tr>\n");
    }
    runpage_table_end(b);
}

void runpage_questions(const struct run_record *r, struct buf *b)
{
    page_section(b, "questions", "The questions",
                 "Where they come from. What was dropped, and each reason, stands in "
                 "<code>dropped.jsonl</code>.");
    write_sources(&r->provenance, b);
    write_made_up(r, b);
    write_drops(r, b);
    page_section_end(b);
}
