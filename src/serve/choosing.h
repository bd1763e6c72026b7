/* Private to serve: the choice for a request that calls nobody (/v1/route, /v1/messages/count_tokens). Its estimates
 * may come later; a client that leaves until then is noticed. */
#pragma once

#include "route/estimator.h"
#include "serve/gateway_int.h"

struct choosing { /* in the exchange's arena */
    struct worker *worker;
    struct http_exchange *x;
    struct caller
        *caller; /* whose eyes the choice is for, and who pays for reading; NULL: everybody's */
    char id[RECORD_ID_BYTES];
    const char *event; /* the log's name for it when the client leaves; NULL: not logged */
    struct openai_request request;
    struct pool_target target;
    /* Answers x; now or later, once. `status` OK: `choice` is there. Not called when the client has left. */
    void (*on_chosen)(struct choosing *c, enum status status, const struct error *err);

    struct snapshot *snapshot; /* set by choosing_begin, held until on_chosen has returned */
    struct pool_choice choice;

    /* private to choosing.c */
    struct request_estimates estimates;
    struct estimating *pending; /* NULL: none */
};

/* With everything down to on_chosen set. */
void choosing_begin(struct choosing *c);
