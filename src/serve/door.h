/* Private to serve: what is asked of a request when its head is there, before any of its body is taken in. */
#pragma once

#include "net/http_server.h"

/* An http_door of a server whose argument is a struct worker. Whoever passes has a path that takes its method, and a
 * struct caller in x->user. */
bool door_ask(struct http_exchange *x, void *worker);
/* An answer_headers of the same server: what a web page's browser wants to hear. */
size_t door_headers(const struct http_header *headers, size_t count, struct http_header *into,
                    void *worker);
