/* A model in words: a row for each expert, then its plans. What an expert is good at is where it is further above the
 * others than it is elsewhere, by the mean training scores of groups of domains that the model keeps.
 *
 * Names and groups come from files, so they are made printable here. It reads what is loaded and finds nothing else;
 * one thread, nothing is kept. */
#include "print/models_output.h"

#include <inttypes.h>
#include <math.h>

#include "base/file.h"
#include "base/json.h"
#include "base/screen.h"

#define OUTPUT_BYTES_MAX (16u << 20)
#define NAME_WIDTH_MIN   8
#define STRENGTHS        2
#define STRENGTH_MIN     0.02 /* less is not worth a word */
#define CELL_BYTES       64

/* Who */

static bool is_configured(const struct models_told *t, struct str name, size_t *ret)
{
    *ret = t->config ? expert_index(t->config->experts, t->config->expert_count, name) : SIZE_MAX;
    return *ret != SIZE_MAX;
}

/* On what it was placed, where it was; else NULL. */
static const char *placed_on(const struct models_told *t, const struct model_expert *x)
{
    size_t at;
    if (!is_configured(t, x->name, &at) || !t->config->placed)
        return NULL;
    return t->config->placed[at];
}

/* Another price than the trained one. */
static const struct price *other_price(const struct models_told *t, const struct model_expert *x)
{
    size_t at;
    if (!is_configured(t, x->name, &at) || price_equal(&t->config->experts[at].price, &x->price))
        return NULL;
    return &t->config->experts[at].price;
}

/* Strengths */

struct strength {
    size_t group;
    double above; /* how much further above the others than elsewhere */
};

static double above_others(const struct model *m, size_t group, size_t expert)
{
    double mean = 0;
    size_t count = model_expert_count(m);
    for (size_t e = 0; e < count; e++)
        mean += model_group_quality(m, group, e) / (double)count;
    return model_group_quality(m, group, expert) - mean;
}

/* Its best groups, the best first; returns how many. */
static size_t strengths_of(const struct model *m, size_t expert, struct strength ret[STRENGTHS])
{
    size_t groups = model_group_count(m), n = 0;
    double usual = 0;
    for (size_t g = 0; g < groups; g++)
        usual += above_others(m, g, expert) / (double)groups;
    for (size_t g = 0; g < groups; g++) {
        struct strength s = {g, above_others(m, g, expert) - usual};
        if (s.above < STRENGTH_MIN)
            continue;
        size_t at = n < STRENGTHS ? n++ : STRENGTHS;
        for (; at > 0 && s.above > ret[at - 1].above; at--)
            if (at < STRENGTHS)
                ret[at] = ret[at - 1];
        if (at < STRENGTHS)
            ret[at] = s;
    }
    return n;
}

static void printable_add(struct buf *b, struct str text)
{
    char line[4 * CELL_BYTES];
    size_t len = utf8_make_printable(line, sizeof(line), utf8_cut(text, CELL_BYTES));
    buf_add(b, (struct str){line, len});
}

/* A file of an earlier build does not name its groups: then by how hard they are. */
static void add_group(const struct model *m, size_t group, struct buf *b)
{
    struct str name = model_group_name(m, group);
    double mean = 0;
    size_t count = model_expert_count(m);
    if (name.len) {
        printable_add(b, name);
        return;
    }
    for (size_t e = 0; e < count; e++)
        mean += model_group_quality(m, group, e) / (double)count;
    buf_addf(b, "group %zu (%.0f %% right)", group + 1, 100 * mean);
}

static void add_strengths(const struct model *m, size_t expert, struct buf *b)
{
    struct strength s[STRENGTHS];
    size_t count = strengths_of(m, expert, s);
    for (size_t i = 0; i < count; i++) {
        buf_add_c(b, i ? "; " : "");
        add_group(m, s[i].group, b);
        buf_addf(b, " %.0f %% (%+.0f)", 100 * model_group_quality(m, s[i].group, expert),
                 100 * s[i].above);
    }
}

/* Table */

static int name_width(const struct models_told *t)
{
    const struct model_parts *p = model_parts(t->m);
    size_t width = NAME_WIDTH_MIN;
    for (size_t e = 0; e < p->predictor.experts; e++)
        if (!p->experts[e].hidden || t->all)
            width = utf8_count(p->experts[e].name) > width ? utf8_count(p->experts[e].name) : width;
    return (int)(width < CELL_BYTES ? width : CELL_BYTES);
}

