/* The gateway with a policy that verifies, and some requests through it over real HTTP: who was asked, what the check
 * said of each answer and why, what it cost, and what stood.
 *
 * Which tasks are told is found among those that nothing was learnt from, by the gateway's own decision and what was
 * recorded of each coder; what is told of them is what the gateway says afterwards, by its ledger. One thread asks and
 * waits; the gateway has its own. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "data/check_column.h"
#include "demo/check_batch.h"
#include "demo/coded.h"

#define REPLY_BYTES_MAX (1u << 20)
#define LEDGER_WAIT_MS  5000 /* until a row is there */
#define LEDGER_LOOK_MS  20
#define CODED_REQUEST   "request.json"
#define DEAREST         (CODER_COUNT - 1)

/* The configuration */

static void write_policy(FILE *out, const struct coded_demo *c, const char *name, const char *more,
                         const char *check)
{
    fprintf(out,
            "  %s:\n"
            "    lambda: %g%s\n"
            "    verify:\n"
            "      command: [sh, " CODED_SCRIPT "]\n"
            "      name: tests\n"
            "      price: " CODED_CHECK_USD "      # of a processor, some 10 ms\n"
            "      false_pass: %.4f       # of wrong programs; counted on " CODED_LEARN "/\n"
            "      false_alarm: 0\n%s",
            name, DEMO_LAMBDA, more, (double)c->believed.false_pass, check);
}

static enum status write_config(const struct demo *d, const char *path, struct error *err)
{
    struct file_out out;
    enum status status = file_out_open(path, &out, err);
    if (status != OK)
        return status;
    fprintf(out.stream,
            "# Written by `leeroo demo --verify`; the coders live in its process.\n"
            "listen: %s\nmodel: " DEMO_MODEL_FILE "\nledger: {store: ledger.db}\n\nexperts:\n",
            d->listen);
    for (size_t i = 0; i < CODER_COUNT; i++)
        fprintf(out.stream, "  - name: %.*s\n    url: %s\n", STR_FMT(d->experts[i].name),
                d->upstream_url);
    fprintf(out.stream, "\npolicies:          # " DEMO_LAMBDA_MEANING "\n");
    write_policy(out.stream, d->coded, "default", "", "");
    write_policy(
        out.stream, d->coded, "strict", "\n    experts: [sprout, clerk]",
        "      strict: true             # no answer rather than one that has not passed\n");
    fprintf(out.stream, "  unchecked: {lambda: %g}\n", DEMO_LAMBDA);
    return file_out_commit(&out, err);
}

static enum status serve(struct demo *d, struct error *err)
{
    char path[DEMO_PATH_BYTES];
    enum status status = demo_path(d, "leeroo.yaml", path, err);
    if (status == OK)
        status = write_config(d, path, err);
    if (status == OK)
        status = config_load(path, &d->config, err);
    if (status == OK)
        status = config_bind(d->config, d->model, err);
    if (status != OK)
        return status;
    d->config->threads = 1;
    status = local_start(d->config, d->model, d->prepare, &d->gateway, err);
    if (status == OK)
        fprintf(d->out,
                "  The gateway answers on http://%s/v1. Its policy asks one coder\n"
                "  after another until a program passes the tests of the question.\n",
                local_address(d->gateway));
    return status;
}

/* Asking */

static void write_body(const char *model, const char *more, struct str question, struct buf *out)
{
    buf_addf(out, "{\"model\":\"%s\"%s,\"messages\":[{\"role\":\"user\",\"content\":", model, more);
    json_write_string(out, question);
    buf_add_c(out, "}]}\n");
}

/* One of those that are kept, to be sent again. */
static enum status write_request(const struct demo *d, struct error *err)
{
    char path[DEMO_PATH_BYTES];
    struct buf b;
    buf_init(&b, REPLY_BYTES_MAX);
    write_body("leeroo", "", d->coded->held.set.data->queries[0].text, &b);
    enum status status = demo_path(d, CODED_REQUEST, path, err);
    if (status == OK)
        status = file_write(path, &b, err);
    buf_done(&b);
    return status;
}

struct members {
    size_t count, list[CODER_COUNT];
};

/* Whom the gateway would ask, in this order. */
static enum status members_of(struct demo *d, const char *model, struct str question,
                              struct members *ret, struct error *err)
{
    struct buf body, reply;
    struct local_reply head;
    struct json_value root, item;
    buf_init(&body, REPLY_BYTES_MAX);
    buf_init(&reply, REPLY_BYTES_MAX);
    write_body(model, "", question, &body);
    ret->count = 0;
    enum status status =
        local_post(d->gateway, "/v1/route", buf_str(&body), NULL, NULL, &reply, &head, err);
    if (status == OK && head.http_status != 200)
        status =
            error_set(err, ERR_UPSTREAM, "the gateway answered %d to /v1/route", head.http_status);
    if (status == OK)
        status = json_parse(buf_str(&reply), "decision", 1, &root, err);
    if (status == OK) {
        struct json_iter it = json_iter_begin(json_get(root, "members"));
        while (json_array_next(&it, &item) && ret->count < CODER_COUNT)
            for (size_t e = 0; e < CODER_COUNT; e++)
                if (json_string_equal(item, d->experts[e].name))
                    ret->list[ret->count++] = e;
    }
    buf_done(&body);
    buf_done(&reply);
    return status;
}

