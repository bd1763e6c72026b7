/* The gaps as one JSON object, for programs. What is not known is null, never absent.
 *
 * Pure functions from what was found to bytes in a buffer, any thread. Members may be added; their names and units are
 * relied upon and must not change. */
#include <math.h>

#include "base/json.h"
#include "gaps/gaps.h"

static void more(struct buf *b, const char *name, double value)
{
    buf_addf(b, ", \"%s\": ", name);
    json_write_double(b, value); /* null for NaN */
}

static void figure(struct buf *b, const char *name, const struct figure *f)
{
    more(b, name, f->value);
    buf_addf(b, ", \"%s_se\": ", name);
    json_write_double(b, f->error);
}

static void named(struct buf *b, const char *name, const struct gaps *g, size_t expert)
{
    buf_addf(b, ", \"%s\": ", name);
    if (expert == GAPS_NOBODY)
        buf_add_c(b, "null");
    else
        json_write_string(b, g->scores.pool.names[expert]);
}

static void words(struct buf *b, const char *name, const struct str *list, size_t count)
{
    buf_addf(b, ", \"%s\": [", name);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(b, i ? ", " : "");
        json_write_string(b, list[i]);
    }
    buf_add_char(b, ']');
}

static void write_figures(const struct gaps_topic *t, struct buf *b)
{
    buf_addf(b, "\"queries\": %zu, \"recorded\": %zu, \"compared\": %zu", t->queries, t->recorded,
             t->compared);
    figure(b, "achieved", &t->achieved);
    figure(b, "below", &t->below);
    buf_addf(b, ", \"sure\": %s", t->sure ? "true" : "false");
    more(b, "measured", t->measured);
    more(b, "expected", t->expected);
    figure(b, "adds_per_1k", &t->adds);
    more(b, "routing_per_1k", t->routing);
    more(b, "nobody_per_1k", t->nobody);
}

static void write_experts(const struct gaps *g, const struct gaps_topic *t, struct buf *b)
{
    buf_add_c(b, ",\n   \"experts\": [");
    for (size_t e = 0; e < g->scores.pool.count; e++) {
        const struct gaps_expert *x = &t->experts[e];
        buf_add_c(b, e ? ",\n    {\"name\": " : "\n    {\"name\": ");
        json_write_string(b, g->scores.pool.names[e]);
        more(b, "score", x->score);
        more(b, "measured", x->measured);
        buf_addf(b, ", \"recorded\": %zu, \"chosen\": %zu", x->recorded, x->chosen);
        more(b, "expected", x->expected);
        figure(b, "loss_per_1k", &x->loss);
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
}

static void write_example(const struct gaps *g, size_t q, struct buf *b)
{
    const struct query *query = &g->scores.d->queries[q];
    const struct score_query *x = &g->scores.queries[q];
    buf_add_c(b, "{\"id\": ");
    json_write_string(b, query->id);
    buf_add_c(b, ", \"text\": ");
    json_write_string(b, query->prompt);
    named(b, "expert", g, x->expert);
    more(b, "expected", (double)x->expected);
    more(b, "achieved", (double)x->achieved);
    more(b, "best", (double)x->best);
    buf_addf(b, ", \"recorded\": %s}", x->recorded ? "true" : "false");
}

static void write_again(const struct gaps_again *again, struct buf *b)
{
    if (!again->queries) {
        buf_add_c(b, "null");
        return;
    }
    buf_addf(b, "{\"queries\": %zu", again->queries);
    figure(b, "achieved", &again->achieved);
    figure(b, "difference", &again->difference);
    buf_add_char(b, '}');
}

static void write_topic(const struct gaps *g, const struct gaps_topic *t, struct buf *b)
{
    buf_add_c(b, "\n  {\"domain\": ");
    if (t->domain.len > 0)
        json_write_string(b, t->domain);
    else
        buf_add_c(b, "null");
    buf_addf(b, ", \"whole_domain\": %s, \"few\": %s", t->whole ? "true" : "false",
             t->few ? "true" : "false");
    words(b, "words", t->words, t->word_count);
    words(b, "missed_words", t->missed_words, t->missed_word_count);
    buf_add_c(b, ",\n   ");
    write_figures(t, b);
    named(b, "best", g, t->best);
    named(b, "second", g, t->second);
    named(b, "stands_alone", g, t->alone);
    buf_add_c(b, ",\n   \"again\": ");
    write_again(&t->again, b);
    write_experts(g, t, b);
    buf_add_c(b, ",\n   \"examples\": [");
    for (size_t i = 0; i < t->example_count; i++) {
        buf_add_c(b, i ? ",\n    " : "\n    ");
        write_example(g, t->examples[i], b);
    }
    buf_add_c(b, "]}");
}

static void write_alone(const struct gaps *g, struct buf *b)
{
    buf_add_c(b, "\"stands_alone\": [");
    for (size_t i = 0; i < g->alone_count; i++) {
        const struct gaps_topic *t = &g->topics[g->alone[i]];
        buf_addf(b, "%s{\"topic\": %u", i ? ",\n  " : "\n  ", (unsigned)g->alone[i]);
        buf_add_c(b, ", \"domain\": ");
        if (t->domain.len > 0)
            json_write_string(b, t->domain);
        else
            buf_add_c(b, "null");
        words(b, "words", t->words, t->word_count);
        named(b, "expert", g, t->alone);
        figure(b, "loss_per_1k", &t->experts[t->alone].loss);
        buf_add_char(b, '}');
    }
    buf_add_c(b, "]");
}

void gaps_write_json(const struct gaps *g, size_t most, struct buf *b)
{
    buf_add_c(b, "{\"all\": {");
    write_figures(&g->all, b);
    named(b, "best", g, g->all.best);
    buf_add_c(b, "},\n \"level\": ");
    json_write_double(b, g->level);
    more(b, "prior_queries", g->prior_queries);
    buf_addf(b, ", \"trained_on\": %zu, \"topic_count\": %zu,\n \"again\": ", g->scores.trained_on,
             g->topic_count);
    write_again(&g->again, b);
    buf_addf(b, ", \"again_unplaced\": %zu, \"again_known\": %zu,\n \"topics\": [",
             g->again_unplaced, g->again_known);
    for (size_t t = 0; t < g->topic_count && t < most; t++) {
        buf_add_c(b, t ? "," : "");
        write_topic(g, &g->topics[t], b);
    }
    buf_add_c(b, "],\n ");
    write_alone(g, b);
    buf_add_c(b, "}\n");
}
