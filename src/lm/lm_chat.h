/* A conversation → tokens, by the model's own chat template. llama.cpp does not run the template, which is a program
 * in Jinja, but knows the common ones by what stands in them. */
#pragma once

#include "base/buf.h"
#include "lm/lm.h"

#define LM_CHAT_BYTES_MAX (64u << 20)

struct lm_chat_message {
    const char *role, *content; /* UTF-8 without NUL bytes inside */
};

/* Whether it is known: one in Jinja, or a name such as "chatml". NULL is not. */
bool lm_chat_knows(const char *chat_template);
/* "chatml, llama3 or ..."; all that a name may be. */
void lm_chat_list(struct buf *out);

/* The tokens that a model reads before it answers, in malloc'ed *ret [*ret_count]. What messages say is never taken
 * for the marks of the template, though it looks like them. ERR_UNSUPPORTED: the template is unknown; ERR_TOO_LARGE;
 * ERR_MEMORY. */
NODISCARD enum status lm_chat_tokens(const struct lm *lm, const char *chat_template,
                                     const struct lm_chat_message *messages, size_t count,
                                     int32_t **ret, size_t *ret_count, struct error *err);
