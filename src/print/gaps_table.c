/* The gaps as a table: a row a topic, its words and typical questions below it. Names stand last in a row, because they
 * may be of any length.
 *
 * Reads what src/gaps found and finds nothing by itself. One thread. Texts from data are made printable here, so that
 * no question can steer a terminal. */
#include <math.h>
#include <stdio.h>

#include "base/screen.h"
#include "print/gaps_table.h"
#include "print/printable.h"

#define CELL_BYTES 48
#define NAME_WORDS 4

/* Texts */

static void add_words(struct buf *b, const char *before, const struct str *words, size_t count)
{
    if (!count)
        return;
    buf_addf(b, "%*s%s", 12, "", before);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(b, i ? ", " : "");
        printable_add(b, words[i]);
    }
    buf_add_char(b, '\n');
}

static void add_name(struct buf *b, const struct gaps_topic *t)
{
    struct buf name;
    buf_init(&name, GAPS_TABLE_BYTES);
    gaps_topic_name(t, NAME_WORDS, &name);
    printable_add(b, buf_str(&name));
    buf_done(&name);
}

/* Cells; "±" is two bytes but one column. */

static void add_cell(struct buf *b, double value, double error, int width)
{
    char text[CELL_BYTES];
    if (isnan(value))
        snprintf(text, sizeof(text), "-");
    else if (isnan(error))
        snprintf(text, sizeof(text), "%.1f", value);
    else
        snprintf(text, sizeof(text), "%.1f ±%.1f", value, error);
    buf_addf(b, "%*s", width + (!isnan(value) && !isnan(error)), text);
}

static void add_figure(struct buf *b, const struct figure *f, double scale, int width)
{
    add_cell(b, f->value * scale, f->error * scale, width);
}

/* Topics */

static void write_heading(const struct gaps *g, struct buf *b)
{
    const struct gaps_topic *all = &g->all;
    buf_addf(b, "%zu question%s; the model's choice, whatever it costs, ", all->queries,
             all->queries == 1 ? "" : "s");
    if (all->recorded)
        buf_addf(b, "is right on %.1f %%", 100 * all->achieved.value);
    else
        buf_addf(b, "is expected to be right on %.1f %%", 100 * all->achieved.value);
    buf_addf(b, ".\nA new expert that is right on %g %% would add %.1f answers per 1,000",
             100 * g->level, all->adds.value);
    if (all->compared)
        buf_addf(b,
                 ": %.1f that another expert here has\n(choosing better may get them), %.1f that "
                 "nobody has.\n\n",
                 all->routing, all->nobody);
    else
        buf_add_c(b, ".\n\n");
    buf_addf(b, "%14s%10s%10s%14s%s%10s  %s\n", "adds/1,000", "routing", "nobody", "achieved, %",
             g->again.queries ? "     again, %" : "", "questions", "topic");
}

static void write_topic(const struct gaps *g, const struct gaps_topic *t, struct buf *b)
{
    add_figure(b, &t->adds, 1, 14);
    add_cell(b, t->routing, NAN, 10);
    add_cell(b, t->nobody, NAN, 10);
    add_figure(b, &t->achieved, 100, 14);
    if (g->again.queries)
        add_figure(b, &t->again.achieved, 100, 13);
    buf_addf(b, "%10zu  ", t->queries);
    add_name(b, t);
    buf_add_char(b, '\n');
    if (t->whole)
        add_words(b, "words: ", t->words, t->word_count);
    add_words(b, "missed more: ", t->missed_words, t->missed_word_count);
    for (size_t i = 0; i < t->example_count; i++) {
        buf_addf(b, "%*s- ", 12, "");
        printable_add(b, g->scores.d->queries[t->examples[i]].text);
        buf_add_char(b, '\n');
    }
}

static void write_topics(const struct gaps *g, size_t most, struct buf *b)
{
    size_t shown = 0;
    for (; shown < g->topic_count && shown < most; shown++)
        if (g->topics[shown].few || !(g->topics[shown].adds.value > 0))
            break;
        else
            write_topic(g, &g->topics[shown], b);
    if (shown == 0)
        buf_addf(b, "  no topic lacks anything at level %g\n", g->level);
    else if (shown < g->topic_count)
        buf_addf(b, "  and %zu topic%s more\n", g->topic_count - shown,
                 g->topic_count - shown == 1 ? "" : "s");
}

/* Who stands alone */

static void write_alone(const struct gaps *g, size_t most, struct buf *b)
{
    if (!g->alone_count)
        return;
    buf_addf(b,
             "\nWhere one expert stands alone: what is lost per 1,000 when it "
             "goes.\n%14s%9s%9s%10s  %s\n",
             "lost/1,000", "its, %", "next, %", "questions", "expert, topic");
    for (size_t i = 0; i < g->alone_count && i < most; i++) {
        const struct gaps_topic *t = &g->topics[g->alone[i]];
        add_figure(b, &t->experts[t->alone].loss, 1, 14);
        add_cell(b, 100 * t->experts[t->alone].score, NAN, 9);
        add_cell(b, 100 * t->experts[t->second].score, NAN, 9);
        buf_addf(b, "%10zu  ", t->queries);
        printable_add(b, g->scores.pool.names[t->alone]);
        buf_add_c(b, ", ");
        add_name(b, t);
        buf_add_char(b, '\n');
    }
}

enum status gaps_print(const struct gaps *g, size_t most, FILE *to, struct error *err)
{
    struct buf b;
    buf_init(&b, GAPS_TABLE_BYTES);
    write_heading(g, &b);
    write_topics(g, most, &b);
    write_alone(g, most, &b);
    return screen_print(to, &b, err);
}

void gaps_print_notes(const struct gaps *g, const char *model, const char *dataset,
                      const char *again, FILE *to)
{
    const struct score_set *s = &g->scores;
    if (s->trained_on)
        fprintf(
            to,
            "leeroo gaps: note: %s was trained on %zu of %zu questions and remembers them; %s\n",
            model, s->trained_on, s->d->query_count,
            s->seen ? "there, whoever is best on the rest of the topic is taken for its choice"
                    : "its estimates of them are too sure");
    if (!s->recorded)
        fprintf(to,
                "leeroo gaps: note: %s has no outcomes of the experts chosen: all figures are the "
                "model's estimates\n",
                dataset);
    if (g->again_known)
        fprintf(
            to,
            "leeroo gaps: warning: %zu of %zu questions of %s are in %s, too: the topics are not "
            "measured again on them\n",
            g->again_known, g->again.queries, again, dataset);
    if (g->again_unplaced)
        fprintf(to, "leeroo gaps: note: %zu of %zu questions of %s are of none of the domains\n",
                g->again_unplaced, g->again.queries, again);
}
