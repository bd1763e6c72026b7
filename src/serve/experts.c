/* GET /v1/experts: the state of each expert now: its circuit, how many requests it is answering and how many wait. A
 * key sees the experts that it may ask by name, as in /v1/models. */
#include "serve/gateway_int.h"

#define EXPERTS_BYTES_MAX (1u << 20)

/* 0: there is none. */
static void write_number(struct buf *out, const char *name, uint32_t number)
{
    if (number > 0)
        buf_addf(out, ",\"%s\":%u", name, number);
    else
        buf_addf(out, ",\"%s\":null", name);
}

/* `placed`: on what its estimates are founded, where it has no outcomes; NULL: on outcomes. */
static void write_expert(struct buf *out, const struct expert *e, const char *object,
                         const char *placed, const struct gate_reading *r)
{
    buf_addf(out,
             "{\"id\":\"%.*s\",\"object\":\"%s\",\"state\":\"%s\",\"available\":%s,\"reason\":",
             STR_FMT(e->name), object, health_state_name(r->state), r->why ? "false" : "true");
    if (r->why)
        json_write_string(out, str_from(r->why));
    else
        buf_add_c(out, "null");
    buf_addf(out,
             ",\"retry_after_ms\":%llu,\"failures\":%u,\"opened\":%llu,\"in_flight\":%u,"
             "\"queued\":%u,\"turned_away\":%llu",
             (unsigned long long)r->wait_ms, r->failures, (unsigned long long)r->opened,
             r->in_flight, r->waiting, (unsigned long long)r->turned_away);
    write_number(out, "concurrency", e->limits.concurrency);
    write_number(out, "requests_per_minute", e->limits.requests_per_minute);
    write_number(out, "tokens_per_minute", e->limits.tokens_per_minute);
    write_number(out, "latency_ms", r->latency_ms);
    buf_add_c(out, ",\"placed\":");
    if (placed)
        json_write_string(out, str_from(placed));
    else
        buf_add_c(out, "null");
    buf_add_char(out, '}');
}

/* One piece: one loop over two lists. */
void experts_handle(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    const struct snapshot *s = w->snapshot;
    const struct config *c = s->config;
    size_t count = 0;
    struct buf body;
    buf_init(&body, EXPERTS_BYTES_MAX);
    buf_add_c(&body, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < c->expert_count + c->embedder_count; i++) {
        bool chat = i < c->expert_count;
        const struct expert *e = chat ? &c->experts[i] : &c->embedders[i - c->expert_count];
        if (!(chat ? caller_may_use(caller, s->pool, SIZE_MAX, i)
                   : caller_may_name(caller, e->name)))
            continue;
        struct gate_reading r;
        gate_read(s->gates[i], loop_now_ms(w->loop), &r);
        buf_add_c(&body, count++ ? "," : "");
        write_expert(&body, e, chat ? "expert" : "embedder",
                     chat && c->placed ? c->placed[i] : NULL, &r);
    }
    buf_add_c(&body, "]}");
    if (body.status == OK)
        answer_json(x, 200, NULL, buf_str(&body));
    else
        answer_error(x, NULL, ERR_MEMORY, "out of memory", NULL, NULL);
    buf_done(&body);
}
