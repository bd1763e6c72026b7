/* What this folder's headers say where the program was built without llama.cpp: one error, which tells how to get it.
 * Meson compiles this file in place of all others here, so that nobody above asks how the program was built. There is
 * no model then, and nothing that needs one can be made: of what remains, functions that cannot fail are never called,
 * and those that free are only ever given NULL. */
#include "lm/lm.h"
#include "lm/lm_chat.h"
#include "lm/lm_embed.h"
#include "lm/lm_sampler.h"
#include "lm/lm_state.h"
#include "lm/lm_try.h"

#include "base/check.h"

#define HOW                                                                                        \
    "this program was built without llama.cpp: run scripts/install-llama and build it again, or "  \
    "install libllama with its headers (Meson option 'llama')"

bool lm_is_built(void)
{
    return false;
}

const char *lm_version(void)
{
    return "";
}

enum status lm_load(const char *path, const struct lm_options *options, struct lm **ret,
                    struct error *err)
{
    (void)options;
    (void)ret;
    return error_set(err, ERR_UNSUPPORTED, "%s: " HOW, path);
}

void lm_free(struct lm *lm)
{
    CHECK(!lm);
}

/* There is no model that any of these could be called with. */

const struct lm_info *lm_info(const struct lm *lm)
{
    (void)lm;
    CHECK(false);
    return NULL;
}

size_t lm_tokenize(const struct lm *lm, struct str text, bool special, int32_t *tokens, size_t max)
{
    (void)lm, (void)text, (void)special, (void)tokens, (void)max;
    CHECK(false);
    return 0;
}

size_t lm_token_bytes(const struct lm *lm, int32_t token, bool special, char *into, size_t size)
{
    (void)lm, (void)token, (void)special, (void)into, (void)size;
    CHECK(false);
    return 0;
}

bool lm_token_ends(const struct lm *lm, int32_t token)
{
    (void)lm, (void)token;
    CHECK(false);
    return true;
}

enum status lm_embedder_create(const struct lm *lm, const struct lm_embed_options *options,
                               struct lm_embedder **ret, struct error *err)
{
    (void)lm, (void)options, (void)ret;
    return error_set(err, ERR_UNSUPPORTED, HOW);
}

void lm_embedder_free(struct lm_embedder *e)
{
    CHECK(!e);
}

enum status lm_embed(struct lm_embedder *e, const struct str *texts, size_t count, float *out,
                     struct error *err)
{
    (void)e, (void)texts, (void)count, (void)out;
    return error_set(err, ERR_UNSUPPORTED, HOW);
}

enum status lm_state_create(const struct lm *lm, const struct lm_state_options *options,
                            struct lm_state **ret, struct error *err)
{
    (void)lm, (void)options, (void)ret;
    return error_set(err, ERR_UNSUPPORTED, HOW);
}

void lm_state_free(struct lm_state *s)
{
    CHECK(!s);
}

enum status lm_state_read(struct lm_state *s, const struct lm_input *inputs, size_t count,
                          struct error *err)
{
    (void)s, (void)inputs, (void)count;
    return error_set(err, ERR_UNSUPPORTED, HOW);
}

const float *lm_state_logits(const struct lm_state *s, size_t input, size_t token)
{
    (void)s, (void)input, (void)token;
    return NULL;
}

const float *lm_state_logits_last(const struct lm_state *s, size_t input)
{
    (void)s, (void)input;
    return NULL;
}

const float *lm_state_logprobs(const struct lm_state *s, size_t input)
{
    (void)s, (void)input;
    return NULL;
}

size_t lm_state_context(const struct lm_state *s)
{
    (void)s;
    return 0;
}

size_t lm_state_vocabulary(const struct lm_state *s)
{
    (void)s;
    return 0;
}

size_t lm_state_length(const struct lm_state *s, size_t sequence)
{
    (void)s, (void)sequence;
    return 0;
}

enum status lm_state_cut(struct lm_state *s, size_t sequence, size_t length, struct error *err)
{
    (void)s, (void)sequence, (void)length;
    return error_set(err, ERR_UNSUPPORTED, HOW);
}

void lm_state_clear(struct lm_state *s, size_t sequence)
{
    (void)s, (void)sequence;
}

void lm_state_copy(struct lm_state *s, size_t from, size_t to)
{
    (void)s, (void)from, (void)to;
}

void lm_state_cancel(struct lm_state *s)
{
    (void)s;
}

void lm_state_resume(struct lm_state *s)
{
    (void)s;
}

bool lm_chat_knows(const char *chat_template)
{
    (void)chat_template;
    return false;
}

void lm_chat_list(struct buf *out)
{
    (void)out;
}

enum status lm_chat_tokens(const struct lm *lm, const char *chat_template,
                           const struct lm_chat_message *messages, size_t count, int32_t **ret,
                           size_t *ret_count, struct error *err)
{
    (void)lm, (void)chat_template, (void)messages, (void)count, (void)ret, (void)ret_count;
    return error_set(err, ERR_UNSUPPORTED, HOW);
}

enum status lm_sampler_create(const struct lm *lm, const struct lm_sampling *options,
                              struct lm_sampler **ret, struct error *err)
{
    (void)lm, (void)options, (void)ret;
    return error_set(err, ERR_UNSUPPORTED, HOW);
}

void lm_sampler_free(struct lm_sampler *s)
{
    CHECK(!s);
}

enum status lm_sampler_constrain(struct lm_sampler *s, const char *grammar, struct error *err)
{
    (void)s, (void)grammar;
    return error_set(err, ERR_UNSUPPORTED, HOW);
}

enum status lm_sampler_pick(struct lm_sampler *s, const float *logits, int32_t *ret,
                            struct error *err)
{
    (void)s, (void)logits, (void)ret;
    return error_set(err, ERR_UNSUPPORTED, HOW);
}

size_t lm_likeliest(const float *logits, size_t vocabulary, struct lm_likely *of,
                    struct lm_likely *into, size_t max)
{
    (void)logits, (void)vocabulary, (void)of, (void)into, (void)max;
    CHECK(false);
    return 0;
}

void lm_try_by(const char *program)
{
    (void)program;
}

enum status lm_try_files(int argc, char **argv, struct error *err)
{
    (void)argc, (void)argv;
    return error_set(err, ERR_UNSUPPORTED, HOW);
}
