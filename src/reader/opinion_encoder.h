/* A GGUF file as orchestrator, opened by its spec. */
#pragma once

#include "reader/encoder_spec.h"

/* Blocks while the file is read. `s` has a head. As opinion_gguf_open. */
NODISCARD enum status opinion_encoder_open(const struct encoder_spec *s, struct late **ret,
                                           struct error *err);
