/* Many requests at once, in front of one expert that now and then asks for a second's peace: nobody else is turned away
 * for that. The clock is virtual, the expert a timer. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "ask/asking_int.h"
#include "base/log.h"
#include "base/virtual_clock.h"

#define CROWD         150
#define ARRIVAL_MS    20
#define ANSWER_MS     60
#define FAILING_EVERY 20 /* 5 % */
#define ANSWER        "{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}"
#define ASKED         "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"2+5\"}]}"

struct crowd;

struct guest {
    struct crowd *crowd;
    struct arena *arena;
    struct openai_request chat;
    struct asking *asking;
    int http_status; /* as it ended; 200: answered */
    bool done, unasked;
};

struct crowd {
    struct transport transport; /* first */
    struct virtual_clock clock;
    struct wake_queue wakes;
    struct gates *table;
    struct gate *gate;
    struct rng rng;
    struct expert expert;
    struct asking_context context;
    struct asking_candidate candidate;
    struct scheduler_timer *arrivals;
    struct guest guests[CROWD];
    size_t came;
    unsigned calls, failing;
    int failing_status;
    const char *retry_after;
};

struct shown_call { /* of the transport */
    struct crowd *crowd;
    const struct transport_request *request;
    struct scheduler_timer *timer;
    bool fails;
};

static void on_due(void *arg)
{
    struct shown_call *c = arg;
    const struct transport_request *r = c->request;
    r->on_head(r->user, c->fails ? c->crowd->failing_status : 200);
    r->on_body(r->user, c->fails ? STR("{\"error\":{\"message\":\"busy\"}}") : STR(ANSWER));
    r->on_done(r->user, OK, NULL);
    scheduler_timer_free(c->timer);
    free(c);
}

static enum status start(struct transport *t, const struct transport_request *r,
                         struct transport_call **ret, struct error *err)
{
    struct crowd *crowd = (struct crowd *)t;
    struct shown_call *c = calloc(1, sizeof(*c));
    (void)err;
    *c = (struct shown_call){.crowd = crowd, .request = r};
    c->fails = ++crowd->calls % FAILING_EVERY == 0;
    crowd->failing += c->fails;
    c->timer = scheduler_timer_create(&crowd->clock.scheduler, on_due, c);
    scheduler_timer_start(c->timer, ANSWER_MS);
    *ret = (struct transport_call *)c;
    return OK;
}

static struct str header(const struct transport_call *call, const char *name)
{
    const struct shown_call *c = (const struct shown_call *)call;
    return c->fails && str_equal(str_from(name), STR("retry-after"))
               ? str_from(c->crowd->retry_after)
               : (struct str){0};
}

static bool sent(const struct transport_call *c)
{
    (void)c;
    return true;
}

static void nothing(struct transport_call *c)
{
    (void)c;
}

static const struct transport_ops transport_ops = {
    .start = start, .cancel = nothing, .progress = nothing, .header = header, .sent = sent};

static enum status fill(void *user, size_t candidate, bool is_read, struct expert_call_options *o,
                        struct error *err)
{
    struct guest *g = user;
    (void)candidate, (void)is_read, (void)err;
    o->chat = &g->chat;
    o->scratch = g->arena;
    o->answer_bytes_max = 4096;
    return OK;
}

static void on_done(void *user, const struct asking_end *end)
{
    struct guest *g = user;
    g->done = true;
    g->unasked = asking_calls(g->asking) == 0;
    g->http_status = end->status == OK ? 200 : end->answer->http_status;
    asking_release(g->asking);
}

static const struct asking_ops ops = {.fill = fill, .on_done = on_done};

static void on_arrival(void *arg)
{
    struct crowd *c = arg;
    struct guest *g = &c->guests[c->came++];
    struct error err;
    g->crowd = c;
    cr_assert(g->arena = arena_create(1 << 16));
    cr_assert_eq(openai_request_parse(STR(ASKED), true, g->arena, &g->chat, NULL, &err), OK);
    const struct asking_options o = {.context = &c->context,
                                     .ops = &ops,
                                     .user = g,
                                     .id = "req_1",
                                     .arena = g->arena,
                                     .candidates = &c->candidate,
                                     .count = 1,
                                     .input_tokens = 10};
    cr_assert_eq(asking_create(&o, &g->asking, &err), OK);
    asking_start(g->asking);
    if (c->came < CROWD)
        scheduler_timer_start(c->arrivals, ARRIVAL_MS);
}

