/* Sequences of a causal model over a llama.cpp context. A read is cut into batches of at most `batch` tokens, one
 * input's after the other's; llama.cpp keeps the logits of the last batch only, so that those wanted are copied out
 * after each. The length of every sequence is kept here as well: it is what a failed read goes back to, and what tells
 * that a context is full before llama.cpp is asked. */
#include "lm/lm_state.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "lm/lm_int.h"

#define CONTEXT_USUAL 4096
#define BATCH_USUAL   512
#define ROWS_USUAL                                                                                 \
    64 /* of logits, in a batch: as many floats of the vocabulary are reserved by llama.cpp */

/* Where an input's results lie. */
struct result {
    size_t tokens, rows;
    size_t row;     /* its first one in `logits` */
    size_t logprob; /* its first one in `logprobs` */
    enum lm_want want;
};

/* A row of logits in the batch that is being computed. */
struct pending {
    size_t input, token; /* of the read */
    int32_t at;          /* in the batch */
};

struct lm_state {
    const struct lm *lm;
    struct llama_context *context;
    struct llama_batch batch;
    size_t batch_max, rows_max; /* of one batch */
    size_t sequences, context_max, vocabulary;
    size_t *lengths, *before; /* [sequences]: now, and when the read began */
    bool *reads;              /* [sequences]: it stands in an input of this read */
    struct pending *pending;  /* [rows_max] */
    size_t pending_count;
    struct result *results; /* [result_count] of the last read */
    size_t result_count, result_max;
    float *logits, *logprobs; /* [rows × vocabulary], [tokens] */
    size_t logits_max, logprobs_max;
    atomic_bool cancelled;
};

