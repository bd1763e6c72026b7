/* What an encoder is opened by: a GGUF file in this process, or an endpoint for embeddings; or either as orchestrator,
 * which is asked whom to ask and says its opinion (opinion/opinion_prompt.h). It is written in a
 * configuration (`encoders:`), on a command line ("gguf=PATH,pooling=mean"), and as JSON in the model file of whoever
 * was trained with it. Keys are never written: a spec names the environment variable that holds one. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "reader/late.h"

#define ENCODER_SPEC_BYTES_MAX 16384
#define ENCODER_NAME_MAX       64 /* bytes of a name */
#define ENCODER_LORAS_MAX      8
#define ENCODER_ORCHESTRATOR   "orchestrator" /* its name */
#define ENCODER_TOKENS_MAX     8192
#define ENCODER_GPU_LAYERS_MAX 1000
#define ENCODER_BATCH_MAX      64
#define ENCODER_TIMEOUT_MS     10000 /* of one call to an endpoint, usually */
#define ENCODER_BATCH_REMOTE   32    /* texts of one call to an endpoint, usually */
#define ENCODER_CALLS_REMOTE   4     /* at once, usually */

/* Of a GGUF file: as it says itself, else mean; and the last token's behind `layer`, usually the last one, of a causal
 * model. */
enum encoder_pooling {
    ENCODER_POOL_OWN,
    ENCODER_POOL_MEAN,
    ENCODER_POOL_LAST,
    ENCODER_POOL_HIDDEN,
};

/* Strings live in whoever's arena it was read into; NULL and 0: not said. */
struct encoder_spec {
    const char *name; /* in model files; complete: never NULL */
    /* A file: */
    const char *gguf;
    enum encoder_pooling pooling;
    uint32_t layer, tokens, threads, gpu_layers;
    /* Or an endpoint: */
    const char *url, *model;
    const char *key_variable; /* of the environment */
    struct str key;           /* secret; what the variable held */
    uint32_t dimensions;      /* asked for */
    uint32_t timeout_ms, calls;
    uint32_t width; /* of its vectors, learnt when it was first asked */
    /* Either as orchestrator; an endpoint is one for chat completions then. */
    bool orchestrates;
    const char *head; /* of its prompt, which lists so many experts; training writes it */
    uint32_t labels;
    const char *loras; /* of a file: paths of adapters, a line each */
    const char *chat_template;
    uint32_t without_choices; /* 1: it is not asked the question itself */
    /* Both: */
    uint32_t batch;
    struct late_limits limits; /* none of which changes what it says */
};

/* "key=value,…" of a command line; "\," is a comma. ERR_USAGE says what is wrong; ERR_MEMORY. */
NODISCARD enum status encoder_spec_parse(struct str text, struct arena *a, struct encoder_spec *ret,
                                         struct error *err);
/* The JSON of a model file. ERR_CORRUPT; ERR_MEMORY. */
NODISCARD enum status encoder_spec_read(struct str json, struct arena *a, struct encoder_spec *ret,
                                        struct error *err);
/* What was read from elsewhere: gives it a name and checks that it belongs together. ERR_INPUT, ERR_MEMORY. */
NODISCARD enum status encoder_spec_complete(struct encoder_spec *s, struct arena *a,
                                            struct error *err);
/* All of `from`, into another arena. ERR_MEMORY. */
NODISCARD enum status encoder_spec_copy(const struct encoder_spec *from, struct arena *a,
                                        struct encoder_spec *ret, struct error *err);
/* As JSON, without limits and secrets, for a model file. */
void encoder_spec_write(const struct encoder_spec *s, struct buf *out);
/* The key out of its variable. ERR_AUTH: it is not set. */
NODISCARD enum status encoder_spec_find_key(struct encoder_spec *s, struct arena *a,
                                            struct error *err);
const char *encoder_pooling_name(enum encoder_pooling p); /* "mean" */
bool encoder_pooling_named(struct str name, enum encoder_pooling *ret);
