/* Embeddings. Texts go into one batch as sequences of their own, as many as there is room for: a batch costs little
 * more than its longest text alone where the machine has units to spare. What a causal model makes of a text is taken
 * from its layers and pooled here (lm/lm_hidden.h): llama.cpp's own pooling would compute the vocabulary's logits of
 * every token first. All other models are pooled by llama.cpp, as the file says. Everything runs on the thread that
 * owns the embedder and blocks it, for milliseconds to seconds: a thread that serves has others do it. */
#include "lm/lm_embed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "lm/lm_hidden.h"

#define BATCH_USUAL  8
#define TOKENS_USUAL 512
#define TOKEN_BYTES                                                                                \
    128           /* more than a token has: what lies behind so many is not worth tokenizing */
#define ROOM 1024 /* tokens of a batch: attention grows with its square, whoever they belong to */
/* llama.cpp keeps room for the logits of a batch's tokens, though nobody wants them. */
#define LOGITS_BYTES ((size_t)128 << 20)

/* A text's tokens in the batch. */
struct span {
    size_t first, count;
};

struct lm_embedder {
    const struct lm *lm;
    struct llama_context *context;
    struct llama_batch batch;
    int32_t *tokens; /* [tokens_max] */
    size_t tokens_max, texts_max, room;
    struct span *spans; /* [texts_max] */
    /* Of a causal model: */
    bool is_hidden;
    struct lm_hidden hidden;
    enum lm_pooling pooling; /* mean or last */
    bool
        every_output; /* the layer is the last one, of which llama.cpp computes only what is wanted */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static enum llama_pooling_type pooling_of(const struct lm_embedder *e, enum lm_pooling wanted)
{
    if (e->is_hidden)
        return LLAMA_POOLING_TYPE_NONE;
    switch (wanted) {
    case LM_POOL_MEAN:
        return LLAMA_POOLING_TYPE_MEAN;
    case LM_POOL_LAST:
        return LLAMA_POOLING_TYPE_LAST;
    case LM_POOL_OWN:
        break;
    }
    return e->lm->pools ? LLAMA_POOLING_TYPE_UNSPECIFIED : LLAMA_POOLING_TYPE_MEAN;
}

static enum status check_options(const struct lm *lm, const struct lm_embed_options *o,
                                 struct error *err)
{
    const struct lm_info *info = &lm->info;
    if (!info->embeds && !info->writes)
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: a model of architecture %s makes no embeddings here", info->path,
                         info->architecture);
    if (o->layer && !lm->is_causal)
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: layer %zu: layers are read of causal models only, this is %s",
                         info->path, o->layer, info->architecture);
    if (o->layer > info->layers)
        return error_set(err, ERR_TOO_LARGE, "%s: layer %zu: the model has %zu", info->path,
                         o->layer, info->layers);
    if (o->layer && lm->hidden_width != info->width)
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: its layers are of %zu numbers, its output of %zu", info->path,
                         lm->hidden_width, info->width);
    if (o->batch > LM_EMBED_BATCH_MAX)
        return error_set(err, ERR_TOO_LARGE, "a batch of %zu texts; at most %d", o->batch,
                         LM_EMBED_BATCH_MAX);
    return OK;
}

/* Of a causal model: which tensor, and which of its rows. */
static enum status set_hidden(struct lm_embedder *e, const struct lm_embed_options *o,
                              struct error *err)
{
    const struct lm *lm = e->lm;
    bool last =
        o->pooling == LM_POOL_LAST || (o->pooling == LM_POOL_OWN && (o->layer || lm->pools_last));
    e->pooling = last ? LM_POOL_LAST : LM_POOL_MEAN;
    e->every_output = !last && (!o->layer || o->layer == lm->info.layers);
    if (llama_model_is_recurrent(lm->model) || llama_model_is_hybrid(lm->model))
        e->texts_max = 1; /* llama.cpp puts the tokens of several in another order */
    return lm_hidden_init(&e->hidden, o->layer, lm->hidden_width, e->room, err);
}

