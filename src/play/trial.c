/* Every expert, every query, some at a time on one loop: see trial.h. Each slot has one question asked after the other,
 * by src/ask, as the gateway asks: through the expert's gate, in its dialect, tried again within its time, priced by
 * what it reports. Everything runs on the thread that calls trial_run; the loop stops when the last slot finds nothing
 * left to do. An asking ends from inside its own callback, so the next one starts from the loop, not from there. */
#include "play/trial.h"

#include "ask/asking.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/progress.h"
#include "dialect/token_estimate.h"
#include "expert/transport_http.h"
#include "judge/answer_text.h"
#include "net/http_client.h"
#include "net/loop.h"

#define ANSWER_BYTES_MAX  (16u << 20)
#define REQUEST_BYTES_MAX (16u << 20)
#define SCRATCH_BYTES_MAX (64u << 20)

struct trial;

struct slot {
    struct trial *trial;
    size_t query, expert;
    char id[RECORD_ID_BYTES]; /* of the present question, as all that follows */
    int64_t begin_wall_ms;
    uint64_t begin_ms;
    struct arena *arena;
    struct openai_request request;
    struct asking_candidate candidate; /* the only one */
    struct asking *asking;
};

struct trial {
    const struct dataset *data;
    const struct trial_options *options;
    struct trial_result *result;
    struct arena *arena;
    struct loop *loop;
    struct http_client *client;
    struct transport_http transport;
    struct wake_queue wakes;
    struct gates *table;
    struct gate **gates; /* [experts] */
    struct rng pauses, ids;
    struct asking_context context;
    struct progress progress;
    size_t next, total, done, busy;
    struct error first_failure;
    struct slot slots[TRIAL_CONCURRENCY_MAX];
};

static const struct expert *expert_of(const struct slot *s)
{
    return &s->trial->options->experts[s->expert];
}

/* What came of it */

/* choices[0].message.content, copied to the result. */
static enum status read_text(struct slot *s, struct str body, struct str *ret, struct error *err)
{
    struct json_value root, choice;
    struct str text;
    enum status status = json_parse(body, "answer", 1, &root, err);
    if (status != OK)
        return status;
    struct json_iter it = json_iter_begin(json_get(root, "choices"));
    if (!json_array_next(&it, &choice))
        return error_set(err, ERR_UPSTREAM, "the answer holds no choice");
    struct json_value content = json_get(json_get(choice, "message"), "content");
    if (json_string_decode(content, s->arena, &text) != OK)
        return error_set(err, ERR_UPSTREAM, "the answer holds no text");
    *ret = arena_copy(s->trial->arena, text);
    return ret->ptr ? OK : error_set(err, ERR_MEMORY, "out of memory for answers");
}

/* Failed tries of the same question are part of what its answer cost. */
static void keep_outcome(struct slot *s, struct str text)
{
    struct trial *t = s->trial;
    size_t count;
    const struct asking_paid *paid = asking_paid(s->asking, &count);
    CHECK(count == 1);
    const struct cost *cost = &paid->cost;
    bool known = cost->basis == COST_USAGE;
    t->result->texts[s->expert * t->data->query_count + s->query] = text;
    t->result->outcomes[s->query * t->data->expert_count + s->expert] =
        (struct outcome){.present = true,
                         .known = true,
                         .score = judge_score(&t->data->queries[s->query], text),
                         .cost_known = known,
                         .tokens_known = known,
                         .input_tokens = known ? (int32_t)cost->tokens.input : 0,
                         .output_tokens = known ? (int32_t)cost->tokens.output : 0,
                         .cost_nano_usd = known ? cost->nano_usd : 0};
}

static void note_failure(struct trial *t, const struct error *err)
{
    if (t->result->failed++ == 0)
        t->first_failure = *err;
}

/* For whoever watches */

/* An expert is asked by name: there is no policy, and nothing to compare with. What it will say is not predicted. */
static struct record record_of(const struct slot *s)
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

static void tell_begin(const struct slot *s)
{
    const struct record r = record_of(s);
    if (s->trial->options->watch)
        watch_begin(s->trial->options->watch, &r);
}

/* `problem` NULL: there is an answer. */
static void tell_end(const struct slot *s, const struct expert_answer *answer, const char *problem)
{
    struct record r = record_of(s);
    struct record_call call = {.expert = r.expert, .asked = expert_of(s)};
    size_t count;
    const struct asking_paid *paid = asking_paid(s->asking, &count);
    if (!s->trial->options->watch)
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
    r.total_ms = loop_now_ms(s->trial->loop) - s->begin_ms;
    r.problem = problem;
    r.calls = &call;
    r.call_count = count;
    watch_end(s->trial->options->watch, &r);
}