static struct crowd *crowd_let_in(uint32_t retries, int failing_status, const char *retry_after)
{
    struct crowd *c = calloc(1, sizeof(*c));
    log_set_level(LOG_OFF);
    c->transport = (struct transport){&transport_ops};
    c->failing_status = failing_status;
    c->retry_after = retry_after;
    virtual_clock_init(&c->clock, 1000);
    cr_assert_eq(wake_queue_init(&c->wakes, &c->clock.scheduler, NULL), OK);
    cr_assert_eq(gates_create(&c->table, NULL), OK);
    rng_seed(&c->rng, 7);
    c->expert = (struct expert){
        .name = STR("dear"),
        .url = STR("http://dear"),
        .dialect = &dialect_openai,
        .retries = retries,
        .breaker = HEALTH_OPTIONS_DEFAULT,
        .limits = {.queue_length = GATE_QUEUE_DEFAULT, .queue_timeout_ms = GATE_TIMEOUT_DEFAULT}};
    cr_assert_eq(gates_bind(c->table, GATE_CHAT, &c->expert, 1, 1000, &c->gate, NULL), OK);
    c->context = (struct asking_context){.scheduler = &c->clock.scheduler,
                                         .wakes = &c->wakes,
                                         .transport = &c->transport,
                                         .rng = &c->rng};
    c->candidate = (struct asking_candidate){.expert = &c->expert, .gate = c->gate};
    c->arrivals = scheduler_timer_create(&c->clock.scheduler, on_arrival, c);
    scheduler_timer_start(c->arrivals, 0);
    for (int i = 0; i < 6000; i++)
        virtual_clock_advance(&c->clock, 10);
    return c;
}

static unsigned count(const struct crowd *c, int http_status)
{
    unsigned n = 0;
    for (size_t i = 0; i < CROWD; i++)
        n += c->guests[i].done && c->guests[i].http_status == http_status;
    return n;
}

static void crowd_end(struct crowd *c)
{
    struct gate_reading r;
    gate_read(c->gate, c->clock.now_ms, &r);
    cr_expect_eq(r.in_flight + r.waiting, 0);
    for (size_t i = 0; i < CROWD; i++)
        arena_free(c->guests[i].arena);
    scheduler_timer_free(c->arrivals);
    virtual_clock_done(&c->clock);
    wake_queue_done(&c->wakes);
    gates_release(c->table, &c->gate, 1);
    gates_free(c->table);
    free(c);
}

Test(crowd, one_that_asks_for_a_second_turns_nobody_else_away)
{
    for (int i = 0; i < 2; i++) {
        struct crowd *c = crowd_let_in(0, i ? 429 : 503, "1");
        cr_expect_eq(count(c, 200), CROWD - c->failing, "%u of %u", count(c, 200), CROWD);
        cr_expect_eq(count(c, c->failing_status), c->failing, "they alone hear what was said");
        cr_expect_eq(c->calls, CROWD);
        cr_expect_geq(c->failing, CROWD / FAILING_EVERY);
        crowd_end(c);
    }
}

Test(crowd, with_retries_all_are_answered)
{
    struct crowd *c = crowd_let_in(2, 503, "1");
    cr_expect_eq(count(c, 200), CROWD);
    cr_expect_eq(c->calls, CROWD + c->failing);
    crowd_end(c);
}

Test(crowd, a_cooldown_longer_than_the_queue_s_timeout_is_told_at_once)
{
    struct crowd *c = crowd_let_in(0, 503, "120");
    unsigned unasked = 0;
    for (size_t i = 0; i < CROWD; i++)
        unasked += c->guests[i].unasked;
    cr_expect_gt(unasked, 100);
    cr_expect_eq(count(c, 0), unasked, "503, as the expert had it, and not 429");
    crowd_end(c);
}
