/* Requests for embeddings and their answers as spans into their bytes. The body that goes to an expert is the client's
 * own with another model and without "leeroo"; the answer comes back untouched. front/front_embeddings.h reads what
 * clients send. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"

struct embeddings_request {
    struct json_value root;
    struct json_value model_value; /* the span to replace */
    struct str model;              /* decoded */
    uint64_t inputs;               /* vectors asked for, at least 1 */
    uint64_t characters;           /* of inputs that are texts */
    uint64_t tokens;               /* of inputs that are token numbers */
    struct str leeroo_cut; /* the member "leeroo" with its comma, which no expert is to see */
};

/* The body for an expert. Look at buf_status(out) afterwards. */
void embeddings_request_write(const struct embeddings_request *r, struct str upstream_model,
                              struct buf *out);

struct embeddings_reply {
    struct json_value root;
    bool is_error;    /* a top-level "error" that is not null */
    bool has_vectors; /* "data" is a list; without that, and without an error, it is no answer */
    bool known;       /* the tokens were reported, be it as zero */
    int64_t input_tokens; /* billed */
};

/* ERR_INPUT when the text is no JSON object. A list whose first item holds an error counts as that item. */
NODISCARD enum status embeddings_reply_read(struct str text, struct embeddings_reply *ret,
                                            struct error *err);
