/* Calls over HTTP, by the client of the thread's loop. */
#pragma once

#include "expert/transport.h"
#include "net/http_client.h"

struct transport_http {
    struct transport transport; /* first */
    struct http_client *client; /* not owned */
};

struct transport_http transport_http_of(struct http_client *client);
