/* Model files read back, checked once, then used where they lie: in a copy in memory, so that nobody who writes the
 * file in place can change or cut what was checked. Nothing in a file is trusted, for whoever can write it can also
 * write its checksum; whatever does not fit is refused in a sentence. Loading happens on whichever thread asks, before
 * anybody else has the model; afterwards it is immutable (model.c). It takes milliseconds and reads from a disk: not
 * for a thread that serves. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/check.h"
#include "predict/model_format.h"
#include "predict/model_int.h"
#include "predict/model_plans.h"
#include "predict/model_read.h"
#include "predict/shared_factor.h"

#define ARENA_CAP (64u << 20)

static enum status metadata_string(struct model *m, const struct safetensors *s, const char *key,
                                   struct str *ret, struct error *err)
{
    enum status status = json_string_decode(json_get(s->metadata, key), m->arena, ret);
    if (status == ERR_INPUT)
        return error_set(err, ERR_CORRUPT, "no '%s' in its metadata: not a Leeroo model", key);
    return status == OK ? OK : error_set(err, status, "out of memory");
}

static enum status read_format(struct model *m, const struct safetensors *s, struct error *err)
{
    struct str found;
    enum status status = metadata_string(m, s, "format", &found, err);
    if (status == OK && !str_equal(found, STR(MODEL_FORMAT)))
        return error_set(err, ERR_UNSUPPORTED, "format is '%.*s'; this program reads '%s'",
                         STR_FMT(str_slice(found, 0, 60)), MODEL_FORMAT);
    return status;
}

/* A file of another version is sound, but nothing in it can be relied on: only training makes one of this version. */
static enum status read_version(struct model *m, const struct safetensors *s, struct error *err)
{
    struct str found;
    enum status status = metadata_string(m, s, "version", &found, err);
    if (status == OK && !str_equal(found, STR(MODEL_VERSION)))
        return error_set(err, ERR_UNSUPPORTED,
                         "a model of version '%.*s'; this program reads '%s': train the model "
                         "again, or use the program that made it",
                         STR_FMT(str_slice(found, 0, 60)), MODEL_VERSION);
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

/* The entries of a list in the metadata, at most `max`. */
static enum status read_list(struct model *m, const struct safetensors *s, const char *key,
                             struct json_value *items, size_t max, size_t *ret, struct error *err)
{
    struct str text;
    struct json_value list;
    enum status status = metadata_string(m, s, key, &text, err);
    if (status != OK)
        return status;
    if (json_parse(text, key, 1, &list, err) != OK || list.type != JSON_ARRAY)
        return error_set(err, ERR_CORRUPT, "its list of %s is damaged", key);
    struct json_iter it = json_iter_begin(list);
    for (*ret = 0; *ret < max && json_array_next(&it, &items[*ret]);)
        ++*ret;
    struct json_value more;
    if (json_array_next(&it, &more))
        return error_set(err, ERR_CORRUPT, "more than %zu %s", max, key);
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
    int64_t hour = price_cache_write_1h_nano_usd_per_m(price);
    bool good = (json_get(object, "usd_per_m_cache_write").type == JSON_NONE ||
                 read_price(object, "usd_per_m_cache_write", &written)) &&
                (json_get(object, "usd_per_m_cache_write_1h").type == JSON_NONE ||
                 read_price(object, "usd_per_m_cache_write_1h", &hour)) &&
                (json_get(object, "usd_per_m_reasoning").type == JSON_NONE ||
                 read_price(object, "usd_per_m_reasoning", &reasoning));
    price_set_cache_write(price, written);
    price_set_cache_write_1h(price, hour);
    price_set_reasoning(price, reasoning);
    return good;
}

/* What the file says about itself, for whoever writes it again; nothing here depends on it. */
static void read_figures(struct json_value item, struct model_expert *x)
{
    int64_t outcomes = 0;
    x->auc = x->log_loss = x->calibration_error = x->length_log = x->length_log_sd = (double)NAN;
    (void)!json_to_double(json_get(item, "auc"), &x->auc);
    (void)!json_to_double(json_get(item, "log_loss"), &x->log_loss);
    (void)!json_to_double(json_get(item, "calibration_error"), &x->calibration_error);
    (void)!json_to_double(json_get(item, "length_log"), &x->length_log);
    (void)!json_to_double(json_get(item, "length_log_sd"), &x->length_log_sd);
    (void)!json_to_int64(json_get(item, "outcomes"), &outcomes);
    x->outcomes = outcomes > 0 ? (size_t)outcomes : 0;
}

/* Whether it has the form of "2026-11-30", so that whoever prints it prints nothing else. */
static bool is_day(struct str text)
{
    static const char form[] = "0000-00-00";
    if (text.len != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (form[i] == '-' ? text.ptr[i] != '-' : text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

/* A day as "2026-11-30" where `key` holds one; anything else is none. Only for want of memory it fails. */
static enum status read_day(struct model *m, struct json_value object, const char *key,
                            struct str *ret)
{
    struct json_value day = json_get(object, key);
    struct str text;
    enum status status =
        day.type == JSON_STRING ? json_string_decode(day, m->arena, &text) : ERR_INPUT;
    if (status == OK && is_day(text))
        *ret = text;
    return status == ERR_MEMORY ? status : OK;
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
    x->hidden = json_get(item, "hidden").type == JSON_TRUE;
    x->apart = json_get(item, "apart").type == JSON_TRUE;
    if (read_day(m, item, "since", &x->since) != OK || read_day(m, item, "until", &x->until) != OK)
        return error_set(err, ERR_MEMORY, "out of memory");
    read_figures(item, x);
    return OK;
}

static enum status read_experts(struct model *m, const struct safetensors *s, struct error *err)
{
    size_t count = 0;
    struct json_value *items = ARENA_ARRAY(m->arena, MODEL_EXPERTS_MAX, struct json_value);
    m->parts.experts = ARENA_ARRAY(m->arena, MODEL_EXPERTS_MAX, struct model_expert);
    if (!items || !m->parts.experts)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = read_list(m, s, "experts", items, MODEL_EXPERTS_MAX, &count, err);
    for (size_t e = 0; e < count && status == OK; e++)
        status = read_expert(m, items[e], &m->parts.experts[e], err);
    if (status != OK)
        return status;
    m->parts.predictor.experts = count;
    model_parts_list(&m->parts);
    return m->parts.listed ? OK : error_set(err, ERR_CORRUPT, "it knows no expert");
}

/* Every expert that is listed is an arm by itself; then come the plans. */
static enum status read_arms(struct model *m, const struct safetensors *s, struct error *err)
{
    struct str text;
    struct model_parts *p = &m->parts;
    struct model_expert *listed = ARENA_ARRAY(m->arena, p->listed, struct model_expert);
    if (!listed)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < p->listed; e++)
        listed[e] = p->experts[p->column[e]];
    enum status status = metadata_string(m, s, "plans", &text, err);
    if (status == OK)
        status = model_plans_read(s, text, listed, p->listed, m->arena, &p->plans, err);
    if (status != OK)
        return status;
    m->arms = ARENA_ARRAY(m->arena, p->listed + p->plans.count, struct plan);
    if (!m->arms)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < p->listed; e++)
        m->arms[m->arm_count++] = (struct plan){
            .kind = PLAN_SINGLE, .member_count = 1, .members = {e}, .name = listed[e].name};
    for (size_t k = 0; k < p->plans.count; k++)
        m->arms[m->arm_count++] = p->plans.plans[k];
    return OK;
}

static enum status read_encoder(struct model *m, struct json_value item, struct error *err)
{
    struct predictor *p = &m->parts.predictor;
    struct str name, fingerprint;
    if (json_string_decode(json_get(item, "name"), m->arena, &name) != OK ||
        json_string_decode(json_get(item, "fingerprint"), m->arena, &fingerprint) != OK)
        return error_set(err, ERR_CORRUPT, "its list of encoders is damaged");
    const struct encoder *e = encoder_named(name);
    struct json_value spec = json_get(item, "spec");
    if (spec.type == JSON_OBJECT) {
        enum status status = encoder_open_foreign(name, fingerprint, spec.raw, &e, err);
        if (status != OK)
            return status;
        m->opened[m->opened_count++] = e;
    }
    if (!e)
        return error_set(err, ERR_UNSUPPORTED, "this program has no encoder '%.*s'",
                         STR_FMT(str_slice(name, 0, 60)));
    if (!str_equal(fingerprint, str_from(e->fingerprint)))
        return error_set(err, ERR_UNSUPPORTED,
                         "encoder is '%.*s'; this program has '%s': train the model again",
                         STR_FMT(str_slice(fingerprint, 0, 40)), e->fingerprint);
    p->encoders[p->encoder_count++] = e;
    return OK;
}

static enum status read_encoders(struct model *m, const struct safetensors *s, struct error *err)
{
    struct json_value items[ENCODERS_MAX];
    size_t count = 0;
    enum status status = read_list(m, s, "encoders", items, ENCODERS_MAX, &count, err);
    for (size_t i = 0; i < count && status == OK; i++)
        status = read_encoder(m, items[i], err);
    return status;
}

static size_t encoder_index(const struct predictor *p, struct json_value name)
{
    for (size_t i = 0; i < p->encoder_count; i++)
        if (name.type == JSON_STRING && json_string_equal(name, str_from(p->encoders[i]->name)))
            return i;
    return NOWHERE;
}

static size_t source_index(const struct predictor *p, struct json_value name)
{
    for (size_t i = 0; i < p->source_count + p->late_count; i++)
        if (name.type == JSON_STRING && json_string_equal(name, p->sources[i].name))
            return i;
    return NOWHERE;
}

/* What it refers to must be there, and before it. */
static enum status read_source(struct model *m, const struct safetensors *s, struct json_value item,
                               struct error *err)
{
    struct predictor *p = &m->parts.predictor;
    struct str kind;
    struct json_value encoder = json_get(item, "encoder"), of = json_get(item, "of");
    struct source *source = &p->sources[p->source_count + p->late_count];
    *source = (struct source){.encoder = encoder_index(p, encoder),
                              .of = source_index(p, of),
                              .experts = p->experts,
                              .length_at = NOWHERE};
    if (json_string_decode(json_get(item, "name"), m->arena, &source->name) != OK ||
        json_string_decode(json_get(item, "kind"), m->arena, &kind) != OK ||
        source_index(p, json_get(item, "name")) != NOWHERE ||
        (encoder.type != JSON_NONE && source->encoder == NOWHERE) ||
        (of.type != JSON_NONE && source->of == NOWHERE))
        return error_set(err, ERR_CORRUPT, "its list of sources is damaged");
    source->ops = source_ops_named(kind);
    if (!source->ops)
        return error_set(err, ERR_UNSUPPORTED, "this program has no sources of kind '%.*s'",
                         STR_FMT(str_slice(kind, 0, 60)));
    if (p->late_count && !source->ops->late)
        return error_set(err, ERR_CORRUPT, "a source of kind '%s' stands behind a late one",
                         source->ops->kind);
    const struct source_file in = {s, item, m->arena, p->encoders, p->sources};
    enum status status = source->ops->read(source, &in, err);
    if (status != OK)
        return status;
    CHECK(source->columns >= p->experts && source->columns <= SOURCE_COLUMNS_MAX);
    *(source->ops->late ? &p->late_count : &p->source_count) += 1;
    return OK;
}

static enum status read_sources(struct model *m, const struct safetensors *s, struct error *err)
{
    struct json_value items[SOURCES_MAX];
    size_t count = 0;
    enum status status = read_list(m, s, "sources", items, SOURCES_MAX, &count, err);
    for (size_t i = 0; i < count && status == OK; i++)
        status = read_source(m, s, items[i], err);
    if (status != OK)
        return status;
    return predictor_layout(&m->parts.predictor)
               ? OK
               : error_set(err, ERR_CORRUPT, "its trees look at more than %d numbers",
                           FEATURES_MAX);
}

/* Tokens a character of each script: only where some were learnt. */
static enum status read_scripts(struct model *m, const struct safetensors *s, struct error *err)
{
    struct predictor *p = &m->parts.predictor;
    if (!safetensors_has(s, "tokens.scripts"))
        return OK;
    enum status status =
        model_read_floats(s, "tokens.scripts", p->experts, SCRIPTS, 0, &p->scripts, err);
    for (size_t i = 0; status == OK && i < p->experts * SCRIPTS; i++) {
        float tokens = p->scripts[i];
        if (tokens != 0 && !(tokens >= SCRIPT_TOKENS_MIN && tokens <= SCRIPT_TOKENS_MAX))
            return error_set(err, ERR_CORRUPT, "'tokens.scripts' is damaged");
    }
    return status;
}

/* Weights of late sources: only where there are any. */
static enum status read_blend(struct model *m, const struct safetensors *s, struct error *err)
{
    struct predictor *p = &m->parts.predictor;
    return p->late_count ? model_read_floats(s, "stack.blend", BLEND_TERMS(p->late_count), SIZE_MAX,
                                             0, &p->blend, err)
                         : OK;
}

/* Kinds of which training has few texts: only where there are any. */
static enum status read_kinds(struct guard *g, size_t experts, const struct safetensors *s,
                              struct error *err)
{
    if (!safetensors_has(s, "guard.few"))
        return OK;
    enum status status = model_read_floats(s, "guard.few", g->kinds, SIZE_MAX, 0, &g->few, err);
    for (size_t k = 0; status == OK && k < g->kinds; k++)
        if (!(g->few[k] >= 0 && g->few[k] <= 1))
            return error_set(err, ERR_CORRUPT, "'guard.few' is damaged");
    return status == OK ? model_read_floats(s, "guard.of_kind", g->kinds * GUARD_KIND_TERMS,
                                            experts, 0, &g->of_kind, err)
                        : status;
}

/* What is far from training: files of earlier builds, and of few texts, do not say. */
static enum status read_guard(struct model *m, const struct safetensors *s, struct error *err)
{
    struct predictor *p = &m->parts.predictor;
    struct guard g = {.statistics = p->statistics};
    if (!safetensors_has(s, "guard.limits"))
        return OK;
    enum status status = safetensors_dim(s, "guard.centre", 2, 0, &g.kinds, err);
    if (status == OK && (g.kinds < 1 || g.kinds > GUARD_KINDS_MAX || !g.statistics))
        return error_set(err, ERR_CORRUPT, "'guard.centre' is damaged");
    const struct {
        const char *name;
        size_t a, b;
        const float **into;
    } wanted[] = {
        {"guard.scale", 2, g.statistics, &g.scale},
        {"guard.whiten", g.statistics, g.statistics, &g.whiten},
        {"guard.centre", g.kinds, g.statistics, &g.centre},
        {"guard.limits", GUARD_LIMITS, SIZE_MAX, &g.limits},
    };
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && status == OK; i++)
        status =
            model_read_floats(s, wanted[i].name, wanted[i].a, wanted[i].b, 0, wanted[i].into, err);
    if (status == OK)
        status = read_kinds(&g, p->experts, s, err);
    if (status != OK)
        return status;
    p->guard = g;
    return model_parts_level(&m->parts, m->arena, err);
}

/* One piece: a list of tensors, and what only some files have. */
static enum status read_stack(struct model *m, const struct safetensors *s, struct error *err)
{
    struct predictor *p = &m->parts.predictor;
    size_t e = p->experts;
    const struct {
        const char *name;
        size_t a, b;
        const float **into;
    } wanted[] = {
        {"stack.contrast", e, SIZE_MAX, &p->contrast},
        {"stack.base", e + LEVEL_SLOPES * p->source_count, SIZE_MAX, &p->base},
        {"stack.calibration", CALIBRATION_SLOPES + 2 * e, SIZE_MAX, &p->calibration},
        {"tokens", e, TOKEN_PARAMETERS, &p->tokens},
        {"stack.spread", SPREAD_TERMS, SIZE_MAX, &p->spread},
    };
    enum status status = OK;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && status == OK; i++)
        status =
            model_read_floats(s, wanted[i].name, wanted[i].a, wanted[i].b, 0, wanted[i].into, err);
    if (status == OK)
        status = read_blend(m, s, err);
    if (status == OK)
        status = read_scripts(m, s, err);
    if (status == OK)
        status = read_guard(m, s, err);
    return status == OK ? model_read_forest(s, "forest", e, p->features, &p->forest, err) : status;
}

