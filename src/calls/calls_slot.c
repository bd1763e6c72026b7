/* One paid call, made as the gateway makes its own: by src/ask, through the expert's gate, in its dialect, tried again
 * within its time, priced by what it reports.
 *
 * A slot has one call after the other; everything runs on the thread of calls_run. What a call may cost and what comes
 * of its answer is decided in calls.c, which alone begins a slot. */
#include "calls/calls_int.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "dialect/token_estimate.h"

#define ANSWER_BYTES_MAX  (2u << 20)  /* escaped it still is a line of the journal */
#define MARGINS_BYTES_MAX (64u << 20) /* the same with log-probabilities, some 300 bytes a token */
#define REQUEST_BYTES_MAX (16u << 20)
#define SCRATCH_BYTES_MAX (64u << 20)
#define WAIT_MAX_MS       600000 /* in line for an expert: nobody waits for the answer */

static const struct expert *expert_of(const struct call_slot *s)
{
    return &s->calls->experts[s->job.expert];
}

/* For whoever watches */

/* An expert is asked by name: there is no policy, and nothing to compare with. What it will say is not predicted. */
static struct record record_of(const struct call_slot *s)
{
    const struct expert *expert = expert_of(s);
    return (struct record){
        .id = s->id,
        .begin_wall_ms = s->begin_wall_ms,
        .front = STR("play"),
        .model = s->request.model,
        .expert = expert->name,
        .plan = STR("single"),
        .predicted_nano_usd = price_cost_nano_usd(&expert->price, s->candidate.input_tokens, 0),
        .first_token_ms = -1,
    };
}

static void tell_begin(const struct call_slot *s)
{
    const struct record r = record_of(s);
    if (s->calls->o.watch)
        watch_begin(s->calls->o.watch, &r);
}

/* `problem` NULL: there is an answer. */
static void tell_end(const struct call_slot *s, const struct expert_answer *answer,
                     const char *problem)
{
    struct record r = record_of(s);
    struct record_call call = {.expert = r.expert, .asked = expert_of(s)};
    size_t count;
    const struct asking_paid *paid = asking_paid(s->asking, &count);
    if (!s->calls->o.watch)
        return;
    CHECK(count <= 1);
    if (count > 0) {
        call.outcome = paid->outcome;
        call.cost = paid->cost;
        call.begin_ms = paid->asked_ms - s->begin_ms;
        call.latency_ms = paid->ended_ms - paid->asked_ms;
    }
    r.outcome = problem ? REQUEST_FAILED : REQUEST_ANSWERED;
    r.http_status = answer->http_status;
    r.cost = asking_cost_of(paid, count);
    r.attempts = asking_calls(s->asking);
    r.total_ms = loop_now_ms(s->calls->loop) - s->begin_ms;
    r.problem = problem;
    r.calls = &call;
    r.call_count = count;
    watch_end(s->calls->o.watch, &r);
}

/* The end of a call */

/* choices[0].message.content: a text, or the texts of a list of parts, among which some put their thoughts. Null, or
 * nothing, is what an expert says whose limit went into its thoughts, or that refuses: no words, which is an answer. */
static enum status read_text(const struct call_slot *s, struct str body, struct str *ret,
                             struct error *err)
{
    struct json_value root, choice;
    enum status status = json_parse(body, "answer", 1, &root, err);
    if (status != OK)
        return status;
    struct json_iter it = json_iter_begin(json_get(root, "choices"));
    if (!json_array_next(&it, &choice))
        return error_set(err, ERR_UPSTREAM, "the answer holds no choice");
    struct json_value content = json_get(json_get(choice, "message"), "content");
    struct str text = {NULL, 0};
    if (content.type != JSON_STRING && content.type != JSON_ARRAY && content.type != JSON_NULL &&
        content.type != JSON_NONE)
        return error_set(err, ERR_UPSTREAM, "the answer holds no text");
    status = openai_content_text(content, s->arena, &text, err);
    if (status == OK && text.len > ANSWER_BYTES_MAX)
        status = error_set(err, ERR_UPSTREAM, "the answer is over %u bytes", ANSWER_BYTES_MAX);
    if (status == OK)
        *ret = text.ptr ? text : STR("");
    return status;
}

