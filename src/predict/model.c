/* Model files read back, checked once, then used in place: the file stays mapped, nothing of it is copied but the
 * experts' names. */
#include "predict/model.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/check.h"
#include "base/file.h"
#include "predict/model_format.h"
#include "predict/model_plans.h"
#include "predict/model_read.h"
#include "predict/predictor.h"
#include "predict/safetensors.h"

/* Tokens per character outside of these are no language, but what few recorded prompts happened to say. */
#define SLOPE_MIN 0.1
#define SLOPE_MAX 2.0

#define ARENA_CAP (64u << 20)

struct model {
    struct file_map map; /* of the file; or */
    void *copy;          /* the bytes given to model_load_bytes */
    struct arena *arena;
    uint64_t checksum;
    const struct encoder *encoder;
    size_t experts;
    struct model_expert *expert;
    struct predictor predictor;
    const uint64_t *text_hashes;
    size_t text_count;
    const float *sample_quality, *sample_cost_usd;
    size_t sample;
    struct plan_set plans;
    struct plan *arms; /* [arm_count]: every expert as a single, then the plans */
    size_t arm_count;
};

static enum status metadata_string(struct model *m, const struct safetensors *s, const char *key,
                                   struct str *ret, struct error *err)
{
    enum status status = json_string_decode(json_get(s->metadata, key), m->arena, ret);
    if (status == ERR_INPUT)
        return error_set(err, ERR_CORRUPT, "no '%s' in its metadata: not a Leeroo model", key);
    return status == OK ? OK : error_set(err, status, "out of memory");
}

static enum status expect(struct model *m, const struct safetensors *s, const char *key,
                          const char *value, struct error *err)
{
    struct str found;
    enum status status = metadata_string(m, s, key, &found, err);
    if (status == OK && !str_equal(found, str_from(value)))
        return error_set(err, ERR_UNSUPPORTED, "%s is '%.*s'; this program reads '%s'", key,
                         STR_FMT(str_slice(found, 0, 60)), value);
    return status;
}

static enum status check_sum(struct model *m, const struct safetensors *s, struct error *err)
{
    struct json_value sum = json_get(s->metadata, "checksum");
    if (sum.type != JSON_STRING || sum.raw.len != CHECKSUM_DIGITS + 2)
        return error_set(err, ERR_CORRUPT, "no 'checksum' in its metadata: not a Leeroo model");
    char hex[CHECKSUM_DIGITS + 1];
    m->checksum = model_file_checksum(s->header, sum.raw.ptr + 1, s->data);
    snprintf(hex, sizeof(hex), "%016" PRIx64, m->checksum);
    if (memcmp(hex, sum.raw.ptr + 1, CHECKSUM_DIGITS) != 0)
        return error_set(
            err, ERR_CORRUPT,
            "damaged: its checksum does not match (a truncated or edited file); train it again");
    return OK;
}

static bool read_price(struct json_value object, const char *key, int64_t *ret)
{
    struct json_value v = json_get(object, key);
    return v.type == JSON_NUMBER && money_parse_usd(v.raw, ret) == OK;
}

/* Prices that files of earlier builds do not have. */
static bool read_parts(struct json_value object, struct price *price)
{
    int64_t written = price->input_nano_usd_per_m, reasoning = price->output_nano_usd_per_m;
    bool good = (json_get(object, "usd_per_m_cache_write").type == JSON_NONE ||
                 read_price(object, "usd_per_m_cache_write", &written)) &&
                (json_get(object, "usd_per_m_reasoning").type == JSON_NONE ||
                 read_price(object, "usd_per_m_reasoning", &reasoning));
    price_set_cache_write(price, written);
    price_set_reasoning(price, reasoning);
    return good;
}

static enum status read_expert(struct model *m, struct json_value item, struct model_expert *x,
                               struct error *err)
{
    struct str name;
    int64_t cached;
    if (json_string_decode(json_get(item, "name"), m->arena, &name) != OK || !name.len ||
        !read_price(item, "usd_per_m_input", &x->price.input_nano_usd_per_m) ||
        !read_price(item, "usd_per_m_output", &x->price.output_nano_usd_per_m) ||
        !read_price(item, "usd_per_m_cached_input", &cached) ||
        !price_set_cached_input(&x->price, cached) || !read_parts(item, &x->price) ||
        json_to_double(json_get(item, "accuracy"), &x->accuracy) != OK ||
        json_to_double(json_get(item, "mean_cost_usd"), &x->mean_cost_usd) != OK)
        return error_set(err, ERR_CORRUPT, "its list of experts is damaged");
    x->name = name;
    return OK;
}

