/* leeroo ask: one question through the configured pool, by the same path that `serve` offers.
 *
 * The gateway runs inside the process, on a thread of its own and a loopback port (serve/local.h); this thread posts to
 * it and waits. Nothing of the gateway may be touched from here but by HTTP, so what `ask` says is what a client sees.
 * Logging is off: the person at the terminal gets the answer, or one sentence. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/terminal.h"
#include "cli/commands.h"
#include "config/env_file.h"
#include "print/ask_table.h"
#include "serve/local.h"
#include "setup/setup_gguf.h"
#include "setup/setup_model.h"

#define QUESTION_BYTES_MAX (8u << 20)
#define ANSWER_BYTES_MAX   (64u << 20)
#define ARENA_BYTES_MAX    (64u << 20)

static const char text[] = "Sends one question through the configured experts and prints the "
                           "answer as it comes. With --explain\n"
                           "the table behind the decision goes to standard error. \"-\" reads the "
                           "question from standard input.\n"
                           "It needs no gateway, and no ledger has it.\n"
                           "\n"
                           "  leeroo ask \"What is the capital of Mongolia?\" --explain\n"
                           "  leeroo ask --budget 0.5 - < question.txt\n";

struct options {
    const char *config, *env_file, *policy, *expert, *system, *max_cost, *plans;
    struct policy wanted;
    bool has_lambda, has_budget, has_min_quality;
    bool explain, json;
};

struct ask {
    const struct options *options;
    struct config *config;
    struct model *model;
    struct local *local;
    struct arena *arena;
    struct buf question, request, answer, whole, decision, usage;
    struct local_reply reply;
    struct problems problems; /* of the file of variables */
    struct error failure;     /* an error event in the stream */
    double seconds;
};

static enum status read_question(struct ask *a, const char *argument, struct error *err)
{
    if (strcmp(argument, "-") != 0) {
        buf_add_c(&a->question, argument);
    } else {
        for (size_t got = 1; got > 0;) {
            char *at = buf_reserve(&a->question, 65536);
            got = at ? fread(at, 1, 65536, stdin) : 0;
            a->question.len += got;
        }
        if (ferror(stdin))
            return error_set(err, ERR_IO, "cannot read the question from standard input");
    }
    if (str_trim(buf_str(&a->question)).len == 0)
        return error_set(err, ERR_USAGE, "the question is empty");
    if (!utf8_valid(buf_str(&a->question)))
        return error_set(err, ERR_INPUT, "the question is not valid UTF-8");
    return buf_status(&a->question, err);
}

static enum status check_names(const struct ask *a, struct error *err)
{
    const struct options *o = a->options;
    const struct config *c = a->config;
    bool found = !o->policy && !o->expert;
    for (size_t i = 0; o->policy && i < c->policy_count; i++)
        found = found || str_equal(c->policies[i].name, str_from(o->policy));
    for (size_t i = 0; o->expert && i < c->expert_count; i++)
        found = found || str_equal(c->experts[i].name, str_from(o->expert));
    if (found)
        return OK;
    return error_set(err, ERR_NOT_FOUND, "%s has no %s '%s'", o->config,
                     o->policy ? "policy" : "expert", o->policy ? o->policy : o->expert);
}

/* One of --lambda, --budget, --min-quality, with or without --max-cost, makes a policy of its own. */
static enum status apply_policy(struct ask *a, struct error *err)
{
    const struct options *o = a->options;
    struct policy policy = o->wanted;
    int targets = o->has_lambda + o->has_budget + o->has_min_quality;
    bool named = o->policy || o->expert;
    if (targets + !!o->policy + !!o->expert > 1 || (named && o->max_cost))
        return error_set(err, ERR_USAGE,
                         "give one of --policy, --expert, --lambda, --budget and --min-quality; "
                         "--max-cost goes with the last three, or alone");
    if (targets == 0 && !o->max_cost)
        return check_names(a, err);
    if (targets == 0) /* --max-cost alone narrows the default policy */
        policy = a->config->policies[a->config->default_policy].policy;
    if (o->max_cost && money_parse_usd(str_from(o->max_cost), &policy.max_cost_nano_usd) != OK)
        return error_set(err, ERR_USAGE, "--max-cost takes an amount in USD, not '%s'",
                         o->max_cost);
    return config_override_policy(a->config, "ask", &policy, err);
}

