/* Private to serve/: its own handlers, one file each. `caller` is in the exchange's arena. */
#pragma once

#include "serve/serving.h"

void chat_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void completions_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void responses_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void messages_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void embeddings_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void count_tokens_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void route_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void models_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void requests_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void feedback_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void metrics_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
void experts_handle(struct worker *w, struct http_exchange *x, struct caller *caller);
