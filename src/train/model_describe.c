/* What a model file says in words: its metadata, as JSON inside strings (docs/model-file.md). Everything comes from
 * model_parts, whether the model was just trained or loaded to be written again; a loaded one is described as it
 * was, to the last digit, for numbers are written so that reading gives them back. Nothing is allocated but by the
 * buffer, whose status says whether it did not fit. */
#include "train/model_describe.h"

#include <inttypes.h>

#include "base/json.h"
#include "predict/model_format.h"
#include "train/source_kind.h"

#define METADATA_MAX (8u << 20)

static void add_figure(struct buf *b, const char *name, double value)
{
    buf_addf(b, ",\"%s\":", name);
    json_write_double(b, value);
}

/* Empty: nothing. */
static void add_day(struct buf *b, const char *name, struct str day)
{
    if (!day.len)
        return;
    buf_addf(b, ",\"%s\":", name);
    json_write_string(b, day);
}

/* What costs as much as where no price is given is left out, but for cached input, which every file has. */
static void describe_prices(const struct price *p, struct buf *b)
{
    buf_add_c(b, ",\"usd_per_m_input\":");
    money_format_usd(b, p->input_nano_usd_per_m);
    buf_add_c(b, ",\"usd_per_m_output\":");
    money_format_usd(b, p->output_nano_usd_per_m);
    buf_add_c(b, ",\"usd_per_m_cached_input\":");
    money_format_usd(b, price_cached_input_nano_usd_per_m(p));
    if (p->cache_write_extra_nano_usd_per_m != 0) {
        buf_add_c(b, ",\"usd_per_m_cache_write\":");
        money_format_usd(b, price_cache_write_nano_usd_per_m(p));
    }
    if (p->cache_write_1h_extra_nano_usd_per_m != 0) {
        buf_add_c(b, ",\"usd_per_m_cache_write_1h\":");
        money_format_usd(b, price_cache_write_1h_nano_usd_per_m(p));
    }
    if (p->reasoning_extra_nano_usd_per_m != 0) {
        buf_add_c(b, ",\"usd_per_m_reasoning\":");
        money_format_usd(b, price_reasoning_nano_usd_per_m(p));
    }
}

static void describe_experts(const struct model_parts *p, struct buf *b)
{
    for (size_t e = 0; e < p->predictor.experts; e++) {
        const struct model_expert *x = &p->experts[e];
        buf_add_c(b, e ? ",{\"name\":" : "[{\"name\":");
        json_write_string(b, x->name);
        describe_prices(&x->price, b);
        add_figure(b, "accuracy", x->accuracy);
        add_figure(b, "mean_cost_usd", x->mean_cost_usd);
        add_figure(b, "outcomes", (double)x->outcomes);
        add_figure(b, "auc", x->auc);
        add_figure(b, "log_loss", x->log_loss);
        add_figure(b, "calibration_error", x->calibration_error);
        if (x->length_log == x->length_log) {
            add_figure(b, "length_log", x->length_log);
            add_figure(b, "length_log_sd", x->length_log_sd);
        }
        buf_add_c(b, x->hidden ? ",\"hidden\":true" : "");
        buf_add_c(b, x->apart ? ",\"apart\":true" : "");
        add_day(b, "since", x->since);
        add_day(b, "until", x->until);
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
}

static void describe_calls(const struct plan *p, struct buf *b)
{
    add_figure(b, "calls", (double)p->calls);
    buf_add_c(b, ",\"cost_ratios\":[");
    for (size_t i = 0; i < p->member_count; i++) {
        buf_add_c(b, i ? "," : "");
        json_write_double(b, (double)p->cost_ratio[i]);
    }
    buf_add_char(b, ']');
}

static void describe_plan(const struct model_parts *m, size_t k, struct buf *b)
{
    const struct plan *p = &m->plans.plans[k];
    const struct plan_record *r = &m->plans.records[k];
    buf_addf(b, "%s{\"kind\":\"%s\",\"rule\":\"%s\",\"members\":[", k ? "," : "",
             plan_kind_name(p->kind), p->rule == PLAN_TRUST ? "trust" : "agree");
    for (size_t i = 0; i < p->member_count; i++) {
        buf_add_c(b, i ? "," : "");
        json_write_string(b, m->experts[m->column[p->members[i]]].name);
    }
    buf_add_char(b, ']');
    if (p->rule == PLAN_TRUST)
        buf_addf(b, ",\"%s\":%u", p->kind == PLAN_SEQUENTIAL ? "panel" : "escalation",
                 (unsigned)m->plans.escalation_of[k]);
    add_figure(b, "gain_per_usd", (double)p->gain_per_usd);
    if (p->kind == PLAN_SEQUENTIAL) {
        describe_calls(p, b);
    } else {
        add_figure(b, "share", (double)p->share);
        add_figure(b, "next_cost_ratio", (double)p->next_cost_ratio);
    }
    add_figure(b, "accuracy", r->accuracy);
    add_figure(b, "mean_cost_usd", r->mean_cost_usd);
    add_figure(b, "gain", r->gain);
    buf_add_char(b, '}');
}

void model_describe_plans(const struct model_parts *m, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t k = 0; k < m->plans.count; k++)
        describe_plan(m, k, out);
    buf_add_char(out, ']');
}

