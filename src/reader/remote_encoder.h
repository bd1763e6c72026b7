/* An endpoint for embeddings as an encoder: POST …/v1/embeddings with several texts at once. */
#pragma once

#include "reader/encoder_spec.h"

/* `s` is complete and has its key. Where its width is not known, the endpoint is asked once, and *s then has it.
 * *ret is its owner's. Errors hold no key. */
NODISCARD enum status remote_encoder_open(struct encoder_spec *s, struct late **ret,
                                          struct error *err);
