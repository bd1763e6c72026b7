/* Choosing tokens. The chain picks one from all; only if the grammar refuses that one does the grammar look at the
 * whole vocabulary, and the chain picks again from what it leaves, because looking at all tokens costs milliseconds.
 * No token reaches a grammar that has not allowed it: llama.cpp ends the process at one that fits nowhere. A grammar
 * that llama.cpp cannot read is an error here. One answer's; no lock. */
#include "lm/lm_sampler.h"

#include <math.h>
#include <stdlib.h>

#include "lm/lm_int.h"

struct lm_sampler {
    const struct lm *lm;
    struct llama_sampler *chain;
    struct llama_sampler *grammar; /* NULL: any text */
    llama_token_data *candidates;  /* [vocabulary] scratch */
    size_t vocabulary;
};

static void add(struct lm_sampler *s, struct llama_sampler *step)
{
    if (step)
        llama_sampler_chain_add(s->chain, step);
}

static enum status add_biases(struct lm_sampler *s, const struct lm_sampling *o, struct error *err)
{
    if (o->bias_count > LM_SAMPLER_BIASES_MAX)
        return error_set(err, ERR_TOO_LARGE, "logit_bias names more than %d tokens",
                         LM_SAMPLER_BIASES_MAX);
    llama_logit_bias *list = calloc(o->bias_count + 1, sizeof(*list));
    enum status status = list ? OK : error_set(err, ERR_MEMORY, "out of memory for an answer");
    for (size_t i = 0; status == OK && i < o->bias_count; i++) {
        list[i] = (llama_logit_bias){o->biases[i].token, o->biases[i].bias};
        if (list[i].token < 0 || (size_t)list[i].token >= s->vocabulary)
            status = error_set(err, ERR_INPUT,
                               "logit_bias names token %d; this model's are from 0 to %zu",
                               list[i].token, s->vocabulary - 1);
    }
    if (status == OK)
        add(s, llama_sampler_init_logit_bias((int32_t)s->vocabulary, (int32_t)o->bias_count, list));
    free(list);
    return status;
}

/* What OpenAI's parameters ask for comes first, then what cuts off, then the draw. */
static enum status fill(struct lm_sampler *s, const struct lm_sampling *o, struct error *err)
{
    enum status status = o->bias_count ? add_biases(s, o, err) : OK;
    if (status != OK)
        return status;
    if (o->frequency_penalty != 0 || o->presence_penalty != 0)
        add(s, llama_sampler_init_penalties((int32_t)s->vocabulary, LM_SAMPLER_PENALTY_WINDOW, 1,
                                            o->frequency_penalty, o->presence_penalty));
    if (o->temperature <= 0) {
        add(s, llama_sampler_init_greedy());
        return OK;
    }
    if (o->top_k > 0)
        add(s, llama_sampler_init_top_k(o->top_k));
    if (o->top_p < 1)
        add(s, llama_sampler_init_top_p(o->top_p, 1));
    if (o->min_p > 0)
        add(s, llama_sampler_init_min_p(o->min_p, 1));
    add(s, llama_sampler_init_temp(o->temperature));
    add(s, llama_sampler_init_dist(o->seed));
    return OK;
}

enum status lm_sampler_create(const struct lm *lm, const struct lm_sampling *options,
                              struct lm_sampler **ret, struct error *err)
{
    struct lm_sampler *s = calloc(1, sizeof(*s));
    if (!s)
        return error_set(err, ERR_MEMORY, "out of memory for an answer");
    s->lm = lm;
    s->vocabulary = lm->info.vocabulary;
    s->candidates = malloc(s->vocabulary * sizeof(*s->candidates));
    s->chain = llama_sampler_chain_init(llama_sampler_chain_default_params());
    enum status status = s->candidates && s->chain
                             ? fill(s, options, err)
                             : error_set(err, ERR_MEMORY, "out of memory for an answer");
    if (status != OK) {
        lm_sampler_free(s);
        return status;
    }
    *ret = s;
    return OK;
}

