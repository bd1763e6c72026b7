/* Where the money went: stacked bars, a round each, by expert and by purpose, and the sums in a table.
 *
 * Pure functions from a run to SVG and HTML in a buffer, any thread. Of a long run the rounds before the last thirty
 * are one bar, so that the page stays readable. */
#include <math.h>
#include <stdio.h>

#include "base/saturate.h"
#include "runpage/runpage_int.h"

#define PURPOSES 7
#define BAR_PX   18.0
#define ROW_PX   26.0
#define LABEL_PX 62.0
#define TAIL_PX  6.0 /* between a bar and the sum behind it */
#define FONT_PX  12.0
#define HEAD_PX  8.0
#define FOOT_PX  42.0

/* The first parts of the keys of calls, and what they are for. */
static const struct {
    struct str key;
    const char *title;
} purposes[PURPOSES] = {
    {STR_INIT("cell"), "answers"},         {STR_INIT("generate"), "making questions up"},
    {STR_INIT("repeat"), "checking them"}, {STR_INIT("teacher"), "teacher"},
    {STR_INIT("judge"), "judging"},        {STR_INIT("canary"), "testing judges"},
    {STR_INIT("other"), "other"},
};

struct bar { /* a round, or several */
    size_t first, last;
    double usd[RUNPAGE_SLOTS + 1]; /* by colour */
    double sum;
};

struct bars {
    struct bar rows[RUNPAGE_ROWS];
    size_t count;
    double most;
    bool used[RUNPAGE_SLOTS + 1];
};

static size_t purpose_index(struct str name)
{
    size_t i = 0;
    while (i + 1 < PURPOSES && !str_equal(purposes[i].key, name))
        i++;
    return i;
}

static size_t slot_of(const struct run_record *r, const struct round_spending *s, bool by_purpose)
{
    return by_purpose ? purpose_index(s->purpose) : runpage_slot(r, s->expert);
}

static struct bars add_up(const struct run_record *r, bool by_purpose)
{
    struct bars bars = {0};
    for (size_t k = 0; k < r->round_count; k++) {
        const struct round_file *f = &r->rounds[k];
        size_t from_end = r->round_count - k;
        if (bars.count == 0 || from_end < RUNPAGE_ROWS)
            bars.rows[bars.count++] = (struct bar){.first = f->round};
        struct bar *bar = &bars.rows[bars.count - 1];
        bar->last = f->round;
        for (size_t i = 0; i < f->spending_count; i++) {
            size_t slot = slot_of(r, &f->spending[i], by_purpose);
            bar->usd[slot] += RUNPAGE_USD(f->spending[i].cost_nano_usd);
            bar->sum += RUNPAGE_USD(f->spending[i].cost_nano_usd);
            bars.used[slot] = true;
        }
        bars.most = fmax(bars.most, bar->sum);
    }
    return bars;
}

/* Bars */

static void draw_label(const struct bar *bar, double y, struct buf *b)
{
    buf_addf(b, "<text class=\"tick\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", LABEL_PX - 8,
             y + 13);
    if (bar->first == bar->last)
        buf_addf(b, "round %zu", bar->last);
    else
        buf_addf(b, "%zu–%zu", bar->first, bar->last);
    buf_add_c(b, "</text>\n");
}

static void draw_bar(const struct bar *bar, const struct svg_scale *x, double y, struct buf *b)
{
    double usd = 0;
    for (size_t i = 0; i <= RUNPAGE_SLOTS; i++) {
        double from = svg_at(x, usd), to = svg_at(x, usd + bar->usd[i]);
        usd += bar->usd[i];
        if (bar->usd[i] > 0)
            buf_addf(
                b,
                "<rect class=\"b%zu sep\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
                i, from, y, to - from, BAR_PX);
    }
    buf_addf(b, "<text x=\"%.1f\" y=\"%.1f\">", svg_at(x, usd) + TAIL_PX, y + 13);
    markup_usd(b, usd);
    buf_add_c(b, "</text>\n");
}