static enum status start(struct ask *a, struct error *err)
{
    struct env_file_taken taken;
    enum status status = OK;
    if (a->options->env_file)
        status = env_file_load(a->options->env_file, &a->problems, &taken, err);
    if (status == OK)
        status = setup_config(a->options->config, &a->config, err);
    if (status == OK)
        status = setup_model(a->config, &a->model, err);
    if (status == OK)
        status = config_bind(a->config, a->model, err);
    if (status == OK)
        status = apply_policy(a, err);
    if (status != OK)
        return status;
    a->config->listen = STR("127.0.0.1:0");
    a->config->remote = false;
    a->config->auth = AUTH_OFF;     /* whoever can read the configuration needs no key */
    a->config->ledger.store = NULL; /* a gateway that runs has the journal */
    a->config->threads = 1;
    a->config->drain.delay_ms = 0;
    return local_start(a->config, a->model, NULL, &a->local, err);
}

static void write_message(struct buf *b, const char *role, struct str content)
{
    buf_addf(b, "{\"role\":\"%s\",\"content\":", role);
    json_write_string(b, content);
    buf_add_char(b, '}');
}

/* The body of a chat completion, from its first byte to its last. */
static void write_request(struct ask *a)
{
    const struct options *o = a->options;
    struct buf *b = &a->request;
    buf_add_c(b, "{\"model\":");
    char model[256];
    snprintf(model, sizeof(model), "%s%s",
             o->expert   ? ""
             : o->policy ? "leeroo/"
                         : "leeroo",
             o->expert   ? o->expert
             : o->policy ? o->policy
                         : "");
    json_write_string(b, str_from(model));
    buf_add_c(b, ",\"messages\":[");
    if (o->system) {
        write_message(b, "system", str_from(o->system));
        buf_add_char(b, ',');
    }
    write_message(b, "user", buf_str(&a->question));
    buf_add_c(b, "],\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    if (o->plans) {
        buf_add_c(b, ",\"leeroo\":{\"plans\":");
        json_write_string(b, str_from(o->plans));
        buf_add_char(b, '}');
    }
    buf_add_char(b, '}');
}

/* An error body becomes the sentence for the person at the terminal. */
static enum status fail_with_body(struct str body, int http_status, struct arena *arena,
                                  struct error *err)
{
    struct json_value root = {0};
    struct str message = {0};
    if (json_parse(body, "answer", 1, &root, NULL) == OK &&
        json_string_decode(json_get(json_get(root, "error"), "message"), arena, &message) == OK)
        return error_set(err, ERR_UPSTREAM, "%.*s", STR_FMT(message));
    return error_set(err, ERR_UPSTREAM, "the gateway answered %d", http_status);
}

static void take_delta(struct ask *a, struct json_value root)
{
    struct json_value choice;
    struct str piece = {0};
    struct json_iter it = json_iter_begin(json_get(root, "choices"));
    if (!json_array_next(&it, &choice) ||
        json_string_decode(json_get(json_get(choice, "delta"), "content"), a->arena, &piece) != OK)
        return;
    buf_add(&a->answer, piece);
    if (!a->options->json && piece.len > 0) {
        fwrite(piece.ptr, 1, piece.len, stdout);
        fflush(stdout);
    }
}

static void on_event(struct str data, void *arg)
{
    struct ask *a = arg;
    struct json_value root;
    arena_reset(a->arena);
    if (json_parse(data, "event", 1, &root, NULL) != OK)
        return; /* [DONE] */
    if (json_get(root, "error").type == JSON_OBJECT) {
        fail_with_body(data, 200, a->arena, &a->failure);
        return;
    }
    take_delta(a, root);
    if (json_get(root, "leeroo").type == JSON_OBJECT) {
        buf_clear(&a->usage);
        buf_add(&a->usage, data);
    }
}

static enum status decide_first(struct ask *a, struct error *err)
{
    struct local_reply reply = {0};
    enum status status = local_post(a->local, "/v1/route", buf_str(&a->request), NULL, NULL,
                                    &a->decision, &reply, err);
    if (status == OK && reply.http_status != 200)
        status = fail_with_body(buf_str(&a->decision), reply.http_status, a->arena, err);
    return status;
}

static enum status ask_pool(struct ask *a, struct error *err)
{
    uint64_t begin = clock_now_ns();
    enum status status = local_post(a->local, "/v1/chat/completions", buf_str(&a->request),
                                    on_event, a, &a->whole, &a->reply, err);
    a->seconds = (double)(clock_now_ns() - begin) / 1e9;
    if (a->answer.len > 0 && !a->options->json && a->answer.ptr[a->answer.len - 1] != '\n')
        putchar('\n');
    if (status == OK && a->reply.http_status != 200) {
        status = fail_with_body(buf_str(&a->whole), a->reply.http_status, a->arena, err);
        if (a->reply.expert[0] != '\0' && !str_starts(str_from(err->text), STR("expert ")))
            error_prefix(err, "expert %s", a->reply.expert); /* in the upstream's own words */
        return status;
    }
    if (status == OK && a->failure.status != OK) {
        *err = a->failure;
        return a->failure.status;
    }
    return status;
}