static void on_done(void *user, const struct asking_end *end)
{
    struct call_slot *s = user;
    struct error failure = {0};
    struct call_ending ending = {.http_status = end->answer->http_status,
                                 .certainty = end->answer->certainty,
                                 .failure = end->err,
                                 .unasked = asking_calls(s->asking) == 0};
    size_t count;
    const struct asking_paid *paid = asking_paid(s->asking, &count);
    const struct cost cost = asking_cost_of(paid, count);
    ending.cost = &cost;
    if (count > 0)
        ending.latency_ms = (int64_t)(paid->ended_ms - paid->asked_ms);
    if (end->status == OK && read_text(s, end->answer->body, &ending.text, &failure) != OK)
        ending.failure = &failure;
    tell_end(s, end->answer, ending.text.ptr ? NULL : ending.failure->text);
    asking_release(s->asking);
    s->asking = NULL;
    calls_end(s->calls, s, &ending);
}

/* Asking */

static int64_t output_limit(void *user, size_t candidate, int64_t others_nano_usd,
                            int64_t failed_nano_usd)
{
    struct call_slot *s = user;
    (void)candidate, (void)others_nano_usd;
    return calls_cover(s->calls, s, failed_nano_usd) ? s->output_tokens : 0;
}

static enum status fill(void *user, size_t candidate, bool is_read, struct expert_call_options *o,
                        struct error *err)
{
    const struct call_slot *s = user;
    (void)candidate, (void)is_read, (void)err;
    o->chat = &s->request;
    o->scratch = s->arena;
    o->certainty = expert_of(s)->logprobs;
    o->answer_bytes_max = o->certainty ? MARGINS_BYTES_MAX : ANSWER_BYTES_MAX;
    return OK;
}

static void on_retry(void *user, size_t failed, size_t next)
{
    const struct call_slot *s = user;
    if (s->calls->o.watch)
        watch_retried(s->calls->o.watch, expert_of(s)->name, failed == next);
}

static const struct asking_ops call_ops = {
    .output_limit = output_limit, .fill = fill, .on_retry = on_retry, .on_done = on_done};

static void write_message(struct buf *out, const char *role, struct str text)
{
    buf_addf(out, "{\"role\":\"%s\",\"content\":", role);
    json_write_string(out, text);
    buf_add_char(out, '}');
}

/* The question as a client would ask it of this expert. */
static enum status write_request(struct call_slot *s, struct error *err)
{
    struct buf text;
    buf_init(&text, REQUEST_BYTES_MAX);
    buf_add(&text, STR("{\"model\":"));
    json_write_string(&text, expert_of(s)->name);
    buf_add(&text, STR(",\"messages\":["));
    if (s->job.system.len > 0) {
        write_message(&text, "system", s->job.system);
        buf_add_char(&text, ',');
    }
    write_message(&text, "user", s->job.user);
    buf_add(&text, STR("]}"));
    enum status status = buf_status(&text, err);
    struct str kept = status == OK ? arena_copy(s->arena, buf_str(&text)) : STR("");
    buf_done(&text);
    if (status == OK && !kept.ptr)
        status = error_set(err, ERR_MEMORY, "out of memory for a question");
    if (status == OK)
        status = openai_request_parse(kept, true, s->arena, &s->request, NULL, err);
    return status;
}

