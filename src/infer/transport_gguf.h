/* A transport (expert/transport.h) whose upstream is a model in this process: the URL names an engine that is open
 * (infer/infer_engine.h), the request is a chat completion of OpenAI's, and so is what comes back. */
#pragma once

#include "base/scheduler.h"
#include "expert/transport.h"

struct transport_gguf;

/* Of one thread, that of the scheduler, which outlives it. ERR_MEMORY. */
NODISCARD enum status transport_gguf_create(struct scheduler *s, struct transport_gguf **ret,
                                            struct error *err);
/* When its thread has ended and all calls with it. NULL is fine. */
void transport_gguf_free(struct transport_gguf *t);
struct transport *transport_gguf_transport(struct transport_gguf *t);