/* The end of a question */

static void slot_next(void *arg);

static void rest(struct trial *t)
{
    CHECK(t->busy > 0);
    if (--t->busy == 0)
        loop_stop(t->loop);
}

static void on_done(void *user, const struct asking_end *end)
{
    struct slot *s = user;
    struct trial *t = s->trial;
    struct error failure = {0};
    struct str text = {NULL, 0};
    enum status status = end->status;
    if (status == OK)
        status = read_text(s, end->answer->body, &text, &failure);
    else
        failure = *end->err;
    if (status == OK)
        keep_outcome(s, text);
    else
        note_failure(t, &failure);
    tell_end(s, end->answer, status == OK ? NULL : failure.text);
    progress_update(&t->progress, ++t->done);
    asking_release(s->asking);
    s->asking = NULL;
    if (loop_post(t->loop, slot_next, s) != OK)
        rest(t); /* without memory for a message the others go on */
}

/* Asking */

static enum status fill(void *user, size_t candidate, bool is_read, struct expert_call_options *o,
                        struct error *err)
{
    const struct slot *s = user;
    (void)candidate, (void)is_read, (void)err;
    o->chat = &s->request;
    o->scratch = s->arena;
    o->answer_bytes_max = ANSWER_BYTES_MAX;
    return OK;
}

static void on_retry(void *user, size_t failed, size_t next)
{
    const struct slot *s = user;
    if (s->trial->options->watch)
        watch_retried(s->trial->options->watch, expert_of(s)->name, failed == next);
}

static const struct asking_ops trial_ops = {.fill = fill, .on_retry = on_retry, .on_done = on_done};

/* The question as a client would ask it of this expert. */
static enum status write_request(struct slot *s, struct error *err)
{
    const struct query *q = &s->trial->data->queries[s->query];
    struct buf text;
    buf_init(&text, REQUEST_BYTES_MAX);
    buf_add(&text, STR("{\"model\":"));
    json_write_string(&text, expert_of(s)->name);
    buf_add(&text, STR(",\"messages\":[{\"role\":\"user\",\"content\":"));
    json_write_string(&text, q->prompt);
    buf_add(&text, STR("}]}"));
    enum status status = buf_status(&text, err);
    struct str kept = status == OK ? arena_copy(s->arena, buf_str(&text)) : STR("");
    buf_done(&text);
    if (status == OK && !kept.ptr)
        status = error_set(err, ERR_MEMORY, "out of memory for a question");
    if (status == OK)
        status = openai_request_parse(kept, true, s->arena, &s->request, NULL, err);
    return status;
}

static enum status make_asking(struct slot *s, struct error *err)
{
    struct trial *t = s->trial;
    int64_t tokens = tokens_from_characters(s->request.input_characters);
    s->candidate = (struct asking_candidate){.expert = expert_of(s),
                                             .gate = t->gates[s->expert],
                                             .input_tokens = tokens,
                                             .rate_tokens = tokens};
    const struct asking_options o = {.context = &t->context,
                                     .ops = &trial_ops,
                                     .user = s,
                                     .id = s->id,
                                     .arena = s->arena,
                                     .candidates = &s->candidate,
                                     .count = 1,
                                     .input_tokens = tokens};
    return asking_create(&o, &s->asking, err);
}

static enum status begin(struct slot *s, struct error *err)
{
    struct trial *t = s->trial;
    arena_reset(s->arena);
    s->begin_wall_ms = clock_wall_ms();
    s->begin_ms = loop_now_ms(t->loop);
    record_id(&t->ids, s->begin_wall_ms, s->id);
    enum status status = write_request(s, err);
    if (status == OK)
        status = make_asking(s, err);
    if (status != OK)
        return status;
    tell_begin(s);
    asking_start(s->asking);
    return OK;
}

/* The next question that can be asked; without one the slot rests. */
static void slot_next(void *arg)
{
    struct slot *s = arg;
    struct trial *t = s->trial;
    while (t->next < t->total) {
        struct error err;
        s->query = t->next / t->data->expert_count;
        s->expert = t->next++ % t->data->expert_count;
        if (begin(s, &err) == OK)
            return;
        note_failure(t, &err);
        t->done++;
    }
    rest(t);
}

