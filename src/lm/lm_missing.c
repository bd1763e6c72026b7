/* What lm.h says where the program was built without llama.cpp. */
#include "lm/lm.h"
#include "lm/lm_embed.h"

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