/* What the sums behind the bars need, with as much behind them: small ones have many digits. */
static double tail_width(const struct bars *bars)
{
    struct buf text;
    double width = 0;
    buf_init(&text, 256);
    for (size_t i = 0; i < bars->count; i++) {
        buf_clear(&text);
        markup_usd(&text, bars->rows[i].sum);
        width = fmax(width, svg_text_width(buf_str(&text), FONT_PX));
    }
    buf_done(&text);
    return TAIL_PX + width + TAIL_PX;
}

static void draw(const struct bars *bars, const char *name, const struct page_size *s,
                 const char *title, struct buf *b)
{
    const double bottom = HEAD_PX + ROW_PX * (double)bars->count;
    const struct svg_frame f = {
        s->width, bottom + FOOT_PX, LABEL_PX, s->width - tail_width(bars), HEAD_PX, bottom};
    const struct svg_scale x = {0, bars->most > 0 ? bars->most : 1, f.left, f.right, false};
    char id[40];
    snprintf(id, sizeof(id), "%s-%s", name, s->css);
    svg_open(b, id, s->css, s->width, f.height, title,
             "A bar for each round, as long as what it cost. The table below has the sums.");
    svg_axis_cost(b, &f, &x, s->narrow ? 4 : 8, "USD");
    for (size_t i = 0; i < bars->count; i++) {
        double y = HEAD_PX + ROW_PX * (double)i + (ROW_PX - BAR_PX) / 2;
        draw_label(&bars->rows[i], y, b);
        draw_bar(&bars->rows[i], &x, y, b);
    }
    svg_close(b);
}

static void write_key(size_t slot, struct str name, struct buf *b)
{
    buf_addf(b, "<li><span class=\"key\"><i class=\"sw b%zu\"></i>", slot);
    markup_text(b, name);
    buf_add_c(b, "</span></li>\n");
}

static void write_keys(const struct run_record *r, const struct bars *bars, bool by_purpose,
                       struct buf *b)
{
    const struct round_file *last = run_record_last(r);
    buf_add_c(b, "<ul class=\"legend\">\n");
    for (size_t i = 0; i <= RUNPAGE_SLOTS; i++) {
        if (!bars->used[i])
            continue;
        if (by_purpose)
            write_key(i, str_from(purposes[i].title), b);
        else
            write_key(i, i < RUNPAGE_SLOTS ? last->experts[i].name : STR("all others"), b);
    }
    buf_add_c(b, "</ul>\n");
}

static void write_figure(const struct run_record *r, bool by_purpose, struct buf *b)
{
    static const struct page_size sizes[] = {{"wide", 960, 0, false}, {"narrow", 420, 0, true}};
    const struct bars bars = add_up(r, by_purpose);
    size_t used = 0;
    for (size_t i = 0; i <= RUNPAGE_SLOTS; i++)
        used += bars.used[i];
    if (used < (by_purpose ? 2 : 1))
        return; /* one purpose is no picture */
    buf_addf(b, "<h3>%s</h3>\n<figure>", by_purpose ? "By purpose" : "By expert");
    for (size_t i = 0; i < 2; i++)
        draw(&bars, by_purpose ? "purposes" : "spending", &sizes[i],
             by_purpose ? "What each round was for" : "Whom each round paid", b);
    write_keys(r, &bars, by_purpose, b);
    buf_add_c(b, "</figure>\n");
}

/* Sums */

struct sums {
    int64_t by_purpose[PURPOSES], all;
    size_t calls;
};

static void sum_of(const struct run_record *r, const struct str *expert, struct sums *ret)
{
    *ret = (struct sums){0};
    for (size_t k = 0; k < r->round_count; k++)
        for (size_t i = 0; i < r->rounds[k].spending_count; i++) {
            const struct round_spending *s = &r->rounds[k].spending[i];
            if (expert && !str_equal(*expert, s->expert))
                continue;
            int64_t *purpose = &ret->by_purpose[purpose_index(s->purpose)];
            *purpose = add_saturated(*purpose, s->cost_nano_usd);
            ret->all = add_saturated(ret->all, s->cost_nano_usd);
            ret->calls += s->calls;
        }
}