static enum status read_experts(struct model *m, const struct safetensors *s, struct error *err)
{
    struct str text;
    struct json_value list, item;
    enum status status = metadata_string(m, s, "experts", &text, err);
    if (status != OK)
        return status;
    if (json_parse(text, "experts", 1, &list, err) != OK || list.type != JSON_ARRAY)
        return error_set(err, ERR_CORRUPT, "its list of experts is damaged");
    m->expert = ARENA_ARRAY(m->arena, MODEL_EXPERTS_MAX, struct model_expert);
    if (!m->expert)
        return error_set(err, ERR_MEMORY, "out of memory");
    struct json_iter it = json_iter_begin(list);
    while (json_array_next(&it, &item)) {
        if (m->experts == MODEL_EXPERTS_MAX)
            return error_set(err, ERR_CORRUPT, "more than %d experts", MODEL_EXPERTS_MAX);
        status = read_expert(m, item, &m->expert[m->experts], err);
        if (status != OK)
            return status;
        m->experts++;
    }
    return m->experts ? OK : error_set(err, ERR_CORRUPT, "it knows no expert");
}

/* Every expert is an arm by itself; then come the plans. */
static enum status read_arms(struct model *m, const struct safetensors *s, struct error *err)
{
    struct str text;
    enum status status = metadata_string(m, s, "plans", &text, err);
    if (status == OK)
        status = model_plans_read(s, text, m->expert, m->experts, m->arena, &m->plans, err);
    if (status != OK)
        return status;
    m->arms = ARENA_ARRAY(m->arena, m->experts + m->plans.count, struct plan);
    if (!m->arms)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < m->experts; e++)
        m->arms[m->arm_count++] = (struct plan){
            .kind = PLAN_SINGLE, .member_count = 1, .members = {e}, .name = m->expert[e].name};
    for (size_t k = 0; k < m->plans.count; k++)
        m->arms[m->arm_count++] = m->plans.plans[k];
    return OK;
}

static enum status read_linear(struct model *m, const struct safetensors *s, struct error *err)
{
    struct predictor *p = &m->predictor;
    size_t groups, shape[2] = {NGRAM_BUCKETS, 0};
    enum status status = safetensors_dim(s, "linear.group_quality", 2, 0, &groups, err);
    if (status != OK)
        return status;
    if (groups > LINEAR_GROUPS_MAX)
        return error_set(err, ERR_CORRUPT, "more than %d groups", LINEAR_GROUPS_MAX);
    p->shape = (struct linear_shape){m->experts, groups, linear_width(m->experts, groups)};
    shape[1] = p->shape.width;
    size_t e = m->experts;
    const struct {
        const char *name;
        size_t a, b;
        const float **into;
    } wanted[] = {
        {"linear.bias", p->shape.width, SIZE_MAX, &p->bias},
        {"linear.group_quality", groups, e, &p->group_quality},
        {"stack.contrast", e, SIZE_MAX, &p->contrast},
        {"stack.base", e + SLOPES, SIZE_MAX, &p->base},
        {"stack.calibration", SLOPES + 2 * e, SIZE_MAX, &p->calibration},
        {"tokens", e, TOKEN_PARAMETERS, &p->tokens},
        {"stack.doubt", DOUBT_TERMS, SIZE_MAX, &p->doubt},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && status == OK; i++)
        status =
            model_read_floats(s, wanted[i].name, wanted[i].a, wanted[i].b, 0, wanted[i].into, err);
    if (status == OK)
        status =
            safetensors_get(s, "linear.weights", "BF16", shape, 2, (const void **)&p->weights, err);
    return status;
}

static enum status read_rest(struct model *m, const struct safetensors *s, struct error *err)
{
    enum status status = safetensors_dim(s, "train.text_hashes", 1, 0, &m->text_count, err);
    if (status == OK)
        status = safetensors_get(s, "train.text_hashes", "U64", &m->text_count, 1,
                                 (const void **)&m->text_hashes, err);
    if (status == OK)
        status = safetensors_dim(s, "sample.quality", 2, 0, &m->sample, err);
    if (status == OK)
        status = model_read_floats(s, "sample.quality", m->sample, m->arm_count, 0,
                                   &m->sample_quality, err);
    if (status == OK)
        status = model_read_floats(s, "sample.cost_usd", m->sample, m->arm_count, 0,
                                   &m->sample_cost_usd, err);
    return status;
}

static enum status read_model(struct model *m, const void *bytes, size_t len, const char *place,
                              struct error *err)
{
    struct safetensors s;
    m->encoder = &ngram_encoder;
    enum status status = safetensors_open(bytes, len, place, &s, err);
    if (status != OK)
        return status;
    if ((status = expect(m, &s, "format", MODEL_FORMAT, err)) != OK ||
        (status = check_sum(m, &s, err)) != OK ||
        (status = expect(m, &s, "version", MODEL_VERSION, err)) != OK ||
        (status = expect(m, &s, "encoder", ngram_encoder.fingerprint, err)) != OK ||
        (status = read_experts(m, &s, err)) != OK || (status = read_linear(m, &s, err)) != OK ||
        (status = model_read_forest(&s, "forest", m->experts, DENSE_FEATURES, &m->predictor.forest,
                                    err)) != OK ||
        (status = read_arms(m, &s, err)) != OK || (status = read_rest(m, &s, err)) != OK)
        error_prefix(err, "%s", place);
    return status;
}