static void set_sizes(struct lm_embedder *e, const struct lm_embed_options *o)
{
    size_t trained = e->lm->info.context;
    e->tokens_max = smaller(o->tokens_max ? o->tokens_max : TOKENS_USUAL, trained);
    e->texts_max = o->batch ? o->batch : BATCH_USUAL;
    e->room = smaller(smaller(e->tokens_max * e->texts_max, ROOM),
                      LOGITS_BYTES / sizeof(float) / e->lm->info.vocabulary);
    e->room = larger(e->tokens_max, e->room);
    /* llama.cpp aborts where sequences do not share a pooled batch evenly. */
    e->room = (e->room + e->texts_max - 1) / e->texts_max * e->texts_max;
    /* A model of embeddings for search may pool causally: Qwen3's. */
    e->is_hidden = e->lm->is_causal && e->lm->hidden_width == e->lm->info.width &&
                   (e->lm->info.writes || e->lm->pools_last || o->layer);
}

/* One piece: what llama.cpp is told, and what is needed beside it. */
static enum status open_context(struct lm_embedder *e, const struct lm_embed_options *o,
                                struct error *err)
{
    struct llama_context_params p = llama_context_default_params();
    p.n_ctx = p.n_batch = p.n_ubatch = (uint32_t)e->room;
    p.n_seq_max = (uint32_t)e->texts_max;
    p.n_threads = p.n_threads_batch = lm_threads(o->threads);
    p.embeddings = !e->is_hidden;
    p.pooling_type = pooling_of(e, o->pooling);
    p.no_perf = true;
    if (e->is_hidden) {
        p.kv_unified = true; /* so that rows come in the order of the batch */
        p.n_outputs_max = (uint32_t)(e->every_output ? e->room : e->texts_max);
        p.cb_eval = lm_hidden_observe;
        p.cb_eval_user_data = &e->hidden;
    }
    lm_complaint_clear();
    e->context = llama_init_from_model(e->lm->model, p);
    e->tokens = calloc(e->tokens_max, sizeof(*e->tokens));
    e->spans = calloc(e->texts_max, sizeof(*e->spans));
    if (!e->context || !e->tokens || !e->spans)
        return error_set(err, ERR_MEMORY, "%s: no room to compute in: %s", e->lm->info.path,
                         lm_complaint());
    e->batch = llama_batch_init((int32_t)e->room, 0, 1);
    if (e->lm->lora_count)
        llama_set_adapters_lora(e->context, e->lm->loras, e->lm->lora_count, e->lm->lora_scales);
    return OK;
}

/* That llama.cpp names the layer shows only when it computes. */
static enum status try_once(struct lm_embedder *e, struct error *err)
{
    float *out = calloc(e->lm->info.width, sizeof(*out));
    if (!out)
        return error_set(err, ERR_MEMORY, "out of memory");
    struct str text = STR("a");
    enum status status = lm_embed(e, &text, 1, out, err);
    free(out);
    return status;
}

enum status lm_embedder_create(const struct lm *lm, const struct lm_embed_options *options,
                               struct lm_embedder **ret, struct error *err)
{
    static const struct lm_embed_options usual;
    const struct lm_embed_options *o = options ? options : &usual;
    enum status status = check_options(lm, o, err);
    if (status != OK)
        return status;
    struct lm_embedder *e = calloc(1, sizeof(*e));
    if (!e)
        return error_set(err, ERR_MEMORY, "out of memory");
    e->lm = lm;
    set_sizes(e, o);
    if (e->is_hidden)
        status = set_hidden(e, o, err);
    if (status == OK)
        status = open_context(e, o, err);
    if (status == OK)
        status = try_once(e, err);
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
    lm_hidden_clear(&e->hidden);
    free(e->tokens);
    free(e->spans);
    free(e);
}

/* Into e->tokens; a text that is cut still ends as every text of this vocabulary does, and one that has "[SEP]" in it
 * says so in words: it is somebody's, and not the model's. */
