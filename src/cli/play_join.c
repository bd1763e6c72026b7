/* leeroo play --join: makes calls for a run that another machine leads; the work is calls/calls_join.c's. */
#include <stdio.h>

#include "base/log.h"
#include "base/money.h"
#include "calls/join.h"
#include "cli/play_setup.h"
#include "serve/gateway.h"
#include "setup/setup_gguf.h"

static void print_end(const struct join_end *end)
{
    struct buf usd;
    buf_init(&usd, 64);
    money_format_usd_short(&usd, end->cost_nano_usd);
    printf("%zu calls answered, %zu failed, for %.*s USD\n", end->answered, end->broken,
           STR_FMT(buf_str(&usd)));
    buf_done(&usd);
}

static enum status join(const struct play_setup *c, const struct config *config, struct error *err)
{
    const struct calls_share share = play_setup_share(c->join, c->run);
    struct join_end end;
    const struct calls_options o = {.experts = config->experts,
                                    .expert_count = config->expert_count,
                                    .concurrency = c->has_workers ? c->workers : PLAY_WORKERS,
                                    .seed = c->has_seed ? c->seed : 1,
                                    .network = gateway_network(config),
                                    .stop = play_setup_signals(),
                                    .share = &share};
    if (o.concurrency == 0)
        return error_set(err, ERR_USAGE, "--workers 0: nobody would ask");
    enum status status = calls_join(&o, &end, err);
    if (status == OK && !c->quiet)
        print_end(&end);
    return status;
}

int play_join(const struct play_setup *c)
{
    struct config *config = NULL;
    struct error err = {0};
    log_set_level(LOG_ERROR);
    enum status status = setup_config(c->config ? c->config : "leeroo.yaml", &config, &err);
    if (status == OK)
        status = config_price(config, NULL, &err);
    if (status == OK)
        status = join(c, config, &err);
    config_free(config);
    return status == OK ? 0 : cli_fail(c->command, &err);
}