void lm_sampler_free(struct lm_sampler *s)
{
    if (!s)
        return;
    if (s->chain)
        llama_sampler_free(s->chain);
    if (s->grammar)
        llama_sampler_free(s->grammar);
    free(s->candidates);
    free(s);
}

enum status lm_sampler_constrain(struct lm_sampler *s, const char *grammar, struct error *err)
{
    lm_complaint_clear();
    struct llama_sampler *made = llama_sampler_init_grammar(s->lm->vocab, grammar, "root");
    if (!made)
        return error_set(err, ERR_INPUT, "llama.cpp refuses the grammar: %s", lm_complaint());
    if (s->grammar)
        llama_sampler_free(s->grammar);
    s->grammar = made;
    return OK;
}

static llama_token_data_array all_candidates(struct lm_sampler *s, const float *logits)
{
    for (size_t i = 0; i < s->vocabulary; i++)
        s->candidates[i] = (llama_token_data){(llama_token)i, logits[i], 0};
    return (llama_token_data_array){s->candidates, s->vocabulary, -1, false};
}

static bool allows(struct lm_sampler *s, int32_t token)
{
    llama_token_data one = {token, 1, 0};
    llama_token_data_array alone = {&one, 1, -1, false};
    llama_sampler_apply(s->grammar, &alone);
    return isfinite(one.logit);
}

/* Only what the grammar lets through is left for the chain. */
static size_t keep_allowed(llama_token_data_array *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->size; i++)
        if (isfinite(list->data[i].logit))
            list->data[kept++] = list->data[i];
    list->size = kept;
    return kept;
}

enum status lm_sampler_pick(struct lm_sampler *s, const float *logits, int32_t *ret,
                            struct error *err)
{
    llama_token_data_array list = all_candidates(s, logits);
    llama_sampler_apply(s->chain, &list);
    int32_t token = list.selected >= 0 ? list.data[list.selected].id : -1;
    if (token < 0 || (s->grammar && !allows(s, token))) {
        list = all_candidates(s, logits);
        if (s->grammar)
            llama_sampler_apply(s->grammar, &list);
        if (keep_allowed(&list) == 0)
            return error_set(err, ERR_UPSTREAM, "no token can go on with what was asked for");
        llama_sampler_apply(s->chain, &list);
        token = list.selected >= 0 ? list.data[list.selected].id : list.data[0].id;
    }
    llama_sampler_accept(s->chain, token);
    if (s->grammar && !llama_vocab_is_eog(s->lm->vocab, token))
        llama_sampler_accept(s->grammar, token);
    *ret = token;
    return OK;
}

static double log_sum(const float *logits, size_t count)
{
    float most = logits[0];
    double sum = 0;
    for (size_t i = 1; i < count; i++)
        most = logits[i] > most ? logits[i] : most;
    for (size_t i = 0; i < count; i++)
        sum += exp((double)logits[i] - (double)most);
    return (double)most + log(sum);
}

size_t lm_likeliest(const float *logits, size_t vocabulary, struct lm_likely *of,
                    struct lm_likely *into, size_t max)
{
    double all = log_sum(logits, vocabulary);
    size_t count = 0;
    if (max > LM_SAMPLER_LIKELIEST_MAX)
        max = LM_SAMPLER_LIKELIEST_MAX;
    of->logprob = (float)((double)logits[of->token] - all);
    for (size_t i = 0; i < vocabulary && max > 0; i++) {
        if (count == max && logits[i] <= into[count - 1].logprob)
            continue;
        size_t at = count < max ? count++ : count - 1;
        for (; at > 0 && into[at - 1].logprob < logits[i]; at--)
            into[at] = into[at - 1];
        into[at] = (struct lm_likely){(int32_t)i, logits[i]};
    }
    for (size_t i = 0; i < count; i++)
        into[i].logprob = (float)((double)into[i].logprob - all);
    return count;
}