static bool is_cancelled(void *arg)
{
    struct lm_state *s = arg;
    return atomic_load_explicit(&s->cancelled, memory_order_relaxed);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static enum status check_options(const struct lm *lm, const struct lm_state_options *o,
                                 struct error *err)
{
    if (!lm->info.writes)
        return error_set(err, ERR_UNSUPPORTED, "%s: a model of architecture %s does not write text",
                         lm->info.path, lm->info.architecture);
    if (o->sequences > LM_STATE_SEQUENCES_MAX)
        return error_set(err, ERR_TOO_LARGE, "%zu sequences at once; at most %d", o->sequences,
                         LM_STATE_SEQUENCES_MAX);
    if (o->context > lm->info.context)
        return error_set(err, ERR_TOO_LARGE, "%s: a context of %zu tokens; trained with %zu",
                         lm->info.path, o->context, lm->info.context);
    if (o->batch > LM_STATE_BATCH_MAX || o->tokens > LM_STATE_TOKENS_MAX)
        return error_set(err, ERR_TOO_LARGE,
                         "a state computes %d tokens at once and keeps %d, at most",
                         LM_STATE_BATCH_MAX, LM_STATE_TOKENS_MAX);
    return OK;
}

static enum status set_sizes(struct lm_state *s, const struct lm_state_options *o,
                             struct error *err)
{
    size_t trained = s->lm->info.context;
    size_t usual = trained < CONTEXT_USUAL ? trained : CONTEXT_USUAL;
    s->sequences = o->sequences ? o->sequences : 1;
    s->context_max = o->context ? o->context : usual;
    s->vocabulary = s->lm->info.vocabulary;
    s->batch_max = larger(o->batch ? o->batch : BATCH_USUAL, s->sequences);
    s->rows_max = larger(ROWS_USUAL < s->batch_max ? ROWS_USUAL : s->batch_max, s->sequences);
    if (s->sequences * s->context_max > LM_STATE_TOKENS_MAX)
        return error_set(err, ERR_TOO_LARGE, "%zu sequences of %zu tokens; at most %d in all",
                         s->sequences, s->context_max, LM_STATE_TOKENS_MAX);
    return OK;
}

static enum status open_context(struct lm_state *s, const struct lm_state_options *o,
                                struct error *err)
{
    struct llama_context_params p = llama_context_default_params();
    p.n_ctx = (uint32_t)(o->shared && o->tokens ? o->tokens : s->sequences * s->context_max);
    p.n_batch = p.n_ubatch = (uint32_t)s->batch_max;
    p.n_outputs_max = (uint32_t)s->rows_max;
    p.n_seq_max = (uint32_t)s->sequences;
    p.n_threads = p.n_threads_batch = lm_threads(o->threads);
    p.kv_unified = o->shared;
    p.abort_callback = is_cancelled;
    p.abort_callback_data = s;
    p.no_perf = true;
    lm_complaint_clear();
    s->context = llama_init_from_model(s->lm->model, p);
    s->lengths = calloc(s->sequences, sizeof(*s->lengths));
    s->before = calloc(s->sequences, sizeof(*s->before));
    s->reads = calloc(s->sequences, sizeof(*s->reads));
    s->pending = calloc(s->rows_max, sizeof(*s->pending));
    if (!s->context || !s->lengths || !s->before || !s->reads || !s->pending)
        return error_set(err, ERR_MEMORY, "%s: no room for %u tokens: %s", s->lm->info.path,
                         p.n_ctx, lm_complaint());
    s->batch = llama_batch_init((int32_t)s->batch_max, 0, 1);
    if (!o->without_loras && s->lm->lora_count)
        llama_set_adapters_lora(s->context, s->lm->loras, s->lm->lora_count, s->lm->lora_scales);
    return OK;
}

enum status lm_state_create(const struct lm *lm, const struct lm_state_options *options,
                            struct lm_state **ret, struct error *err)
{
    static const struct lm_state_options usual;
    const struct lm_state_options *o = options ? options : &usual;
    enum status status = check_options(lm, o, err);
    if (status != OK)
        return status;
    struct lm_state *s = calloc(1, sizeof(*s));
    if (!s)
        return error_set(err, ERR_MEMORY, "out of memory");
    s->lm = lm;
    status = set_sizes(s, o, err);
    if (status == OK)
        status = open_context(s, o, err);
    if (status != OK) {
        lm_state_free(s);
        return status;
    }
    *ret = s;
    return OK;
}

void lm_state_free(struct lm_state *s)
{
    if (!s)
        return;
    if (s->batch.token)
        llama_batch_free(s->batch);
    if (s->context)
        llama_free(s->context);
    free(s->lengths);
    free(s->before);
    free(s->reads);
    free(s->pending);
    free(s->results);
    free(s->logits);
    free(s->logprobs);
    free(s);
}

static enum status check_input(struct lm_state *s, const struct lm_input *in, struct error *err)
{
    CHECK(in->sequence < s->sequences);
    CHECK(!s->reads[in->sequence]);
    s->reads[in->sequence] = true;
    size_t held = s->lengths[in->sequence];
    if (in->count > s->context_max - held)
        return error_set(err, ERR_CONTEXT, "%zu tokens behind %zu; the context has room for %zu",
                         in->count, held, s->context_max);
    for (size_t i = 0; i < in->count; i++)
        if (in->tokens[i] < 0 || (size_t)in->tokens[i] >= s->vocabulary)
            return error_set(err, ERR_INPUT, "token %d is not in a vocabulary of %zu",
                             in->tokens[i], s->vocabulary);
    return OK;
}

static size_t rows_of(const struct lm_input *in)
{
    if (!in->count || in->want == LM_WANT_NOTHING)
        return 0;
    return in->want == LM_WANT_ALL ? in->count : 1;
}

/* Whether the model is to say what it expects behind this token. */
static bool asks(const struct lm_input *in, size_t token)
{
    return in->want != LM_WANT_NOTHING && (in->want != LM_WANT_LAST || token + 1 == in->count);
}

static enum status grow(float **at, size_t *max, size_t count, struct error *err)
{
    if (count <= *max)
        return OK;
    free(*at);
    *max = 0;
    *at = malloc(count * sizeof(**at));
    if (!*at)
        return error_set(err, ERR_MEMORY, "out of memory");
    *max = count;
    return OK;
}

static enum status place_results(struct lm_state *s, const struct lm_input *in, size_t count,
                                 struct error *err)
{
    size_t rows = 0, logprobs = 0;
    if (count > s->result_max) {
        struct result *more = realloc(s->results, count * sizeof(*more));
        if (!more)
            return error_set(err, ERR_MEMORY, "out of memory");
        s->results = more;
        s->result_max = count;
    }
    for (size_t i = 0; i < count; i++) {
        struct result *r = &s->results[i];
        *r = (struct result){.tokens = in[i].count,
                             .rows = rows_of(&in[i]),
                             .row = rows,
                             .logprob = logprobs,
                             .want = in[i].want};
        rows += r->rows;
        logprobs += r->want == LM_WANT_LOGPROBS ? r->tokens : 0;
    }
    if (rows > LM_STATE_LOGITS_BYTES_MAX / sizeof(float) / s->vocabulary)
        return error_set(err, ERR_TOO_LARGE, "logits of %zu tokens at once; at most %zu", rows,
                         LM_STATE_LOGITS_BYTES_MAX / sizeof(float) / s->vocabulary);
    enum status status = grow(&s->logits, &s->logits_max, rows * s->vocabulary, err);
    return status == OK ? grow(&s->logprobs, &s->logprobs_max, logprobs, err) : status;
}

static double log_sum_exp(const float *x, size_t count)
{
    float most = x[0];
    double sum = 0;
    for (size_t i = 1; i < count; i++)
        most = x[i] > most ? x[i] : most;
    for (size_t i = 0; i < count; i++)
        sum += exp((double)(x[i] - most));
    return (double)most + log(sum);
}

/* A row that has come, to where it is wanted: the logits themselves, the next token's log-probability, or both. */
static void keep_row(struct lm_state *s, const struct lm_input *in, const struct pending *p,
                     const float *row)
{
    const struct result *r = &s->results[p->input];
    bool last = p->token + 1 == in->count;
    if (r->want == LM_WANT_ALL || last) {
        size_t at = r->row + (r->want == LM_WANT_ALL ? p->token : 0);
        memcpy(s->logits + at * s->vocabulary, row, s->vocabulary * sizeof(*row));
    }
    if (r->want == LM_WANT_LOGPROBS && !last)
        s->logprobs[r->logprob + p->token + 1] =
            (float)((double)row[in->tokens[p->token + 1]] - log_sum_exp(row, s->vocabulary));
}

/* Computes the batch, and leaves it empty. */
static enum status flush(struct lm_state *s, const struct lm_input *in, struct error *err)
{
    if (!s->batch.n_tokens)
        return OK;
    if (is_cancelled(s))
        return error_set(err, ERR_CANCELLED, "cancelled");
    lm_complaint_clear();
    int32_t failed = llama_decode(s->context, s->batch);
    s->batch.n_tokens = 0;
    if (failed == 1)
        return error_set(err, ERR_CONTEXT, "all memory for tokens is in use");
    if (failed == 2)
        return error_set(err, ERR_CANCELLED, "cancelled");
    if (failed)
        return error_set(err, ERR_UPSTREAM, "%s: llama.cpp failed: %s", s->lm->info.path,
                         lm_complaint());
    for (size_t i = 0; i < s->pending_count; i++) {
        const struct pending *p = &s->pending[i];
        const float *row = llama_get_logits_ith(s->context, p->at);
        if (!row)
            return error_set(err, ERR_UPSTREAM, "%s: no logits came", s->lm->info.path);
        keep_row(s, &in[p->input], p, row);
    }
    s->pending_count = 0;
    return OK;
}

static void put(struct lm_state *s, const struct lm_input *in, size_t input, size_t token)
{
    struct llama_batch *b = &s->batch;
    int32_t at = b->n_tokens++;
    size_t sequence = in[input].sequence;
    bool asked = asks(&in[input], token);
    b->token[at] = in[input].tokens[token];
    b->pos[at] = (llama_pos)s->lengths[sequence]++;
    b->n_seq_id[at] = 1;
    b->seq_id[at][0] = (llama_seq_id)sequence;
    b->logits[at] = asked;
    if (asked)
        s->pending[s->pending_count++] = (struct pending){input, token, at};
}

static enum status read_all(struct lm_state *s, const struct lm_input *in, size_t count,
                            struct error *err)
{
    enum status status = OK;
    for (size_t i = 0; i < count && status == OK; i++) {
        if (in[i].want == LM_WANT_LOGPROBS && in[i].count)
            s->logprobs[s->results[i].logprob] = 0;
        for (size_t t = 0; t < in[i].count && status == OK; t++) {
            put(s, in, i, t);
            if ((size_t)s->batch.n_tokens == s->batch_max || s->pending_count == s->rows_max)
                status = flush(s, in, err);
        }
    }
    return status == OK ? flush(s, in, err) : status;
}

/* What a failed read has read is forgotten again; a recurrent model can only forget all. */
static void go_back(struct lm_state *s)
{
    llama_memory_t memory = llama_get_memory(s->context);
    for (size_t i = 0; i < s->sequences; i++) {
        if (s->lengths[i] == s->before[i])
            continue;
        s->lengths[i] = s->before[i];
        if (!llama_memory_seq_rm(memory, (llama_seq_id)i, (llama_pos)s->before[i], -1))
            lm_state_clear(s, i);
    }
    s->batch.n_tokens = 0;
    s->pending_count = 0;
    s->result_count = 0;
}

enum status lm_state_read(struct lm_state *s, const struct lm_input *inputs, size_t count,
                          struct error *err)
{
    enum status status = OK;
    s->result_count = 0;
    memset(s->reads, 0, s->sequences * sizeof(*s->reads));
    memcpy(s->before, s->lengths, s->sequences * sizeof(*s->before));
    for (size_t i = 0; i < count && status == OK; i++)
        status = check_input(s, &inputs[i], err);
    if (status == OK)
        status = place_results(s, inputs, count, err);
    if (status != OK)
        return status;
    status = read_all(s, inputs, count, err);
    if (status == OK)
        s->result_count = count;
    else
        go_back(s);
    return status;
}

const float *lm_state_logits(const struct lm_state *s, size_t input, size_t token)
{
    if (input >= s->result_count)
        return NULL;
    const struct result *r = &s->results[input];
    if (!r->rows || token >= r->tokens || (r->rows == 1 && token + 1 != r->tokens))
        return NULL;
    return s->logits + (r->row + (r->rows == 1 ? 0 : token)) * s->vocabulary;
}

const float *lm_state_logits_last(const struct lm_state *s, size_t input)
{
    if (input >= s->result_count || !s->results[input].tokens)
        return NULL;
    return lm_state_logits(s, input, s->results[input].tokens - 1);
}

const float *lm_state_logprobs(const struct lm_state *s, size_t input)
{
    if (input >= s->result_count || s->results[input].want != LM_WANT_LOGPROBS)
        return NULL;
    return s->logprobs + s->results[input].logprob;
}

size_t lm_state_context(const struct lm_state *s)
{
    return s->context_max;
}

size_t lm_state_vocabulary(const struct lm_state *s)
{
    return s->vocabulary;
}

size_t lm_state_length(const struct lm_state *s, size_t sequence)
{
    CHECK(sequence < s->sequences);
    return s->lengths[sequence];
}

enum status lm_state_cut(struct lm_state *s, size_t sequence, size_t length, struct error *err)
{
    CHECK(sequence < s->sequences);
    if (length >= s->lengths[sequence])
        return OK;
    if (!llama_memory_seq_rm(llama_get_memory(s->context), (llama_seq_id)sequence,
                             (llama_pos)length, -1))
        return error_set(err, ERR_UNSUPPORTED,
                         "%s: this model cannot forget the end of a text alone", s->lm->info.path);
    s->lengths[sequence] = length;
    return OK;
}

void lm_state_clear(struct lm_state *s, size_t sequence)
{
    CHECK(sequence < s->sequences);
    llama_memory_seq_rm(llama_get_memory(s->context), (llama_seq_id)sequence, -1, -1);
    s->lengths[sequence] = 0;
}

void lm_state_copy(struct lm_state *s, size_t from, size_t to)
{
    CHECK(from < s->sequences);
    CHECK(to < s->sequences);
    if (from == to)
        return;
    lm_state_clear(s, to);
    llama_memory_seq_cp(llama_get_memory(s->context), (llama_seq_id)from, (llama_seq_id)to, -1, -1);
    s->lengths[to] = s->lengths[from];
}

void lm_state_cancel(struct lm_state *s)
{
    atomic_store_explicit(&s->cancelled, true, memory_order_relaxed);
}

void lm_state_resume(struct lm_state *s)
{
    atomic_store_explicit(&s->cancelled, false, memory_order_relaxed);
}
