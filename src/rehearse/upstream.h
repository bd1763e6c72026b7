/* Experts that are not real behind a real endpoint: POST /v1/chat/completions (whole or streamed), GET /v1/models and
 * /healthz, answered from a source at a given pace, with failures on purpose. The request's "model" names the
 * expert.
 *
 * A struct upstream lives on one loop. A struct upstream_pool runs several, one thread and loop each, on one
 * listening socket; the source and the faults are shared and must outlive it. */
#pragma once

#include "net/http_server.h"
#include "net/loop.h"
#include "rehearse/faults.h"
#include "rehearse/source.h"

#define UPSTREAM_THREADS_MAX 64

struct upstream_options {
    struct rehearse_source source;
    struct faults *faults;             /* NULL: none */
    uint32_t ttft_min_ms, ttft_max_ms; /* time to the first token; drawn by the prompt's hash */
    double tokens_per_s;               /* 0: all at once */
    uint32_t retry_after_s;            /* sent with a 429 */
    uint64_t seed;
};

struct upstream;

NODISCARD enum status upstream_create(struct loop *l, int listen_fd,
                                      const struct upstream_options *options, struct upstream **ret,
                                      struct error *err);
void upstream_free(struct upstream *u); /* cuts what still runs; NULL is fine */

struct upstream_pool;

/* Listens and answers from `threads` threads until stopped. `bound` (at least 64 bytes) gets the address. */
NODISCARD enum status upstream_pool_start(const char *address, size_t threads,
                                          const struct upstream_options *options,
                                          struct upstream_pool **ret, char *bound,
                                          struct error *err);
void upstream_pool_stop(struct upstream_pool *p); /* cuts what still runs; NULL is fine */