/* The gateway's own account of a request, once its ledger has it. */
static enum status row_of(struct demo *d, const char *request_id, struct buf *row,
                          struct error *err)
{
    char path[128];
    struct local_reply head;
    const uint64_t until_ms = clock_now_ms() + LEDGER_WAIT_MS;
    snprintf(path, sizeof(path), "/v1/requests/%s", request_id);
    for (;;) {
        buf_clear(row);
        enum status status =
            local_post(d->gateway, path, (struct str){NULL, 0}, NULL, NULL, row, &head, err);
        if (status != OK || head.http_status == 200)
            return status;
        if (clock_now_ms() > until_ms)
            return error_set(err, ERR_UPSTREAM, "the gateway answered %d to %s", head.http_status,
                             path);
        nanosleep(&(struct timespec){0, LEDGER_LOOK_MS * 1000000}, NULL);
    }
}

/* Which tasks are told */

enum said { FAILS, PASSES, RUNS_ON };

static enum said said_of(const struct coded *s, size_t q, size_t expert)
{
    const size_t cell = q * s->set.data->expert_count + expert;
    if (s->said[cell] == CHECK_PASSES)
        return PASSES;
    const struct str why = str_from(s->checks[cell].end.why);
    return str_find(why, STR("no end after"), 0) != SIZE_MAX ? RUNS_ON : FAILS;
}

static bool passes_at_once(const struct coded *s, size_t q, const struct members *m)
{
    return m->count > 1 && m->list[0] == 0 && said_of(s, q, 0) == PASSES;
}

static bool passes_second(const struct coded *s, size_t q, const struct members *m)
{
    return m->count > 1 && said_of(s, q, m->list[0]) == FAILS &&
           said_of(s, q, m->list[1]) == PASSES;
}

static bool runs_on(const struct coded *s, size_t q, const struct members *m)
{
    bool passes = false;
    for (size_t i = 1; i < m->count; i++)
        passes |= said_of(s, q, m->list[i]) == PASSES;
    return m->count > 1 && said_of(s, q, m->list[0]) == RUNS_ON && passes;
}

static bool none_passes(const struct coded *s, size_t q, const struct members *m)
{
    bool passes = false;
    for (size_t i = 0; i < m->count; i++)
        passes |= said_of(s, q, m->list[i]) == PASSES;
    return m->count > 1 && !passes;
}

static const struct story {
    const char *title, *model;
    bool (*fits)(const struct coded *s, size_t q, const struct members *m);
} STORIES[] = {
    {"The cheapest one is right", "leeroo", passes_at_once},
    {"A test fails, and the next is asked", "leeroo", passes_second},
    {"A program that does not end is stopped", "leeroo", runs_on},
    {"Policy \"strict\", cheap coders alone: no answer rather than one that fails", "leeroo/strict",
     none_passes},
};
#define STORY_COUNT (sizeof(STORIES) / sizeof(STORIES[0]))

struct found {
    const struct coded *set; /* NULL: there is none */
    size_t query;
};

static enum status find_in(struct demo *d, const struct story *s, const struct coded *set,
                           struct found *ret, struct error *err)
{
    enum status status = OK;
    for (size_t q = 0; q < set->set.data->query_count && status == OK && !ret->set; q++) {
        struct members m;
        status = members_of(d, s->model, set->set.data->queries[q].text, &m, err);
        if (status == OK && s->fits(set, q, &m))
            *ret = (struct found){set, q};
    }
    return status;
}

/* What is told */

static const char *text_of(struct demo *d, struct json_value v)
{
    struct str text;
    if (json_string_decode(v, d->arena, &text) != OK)
        return "";
    const char *copy = arena_printf(d->arena, "%.*s", STR_FMT(text));
    return copy ? copy : "";
}

static struct str task_of(struct str question)
{
    return str_slice(question, 0, str_find(question, STR(". Put it"), 0));
}

static void print_checks(struct demo *d, struct json_value row)
{
    struct json_value call;
    struct json_iter it = json_iter_begin(json_get(row, "calls"));
    while (json_array_next(&it, &call))
        if (json_get(call, "verdict").type != JSON_NONE)
            fprintf(d->out, "    %-7s %-9s %.58s\n", text_of(d, json_get(call, "checked")),
                    text_of(d, json_get(call, "verdict")), text_of(d, json_get(call, "why")));
}

