/* A gateway inside this process, on a loopback port, with a client that waits: `ask` and `demo` go through the
 * very path that `serve` offers. */
#pragma once

#include "base/buf.h"
#include "serve/gateway.h"

struct local;

/* What a gateway is given before it runs, such as more paths. */
typedef enum status local_prepare(struct gateway *g, struct error *err);

/* Runs the gateway on its own thread. Configuration and model are borrowed until local_stop. `prepare`: NULL for
 * none. */
NODISCARD enum status local_start(const struct config *config, const struct model *model,
                                  local_prepare *prepare, struct local **ret, struct error *err);
void local_stop(struct local *l); /* drains first; NULL is fine */
const char *local_address(const struct local *l);

struct local_reply {
    int http_status;
    char expert[160], plan[512], cost_usd[32], cost_basis[16],
        request_id[64]; /* the x-leeroo headers; "" when absent */
};

/* POSTs a JSON body and waits; without one (ptr NULL) GETs. An answer that is a stream goes event by event to on_event
 * (when not NULL); everything else is appended to `whole`. OK whatever the HTTP status. */
NODISCARD enum status local_post(struct local *l, const char *path, struct str body,
                                 void (*on_event)(struct str data, void *arg), void *arg,
                                 struct buf *whole, struct local_reply *ret, struct error *err);
