/* Private to session. */
#pragma once

#include "dialect/openai_request.h"
#include "expert/expert.h"

/* Hashes a message without the marks of what to cache, which clients move at each turn. The arena is
 * scratch. */
uint64_t session_hash_unmarked(struct str message, uint64_t h, struct arena *a);
/* Experts by what they are upstream. Never 0. */
uint64_t session_expert_id(const struct expert *e);

/* Of a message, a delta, a Messages answer or event: each opaque text that only its maker reads, and each call's id. */
enum session_made { SESSION_CALL, SESSION_STATE };
typedef void session_made_fn(enum session_made kind, struct json_value text, void *arg);
void session_each_made(struct json_value message, session_made_fn *fn, void *arg);
/* Whether a Messages block is thinking. */
bool session_is_thinking(struct json_value block);