/* The day it joined, or by which it was trained. */
static void add_since(const struct models_told *t, const struct model_expert *x, struct buf *b)
{
    if (x->since.len)
        buf_addf(b, "  %13.*s", STR_FMT(x->since));
    else if (t->trained_by.len && !placed_on(t, x))
        buf_addf(b, "  by %10.*s", STR_FMT(t->trained_by));
    else
        buf_addf(b, "  %13s", "-");
}

static void add_name(struct buf *b, struct str name, int width)
{
    size_t before = b->len;
    printable_add(b, name);
    int used = (int)utf8_count((struct str){b->ptr + before, b->len - before});
    buf_addf(b, "%*s", used < width ? width - used : 0, "");
}

/* listed: its index among those that can be chosen; SIZE_MAX: it was taken out. */
static void add_row(const struct models_told *t, const struct model_expert *x, size_t listed,
                    int width, struct buf *b)
{
    const struct price *other = other_price(t, x), *price = other ? other : &x->price;
    size_t at;
    add_name(b, x->name, width);
    buf_addf(b, "  %8zu  %6.1f %%  %9.4f  %8.6g  %8.6g", x->outcomes, 100 * x->accuracy,
             1000 * x->mean_cost_usd, money_usd(price->input_nano_usd_per_m),
             money_usd(price->output_nano_usd_per_m));
    add_since(t, x, b);
    buf_add_c(b, "  ");
    const char *words = placed_on(t, x);
    if (listed == SIZE_MAX)
        buf_addf(b, "taken out%s%.*s", x->until.len ? " on " : "", STR_FMT(x->until));
    else if (words)
        buf_add_c(b, words);
    else
        add_strengths(t->m, listed, b);
    if (other)
        buf_addf(b, "  [trained at %.6g, %.6g]", money_usd(x->price.input_nano_usd_per_m),
                 money_usd(x->price.output_nano_usd_per_m));
    if (t->config && listed != SIZE_MAX && !is_configured(t, x->name, &at))
        buf_add_c(b, "  [not in the configuration]");
    while (b->len && b->ptr[b->len - 1] == ' ')
        b->len--;
    buf_add_char(b, '\n');
}

static void add_experts(const struct models_told *t, struct buf *b)
{
    const struct model_parts *p = model_parts(t->m);
    int width = name_width(t);
    buf_addf(b, "%-*s  %8s  %8s  %9s  %8s  %8s  %13s  %s\n", width, "expert", "outcomes",
             "accuracy", "USD/1,000", "in $/M", "out $/M", "since", "best at, against the others");
    for (size_t i = 0; i < p->listed; i++)
        add_row(t, &p->experts[p->column[i]], i, width, b);
    for (size_t e = 0; t->all && e < p->predictor.experts; e++)
        if (p->experts[e].hidden)
            add_row(t, &p->experts[e], SIZE_MAX, width, b);
}

static void add_plans(const struct models_told *t, struct buf *b)
{
    const struct plan_set *set = &model_parts(t->m)->plans;
    for (size_t k = 0; k < set->count; k++) {
        const struct plan_record *r = &set->records[k];
        buf_addf(b, "%s  %6.1f %%  %9.4f  ",
                 k ? "" : "\naccuracy  USD/1,000  plan, as held out in training\n",
                 100 * r->accuracy, 1000 * r->mean_cost_usd);
        printable_add(b, set->plans[k].name);
        buf_add_char(b, '\n');
    }
}

static size_t count_hidden(const struct model_parts *p)
{
    return p->predictor.experts - p->listed;
}

static void write_table(const struct models_told *t, struct buf *b)
{
    const struct model_parts *p = model_parts(t->m);
    buf_addf(b, "%s (%016" PRIx64 "): %zu expert%s, %zu plan%s\n\n",
             t->path ? t->path : "no model yet, estimates are a prior", model_checksum(t->m),
             p->listed, p->listed == 1 ? "" : "s", p->plans.count, p->plans.count == 1 ? "" : "s");
    add_experts(t, b);
    add_plans(t, b);
    if (count_hidden(p) && !t->all)
        buf_addf(b, "\n%zu taken out; --all shows them\n", count_hidden(p));
}

/* JSON */

static void add_number(struct buf *b, const char *key, double value)
{
    buf_addf(b, ",\"%s\":", key);
    json_write_double(b, value);
}