/* Where the model comes from: kept as it is, and a file may be without. */
static enum status read_history(struct model *m, const struct safetensors *s, struct error *err)
{
    if (json_get(s->metadata, "leeroo").type == JSON_STRING &&
        json_string_decode(json_get(s->metadata, "leeroo"), m->arena, &m->parts.leeroo) != OK)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (read_day(m, s->metadata, "trained_by", &m->parts.trained_by) != OK)
        return error_set(err, ERR_MEMORY, "out of memory");
    return metadata_string(m, s, "training", &m->parts.training, err);
}

/* How much experts err together: files of earlier builds do not say. */
static enum status read_shared_sd(struct model *m, const struct safetensors *s, struct error *err)
{
    struct str text;
    double sd = 0;
    if (json_get(s->metadata, "shared_sd").type == JSON_NONE)
        return OK;
    enum status status = metadata_string(m, s, "shared_sd", &text, err);
    if (status != OK)
        return status;
    if (str_to_double(text, &sd) != OK || !(sd >= 0 && sd <= (double)SHARED_SD_MAX))
        return error_set(err, ERR_CORRUPT, "'shared_sd' is damaged");
    m->parts.shared_sd = (float)sd;
    m->parts.shared_sd_known = true;
    return OK;
}

/* How long the sample's texts are: files of earlier builds do not say. */
static enum status read_sample_text(struct model *m, const struct safetensors *s, struct error *err)
{
    struct model_parts *p = &m->parts;
    if (!safetensors_has(s, "sample.text"))
        return OK;
    enum status status = safetensors_dim(s, "sample.text", 2, 1, &p->sample_text_width, err);
    if (status != OK)
        return status;
    if (p->sample_text_width != SAMPLE_TEXT && p->sample_text_width != SAMPLE_TEXT + SCRIPTS)
        return error_set(err, ERR_CORRUPT, "'sample.text' is damaged");
    return model_read_floats(s, "sample.text", p->sample, p->sample_text_width, 0, &p->sample_text,
                             err);
}

