/* POST /v1/embeddings as spans into its bytes, both ways. Only what choosing and counting need is read; the body that
 * goes to an expert is the client's own with another model and without "leeroo", the answer comes back untouched. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

struct embeddings_request {
    struct json_value root;
    struct json_value model_value; /* the span to replace */
    struct str model;              /* decoded */
    uint64_t inputs;               /* vectors asked for, at least 1 */
    uint64_t characters;           /* of inputs that are texts */
    uint64_t tokens;               /* of inputs that are token numbers */
    struct str leeroo_cut; /* the member "leeroo", comma included: for us, not for an expert */
};

/* `body` and the arena must outlive *ret. ERR_INPUT, ERR_TOO_LARGE; *ret_param (may be NULL) then names the field at
 * fault, or NULL. */
NODISCARD enum status embeddings_request_parse(struct str body, struct arena *a,
                                               struct embeddings_request *ret,
                                               const char **ret_param, struct error *err);
/* Estimated where the inputs are texts. */
int64_t embeddings_request_tokens(const struct embeddings_request *r);
/* The body for an expert. Look at buf_status(out) afterwards. */
void embeddings_request_write(const struct embeddings_request *r, struct str upstream_model,
                              struct buf *out);

struct embeddings_reply {
    struct json_value root;
    bool is_error;        /* a top-level "error" that is not null */
    bool has_vectors;     /* "data" is a list: what is neither this nor an error is no answer */
    bool known;           /* the tokens were reported; zero reported is zero */
    int64_t input_tokens; /* billed */
};

/* ERR_INPUT when the text is no JSON object. A list whose first item holds an error counts as that item. */
NODISCARD enum status embeddings_reply_read(struct str text, struct embeddings_reply *ret,
                                            struct error *err);
