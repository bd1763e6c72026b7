/* A trained orchestrator → its file. Wide types first, so that every tensor is aligned without gaps. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "predict/model_format.h"
#include "predict/safetensors.h"
#include "train/model_plans_write.h"
#include "train/train.h"

#define METADATA_MAX (8u << 20)
#define ZEROS        "0000000000000000"
#define ITEMS_MAX    (13 + MODEL_PLANS_ITEMS_MAX)

static void add_figure(struct buf *b, const char *name, double value)
{
    buf_addf(b, ",\"%s\":", name);
    json_write_double(b, value);
}

static void describe_experts(const struct trained *t, struct buf *b)
{
    for (size_t e = 0; e < t->experts; e++) {
        const struct model_expert *x = &t->expert[e];
        const struct train_figures *f = &t->figures[e];
        buf_add_c(b, e ? ",{\"name\":" : "[{\"name\":");
        json_write_string(b, x->name);
        buf_add_c(b, ",\"usd_per_m_input\":");
        money_format_usd(b, x->price.input_nano_usd_per_m);
        buf_add_c(b, ",\"usd_per_m_output\":");
        money_format_usd(b, x->price.output_nano_usd_per_m);
        buf_add_c(b, ",\"usd_per_m_cached_input\":");
        money_format_usd(b, price_cached_input_nano_usd_per_m(&x->price));
        if (x->price.cache_write_extra_nano_usd_per_m != 0) {
            buf_add_c(b, ",\"usd_per_m_cache_write\":");
            money_format_usd(b, price_cache_write_nano_usd_per_m(&x->price));
        }
        if (x->price.reasoning_extra_nano_usd_per_m != 0) {
            buf_add_c(b, ",\"usd_per_m_reasoning\":");
            money_format_usd(b, price_reasoning_nano_usd_per_m(&x->price));
        }
        add_figure(b, "accuracy", f->accuracy);
        add_figure(b, "mean_cost_usd", f->mean_cost_usd);
        add_figure(b, "outcomes", (double)f->known);
        add_figure(b, "auc", f->auc);
        add_figure(b, "log_loss", f->log_loss);
        add_figure(b, "calibration_error", f->calibration_error);
        buf_add_char(b, '}');
    }
    buf_add_char(b, ']');
}

/* Metadata values must be strings, so what has structure is JSON inside a string. */
static void describe(const struct trained *t, struct buf *b)
{
    struct buf experts, plans;
    buf_init(&experts, METADATA_MAX);
    buf_init(&plans, METADATA_MAX);
    describe_experts(t, &experts);
    model_plans_describe(t, &plans);
    buf_add_c(b, "{\"checksum\":\"" ZEROS "\",\"format\":\"" MODEL_FORMAT
                 "\",\"version\":\"" MODEL_VERSION "\",\"encoder\":\"" NGRAM_FINGERPRINT
                 "\",\"experts\":");
    json_write_string(b, buf_str(&experts));
    buf_add_c(b, ",\"plans\":");
    json_write_string(b, buf_str(&plans));
    buf_addf(b,
             ",\"training\":\"{\\\"queries\\\":%zu,\\\"seed\\\":%" PRIu64
             ",\\\"folds\\\":%d,\\\"fingerprint\\\":\\\"%016" PRIx64 "\\\"}\"",
             t->queries, t->seed, TRAIN_FOLDS, t->fingerprint);
    buf_addf(b, ",\"leeroo\":\"%s\"}", LEEROO_VERSION);
    if (experts.status != OK || plans.status != OK)
        b->status = experts.status != OK ? experts.status : plans.status;
    buf_done(&experts);
    buf_done(&plans);
}

/* Returns how many. */
static size_t list_items(const struct trained *t, struct safetensors_item *items)
{
    const struct predictor *p = &t->predictor;
    size_t experts = t->experts, groups = p->shape.groups, width = p->shape.width;
    size_t trees = p->forest.tree_count;
    const struct safetensors_item
        words[] =
            {
                {"train.text_hashes", "U64", 1, {t->queries}, t->text_hashes},
                {"linear.bias", "F32", 1, {width}, p->bias},
                {"linear.group_quality", "F32", 2, {groups, experts}, p->group_quality},
                {"stack.contrast", "F32", 1, {experts}, p->contrast},
                {"stack.base", "F32", 1, {experts + SLOPES}, p->base},
                {"stack.calibration", "F32", 1, {SLOPES + 2 * experts}, p->calibration},
                {"tokens", "F32", 2, {experts, TOKEN_PARAMETERS}, p->tokens},
                {"stack.doubt", "F32", 1, {DOUBT_TERMS}, p->doubt},
                {"forest.leaves", "F32", 3, {trees, TREE_LEAVES_MAX, experts}, p->forest.leaves},
                {"sample.quality", "F32", 2, {t->sample, t->arms}, t->sample_quality},
                {"sample.cost_usd", "F32", 2, {t->sample, t->arms}, t->sample_cost_usd},
            },
        bytes[] = {
            {"forest.trees", "U8", 2, {trees, sizeof(struct tree)}, p->forest.trees},
            {"linear.weights", "BF16", 2, {NGRAM_BUCKETS, width}, p->weights},
        };
    struct safetensors_item plans[MODEL_PLANS_ITEMS_MAX];
    size_t plan_bytes = 0, n = 0;
    size_t plan_items = t->plans.set.count ? model_plans_items(t, plans, &plan_bytes) : 0;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        items[n++] = words[i];
    for (size_t i = 0; i < plan_items; i++)
        items[n++] = plans[i];
    for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
        items[n++] = bytes[i];
    CHECK(n <= ITEMS_MAX);
    return n;
}

/* Both hashes and writes the data, in the same order. */
static enum status gather_data(const struct safetensors_item *items, size_t count, struct buf *data,
                               struct error *err)
{
    for (size_t i = 0; i < count; i++)
        buf_add(data, (struct str){items[i].bytes, safetensors_bytes(&items[i])});
    return buf_status(data, err);
}

static enum status assemble(const struct trained *t, struct buf *head, struct buf *data,
                            struct error *err)
{
    struct safetensors_item items[ITEMS_MAX];
    struct buf metadata;
    buf_init(&metadata, METADATA_MAX);
    describe(t, &metadata);
    size_t count = list_items(t, items);
    enum status status = buf_status(&metadata, err);
    if (status == OK)
        status = safetensors_header(items, count, buf_str(&metadata), head, err);
    if (status == OK)
        status = gather_data(items, count, data, err);
    buf_done(&metadata);
    if (status != OK)
        return status;
    struct str header = str_slice(buf_str(head), 8, head->len);
    char *digits = strstr(head->ptr + 8, ZEROS), hex[CHECKSUM_DIGITS + 1];
    CHECK(digits != NULL);
    snprintf(hex, sizeof(hex), "%016" PRIx64, model_file_checksum(header, digits, buf_str(data)));
    memcpy(digits, hex, CHECKSUM_DIGITS);
    return OK;
}

enum status model_write(const struct trained *t, const char *path, struct error *err)
{
    struct file_out out;
    struct buf head, data;
    buf_init(&head, SAFETENSORS_HEADER_MAX + 64);
    buf_init(&data, (size_t)4 << 30);
    enum status status = assemble(t, &head, &data, err);
    if (status == OK)
        status = file_out_open(path, &out, err);
    if (status == OK) {
        fwrite(head.ptr, 1, head.len, out.stream);
        fwrite(data.ptr, 1, data.len, out.stream);
        status = file_out_commit(&out, err);
    }
    buf_done(&head);
    buf_done(&data);
    return status;
}
