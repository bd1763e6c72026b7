/* What clients send to POST /v1/embeddings: only what choosing and counting need is read. */
#pragma once

#include "base/arena.h"
#include "dialect/embeddings_text.h"

/* `body` and the arena must outlive *ret. ERR_INPUT, ERR_TOO_LARGE; *ret_param (may be NULL) then names the field at
 * fault, or NULL. */
NODISCARD enum status embeddings_request_parse(struct str body, struct arena *a,
                                               struct embeddings_request *ret,
                                               const char **ret_param, struct error *err);
/* Estimated where the inputs are texts. */
int64_t embeddings_request_tokens(const struct embeddings_request *r);
/* At most: a token for each character. */
int64_t embeddings_request_tokens_worst(const struct embeddings_request *r);
