/* A chat completion as a model in this process is asked it: what it is to read, how its tokens are chosen, and what
 * form the answer has to have. What cannot be done is an error that names the member, and nothing is left out in
 * silence. */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "lm/lm_chat.h"
#include "lm/lm_sampler.h"

#define INFER_STOPS_MAX      4
#define INFER_STOP_BYTES_MAX 1024
#define INFER_MESSAGES_MAX   8192
#define INFER_TOOLS_MAX      128
#define INFER_CALLS_MAX      16 /* of tools, in one answer */

/* Around a call of a tool, as Hermes, Qwen and models taught after them write it. */
#define INFER_CALL_BEGIN "<tool_call>"
#define INFER_CALL_END   "</tool_call>"

struct infer_request {
    const struct lm_chat_message *messages; /* tools, calls and results are texts in them */
    size_t message_count;
    struct lm_sampling sampling;
    bool has_seed;
    int64_t tokens_max; /* of the answer; 0: not said */
    struct str stops[INFER_STOPS_MAX];
    size_t stop_count;
    const char *grammar;       /* of the whole answer; NULL: any text */
    const char *calls_grammar; /* of what follows INFER_CALL_BEGIN; NULL: no tool may be called */
    bool stream, wants_usage;
    bool logprobs;
    unsigned top_logprobs;
    struct str model; /* as the client calls it */
};

/* `body` and the arena outlive *ret. On failure *ret_param is the member at fault, or NULL. ERR_INPUT,
 * ERR_UNSUPPORTED, ERR_TOO_LARGE, ERR_MEMORY. */
NODISCARD enum status infer_request_read(struct str body, struct arena *a,
                                         struct infer_request *ret, const char **ret_param,
                                         struct error *err);