static void print_end(struct demo *d, const struct found *f, struct json_value row)
{
    const struct dataset *data = f->set->set.data;
    const char *name = text_of(d, json_get(row, "expert"));
    const struct str cost = json_get(row, "cost_usd").raw;
    const size_t expert = dataset_expert_index(data, str_from(name));
    if (!json_string_equal(json_get(row, "outcome"), STR("answered")) || expert == SIZE_MAX) {
        fprintf(d->out, "    An error, HTTP %.*s, and no answer: %.*s USD were spent.\n",
                STR_FMT(json_get(row, "status").raw), STR_FMT(cost));
        return;
    }
    const bool right = dataset_outcome(data, f->query, expert)->score >= 0.5f;
    struct buf alone;
    buf_init(&alone, 64);
    money_format_usd(&alone, dataset_outcome(data, f->query, DEAREST)->cost_nano_usd);
    fprintf(d->out,
            "    %s's program stands; it %s the tests that nobody was shown.\n"
            "    %.*s USD; %s alone would have cost %.*s.\n",
            name, right ? "passes also" : "fails, though, by", STR_FMT(cost),
            coder_at(DEAREST)->name, STR_FMT(buf_str(&alone)));
    buf_done(&alone);
}

static enum status ask_about(struct demo *d, const struct story *s, const struct found *f,
                             struct error *err)
{
    const struct str question = f->set->set.data->queries[f->query].text;
    struct buf body, reply;
    struct local_reply head;
    struct json_value row;
    buf_init(&body, REPLY_BYTES_MAX);
    buf_init(&reply, REPLY_BYTES_MAX);
    write_body(s->model, ",\"stream\":true", question, &body);
    enum status status = local_post(d->gateway, "/v1/chat/completions", buf_str(&body), NULL, NULL,
                                    &reply, &head, err);
    if (status == OK)
        status = row_of(d, head.request_id, &reply, err);
    if (status == OK)
        status = json_parse(buf_str(&reply), "request", 1, &row, err);
    if (status == OK) {
        coded_wrap(d->out, 2, task_of(question));
        fprintf(d->out, "    plan: %s\n", text_of(d, json_get(row, "plan")));
        print_checks(d, row);
        print_end(d, f, row);
        fflush(d->out);
    }
    buf_done(&body);
    buf_done(&reply);
    return status;
}

static enum status tell(struct demo *d, const struct story *s, struct error *err)
{
    struct found f = {NULL, 0};
    enum status status = find_in(d, s, &d->coded->held, &f, err);
    if (status == OK && !f.set)
        status = find_in(d, s, &d->coded->learn, &f, err);
    if (status != OK)
        return status;
    fprintf(d->out, "\n  %s%s.%s\n", d->bold ? "\033[1m" : "", s->title, d->bold ? "\033[0m" : "");
    if (f.set)
        return ask_about(d, s, &f, err);
    fprintf(d->out, "    This seed has no such task.\n");
    return OK;
}

enum status coded_ask(struct demo *d, struct error *err)
{
    demo_heading(d, 3, "Requests through the gateway");
    enum status status = serve(d, err);
    if (status == OK)
        status = write_request(d, err);
    for (size_t i = 0; i < STORY_COUNT && status == OK; i++)
        status = tell(d, &STORIES[i], err);
    return status;
}

/* What can be done next */

void coded_next_steps(const struct demo *d)
{
    const char *dir = demo_shown(d, d->dir), *program = demo_program(d);
    demo_heading(d, 5, "What to do next");
    fprintf(d->out,
            "  %s has the check (" CODED_SCRIPT "), the data sets with its verdicts, the\n"
            "  model and leeroo.yaml. docs/verify.md tells what else a check can be.\n\n"
            "    %s eval --folds 5 %s/" CODED_LEARN " --verify-column " CODED_COLUMN "\n"
            "    %s check --config %s/leeroo.yaml\n"
            "    %s train %s/" CODED_LEARN " -o %s/mine.safetensors\n",
            dir, program, dir, program, dir, program, dir, dir);
    if (!d->keep) {
        fprintf(d->out, "    %s demo --verify --keep --dir %s\n\n", program, dir);
        return;
    }
    const char *address = local_address(d->gateway);
    fprintf(d->out,
            "\n  The gateway goes on until Ctrl-C; in a browser, its page:\n\n"
            "    http://%s/\n\n"
            "  In another terminal; `leeroo/strict` is its other policy:\n\n"
            "    curl -si http://%s/v1/chat/completions \\\n"
            "         -d @%s/" CODED_REQUEST "\n\n",
            address, address, dir);
    fflush(d->out);
}
