/* The gateway: one listening socket, several threads with one loop each, one pool of experts behind them.
 *
 * gateway_create opens the socket, so the address is known before anything runs; gateway_run blocks until the
 * gateway has drained (a signal, or gateway_drain from any thread). Configuration and model are borrowed and
 * must outlive the gateway. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "net/http_client.h"
#include "predict/model.h"
#include "serve/path.h"

#define GATEWAY_END_S 15

struct gateway;

NODISCARD enum status gateway_create(const struct config *config, const struct model *model,
                                     struct gateway **ret, struct error *err);
void gateway_free(struct gateway *g); /* NULL is fine; not while gateway_run runs */
/* How experts are reached, by the gateway and by whoever asks them as it does; points into `c`. */
struct http_client_options gateway_network(const struct config *c);
const char *gateway_address(const struct gateway *g); /* really bound, "127.0.0.1:40123" */

/* Loads configuration and model and binds them, as was done for gateway_create. Runs on a thread of its own. */
typedef enum status gateway_load(void *arg, struct config **ret_config, struct model **ret_model,
                                 struct error *err);
/* Once, before gateway_run: from now on `load` is called when a file has changed or a SIGHUP has come; see
 * serve/reload.h. On success the gateway owns configuration and model and frees them when no request needs them any
 * more. */
NODISCARD enum status gateway_reload_by(struct gateway *g, gateway_load *load, void *arg,
                                        struct error *err);

/* Paths of a folder above, and what stands behind them: the handlers find it as gateway.above.user (serve/serving.h).
 * The gateway takes it: gateway_free calls `stop` while loops are there and do not run, for timers and threads, and
 * `free` when no exchange is left. Both may be NULL. */
struct gateway_above {
    struct path_table paths;
    void *user;
    void (*stop)(void *user);
    void (*free)(void *user);
};
void gateway_put_above(struct gateway *g,
                       const struct gateway_above *above); /* once, before gateway_run */

/* Blocks until the gateway has drained. With `signals`, SIGTERM and SIGINT drain it, a second one stops it at once, and
 * SIGHUP reloads; systemd is told of each. When all loops have ended, a SIGALRM is due in GATEWAY_END_S: threads that
 * read and write files are waited for, and a disk may never answer. OK: every answer in flight was finished;
 * ERR_TIMEOUT: drain.timeout cut some; ERR_CANCELLED: stopped by the second signal. */
NODISCARD enum status gateway_run(struct gateway *g, bool signals, struct error *err);
void gateway_drain(struct gateway *g); /* any thread, any time */
