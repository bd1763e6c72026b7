/* A GGUF file as an encoder: embeddings of a model made for them, hidden states of one that writes. */
#pragma once

#include "reader/encoder_spec.h"

/* Loads the file, or shares it; blocks for as long. `s` is complete. *ret is its owner's. ERR_UNSUPPORTED: the program
 * has no llama.cpp, or the model no such layer; ERR_CORRUPT, ERR_IO, ERR_MEMORY. */
NODISCARD enum status gguf_encoder_open(const struct encoder_spec *s, struct late **ret,
                                        struct error *err);
