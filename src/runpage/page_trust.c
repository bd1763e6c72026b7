/* How answers were scored, and whether the judges are believed: one column a judge, its floors beside it.
 *
 * Pure functions from a run to HTML in a buffer, any thread. The figures are those of the last round that had judges,
 * because a judge's tests add up over the rounds. */
#include <math.h>
#include <stddef.h>

#include "judge/trust.h"
#include "runpage/runpage_int.h"

#define METHODS_MAX 32

/* Methods */

struct method {
    struct str name;
    size_t count;
    double confidence; /* sum */
};

/* By their names, in the order in which they are met; one too many counts as the last. */
static size_t find_methods(const struct dataset *d, struct method methods[METHODS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < d->query_count * d->expert_count; i++) {
        const struct outcome *o = &d->outcomes[i];
        size_t m = 0;
        if (!o->known)
            continue;
        while (m < count && !str_equal(methods[m].name, o->method))
            m++;
        if (m == METHODS_MAX)
            m--;
        if (m == count)
            methods[count++] = (struct method){.name = o->method};
        methods[m].count++;
        methods[m].confidence += (double)outcome_confidence(o);
    }
    return count;
}

static void write_methods(const struct run_record *r, struct buf *b)
{
    static const char *const titles[] = {"scored by", "answers", "confidence, %", NULL};
    struct method methods[METHODS_MAX];
    size_t count = find_methods(r->data, methods);
    if (count == 0)
        return;
    runpage_table(b, NULL, titles);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(b, "<tr><th scope=\"row\">");
        markup_text(b, methods[i].name.len ? methods[i].name : STR("(not said)"));
        buf_add_c(b, "</th>");
        runpage_cell_count(b, methods[i].count);
        runpage_cell_percent(b, methods[i].confidence / (double)methods[i].count);
        buf_add_c(b, "</tr>\n");
    }
    runpage_table_end(b);
}

/* Judges */

static const struct round_file *last_judged(const struct run_record *r)
{
    for (size_t k = r->round_count; k > 0; k--)
        if (r->rounds[k - 1].judge_count > 0)
            return &r->rounds[k - 1];
    return NULL;
}

static void write_verdict(const struct round_judge *j, struct buf *b)
{
    buf_add_c(b, "<p><b>");
    markup_text(b, j->name);
    if (j->trusted) {
        buf_add_c(b,
                  "</b> <span class=\"verdict ok\">is trusted</span>: it passed its tests.</p>\n");
        return;
    }
    buf_add_c(b, "</b> <span class=\"verdict bad\">is refused</span>, its scores are not used: ");
    markup_text(b, j->reason);
    buf_add_c(b, ".</p>\n");
}

/* A row of the table: what, the floor, and a cell for each judge. */
static void begin_row(struct buf *b, const char *what, double floor, const char *relation)
{
    buf_addf(b, "<tr><th scope=\"row\" class=\"wrap\">%s</th><td class=\"soft\">", what);
    if (!isnan(floor)) {
        buf_add_c(b, relation);
        markup_percent(b, floor, 0);
    }
    buf_add_c(b, "</td>");
}

static void share_row(const struct round_file *f, const char *what, size_t offset, double floor,
                      struct buf *b)
{
    begin_row(b, what, floor, "≤ ");
    for (size_t i = 0; i < f->judge_count; i++)
        runpage_cell_percent(b,
                             *(const double *)(const void *)((const char *)&f->judges[i] + offset));
    buf_add_c(b, "</tr>\n");
}

static void bias_row(const struct round_file *f, const char *what, size_t offset, struct buf *b)
{
    begin_row(b, what, NAN, "");
    for (size_t i = 0; i < f->judge_count; i++)
        runpage_cell_points(b,
                            *(const double *)(const void *)((const char *)&f->judges[i] + offset));
    buf_add_c(b, "</tr>\n");
}

static void count_row(const struct round_file *f, const char *what, size_t offset, struct buf *b)
{
    begin_row(b, what, NAN, "");
    for (size_t i = 0; i < f->judge_count; i++)
        runpage_cell_count(b,
                           *(const size_t *)(const void *)((const char *)&f->judges[i] + offset));
    buf_add_c(b, "</tr>\n");
}

/* A row for each kind of canary that the first judge has; judges have the same. */
static void canary_rows(const struct round_file *f, struct buf *b)
{
    for (size_t k = 0; k < f->judges[0].kind_count; k++) {
        buf_add_c(b, "<tr><th scope=\"row\" class=\"wrap\">won by canaries: ");
        markup_text(b, f->judges[0].kinds[k].name);
        buf_add_c(b, "</th><td class=\"soft\">≤ ");
        markup_percent(b, TRUST_KIND_SHARE_MAX, 0);
        buf_add_c(b, "</td>");
        for (size_t i = 0; i < f->judge_count; i++)
            runpage_cell_percent(b, k < f->judges[i].kind_count ? f->judges[i].kinds[k].won : NAN);
        buf_add_c(b, "</tr>\n");
    }
}

