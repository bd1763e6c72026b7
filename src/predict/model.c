/* Using a loaded model: what it knows of its experts and arms, what it estimates of a text, what more characters
 * of a prompt are in tokens, and by which lambda a budget begins. Immutable, so any thread may, at once with others;
 * nothing here allocates or waits, but model_lambda_for_budget goes through the whole sample sixty times: not
 * for each request. Reading one is model_load.c. */
#include "predict/model.h"

#include <math.h>
#include <stdio.h>

#include "base/check.h"
#include "predict/model_int.h"
#include "predict/verified.h"

/* Tokens per character outside of these are no language, but what few recorded prompts happened to say. */
#define SLOPE_MIN 0.1
#define SLOPE_MAX 2.0

#define CHARACTERS_PER_TOKEN 4.0 /* as base/script.h counts them */

size_t model_expert_count(const struct model *m)
{
    return m->parts.listed;
}

float model_shared_sd(const struct model *m)
{
    return m->parts.shared_sd_known ? m->parts.shared_sd : VERIFIED_SHARED_SD;
}

const struct model_expert *model_expert_at(const struct model *m, size_t index)
{
    CHECK(index < m->parts.listed);
    return &m->parts.experts[m->parts.column[index]];
}

size_t model_expert_index(const struct model *m, struct str name)
{
    for (size_t e = 0; e < m->parts.listed; e++)
        if (str_equal(m->parts.experts[m->parts.column[e]].name, name))
            return e;
    return SIZE_MAX;
}

enum status model_expert_unknown(const struct model *m, struct str name, struct error *err)
{
    char known[sizeof(err->text)] = "";
    size_t used = 0;
    for (size_t i = 0; i < m->parts.listed && used < sizeof(known); i++)
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%.*s", i ? ", " : "",
                                 STR_FMT(model_expert_at(m, i)->name));
    return error_set(err, ERR_NOT_FOUND, "the model has no expert '%.*s'; it has %s", STR_FMT(name),
                     known);
}

size_t model_arm_count(const struct model *m)
{
    return m->arm_count;
}

const struct plan *model_arm_at(const struct model *m, size_t arm)
{
    CHECK(arm < m->arm_count);
    return &m->arms[arm];
}

size_t model_encoders(const struct model *m, const struct encoder *const **ret)
{
    *ret = m->parts.predictor.encoders;
    return m->parts.predictor.encoder_count;
}

const struct model_parts *model_parts(const struct model *m)
{
    return &m->parts;
}

uint64_t model_checksum(const struct model *m)
{
    return m->checksum;
}

bool model_trained_on(const struct model *m, uint64_t text_hash)
{
    size_t low = 0, high = m->parts.text_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (m->parts.text_hashes[mid] < text_hash)
            low = mid + 1;
        else
            high = mid;
    }
    return low < m->parts.text_count && m->parts.text_hashes[low] == text_hash;
}

void model_estimate(const struct model *m, const struct features *f, struct estimate *estimates)
{
    model_parts_estimate(&m->parts, f, estimates);
}

double model_tokens_per_character(const struct model *m, size_t expert)
{
    CHECK(expert < m->parts.listed);
    const float *tokens =
        m->parts.predictor.tokens + (size_t)m->parts.column[expert] * TOKEN_PARAMETERS;
    double slope = (double)tokens[TOKENS_IN_PER_CHARACTER];
    return slope >= SLOPE_MIN ? (slope <= SLOPE_MAX ? slope : SLOPE_MAX) : SLOPE_MIN;
}

double model_input_tokens(const struct model *m, size_t expert, double characters,
                          const double *scripts)
{
    const struct predictor *p = &m->parts.predictor;
    double slope = model_tokens_per_character(m, expert);
    double tokens =
        characters * slope + predictor_script_tokens(p, m->parts.column[expert], scripts, slope);
    return tokens > 0 ? tokens : 0;
}

double model_script_excess(const struct model *m, size_t expert, const double *scripts)
{
    CHECK(expert < m->parts.listed);
    return -predictor_script_tokens(&m->parts.predictor, m->parts.column[expert], scripts,
                                    1 / CHARACTERS_PER_TOKEN);
}

void model_plan_verdict(const struct model *m, size_t arm, const struct plan_state *state,
                        struct plan_verdict *ret)
{
    CHECK(arm >= m->parts.listed && arm < m->arm_count);
    plan_set_verdict(&m->parts.plans, arm - m->parts.listed, state, ret);
}

int64_t model_cost_nano_usd(const struct price *p, const struct estimate *e)
{
    double nano = ((double)e->input_tokens * (double)p->input_nano_usd_per_m +
                   (double)e->output_tokens * (double)p->output_nano_usd_per_m) *
                  1e-6;
    return nano < 9e18 ? (int64_t)(nano + 0.5) : INT64_MAX;
}

struct model_sample model_sample(const struct model *m)
{
    return (struct model_sample){m->parts.sample, m->arm_count, m->parts.sample_quality,
                                 m->parts.sample_cost_usd};
}

/* Mean predicted cost of the sample when each query takes its best utility. */
static double sample_cost(const struct model_sample *s, const bool *use, double lambda)
{
    double total = 0;
    for (size_t i = 0; i < s->rows; i++) {
        const float *quality = s->quality + i * s->arms, *cost = s->cost_usd + i * s->arms;
        double best = -INFINITY, paid = 0;
        for (size_t e = 0; e < s->arms; e++) {
            double utility = (double)quality[e] - lambda * (double)cost[e];
            if ((!use || use[e]) && utility > best) {
                best = utility;
                paid = (double)cost[e];
            }
        }
        total += paid;
    }
    return s->rows ? total / (double)s->rows : 0;
}

double model_sample_lambda(const struct model_sample *s, const bool *use, double usd_per_1k)
{
    double target = usd_per_1k / 1000, low = 1e-3, high = 1e12;
    if (sample_cost(s, use, 0) <= target)
        return 0;
    for (int step = 0; step < 60; step++) {
        double mid = sqrt(low * high);
        if (sample_cost(s, use, mid) > target)
            low = mid;
        else
            high = mid;
    }
    return high;
}

double model_lambda_for_budget(const struct model *m, const bool *use, double usd_per_1k)
{
    const struct model_sample sample = model_sample(m);
    return model_sample_lambda(&sample, use, usd_per_1k);
}
