/* See gguf_encoder.h. One worker: llama.cpp spreads a batch over threads of its own. */
#include "reader/gguf_encoder.h"

#include <stdio.h>
#include <stdlib.h>

#include "lm/lm_embed.h"
#include "lm/lm_share.h"

#define FINGERPRINT_BYTES 160

struct gguf {
    struct lm *lm;
    struct lm_embedder *embedder;
};

static void gguf_free(void *state)
{
    struct gguf *g = state;
    lm_embedder_free(g->embedder);
    lm_release(g->lm);
    free(g);
}

static enum status rows(void *state, size_t worker, const struct str *texts, size_t count,
                        float *out, struct error *err)
{
    const struct gguf *g = state;
    (void)worker;
    return lm_embed(g->embedder, texts, count, out, err);
}

static struct lm_embed_options options_of(const struct encoder_spec *s, const struct lm_info *info)
{
    struct lm_embed_options o = {
        .layer = s->layer,
        .tokens_max = s->tokens,
        .batch = s->batch ? s->batch : LATE_BATCH_USUAL,
        .threads = s->threads,
    };
    switch (s->pooling) {
    case ENCODER_POOL_OWN:
        break;
    case ENCODER_POOL_MEAN:
        o.pooling = LM_POOL_MEAN;
        break;
    case ENCODER_POOL_LAST:
        o.pooling = LM_POOL_LAST;
        break;
    case ENCODER_POOL_HIDDEN:
        o.pooling = LM_POOL_LAST;
        o.layer = s->layer ? s->layer : info->layers;
        break;
    }
    return o;
}

/* One piece: whoever owns `g` changes with the last call. */
static enum status make(struct gguf *g, const struct encoder_spec *s, struct late **ret,
                        struct error *err)
{
    const struct lm_info *info = lm_info(g->lm);
    const struct lm_embed_options o = options_of(s, info);
    char fingerprint[FINGERPRINT_BYTES];
    struct buf spec;
    buf_init(&spec, ENCODER_SPEC_BYTES_MAX);
    encoder_spec_write(s, &spec);
    snprintf(fingerprint, sizeof(fingerprint), "gguf %s pooling=%s layer=%zu tokens=%u",
             info->fingerprint, encoder_pooling_name(s->pooling), o.layer, s->tokens);
    const struct late_options late = {.name = s->name,
                                      .fingerprint = fingerprint,
                                      .spec = spec.ptr,
                                      .width = info->width,
                                      .batch = o.batch,
                                      .limits = s->limits};
    enum status status = buf_status(&spec, err);
    if (status == OK && (!info->width || info->width > LATE_WIDTH_MAX))
        status = error_set(err, ERR_UNSUPPORTED, "%s: vectors of %zu numbers; at most %d", s->gguf,
                           info->width, LATE_WIDTH_MAX);
    if (status == OK)
        status = lm_embedder_create(g->lm, &o, &g->embedder, err);
    const struct late_compute compute = {.rows = rows, .free = gguf_free, .state = g};
    if (status == OK)
        status = late_create(&late, &compute, ret, err);
    else
        gguf_free(g);
    buf_done(&spec);
    return status;
}

enum status gguf_encoder_open(const struct encoder_spec *s, struct late **ret, struct error *err)
{
    struct gguf *g = calloc(1, sizeof(*g));
    if (!g)
        return error_set(err, ERR_MEMORY, "out of memory");
    const struct lm_options loading = {.gpu_layers = (int)s->gpu_layers};
    enum status status = lm_share(s->gguf, &loading, &g->lm, err);
    if (status == OK)
        status = make(g, s, ret, err);
    else
        gguf_free(g);
    if (status != OK)
        error_prefix(err, "encoder '%s'", s->name);
    return status;
}