static struct model *model_create(void)
{
    struct model *m = calloc(1, sizeof(*m));
    if (m && !(m->arena = arena_create(ARENA_CAP))) {
        free(m);
        return NULL;
    }
    return m;
}

enum status model_load(const char *path, struct model **ret, struct error *err)
{
    struct model *m = model_create();
    if (!m)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = file_map_open(path, &m->map, err);
    if (status == OK)
        status = read_model(m, m->map.ptr, m->map.len, path, err);
    if (status != OK)
        model_free(m);
    else
        *ret = m;
    return status;
}

enum status model_load_bytes(const void *bytes, size_t len, struct model **ret, struct error *err)
{
    struct model *m = model_create();
    if (m)
        m->copy = malloc(len + 1);
    if (!m || !m->copy) {
        model_free(m);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    memcpy(m->copy, bytes, len);
    enum status status = read_model(m, m->copy, len, "model", err);
    if (status != OK)
        model_free(m);
    else
        *ret = m;
    return status;
}

void model_free(struct model *m)
{
    if (!m)
        return;
    file_map_close(&m->map);
    free(m->copy);
    arena_free(m->arena);
    free(m);
}

size_t model_expert_count(const struct model *m)
{
    return m->experts;
}

const struct model_expert *model_expert_at(const struct model *m, size_t index)
{
    CHECK(index < m->experts);
    return &m->expert[index];
}

size_t model_expert_index(const struct model *m, struct str name)
{
    for (size_t e = 0; e < m->experts; e++)
        if (str_equal(m->expert[e].name, name))
            return e;
    return SIZE_MAX;
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
    *ret = &m->encoder;
    return 1;
}

uint64_t model_checksum(const struct model *m)
{
    return m->checksum;
}

bool model_trained_on(const struct model *m, uint64_t text_hash)
{
    size_t low = 0, high = m->text_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (m->text_hashes[mid] < text_hash)
            low = mid + 1;
        else
            high = mid;
    }
    return low < m->text_count && m->text_hashes[low] == text_hash;
}

void model_estimate(const struct model *m, const struct features *f, struct estimate *estimates)
{
    float quality[EXPERTS_MAX], in[EXPERTS_MAX], out[EXPERTS_MAX], doubt;
    predictor_run(&m->predictor, f, quality, in, out, &doubt);
    for (size_t e = 0; e < m->experts; e++) {
        const struct price *p = &m->expert[e].price;
        estimates[e] = (struct estimate){
            .quality = quality[e], .input_tokens = in[e], .output_tokens = out[e]};
        estimates[e].cost_nano_usd = model_cost_nano_usd(p, &estimates[e]);
        estimates[e].cost_max_nano_usd = estimates[e].cost_nano_usd;
    }
    plan_set_estimate(&m->plans, estimates, estimates + m->experts);
    for (size_t i = 0; i < m->arm_count; i++)
        estimates[i].quality_sd = doubt_quality_sd(doubt, estimates[i].quality);
}

double model_tokens_per_character(const struct model *m, size_t expert)
{
    CHECK(expert < m->experts);
    double slope = (double)m->predictor.tokens[expert * TOKEN_PARAMETERS + TOKENS_IN_PER_CHARACTER];
    return slope >= SLOPE_MIN ? (slope <= SLOPE_MAX ? slope : SLOPE_MAX) : SLOPE_MIN;
}

void model_plan_check(const struct model *m, size_t arm, const struct plan_state *state,
                      struct plan_verdict *ret)
{
    CHECK(arm >= m->experts && arm < m->arm_count);
    plan_set_check(&m->plans, arm - m->experts, state, ret);
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
    return (struct model_sample){m->sample, m->arm_count, m->sample_quality, m->sample_cost_usd};
}

/* Mean predicted cost of the sample when each query takes its best utility. */
static double sample_cost(const struct model *m, const bool *use, double lambda)
{
    double total = 0;
    for (size_t i = 0; i < m->sample; i++) {
        const float *quality = m->sample_quality + i * m->arm_count,
                    *cost = m->sample_cost_usd + i * m->arm_count;
        double best = -INFINITY, paid = 0;
        for (size_t e = 0; e < m->arm_count; e++) {
            double utility = (double)quality[e] - lambda * (double)cost[e];
            if ((!use || use[e]) && utility > best) {
                best = utility;
                paid = (double)cost[e];
            }
        }
        total += paid;
    }
    return m->sample ? total / (double)m->sample : 0;
}

double model_lambda_for_budget(const struct model *m, const bool *use, double usd_per_1k)
{
    double target = usd_per_1k / 1000, low = 1e-3, high = 1e12;
    if (sample_cost(m, use, 0) <= target)
        return 0;
    for (int step = 0; step < 60; step++) {
        double mid = sqrt(low * high);
        if (sample_cost(m, use, mid) > target)
            low = mid;
        else
            high = mid;
    }
    return high;
}