/* Whose estimates the sample's are: files of before said nothing of it. */
static enum status read_sample_hashes(struct model *m, const struct safetensors *s,
                                      struct error *err)
{
    if (!safetensors_has(s, "sample.text_hashes"))
        return OK;
    return safetensors_get(s, "sample.text_hashes", "U64", &m->parts.sample, 1,
                           (const void **)&m->parts.sample_hashes, err);
}

static enum status read_rest(struct model *m, const struct safetensors *s, struct error *err)
{
    enum status status = read_history(m, s, err);
    if (status == OK)
        status = read_shared_sd(m, s, err);
    if (status == OK)
        status = safetensors_dim(s, "train.text_hashes", 1, 0, &m->parts.text_count, err);
    if (status == OK)
        status = safetensors_get(s, "train.text_hashes", "U64", &m->parts.text_count, 1,
                                 (const void **)&m->parts.text_hashes, err);
    if (status == OK)
        status = safetensors_dim(s, "sample.quality", 2, 0, &m->parts.sample, err);
    if (status == OK)
        status = model_read_floats(s, "sample.quality", m->parts.sample, m->arm_count, 0,
                                   &m->parts.sample_quality, err);
    if (status == OK)
        status = read_sample_hashes(m, s, err);
    if (status == OK)
        status = model_read_floats(s, "sample.cost_usd", m->parts.sample, m->arm_count, 0,
                                   &m->parts.sample_cost_usd, err);
    return status == OK ? read_sample_text(m, s, err) : status;
}

