/* A language model that answers: one file, one thread, some slots. Calls wait in a line; whichever slot is free
 * takes the next, all that are busy go on by a token each in one batch, and prompts are read in chunks between. A
 * conversation that goes on finds in its slot what was read before.
 *
 * Engines are shared: whoever opens the same file with the same options has the same one, as long as the file has
 * not changed. Each has a URL of its own, "gguf:/path/of/model.gguf#1", by which calls find it. Any thread. */
#pragma once

#include "lm/lm.h"

#define INFER_SLOTS_MAX   64
#define INFER_SLOTS_USUAL 2
#define INFER_QUEUE_MAX   1024 /* calls that wait for a slot of one engine */
#define INFER_LORAS_MAX   8
#define INFER_URL_SCHEME  "gguf:"

struct infer_engine;

struct infer_options {
    const char *path;
    const char *const *loras; /* [lora_count] */
    size_t lora_count;
    size_t slots;     /* 0: INFER_SLOTS_USUAL */
    size_t context;   /* tokens of a conversation, with its answer; 0: as lm_state.h has it */
    unsigned threads; /* 0: one */
    unsigned gpu_layers;
    const char *chat_template; /* the name of a known one; NULL: the file's own */
};

struct infer_facts {
    const struct lm_info *lm;
    const char *url;
    const char *chat_template; /* what it goes by */
    size_t slots, context;
};

/* Reads the file, where no engine has it as it is now. Blocks for as long as that takes. ERR_IO,
 * ERR_CORRUPT, ERR_UNSUPPORTED: also of a model that does not write, or whose chat template is not known; ERR_INPUT,
 * ERR_TOO_LARGE: an option. */
NODISCARD enum status infer_open(const struct infer_options *o, struct infer_engine **ret,
                                 struct error *err);
/* NULL is fine. Calls must be over before whoever opened it closes it; the last one to close it frees it. */
void infer_close(struct infer_engine *e);
/* NULL: there is none of this URL. It stays as long as whoever opened it keeps it open. */
struct infer_engine *infer_find(struct str url);
struct infer_facts infer_facts_of(const struct infer_engine *e); /* as long as the engine */