static size_t tokenize(struct lm_embedder *e, struct str text)
{
    text = utf8_cut(text, e->tokens_max * TOKEN_BYTES);
    size_t n = lm_tokenize_marks(e->lm, text, true, false, e->tokens, e->tokens_max);
    if (!n)
        n = lm_tokenize(e->lm, STR(" "), true, e->tokens, e->tokens_max);
    if (!n)
        e->tokens[n++] = 0;
    if (n > e->tokens_max && e->lm->last_token >= 0)
        e->tokens[e->tokens_max - 1] = e->lm->last_token;
    return smaller(n, e->tokens_max);
}

static void put(struct lm_embedder *e, size_t count, size_t sequence)
{
    struct llama_batch *b = &e->batch;
    e->spans[sequence] = (struct span){(size_t)b->n_tokens, count};
    for (size_t i = 0; i < count; i++) {
        int32_t at = b->n_tokens++;
        b->token[at] = e->tokens[i];
        b->pos[at] = (llama_pos)i;
        b->n_seq_id[at] = 1;
        b->seq_id[at][0] = (llama_seq_id)sequence;
        b->logits[at] = !e->is_hidden || e->every_output || i + 1 == count;
    }
}

/* As many texts as fit, at least one; returns how many. */
static size_t fill(struct lm_embedder *e, const struct str *texts, size_t count)
{
    size_t taken = 0;
    e->batch.n_tokens = 0;
    for (; taken < count && taken < e->texts_max; taken++) {
        size_t n = tokenize(e, texts[taken]);
        if ((size_t)e->batch.n_tokens + n > e->room)
            break;
        put(e, n, taken);
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

/* The rows that came are of all tokens, or of those alone that were asked for: each text's last. */
static enum status pool(struct lm_embedder *e, size_t taken, float *out, struct error *err)
{
    size_t width = e->hidden.width, came = e->hidden.count, tokens = (size_t)e->batch.n_tokens;
    if (came != tokens && (came != taken || e->pooling == LM_POOL_MEAN))
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: llama.cpp does not show this layer of architecture %s",
                         e->lm->info.path, e->lm->info.architecture);
    for (size_t i = 0; i < taken; i++) {
        struct span s = e->spans[i];
        float *v = e->hidden.rows + (came == tokens ? s.first + s.count - 1 : i) * width;
        if (e->pooling == LM_POOL_MEAN) /* their sum points where their mean does */
            for (size_t k = 0; k + 1 < s.count; k++)
                for (size_t c = 0; c < width; c++)
                    v[c] += e->hidden.rows[(s.first + k) * width + c];
        normalise(v, width, out + i * width);
    }
    return OK;
}

static enum status take_pooled(struct lm_embedder *e, size_t taken, float *out, struct error *err)
{
    for (size_t i = 0; i < taken; i++) {
        const float *v = llama_get_embeddings_seq(e->context, (llama_seq_id)i);
        if (!v)
            return error_set(err, ERR_UPSTREAM, "%s: no embedding came", e->lm->info.path);
        normalise(v, e->lm->info.width, out + i * e->lm->info.width);
    }
    return OK;
}

enum status lm_embed(struct lm_embedder *e, const struct str *texts, size_t count, float *out,
                     struct error *err)
{
    size_t width = e->lm->info.width;
    for (size_t done = 0; done < count;) {
        size_t taken = fill(e, texts + done, count - done);
        CHECK(taken > 0);
        llama_memory_t memory = llama_get_memory(e->context);
        if (memory)
            llama_memory_clear(memory, false);
        lm_complaint_clear();
        e->hidden.count = 0;
        int32_t failed =
            memory ? llama_decode(e->context, e->batch) : llama_encode(e->context, e->batch);
        if (failed)
            return error_set(err, ERR_UPSTREAM, "%s: llama.cpp failed: %s", e->lm->info.path,
                             lm_complaint());
        enum status status = e->is_hidden ? pool(e, taken, out + done * width, err)
                                          : take_pooled(e, taken, out + done * width, err);
        if (status != OK)
            return status;
        done += taken;
    }
    return OK;
}