static void add_text(struct buf *b, const char *key, struct str value)
{
    buf_addf(b, ",\"%s\":", key);
    if (value.len)
        json_write_string(b, value);
    else
        buf_add_c(b, "null");
}

static void add_price(struct buf *b, const char *key, const struct price *p)
{
    buf_addf(b, ",\"%s\":{\"input\":", key);
    money_format_usd(b, p->input_nano_usd_per_m);
    buf_add_c(b, ",\"output\":");
    money_format_usd(b, p->output_nano_usd_per_m);
    buf_add_char(b, '}');
}

/* Mean scores by group, in the order of "groups". */
static void add_qualities(const struct model *m, size_t listed, struct buf *b)
{
    buf_add_c(b, ",\"by_group\":[");
    for (size_t g = 0; g < model_group_count(m); g++) {
        buf_add_c(b, g ? "," : "");
        json_write_double(b, model_group_quality(m, g, listed));
    }
    buf_add_char(b, ']');
}

static void write_expert(const struct models_told *t, const struct model_expert *x, size_t listed,
                         struct buf *b)
{
    const struct price *other = other_price(t, x);
    const char *words = placed_on(t, x);
    size_t at;
    buf_add_c(b, "{\"expert\":");
    json_write_string(b, x->name);
    buf_addf(b, ",\"outcomes\":%zu", x->outcomes);
    add_number(b, "accuracy", x->accuracy);
    add_number(b, "auc", x->auc);
    add_number(b, "calibration_error", x->calibration_error);
    add_number(b, "mean_cost_usd", x->mean_cost_usd);
    add_price(b, "price", other ? other : &x->price);
    add_price(b, "trained_price", &x->price);
    add_text(b, "since", x->since);
    add_text(b, "trained_by", x->since.len || words ? STR("") : t->trained_by);
    add_text(b, "placed", str_from(words));
    buf_addf(b, ",\"retired\":%s", listed == SIZE_MAX ? "true" : "false");
    add_text(b, "until", x->until);
    if (t->config)
        buf_addf(b, ",\"configured\":%s", is_configured(t, x->name, &at) ? "true" : "false");
    if (listed != SIZE_MAX && !words)
        add_qualities(t->m, listed, b);
    buf_add_char(b, '}');
}

static void write_groups(const struct model *m, struct buf *b)
{
    buf_add_c(b, ",\"groups\":[");
    for (size_t g = 0; g < model_group_count(m); g++) {
        struct str name = model_group_name(m, g);
        buf_add_c(b, g ? "," : "");
        if (name.len)
            json_write_string(b, name);
        else
            buf_add_c(b, "null");
    }
    buf_add_char(b, ']');
}

static void write_plans(const struct plan_set *set, struct buf *b)
{
    buf_add_c(b, ",\"plans\":[");
    for (size_t k = 0; k < set->count; k++) {
        buf_add_c(b, k ? ",{\"plan\":" : "{\"plan\":");
        json_write_string(b, set->plans[k].name);
        add_number(b, "accuracy", set->records[k].accuracy);
        add_number(b, "mean_cost_usd", set->records[k].mean_cost_usd);
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
}

static void write_json(const struct models_told *t, struct buf *b)
{
    const struct model_parts *p = model_parts(t->m);
    buf_addf(b, "{\"checksum\":\"%016" PRIx64 "\"", model_checksum(t->m));
    add_text(b, "model", str_from(t->path));
    add_text(b, "trained_by", t->trained_by);
    write_groups(t->m, b);
    buf_add_c(b, ",\"experts\":[");
    for (size_t i = 0; i < p->listed; i++) {
        buf_add_c(b, i ? "," : "");
        write_expert(t, &p->experts[p->column[i]], i, b);
    }
    for (size_t e = 0; t->all && e < p->predictor.experts; e++)
        if (p->experts[e].hidden) {
            buf_add_char(b, ',');
            write_expert(t, &p->experts[e], SIZE_MAX, b);
        }
    buf_add_char(b, ']');
    write_plans(&p->plans, b);
    buf_add_c(b, "}\n");
}

enum status models_print(const struct models_told *t, bool json, FILE *to, struct error *err)
{
    struct buf b;
    buf_init(&b, OUTPUT_BYTES_MAX);
    (json ? write_json : write_table)(t, &b);
    return (json ? file_print : screen_print)(to, &b, err);
}