/* Purposes have columns of their own where there are several: what all went for is the sum. */
static bool has_column(const struct sums *all, size_t purpose)
{
    return all->by_purpose[purpose] > 0 && all->by_purpose[purpose] != all->all;
}

/* One piece: a row is its cells. `slot` RUNPAGE_SLOTS + 1: of all. */
static void write_row(const struct sums *row, const struct sums *all, struct str name, size_t slot,
                      struct buf *b)
{
    if (slot > RUNPAGE_SLOTS)
        buf_add_c(b, "<tr class=\"hi\"><th scope=\"row\">");
    else
        buf_addf(b, "<tr><th scope=\"row\" class=\"name\"><i class=\"sw b%zu\"></i>", slot);
    markup_text(b, name);
    buf_add_c(b, "</th>");
    for (size_t i = 0; i < PURPOSES; i++)
        if (has_column(all, i))
            runpage_cell_usd(b, row->by_purpose[i]);
    runpage_cell_count(b, row->calls);
    runpage_cell_usd(b, row->all);
    buf_add_c(b, "<td>");
    markup_percent(b, all->all > 0 ? (double)row->all / (double)all->all : NAN, 1);
    buf_add_c(b, "</td></tr>\n");
}

static void write_table(const struct run_record *r, struct buf *b)
{
    const struct round_file *last = run_record_last(r);
    const char *titles[PURPOSES + 5] = {"expert"};
    size_t count = 1;
    struct sums all, row;
    sum_of(r, NULL, &all);
    for (size_t i = 0; i < PURPOSES; i++)
        if (has_column(&all, i))
            titles[count++] = purposes[i].title;
    titles[count++] = "calls";
    titles[count++] = "USD";
    titles[count++] = "share, %";
    runpage_table(b, NULL, titles);
    for (size_t e = 0; e < last->expert_count; e++) {
        sum_of(r, &last->experts[e].name, &row);
        write_row(&row, &all, last->experts[e].name, e < RUNPAGE_SLOTS ? e : RUNPAGE_SLOTS, b);
    }
    write_row(&all, &all, STR("all"), RUNPAGE_SLOTS + 1, b);
    runpage_table_end(b);
}

/* What the cap counts beyond what the answers cost. */
static void write_booked(const struct run_record *r, struct buf *b)
{
    const struct round_file *last = run_record_last(r);
    buf_add_c(b, "<p class=\"how\">");
    if (last->cap_nano_usd < INT64_MAX) {
        buf_add_c(b, "Of the cap of ");
        markup_usd(b, RUNPAGE_USD(last->cap_nano_usd));
        buf_add_c(b, ", ");
        markup_usd(b, RUNPAGE_USD(last->booked_nano_usd));
        buf_add_c(b, " are booked");
    } else {
        markup_usd(b, RUNPAGE_USD(last->booked_nano_usd));
        buf_add_c(b, " are booked, without a cap");
    }
    if (last->booked_nano_usd > last->spent_all_nano_usd) {
        buf_add_c(b, "; ");
        markup_usd(b, RUNPAGE_USD(last->booked_nano_usd - last->spent_all_nano_usd));
        buf_add_c(b, " of it for calls that were lost with a process, or came to nothing");
    }
    buf_add_c(b, ".</p>\n");
}

void runpage_money(const struct run_record *r, struct buf *b)
{
    page_section(b, "money", "Where the money went",
                 "A cell is one expert on one question: what its answer may change in decisions, "
                 "for its price, decides whether it is bought.");
    write_figure(r, false, b);
    write_figure(r, true, b);
    write_table(r, b);
    write_booked(r, b);
    page_section_end(b);
}