static enum status make_asking(struct call_slot *s, struct error *err)
{
    struct calls *c = s->calls;
    int64_t tokens = tokens_from_characters(s->request.input_characters);
    s->candidate = (struct asking_candidate){.expert = expert_of(s),
                                             .gate = c->gates[s->job.expert],
                                             .input_tokens = tokens,
                                             .rate_tokens = tokens};
    const struct asking_options o = {.context = &c->context,
                                     .ops = &call_ops,
                                     .user = s,
                                     .id = s->id,
                                     .arena = s->arena,
                                     .candidates = &s->candidate,
                                     .count = 1,
                                     .input_tokens = tokens};
    return asking_create(&o, &s->asking, err);
}

enum status call_slot_begin(struct call_slot *s, struct error *err)
{
    struct calls *c = s->calls;
    if (!s->arena && !(s->arena = arena_create(SCRATCH_BYTES_MAX)))
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    arena_reset(s->arena);
    s->begin_wall_ms = clock_wall_ms();
    s->begin_ms = loop_now_ms(c->loop);
    record_id(&c->ids, s->begin_wall_ms, s->id);
    enum status status = write_request(s, err);
    if (status == OK)
        status = make_asking(s, err);
    if (status != OK)
        return status;
    tell_begin(s);
    asking_start(s->asking);
    return OK;
}

void call_slot_drop(struct call_slot *s)
{
    asking_release(s->asking);
    s->asking = NULL;
    arena_free(s->arena);
    s->arena = NULL;
}

/* The machinery */

static enum status make_gates(struct calls *c, struct error *err)
{
    size_t count = c->o.expert_count;
    struct gate **gates = ARENA_ARRAY(c->arena, count + 1, struct gate *);
    if (!gates)
        return error_set(err, ERR_MEMORY, "out of memory for the gates of experts");
    for (size_t e = 0; e < count; e++) {
        c->experts[e].limits.queue_length = CALLS_CONCURRENCY_MAX;
        c->experts[e].limits.queue_timeout_ms = WAIT_MAX_MS;
    }
    enum status status = gates_create(&c->table, err);
    if (status == OK)
        status =
            gates_bind(c->table, GATE_CHAT, c->experts, count, loop_now_ms(c->loop), gates, err);
    if (status == OK)
        c->gates = gates;
    return status;
}

/* By chance, and not by the run's seed: the ids of two runs of one seed must differ, too. */
static enum status seed_ids(struct calls *c, struct error *err)
{
    uint64_t seed;
    enum status status = digest_random(&seed, sizeof(seed), err);
    if (status == OK)
        rng_seed(&c->ids, seed);
    return status;
}

/* One piece: each part stands on those before it. */
enum status calls_wire(struct calls *c, struct error *err)
{
    struct http_client_options network = c->o.network;
    if (network.host_connections_max == 0)
        network.host_connections_max = CALLS_CONCURRENCY_MAX;
    rng_seed(&c->pauses, c->o.seed);
    enum status status = seed_ids(c, err);
    if (status == OK)
        status = loop_create(&c->loop, err);
    if (status == OK)
        status = wake_queue_init(&c->wakes, loop_scheduler(c->loop), err);
    if (status == OK)
        status = http_client_create(c->loop, &network, &c->client, err);
    if (status == OK)
        status = transport_gguf_create(loop_scheduler(c->loop), &c->in_process, err);
    if (status == OK)
        status = make_gates(c, err);
    if (status != OK)
        return status;
    c->transport = transport_http_of(c->client);
    c->context = (struct asking_context){.scheduler = loop_scheduler(c->loop),
                                         .wakes = &c->wakes,
                                         .transport = &c->transport.transport,
                                         .in_process = transport_gguf_transport(c->in_process),
                                         .rng = &c->pauses,
                                         .wall_ms = clock_wall_ms};
    return OK;
}

void calls_unwire(struct calls *c)
{
    if (c->gates)
        gates_release(c->table, c->gates, c->o.expert_count);
    gates_free(c->table);
    http_client_free(c->client);
    wake_queue_done(&c->wakes);
    transport_gguf_free(c->in_process);
    loop_free(c->loop);
}
