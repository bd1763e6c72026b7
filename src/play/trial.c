/* Every expert, every query, some calls at a time on one loop: see trial.h. Each slot runs one call after the
 * other; the loop stops when the last slot finds nothing left to do. */
#include "play/trial.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/json.h"
#include "base/progress.h"
#include "expert/call.h"
#include "judge/answer_text.h"
#include "net/http_client.h"
#include "net/loop.h"

#define BODY_BYTES_MAX    (16u << 20)
#define ANSWER_BYTES_MAX  (16u << 20)
#define SCRATCH_BYTES_MAX (64u << 20)

struct trial;

struct slot {
    struct trial *trial;
    size_t query, expert;
    struct buf body;
};

struct trial {
    const struct dataset *data;
    const struct trial_options *options;
    struct trial_result *result;
    struct arena *arena, *scratch;
    struct loop *loop;
    struct http_client *client;
    struct progress progress;
    size_t next, total, done, busy;
    struct error first_failure;
    struct slot slots[TRIAL_CONCURRENCY_MAX];
};

static void write_body(struct slot *s)
{
    const struct query *q = &s->trial->data->queries[s->query];
    const struct expert *e = &s->trial->options->experts[s->expert];
    buf_clear(&s->body);
    buf_add(&s->body, STR("{\"model\":"));
    json_write_string(&s->body, e->upstream_model);
    buf_add(&s->body, STR(",\"messages\":[{\"role\":\"user\",\"content\":"));
    json_write_string(&s->body, q->prompt);
    buf_add(&s->body, STR("}]}"));
}

/* choices[0].message.content, copied to the result. */
static enum status read_text(struct trial *t, struct str body, struct str *ret, struct error *err)
{
    struct json_value root, choice;
    struct str text;
    arena_reset(t->scratch);
    enum status st = json_parse(body, "answer", 1, &root, err);
    if (st != OK)
        return st;
    struct json_iter it = json_iter_begin(json_get(root, "choices"));
    if (!json_array_next(&it, &choice))
        return error_set(err, ERR_UPSTREAM, "the answer holds no choice");
    struct json_value content = json_get(json_get(choice, "message"), "content");
    if (json_string_decode(content, t->scratch, &text) != OK)
        return error_set(err, ERR_UPSTREAM, "the answer holds no text");
    *ret = arena_copy(t->arena, text);
    return ret->ptr != NULL ? OK : error_set(err, ERR_MEMORY, "out of memory for answers");
}

static void record(struct slot *s, struct str text, const struct openai_usage *usage)
{
    struct trial *t = s->trial;
    const struct expert *e = &t->options->experts[s->expert];
    struct outcome *o = &t->result->outcomes[s->query * t->data->expert_count + s->expert];
    t->result->texts[s->expert * t->data->query_count + s->query] = text;
    *o = (struct outcome){.present = true,
                          .known = true,
                          .score = judge_score(&t->data->queries[s->query], text),
                          .cost_known = usage->known,
                          .tokens_known = usage->known};
    if (!usage->known)
        return;
    o->input_tokens = (int32_t)usage->input_tokens;
    o->output_tokens = (int32_t)usage->output_tokens;
    o->cost_nano_usd = price_cost_nano_usd(&e->price, usage->input_tokens, usage->output_tokens);
}

static void note_failure(struct trial *t, const struct error *err)
{
    if (t->result->failed++ == 0)
        t->first_failure = *err;
}

static void slot_next(struct slot *s);

static void on_done(struct expert_call *c, enum status status, const struct error *err)
{
    struct slot *s = expert_call_user(c);
    struct trial *t = s->trial;
    const struct expert_answer *answer = expert_call_answer(c);
    struct error failure;
    struct str text = {NULL, 0};
    if (status == OK)
        status = read_text(t, answer->body, &text, &failure);
    else
        failure = *err;
    if (status == OK)
        record(s, text, &answer->usage);
    else
        note_failure(t, &failure);
    progress_update(&t->progress, ++t->done);
    slot_next(s);
}

/* The next call that can be started; without one the slot rests. */
static void slot_next(struct slot *s)
{
    struct trial *t = s->trial;
    while (t->next < t->total) {
        struct expert_call *call;
        struct error err;
        s->query = t->next / t->data->expert_count;
        s->expert = t->next++ % t->data->expert_count;
        write_body(s);
        const struct expert_call_options o = {.expert = &t->options->experts[s->expert],
                                              .body = buf_str(&s->body),
                                              .answer_bytes_max = ANSWER_BYTES_MAX,
                                              .user = s,
                                              .on_done = on_done};
        enum status st = buf_status(&s->body, &err);
        if (st == OK)
            st = expert_call_start(t->client, &o, &call, &err);
        if (st == OK)
            return;
        note_failure(t, &err);
        t->done++;
    }
    if (--t->busy == 0)
        loop_stop(t->loop);
}

static enum status ask_all(struct trial *t, struct error *err)
{
    size_t concurrency = t->options->concurrency < t->total ? t->options->concurrency : t->total;
    if (concurrency == 0)
        return OK;
    t->busy = concurrency;
    progress_begin(&t->progress, t->options->what, t->total);
    for (size_t i = 0; i < concurrency; i++) {
        t->slots[i].trial = t;
        buf_init(&t->slots[i].body, BODY_BYTES_MAX);
    }
    for (size_t i = 0; i < concurrency; i++)
        slot_next(&t->slots[i]);
    enum status st = loop_run(t->loop, err);
    progress_end(&t->progress);
    for (size_t i = 0; i < concurrency; i++)
        buf_done(&t->slots[i].body);
    if (st == OK && t->result->failed == t->total) {
        *err = t->first_failure;
        st = t->first_failure.status;
    }
    return st;
}

static enum status prepare(struct trial *t, struct error *err)
{
    const struct http_client_options client = {.host_connections_max = TRIAL_CONCURRENCY_MAX};
    t->result->outcomes = ARENA_ARRAY(t->arena, t->total + 1, struct outcome);
    t->result->texts = ARENA_ARRAY(t->arena, t->total + 1, struct str);
    t->scratch = arena_create(SCRATCH_BYTES_MAX);
    if (t->result->outcomes == NULL || t->result->texts == NULL || t->scratch == NULL)
        return error_set(err, ERR_MEMORY, "out of memory for outcomes");
    enum status st = loop_create(&t->loop, err);
    return st == OK ? http_client_create(t->loop, &client, &t->client, err) : st;
}

enum status trial_run(const struct dataset *d, const struct trial_options *options, struct arena *a,
                      struct trial_result *ret, struct error *err)
{
    struct error local;
    struct trial_result result = {NULL, NULL, 0};
    struct trial *t = ARENA_NEW(a, struct trial);
    CHECK(options->concurrency >= 1 && options->concurrency <= TRIAL_CONCURRENCY_MAX);
    err = err != NULL ? err : &local;
    if (t == NULL)
        return error_set(err, ERR_MEMORY, "out of memory");
    t->data = d;
    t->options = options;
    t->result = &result;
    t->arena = a;
    t->total = d->query_count * d->expert_count;
    enum status st = prepare(t, err);
    if (st == OK)
        st = ask_all(t, err);
    http_client_free(t->client);
    loop_free(t->loop);
    arena_free(t->scratch);
    if (st == OK)
        *ret = result;
    return st;
}
