/* The base model written and read: see base_file.h. Floats come first, then the weights, then the trees' bytes, so
 * that every tensor is aligned without gaps. What is compiled in was checked when the program was built and tested,
 * but it is read as if it came from anywhere: a damaged file is refused in a sentence. Any thread may read; what is
 * read points into the bytes, which must stay as they are. */
#include "prior/base_file.h"

#include <math.h>
#include <string.h>

#include "encode/ngram_encoder.h"
#include "predict/model_read.h"
#include "predict/safetensors.h"

#define FORMAT       "leeroo-base"
#define METADATA_MAX (1u << 20)
#define FAMILY_ROWS  3    /* the family's two, the deviations */
#define OUTCOMES_MAX 1e9F /* of a known model; more is no count */

enum { NUMBER_PRICE_0, NUMBER_PRICE_1, NUMBER_STRENGTH_SD, NUMBER_QUESTION_SD, NUMBERS };
enum { MODEL_STRENGTH, MODEL_ACCURACY, MODEL_OUTCOMES, MODEL_RATIO, MODEL_PARAMETERS };

/* Writing */

static void describe_known(const struct base *b, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t j = 0; j < b->known_count; j++) {
        const struct base_known *x = &b->known[j];
        buf_add_c(out, j ? ",{\"name\":" : "{\"name\":");
        json_write_string(out, x->name);
        buf_add_c(out, ",\"usd_per_m_input\":");
        money_format_usd(out, x->price.input_nano_usd_per_m);
        buf_add_c(out, ",\"usd_per_m_output\":");
        money_format_usd(out, x->price.output_nano_usd_per_m);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

static enum status describe(const struct base *b, struct buf *out, struct error *err)
{
    struct buf known;
    buf_init(&known, METADATA_MAX);
    describe_known(b, &known);
    buf_add_c(out, "{\"format\":\"" FORMAT "\",\"version\":\"" BASE_VERSION "\",\"encoder\":");
    json_write_string(out, str_from(NGRAM_FINGERPRINT));
    buf_add_c(out, ",\"known\":");
    json_write_string(out, buf_str(&known));
    buf_add_c(out, ",\"provenance\":");
    json_write_string(out, b->provenance);
    buf_add_char(out, '}');
    enum status status = buf_status(&known, err);
    buf_done(&known);
    return status == OK ? buf_status(out, err) : status;
}

static void fill_family(const struct base *b, float *family)
{
    size_t n = base_parameters(b);
    for (size_t k = 0; k < n; k++) {
        family[k] = (float)b->family[0][k];
        family[n + k] = (float)b->family[1][k];
        family[2 * n + k] = (float)b->deviation[k];
    }
}

static void fill_models(const struct base *b, float *models)
{
    size_t width = MODEL_PARAMETERS + base_parameters(b);
    for (size_t j = 0; j < b->known_count; j++, models += width) {
        const struct base_known *x = &b->known[j];
        models[MODEL_STRENGTH] = (float)x->strength;
        models[MODEL_ACCURACY] = (float)x->accuracy;
        models[MODEL_OUTCOMES] = (float)x->outcomes;
        models[MODEL_RATIO] = (float)x->output_ratio;
        for (size_t k = 0; k < base_parameters(b); k++)
            models[MODEL_PARAMETERS + k] = (float)x->parameters[k];
    }
}

static enum status write_items(const struct base *b, const struct safetensors_item *items,
                               size_t count, struct buf *out, struct error *err)
{
    struct buf metadata;
    buf_init(&metadata, METADATA_MAX);
    enum status status = describe(b, &metadata, err);
    if (status == OK)
        status = safetensors_header(items, count, buf_str(&metadata), out, err);
    for (size_t i = 0; i < count && status == OK; i++)
        buf_add(out, (struct str){items[i].bytes, safetensors_bytes(&items[i])});
    buf_done(&metadata);
    return status == OK ? buf_status(out, err) : status;
}

/* One piece, for it is the list of the tensors. */
enum status base_write(const struct base *b, struct buf *out, struct error *err)
{
    float numbers[NUMBERS] = {(float)b->price[0], (float)b->price[1], (float)b->strength_sd,
                              (float)b->question_sd};
    float family[FAMILY_ROWS * BASE_PARAMETERS_MAX];
    size_t parameters = base_parameters(b), width = MODEL_PARAMETERS + parameters;
    struct arena *a = arena_create(1u << 20);
    float *models = a ? ARENA_ARRAY(a, b->known_count * width + 1, float) : NULL;
    enum status status;
    fill_family(b, family);
    if (models) {
        fill_models(b, models);
        const struct difficulty_head *h = &b->head;
        const struct safetensors_item items[] = {
            {"bias", "F32", 1, {difficulty_width(h->groups)}, h->bias},
            {"level", "F32", 1, {DIFFICULTY_LEVELS + h->groups}, h->level},
            {"tokens", "F32", 1, {TOKEN_PARAMETERS}, b->tokens},
            {"spread", "F32", 1, {SPREAD_TERMS}, b->spread},
            {"numbers", "F32", 1, {NUMBERS}, numbers},
            {"family", "F32", 2, {FAMILY_ROWS, parameters}, family},
            {"models", "F32", 2, {b->known_count, width}, models},
            {"sample", "F32", 2, {b->sample_rows, base_sample_width(b)}, b->sample},
            {"forest.leaves",
             "F32",
             3,
             {b->forest.tree_count, TREE_LEAVES_MAX, 1},
             b->forest.leaves},
            {"weights", "U16", 2, {h->buckets, difficulty_width(h->groups)}, h->weights},
            {"forest.trees", "U8", 2, {b->forest.tree_count, sizeof(struct tree)}, b->forest.trees},
        };
        status = write_items(b, items, sizeof(items) / sizeof(items[0]), out, err);
    } else {
        status = error_set(err, ERR_MEMORY, "out of memory");
    }
    arena_free(a);
    return status;
}

/* Reading */

struct reading {
    struct safetensors file;
    struct arena *arena;
    struct base *base;
};

static enum status read_string(const struct reading *r, const char *key, struct str *ret,
                               struct error *err)
{
    enum status status = json_string_decode(json_get(r->file.metadata, key), r->arena, ret);
    if (status == ERR_INPUT)
        return error_set(err, ERR_CORRUPT, "no '%s' in its metadata: not a base model", key);
    return status == OK ? OK : error_set(err, status, "out of memory");
}

static enum status expect(const struct reading *r, const char *key, const char *wanted,
                          struct error *err)
{
    struct str found;
    enum status status = read_string(r, key, &found, err);
    if (status == OK && !str_equal(found, str_from(wanted)))
        return error_set(err, ERR_UNSUPPORTED,
                         "%s is '%.*s'; this program reads '%s': run "
                         "make base-model",
                         key, STR_FMT(str_slice(found, 0, 60)), wanted);
    return status;
}

static enum status read_known(const struct reading *r, struct json_value item, struct base_known *x,
                              struct error *err)
{
    struct json_value in = json_get(item, "usd_per_m_input"),
                      out = json_get(item, "usd_per_m_output");
    if (json_string_decode(json_get(item, "name"), r->arena, &x->name) != OK || !x->name.len ||
        in.type != JSON_NUMBER || out.type != JSON_NUMBER ||
        money_parse_usd(in.raw, &x->price.input_nano_usd_per_m) != OK ||
        money_parse_usd(out.raw, &x->price.output_nano_usd_per_m) != OK)
        return error_set(err, ERR_CORRUPT, "its list of models is damaged");
    return OK;
}

static enum status read_list(const struct reading *r, struct error *err)
{
    struct str text;
    struct json_value list, item;
    struct base *b = r->base;
    enum status status = read_string(r, "known", &text, err);
    if (status != OK)
        return status;
    b->known = ARENA_ARRAY(r->arena, BASE_KNOWN_MAX, struct base_known);
    if (!b->known)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (json_parse(text, "known", 1, &list, err) != OK || list.type != JSON_ARRAY)
        return error_set(err, ERR_CORRUPT, "its list of models is damaged");
    struct json_iter it = json_iter_begin(list);
    while (status == OK && json_array_next(&it, &item)) {
        if (b->known_count == BASE_KNOWN_MAX)
            return error_set(err, ERR_CORRUPT, "more than %d models", BASE_KNOWN_MAX);
        status = read_known(r, item, &b->known[b->known_count++], err);
    }
    return status;
}

static bool all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

static enum status read_models(const struct reading *r, struct error *err)
{
    struct base *b = r->base;
    const float *models;
    size_t n = base_parameters(b), width = MODEL_PARAMETERS + n;
    enum status status =
        model_read_floats(&r->file, "models", b->known_count, width, 0, &models, err);
    if (status != OK)
        return status;
    if (!all_finite(models, b->known_count * width))
        return error_set(err, ERR_CORRUPT, "'models' is damaged");
    for (size_t j = 0; j < b->known_count; j++, models += width) {
        struct base_known *x = &b->known[j];
        x->strength = (double)models[MODEL_STRENGTH];
        x->accuracy = (double)models[MODEL_ACCURACY];
        x->output_ratio = (double)models[MODEL_RATIO];
        if (!(models[MODEL_OUTCOMES] >= 0 && models[MODEL_OUTCOMES] <= OUTCOMES_MAX) ||
            !(x->output_ratio > 0))
            return error_set(err, ERR_CORRUPT, "'models' is damaged");
        x->outcomes = (size_t)models[MODEL_OUTCOMES];
        for (size_t k = 0; k < n; k++)
            x->parameters[k] = (double)models[MODEL_PARAMETERS + k];
    }
    return OK;
}

static enum status read_numbers(const struct reading *r, struct error *err)
{
    struct base *b = r->base;
    const float *numbers, *family;
    size_t n = base_parameters(b);
    enum status status =
        model_read_floats(&r->file, "numbers", NUMBERS, SIZE_MAX, 0, &numbers, err);
    if (status == OK)
        status = model_read_floats(&r->file, "family", FAMILY_ROWS, n, 0, &family, err);
    if (status != OK)
        return status;
    if (!all_finite(numbers, NUMBERS) || !all_finite(family, FAMILY_ROWS * n))
        return error_set(err, ERR_CORRUPT, "'numbers' or 'family' is damaged");
    b->price[0] = (double)numbers[NUMBER_PRICE_0];
    b->price[1] = (double)numbers[NUMBER_PRICE_1];
    b->strength_sd = (double)numbers[NUMBER_STRENGTH_SD];
    b->question_sd = (double)numbers[NUMBER_QUESTION_SD];
    for (size_t k = 0; k < n; k++) {
        b->family[0][k] = (double)family[k];
        b->family[1][k] = (double)family[n + k];
        b->deviation[k] = (double)family[2 * n + k];
        if (!(b->deviation[k] > 0))
            return error_set(err, ERR_CORRUPT, "'family' is damaged");
    }
    return b->strength_sd > 0 ? OK : error_set(err, ERR_CORRUPT, "'numbers' is damaged");
}

static enum status read_head(const struct reading *r, struct error *err)
{
    struct difficulty_head *h = &r->base->head;
    size_t level;
    enum status status = safetensors_dim(&r->file, "level", 1, 0, &level, err);
    if (status == OK)
        status = safetensors_dim(&r->file, "weights", 2, 0, &h->buckets, err);
    if (status != OK)
        return status;
    if (level < DIFFICULTY_LEVELS || level > DIFFICULTY_LEVELS + BASE_GROUPS_MAX ||
        h->buckets < 1 || (h->buckets & (h->buckets - 1)) != 0 || h->buckets > NGRAM_BUCKETS)
        return error_set(err, ERR_CORRUPT, "its weights have an odd shape");
    h->groups = level - DIFFICULTY_LEVELS;
    size_t shape[2] = {h->buckets, difficulty_width(h->groups)};
    status = model_read_floats(&r->file, "level", level, SIZE_MAX, 0, &h->level, err);
    if (status == OK)
        status = model_read_floats(&r->file, "bias", shape[1], SIZE_MAX, 0, &h->bias, err);
    if (status == OK)
        status =
            safetensors_get(&r->file, "weights", "U16", shape, 2, (const void **)&h->weights, err);
    return status;
}

static enum status read_rest(const struct reading *r, struct error *err)
{
    struct base *b = r->base;
    size_t features = NGRAM_STATS + 1 + difficulty_source.facts + 1;
    enum status status = model_read_forest(&r->file, "forest", 1, features, &b->forest, err);
    if (status == OK)
        status = safetensors_dim(&r->file, "sample", 2, 0, &b->sample_rows, err);
    if (status == OK && b->sample_rows > BASE_SAMPLE_MAX)
        status = error_set(err, ERR_CORRUPT, "its sample has too many rows");
    if (status == OK)
        status = model_read_floats(&r->file, "sample", b->sample_rows, base_sample_width(b), 0,
                                   &b->sample, err);
    if (status == OK)
        status =
            model_read_floats(&r->file, "tokens", TOKEN_PARAMETERS, SIZE_MAX, 0, &b->tokens, err);
    if (status == OK)
        status = model_read_floats(&r->file, "spread", SPREAD_TERMS, SIZE_MAX, 0, &b->spread, err);
    return status;
}

static enum status read_all(const struct reading *r, struct error *err)
{
    enum status status = expect(r, "format", FORMAT, err);
    if (status == OK)
        status = expect(r, "version", BASE_VERSION, err);
    if (status == OK)
        status = expect(r, "encoder", NGRAM_FINGERPRINT, err);
    if (status == OK)
        status = read_string(r, "provenance", &r->base->provenance, err);
    if (status == OK)
        status = read_list(r, err);
    if (status == OK)
        status = read_head(r, err);
    if (status == OK)
        status = read_models(r, err);
    if (status == OK)
        status = read_numbers(r, err);
    return status == OK ? read_rest(r, err) : status;
}

enum status base_read(struct str bytes, const char *place, struct arena *a, struct base *ret,
                      struct error *err)
{
    struct base read = {0};
    struct reading r = {.arena = a, .base = &read};
    enum status status = safetensors_open(bytes.ptr, bytes.len, place, &r.file, err);
    if (status != OK)
        return status;
    status = read_all(&r, err);
    if (status == OK)
        *ret = read;
    else
        error_prefix(err, "%s", place);
    return status;
}