static void describe_encoders(const struct predictor *p, struct buf *b)
{
    buf_add_char(b, '[');
    for (size_t i = 0; i < p->encoder_count; i++) {
        buf_add_c(b, i ? ",{\"name\":" : "{\"name\":");
        json_write_string(b, str_from(p->encoders[i]->name));
        buf_add_c(b, ",\"fingerprint\":");
        json_write_string(b, str_from(p->encoders[i]->fingerprint));
        if (p->encoders[i]->spec)
            buf_addf(b, ",\"spec\":%s", p->encoders[i]->spec);
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
}

static void describe_source(const struct predictor *p, const struct source *s, struct buf *b)
{
    const struct source_kind *kind = source_kind_named(str_from(s->ops->kind));
    buf_add_c(b, "{\"name\":");
    json_write_string(b, s->name);
    buf_add_c(b, ",\"kind\":");
    json_write_string(b, str_from(s->ops->kind));
    if (s->encoder != NOWHERE) {
        buf_add_c(b, ",\"encoder\":");
        json_write_string(b, str_from(p->encoders[s->encoder]->name));
    }
    if (s->of != NOWHERE) {
        buf_add_c(b, ",\"of\":");
        json_write_string(b, p->sources[s->of].name);
    }
    if (kind && kind->describe)
        kind->describe(s, b);
    buf_add_char(b, '}');
}

static void describe_sources(const struct predictor *p, struct buf *b)
{
    buf_add_char(b, '[');
    for (size_t i = 0; i < p->source_count + p->late_count; i++) {
        buf_add_c(b, i ? "," : "");
        describe_source(p, &p->sources[i], b);
    }
    buf_add_char(b, ']');
}

/* ,"key":"…" with what is in `value`, which is emptied. */
static void add_value(struct buf *b, const char *key, struct buf *value)
{
    buf_addf(b, ",\"%s\":", key);
    json_write_string(b, buf_str(value));
    if (value->status != OK && b->status == OK)
        b->status = value->status;
    buf_clear(value);
}

/* Metadata values must be strings, so what has structure is JSON inside a string. */
void model_describe(const struct model_parts *p, struct buf *b)
{
    struct buf value;
    buf_init(&value, METADATA_MAX);
    buf_add_c(b, "{\"checksum\":\"" MODEL_ZEROS "\",\"format\":\"" MODEL_FORMAT
                 "\",\"version\":\"" MODEL_VERSION "\"");
    describe_encoders(&p->predictor, &value);
    add_value(b, "encoders", &value);
    describe_sources(&p->predictor, &value);
    add_value(b, "sources", &value);
    describe_experts(p, &value);
    add_value(b, "experts", &value);
    model_describe_plans(p, &value);
    add_value(b, "plans", &value);
    buf_add(&value, p->training);
    add_value(b, "training", &value);
    buf_add(&value, p->leeroo);
    add_value(b, "leeroo", &value);
    add_day(b, "trained_by", p->trained_by);
    if (p->shared_sd_known)
        buf_addf(b, ",\"shared_sd\":\"%.3f\"", (double)p->shared_sd);
    buf_add_char(b, '}');
    buf_done(&value);
}