static enum status read_model(struct model *m, const void *bytes, size_t len, const char *place,
                              struct error *err)
{
    struct safetensors s;
    enum status status = safetensors_open(bytes, len, place, &s, err);
    if (status != OK)
        return status;
    if ((status = read_format(m, &s, err)) != OK || (status = check_sum(m, &s, err)) != OK ||
        (status = read_version(m, &s, err)) != OK || (status = read_encoders(m, &s, err)) != OK ||
        (status = read_experts(m, &s, err)) != OK || (status = read_sources(m, &s, err)) != OK ||
        (status = read_stack(m, &s, err)) != OK || (status = read_arms(m, &s, err)) != OK ||
        (status = read_rest(m, &s, err)) != OK)
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

/* Whether it looks like a text: a data set, a configuration. */
static bool is_text(const struct file_copy *f)
{
    struct str head = {(const char *)f->ptr, f->len < 64 ? f->len : 64};
    return head.len > 0 && utf8_printable(str_slice(head, 0, head.len < 8 ? head.len : 8));
}

/* What was given for a model may be none: a data set, whose place is behind it, or a file that is not there yet. */
static void mend(const struct model *m, const char *path, struct error *err)
{
    struct stat found;
    bool there = stat(path, &found) == 0;
    if (!there)
        error_mend(err, "`leeroo train DATASET -o %s` makes it", path);
    else if (S_ISDIR(found.st_mode) || is_text(&m->file))
        error_mend(err, "a model file is what `leeroo train -o MODEL` writes, and MODEL stands "
                        "before the data");
}

enum status model_load(const char *path, struct model **ret, struct error *err)
{
    struct model *m = model_create();
    if (!m)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = file_copy_open(path, &m->file, err);
    if (status == OK)
        status = read_model(m, m->file.ptr, m->file.len, path, err);
    if (status != OK)
        mend(m, path, err);
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
    for (size_t i = 0; i < m->opened_count; i++)
        encoder_close_foreign(m->opened[i]);
    file_copy_close(&m->file);
    free(m->copy);
    arena_free(m->arena);
    free(m);
}
