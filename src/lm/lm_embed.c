/* Embeddings. Texts go into one batch as sequences of their own, as many as there is room for: a batch costs little
 * more than its longest text alone where the machine has units to spare. Vectors are scaled to length 1, as those who
 * compare them expect. Everything runs on the thread that owns the embedder and blocks it, for milliseconds to
 * seconds: a thread that serves has others do it. */
#include "lm/lm_embed.h"

#include <math.h>
#include <stdlib.h>

#include "lm/lm_int.h"

#define BATCH_USUAL  8
#define TOKENS_USUAL 512

struct lm_embedder {
    const struct lm *lm;
    struct llama_context *context;
    struct llama_batch batch;
    int32_t *tokens; /* [tokens_max] */
    size_t tokens_max, texts_max, room;
};

static enum llama_pooling_type pooling_of(const struct lm *lm, enum lm_pooling wanted)
{
    switch (wanted) {
    case LM_POOL_MEAN:
        return LLAMA_POOLING_TYPE_MEAN;
    case LM_POOL_LAST:
        return LLAMA_POOLING_TYPE_LAST;
    case LM_POOL_OWN:
        break;
    }
    return lm->info.embeds ? LLAMA_POOLING_TYPE_UNSPECIFIED : LLAMA_POOLING_TYPE_MEAN;
}

static enum status open(struct lm_embedder *e, const struct lm_embed_options *o, struct error *err)
{
    const struct lm_info *info = &e->lm->info;
    struct llama_context_params p = llama_context_default_params();
    size_t most = info->context < TOKENS_USUAL ? info->context : TOKENS_USUAL;
    e->tokens_max = o->tokens_max && o->tokens_max < info->context ? o->tokens_max : most;
    e->texts_max = o->batch ? o->batch : BATCH_USUAL;
    e->room = e->tokens_max * e->texts_max;
    p.n_ctx = (uint32_t)e->room;
    p.n_batch = p.n_ubatch = (uint32_t)e->room;
    p.n_seq_max = (uint32_t)e->texts_max;
    p.n_threads = p.n_threads_batch = o->threads ? (int32_t)o->threads : 1;
    p.embeddings = true;
    p.pooling_type = pooling_of(e->lm, o->pooling);
    p.no_perf = true;
    lm_complaint_clear();
    e->context = llama_init_from_model(e->lm->model, p);
    e->tokens = calloc(e->tokens_max, sizeof(*e->tokens));
    if (!e->context || !e->tokens)
        return error_set(err, ERR_MEMORY, "%s: no room to compute in: %s", info->path,
                         lm_complaint());
    e->batch = llama_batch_init((int32_t)e->room, 0, 1);
    if (e->lm->lora_count)
        llama_set_adapters_lora(e->context, e->lm->loras, e->lm->lora_count, e->lm->lora_scales);
    return OK;
}

enum status lm_embedder_create(const struct lm *lm, const struct lm_embed_options *options,
                               struct lm_embedder **ret, struct error *err)
{
    static const struct lm_embed_options usual;
    struct lm_embedder *e = calloc(1, sizeof(*e));
    if (!e)
        return error_set(err, ERR_MEMORY, "out of memory");
    e->lm = lm;
    enum status status = open(e, options ? options : &usual, err);
    if (status != OK) {
        lm_embedder_free(e);
        return status;
    }
    *ret = e;
    return OK;
}

void lm_embedder_free(struct lm_embedder *e)
{
    if (!e)
        return;
    if (e->batch.token)
        llama_batch_free(e->batch);
    if (e->context)
        llama_free(e->context);
    free(e->tokens);
    free(e);
}

static void put(struct lm_embedder *e, int32_t token, size_t position, size_t sequence)
{
    struct llama_batch *b = &e->batch;
    int32_t at = b->n_tokens++;
    b->token[at] = token;
    b->pos[at] = (llama_pos)position;
    b->n_seq_id[at] = 1;
    b->seq_id[at][0] = (llama_seq_id)sequence;
    b->logits[at] = 1;
}

/* As many texts as fit; returns how many. A text without tokens is said to be a space. */
static size_t fill(struct lm_embedder *e, const struct str *texts, size_t count)
{
    size_t taken = 0;
    e->batch.n_tokens = 0;
    for (; taken < count && taken < e->texts_max; taken++) {
        size_t n = lm_tokenize(e->lm, texts[taken], true, e->tokens, e->tokens_max);
        if (!n)
            n = lm_tokenize(e->lm, STR(" "), true, e->tokens, e->tokens_max);
        n = n < e->tokens_max ? n : e->tokens_max;
        for (size_t i = 0; i < n; i++)
            put(e, e->tokens[i], i, taken);
    }
    return taken;
}

static void normalise(const float *from, size_t width, float *out)
{
    double square = 0;
    for (size_t i = 0; i < width; i++)
        square += (double)from[i] * (double)from[i];
    double scale = square > 0 ? 1 / sqrt(square) : 0;
    for (size_t i = 0; i < width; i++)
        out[i] = (float)((double)from[i] * scale);
}

enum status lm_embed(struct lm_embedder *e, const struct str *texts, size_t count, float *out,
                     struct error *err)
{
    size_t width = e->lm->info.width;
    for (size_t done = 0; done < count;) {
        size_t taken = fill(e, texts + done, count - done);
        llama_memory_t memory = llama_get_memory(e->context);
        if (memory)
            llama_memory_clear(memory, false);
        lm_complaint_clear();
        int32_t failed =
            memory ? llama_decode(e->context, e->batch) : llama_encode(e->context, e->batch);
        if (failed)
            return error_set(err, ERR_UPSTREAM, "%s: llama.cpp failed: %s", e->lm->info.path,
                             lm_complaint());
        for (size_t i = 0; i < taken; i++) {
            const float *v = llama_get_embeddings_seq(e->context, (llama_seq_id)i);
            if (!v)
                return error_set(err, ERR_UPSTREAM, "%s: no embedding came", e->lm->info.path);
            normalise(v, width, out + (done + i) * width);
        }
        done += taken;
    }
    return OK;
}
