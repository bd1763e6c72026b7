/* See check_verify.h. One after the other on a loop of its own, so that what is printed of times is theirs. */
#include "setup/check_verify.h"

#include "expert/transport_http.h"
#include "net/loop.h"
#include "serve/gateway.h"

struct trial {
    struct loop *loop;
    struct verify_end *end;
};

static void on_end(void *user, const struct verify_end *end)
{
    struct trial *t = user;
    *t->end = *end;
    loop_stop(t->loop);
}

static enum status try_one(struct loop *loop, struct transport *transport, struct check_verify *c,
                           struct error *err)
{
    const struct verify_thread on = {loop_scheduler(loop), transport};
    const struct verify_input input = verify_sample();
    struct trial trial = {loop, &c->end};
    struct verifier *verifier = NULL;
    struct verify_task *task;
    enum status status = verifier_create(c->settings, &verifier, err);
    if (status == OK)
        status = verifier_begin(verifier, &on, &input, on_end, &trial, &task, err);
    if (status == OK)
        status = loop_run(loop, err);
    verifier_free(verifier);
    c->tried = status == OK;
    c->fine = c->end.verdict != VERIFY_DOWN || c->end.abstains;
    return status;
}

static bool is_to_be_tried(enum verify_kind kind, bool connect)
{
    return kind == VERIFY_COMMAND || (kind == VERIFY_HTTP && connect);
}

enum status check_verify(const struct config *config, bool connect, struct check_verify *list,
                         size_t *ret_count, struct error *err)
{
    const struct http_client_options o = gateway_network(config);
    struct loop *loop = NULL;
    struct http_client *client = NULL;
    size_t count = 0;
    enum status status = loop_create(&loop, err);
    if (status == OK)
        status = http_client_create(loop, &o, &client, err);
    struct transport_http http = transport_http_of(client);
    for (size_t i = 0; i < config->policy_count && count < CONFIG_POLICIES_MAX; i++) {
        const struct verify_settings *s = &config->verify[i];
        if (status != OK || s->kind == VERIFY_NONE)
            continue;
        list[count] = (struct check_verify){.policy = i, .settings = s, .fine = true};
        if (is_to_be_tried(s->kind, connect))
            status = try_one(loop, &http.transport, &list[count], err);
        count++;
    }
    if (client)
        http_client_free(client);
    loop_free(loop);
    if (status == OK)
        *ret_count = count;
    return status;
}