static void agreement_row(const struct round_file *f, struct buf *b)
{
    begin_row(b, "agrees with references (95 % interval)", TRUST_AGREEMENT_MIN, "≥ ");
    for (size_t i = 0; i < f->judge_count; i++) {
        const struct round_judge *j = &f->judges[i];
        buf_add_c(b, "<td>");
        markup_percent(b, j->agreement, 1);
        if (!isnan(j->agreement_low) && !isnan(j->agreement_high)) {
            buf_add_c(b, "<span class=\"se\"> (");
            markup_percent(b, j->agreement_low, 0);
            buf_add_c(b, " to ");
            markup_percent(b, j->agreement_high, 0);
            buf_add_c(b, ")</span>");
        }
        buf_add_c(b, "</td>");
    }
    buf_add_c(b, "</tr>\n");
}

/* One piece: the rows in the order in which they are read. */
static void write_judges(const struct round_file *f, struct buf *b)
{
    for (size_t i = 0; i < f->judge_count; i++)
        write_verdict(&f->judges[i], b);
    buf_add_c(b, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">in %</th><th "
                 "scope=\"col\">floor</th>");
    for (size_t i = 0; i < f->judge_count; i++) {
        buf_add_c(b, "<th scope=\"col\">");
        markup_text(b, f->judges[i].name);
        buf_add_c(b, "</th>");
    }
    buf_add_c(b, "</tr></thead>\n<tbody>\n");
    count_row(f, "canaries, number", offsetof(struct round_judge, canaries), b);
    share_row(f, "won by canaries", offsetof(struct round_judge, canary_share),
              TRUST_CANARY_SHARE_MAX, b);
    canary_rows(f, b);
    count_row(f, "known pairs, number", offsetof(struct round_judge, pairs), b);
    agreement_row(f, b);
    share_row(f, "turns with the order", offsetof(struct round_judge, inconsistent),
              TRUST_INCONSISTENT_MAX, b);
    share_row(f, "replies without a verdict", offsetof(struct round_judge, unreadable),
              TRUST_UNREADABLE_MAX, b);
    bias_row(f, "bias to the first answer", offsetof(struct round_judge, position_bias), b);
    bias_row(f, "bias to the longer answer", offsetof(struct round_judge, length_bias), b);
    bias_row(f, "favour to its own family", offsetof(struct round_judge, family_favour), b);
    runpage_table_end(b);
}

/* Distance from references */

static void write_gaps(const char *caption, const struct round_gap *gaps, size_t count,
                       struct buf *b)
{
    static const char *const titles[] = {"answers of", "answers", "as the reference, %",
                                         "too kind by", NULL};
    if (count == 0)
        return;
    runpage_table(b, caption, titles);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(b, gaps[i].expert.ptr ? "<tr><th scope=\"row\" class=\"name\">"
                                        : "<tr class=\"hi\"><th scope=\"row\">");
        markup_text(b, gaps[i].expert.ptr ? gaps[i].expert : STR("all"));
        buf_add_c(b, "</th>");
        runpage_cell_count(b, gaps[i].count);
        runpage_cell_percent(b, gaps[i].agreement);
        runpage_cell_points(b, gaps[i].bias);
        buf_add_c(b, "</tr>\n");
    }
    runpage_table_end(b);
}

void runpage_trust(const struct run_record *r, struct buf *b)
{
    const struct round_file *last = run_record_last(r), *judged = last_judged(r);
    page_section(b, "trust", "Whether to believe the scores",
                 judged ? "A judge must earn its trust: canaries are answers that must lose, known "
                          "pairs have a right and a wrong answer, and each pair is put in both "
                          "orders. Below a floor its scores are refused."
                        : "No judge was asked: answers were scored as the table says.");
    write_methods(r, b);
    if (judged)
        write_judges(judged, b);
    write_gaps("Where a reference is known beside a judge’s score", last->judge_gaps,
               last->judge_gap_count, b);
    write_gaps("Where a reference is known beside the consensus", last->consensus_gaps,
               last->consensus_gap_count, b);
    if (last->commands_refused > 0)
        buf_addf(b,
                 "<p>%zu answers are scored by commands, which were not run: <code>--allow-commands"
                 "</code> lets them.</p>\n",
                 last->commands_refused);
    if (last->checks_broken > 0)
        buf_addf(b, "<p>%zu answers could not be checked.</p>\n", last->checks_broken);
    page_section_end(b);
}