/* The steps in the order in which the person sees them: the table comes before the answer. */
static enum status run_ask(struct ask *a, const char *argument, struct error *err)
{
    enum status status = read_question(a, argument, err);
    if (status == OK)
        status = start(a, err);
    if (status != OK)
        return status;
    write_request(a);
    status = decide_first(a, err);
    if (status == OK && a->options->explain && !a->options->json)
        ask_table_print(stderr, buf_str(&a->decision), terminal_has_style(STDERR_FILENO));
    if (status == OK)
        status = ask_pool(a, err);
    if (status != OK)
        return status;
    const struct ask_result result = {.decision = buf_str(&a->decision),
                                      .usage_event = buf_str(&a->usage),
                                      .answer = buf_str(&a->answer),
                                      .expert = a->reply.expert,
                                      .cost_usd = a->reply.cost_usd,
                                      .cost_basis = a->reply.cost_basis,
                                      .seconds = a->seconds};
    if (a->options->json)
        ask_result_json(stdout, &result);
    else if (a->options->explain)
        ask_result_print(stderr, &result);
    return OK;
}

static enum status ask(const struct options *o, const char *argument, struct error *err)
{
    struct ask a = {.options = o, .arena = arena_create(ARENA_BYTES_MAX)};
    struct buf *bufs[] = {&a.question, &a.request, &a.answer, &a.whole, &a.decision, &a.usage};
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        buf_init(bufs[i], bufs[i] == &a.question ? QUESTION_BYTES_MAX : ANSWER_BYTES_MAX);
    enum status status =
        a.arena ? run_ask(&a, argument, err) : error_set(err, ERR_MEMORY, "out of memory");
    local_stop(a.local);
    model_free(a.model);
    config_free(a.config);
    arena_free(a.arena);
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        buf_done(bufs[i]);
    return status;
}

/* One piece: the rows of the options point into its variables. */
static int run(int argc, char **argv)
{
    struct options o = {.config = "leeroo.yaml"};
    const struct option_row rows[] = {
        {"--config", 'c', "FILE", "the configuration (default leeroo.yaml)", OPTION_STRING,
         &o.config, 0, 0, NULL},
        {"--env-file", 0, "FILE", "variables for env:NAME, as lines NAME=VALUE", OPTION_STRING,
         &o.env_file, 0, 0, NULL},
        {"--explain", 0, NULL, "print the table behind the decision", OPTION_FLAG, &o.explain, 0, 0,
         NULL},
        {"--policy", 0, "NAME", "a policy of the configuration", OPTION_STRING, &o.policy, 0, 0,
         NULL},
        {"--expert", 0, "NAME", "ask this expert", OPTION_STRING, &o.expert, 0, 0, NULL},
        {"--lambda", 0, "L", "quality per USD", OPTION_DOUBLE, &o.wanted.lambda, 0, 1e15,
         &o.has_lambda},
        {"--budget", 0, "USD", "USD per 1,000 queries", OPTION_DOUBLE, &o.wanted.budget_usd_per_1k,
         1e-9, 1e9, &o.has_budget},
        {"--min-quality", 0, "Q", "the cheapest expert predicted this good (0..1)", OPTION_DOUBLE,
         &o.wanted.min_quality, 1e-9, 1, &o.has_min_quality},
        {"--max-cost", 0, "USD", "hard cap on the predicted cost", OPTION_STRING, &o.max_cost, 0, 0,
         NULL},
        {"--plans", 0, "PLAN;...",
         "choose among these plans only: all (default), none, a kind, a name", OPTION_STRING,
         &o.plans, 0, 0, NULL},
        {"--system", 0, "TEXT", "a system message", OPTION_STRING, &o.system, 0, 0, NULL},
        {"--json", 0, NULL, "one JSON object instead of text", OPTION_FLAG, &o.json, 0, 0, NULL},
    };
    const struct usage usage = {"ask \"QUESTION\"|- [-c leeroo.yaml] [--explain] [options]", text,
                                rows, sizeof(rows) / sizeof(rows[0])};
    struct error err = {0};
    int count = 0;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status != OK)
        return status == CLOSED ? 0 : 2;
    if (count != 1) {
        error_set(&err, ERR_USAGE, "give one question, in quotes, or - for standard input");
        return cli_fail("ask", &err);
    }
    log_set_level(LOG_OFF);
    return ask(&o, argv[0], &err) == OK ? 0 : cli_fail("ask", &err);
}

const struct command ask_command = {"ask", "one question through the configured experts", run};
