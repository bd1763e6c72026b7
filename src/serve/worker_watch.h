/* Who is told of a worker's requests, made as the gateway is configured. */
#pragma once

#include "serve/gateway_int.h"

/* The gateway, its ledger, the worker's loop and snapshot must be there. */
NODISCARD enum status worker_watch_init(struct worker *w, struct error *err);
void worker_watch_done(struct worker *w); /* also of one that failed half-way, or was never begun */