static enum status make_slots(struct trial *t, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        t->slots[i].trial = t;
        t->slots[i].arena = arena_create(SCRATCH_BYTES_MAX);
        if (!t->slots[i].arena)
            return error_set(err, ERR_MEMORY, "out of memory for questions");
    }
    return OK;
}

static enum status run_slots(struct trial *t, size_t count, struct error *err)
{
    t->busy = count;
    progress_begin(&t->progress, t->options->what, t->total);
    for (size_t i = 0; i < count; i++)
        slot_next(&t->slots[i]);
    enum status status = loop_run(t->loop, err);
    progress_end(&t->progress);
    return status;
}

/* Also those that still ask, when the loop has failed. */
static void free_slots(struct trial *t, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        asking_release(t->slots[i].asking);
        arena_free(t->slots[i].arena);
    }
}

static enum status ask_all(struct trial *t, struct error *err)
{
    size_t count = t->options->concurrency < t->total ? t->options->concurrency : t->total;
    if (count == 0)
        return OK;
    enum status status = make_slots(t, count, err);
    if (status == OK)
        status = run_slots(t, count, err);
    free_slots(t, count);
    if (status == OK && t->result->failed == t->total) {
        *err = t->first_failure;
        status = t->first_failure.status;
    }
    return status;
}

/* Making and ending */

static enum status make_gates(struct trial *t, struct error *err)
{
    size_t count = t->data->expert_count;
    struct gate **gates = ARENA_ARRAY(t->arena, count + 1, struct gate *);
    if (!gates)
        return error_set(err, ERR_MEMORY, "out of memory for the gates of experts");
    enum status status = gates_create(&t->table, err);
    if (status == OK)
        status = gates_bind(t->table, GATE_CHAT, t->options->experts, count, loop_now_ms(t->loop),
                            gates, err);
    if (status == OK)
        t->gates = gates;
    return status;
}

/* By chance, and not by the trial's seed: the ids of two trials of one seed must differ, too. */
static enum status seed_ids(struct trial *t, struct error *err)
{
    uint64_t seed;
    enum status status = digest_random(&seed, sizeof(seed), err);
    if (status == OK)
        rng_seed(&t->ids, seed);
    return status;
}

static enum status prepare(struct trial *t, struct error *err)
{
    const struct http_client_options client = {.host_connections_max = TRIAL_CONCURRENCY_MAX};
    t->result->outcomes = ARENA_ARRAY(t->arena, t->total + 1, struct outcome);
    t->result->texts = ARENA_ARRAY(t->arena, t->total + 1, struct str);
    if (!t->result->outcomes || !t->result->texts)
        return error_set(err, ERR_MEMORY, "out of memory for outcomes");
    rng_seed(&t->pauses, t->options->seed);
    enum status status = seed_ids(t, err);
    if (status == OK)
        status = loop_create(&t->loop, err);
    if (status == OK)
        status = wake_queue_init(&t->wakes, loop_scheduler(t->loop), err);
    if (status == OK)
        status = http_client_create(t->loop, &client, &t->client, err);
    if (status == OK)
        status = make_gates(t, err);
    t->transport = transport_http_of(t->client);
    t->context = (struct asking_context){.scheduler = t->loop ? loop_scheduler(t->loop) : NULL,
                                         .wakes = &t->wakes,
                                         .transport = &t->transport.transport,
                                         .rng = &t->pauses,
                                         .wall_ms = clock_wall_ms};
    return status;
}

static void release(struct trial *t)
{
    if (t->gates)
        gates_release(t->table, t->gates, t->data->expert_count);
    gates_free(t->table);
    http_client_free(t->client);
    wake_queue_done(&t->wakes);
    loop_free(t->loop);
}

enum status trial_run(const struct dataset *d, const struct trial_options *options, struct arena *a,
                      struct trial_result *ret, struct error *err)
{
    struct error local;
    struct trial_result result = {NULL, NULL, 0};
    struct trial *t = ARENA_NEW(a, struct trial);
    CHECK(options->concurrency >= 1 && options->concurrency <= TRIAL_CONCURRENCY_MAX);
    err = err ? err : &local;
    if (!t)
        return error_set(err, ERR_MEMORY, "out of memory");
    t->data = d;
    t->options = options;
    t->result = &result;
    t->arena = a;
    t->total = d->query_count * d->expert_count;
    enum status status = prepare(t, err);
    if (status == OK)
        status = ask_all(t, err);
    release(t);
    if (status == OK)
        *ret = result;
    return status;
}
