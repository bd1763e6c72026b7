/* The second half of the demo: the gateway, and three questions through it over real HTTP, each choice explained.
 *
 * It begins with a model and experts that run. The gateway is the one of `serve`, in this process
 * (serve/local.h), read from a configuration that is written here, so that --keep leaves something to play with. One
 * thread asks and waits; the gateway has its own. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/terminal.h"
#include "base/text_fit.h"
#include "cli/demo_ask.h"
#include "judge/answer_text.h"
#include "print/ask_table.h"

#define REPLY_BYTES_MAX (1u << 20)

static const struct {
    const char *text, *answer;
} QUESTIONS[] = {
    {"What is 48 * 127?", "6096"},
    {"On which day of the week does 20 July 1969 fall?", "Sunday"},
    {"Priya buys 14 boxes with 25 pencils in each and gives 38 away. How many are left?", "312"},
};

static enum status write_config(const struct demo *d, const char *path, struct error *err)
{
    struct file_out out;
    enum status status = file_out_open(path, &out, err);
    if (status != OK)
        return status;
    fprintf(out.stream,
            "# Written by `leeroo demo`; the experts live in its process.\n"
            "listen: %s\n%smodel: " DEMO_MODEL_FILE "\nstate_dir: state      # the ledger\n"
            "runs: .               # of self-play\n\nexperts:\n",
            d->listen,
            d->allow_remote
                ? "allow_remote: true\nauth: off       # nothing here costs money\npage: true\n"
                : "");
    for (size_t i = 0; i < SANDBOX_EXPERT_COUNT; i++)
        fprintf(out.stream, "  - name: %.*s\n    url: %s\n", STR_FMT(d->experts[i].name),
                d->upstream_url);
    fprintf(out.stream,
            "\npolicies:\n"
            "  default: {lambda: %g}       # " DEMO_LAMBDA_MEANING "\n"
            "  thrifty: {budget: %.2f}      # USD per 1,000 queries\n"
            "  best: {lambda: 0}            # whatever it costs\n",
            DEMO_LAMBDA, DEMO_BUDGET);
    return file_out_commit(&out, err);
}

enum status demo_serve(struct demo *d, struct error *err)
{
    char path[DEMO_PATH_BYTES];
    demo_heading(d, 5, "The gateway");
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
        printf("  %s is written; the gateway answers on\n"
               "  http://%s/v1 as model \"leeroo\".\n",
               path, local_address(d->gateway));
    return status;
}

static struct json_value first_item(struct json_value array)
{
    struct json_value item = {JSON_NONE, {NULL, 0}};
    struct json_iter it = json_iter_begin(array);
    (void)json_array_next(&it, &item);
    return item;
}

struct prediction {
    struct str name;
    double quality, cost_usd;
};

static struct prediction prediction_of(struct json_value key, struct json_value pair)
{
    struct prediction p = {str_slice(key.raw, 1, key.raw.len - 1), 0, 0};
    struct json_iter it = json_iter_begin(pair);
    struct json_value item;
    if (!json_array_next(&it, &item) || json_to_double(item, &p.quality) != OK ||
        !json_array_next(&it, &item) || json_to_double(item, &p.cost_usd) != OK)
        p.cost_usd = 0;
    return p;
}

/* One sentence on why: the chosen expert against the one predicted best. */
static void explain(struct str decision)
{
    struct json_value root, key, item;
    struct prediction chosen = {{NULL, 0}, 0, 0}, best = {{NULL, 0}, -1, 0};
    if (json_parse(decision, "decision", 1, &root, NULL) != OK)
        return;
    struct json_iter it = json_iter_begin(json_get(root, "estimates"));
    while (json_object_next(&it, &key, &item)) {
        struct prediction p = prediction_of(key, item);
        if (json_string_equal(json_get(root, "expert"), p.name))
            chosen = p;
        if (p.quality > best.quality)
            best = p;
    }
    if (chosen.name.len == 0)
        return;
    double points = 100 * (best.quality - chosen.quality);
    if (str_equal(chosen.name, best.name))
        printf("  %.*s is predicted best, and worth its price.\n", STR_FMT(chosen.name));
    else if (points < 0.05)
        printf("  %.*s is as good as %.*s, for much less money.\n", STR_FMT(chosen.name),
               STR_FMT(best.name));
    else
        printf("  %.*s would add %.1f points for %.0f times the money: not worth it, so %.*s.\n",
               STR_FMT(best.name), points,
               chosen.cost_usd > 0 ? best.cost_usd / chosen.cost_usd : 0, STR_FMT(chosen.name));
}

/* POSTs and wants a 200 with JSON. */
static enum status post(struct demo *d, const char *path, struct str body, struct buf *whole,
                        struct local_reply *reply, struct error *err)
{
    enum status status = local_post(d->gateway, path, body, NULL, NULL, whole, reply, err);
    if (status == OK && reply->http_status != 200)
        status =
            error_set(err, ERR_UPSTREAM, "the gateway answered %d to %s", reply->http_status, path);
    return status;
}

static void print_fitted(const char *text) /* answers are of any length */
{
    struct buf b;
    buf_init(&b, REPLY_BYTES_MAX);
    text_fit(str_from(text ? text : ""), TERMINAL_COLUMNS, TEXT_FIT_TABLES, &b);
    fwrite(b.ptr, 1, b.len, stdout);
    buf_done(&b);
}

static enum status print_answer(struct demo *d, struct str answer, const char *wanted,
                                const struct local_reply *reply, struct error *err)
{
    struct json_value root;
    struct str text;
    enum status status = json_parse(answer, "answer", 1, &root, err);
    if (status != OK)
        return status;
    struct json_value message = json_get(first_item(json_get(root, "choices")), "message");
    if (json_string_decode(json_get(message, "content"), d->arena, &text) != OK)
        return error_set(err, ERR_UPSTREAM, "the gateway's answer holds no text");
    const struct query known = {.answer = str_from(wanted)};
    print_fitted(arena_printf(d->arena, "  %s: %.*s\n", reply->expert, STR_FMT(text)));
    if (judge_score(&known, text) > 0)
        printf("  Right, for %s USD.\n\n", reply->cost_usd);
    else
        printf("  Wrong (it is %s), for %s USD: even good bets are lost now and then.\n\n", wanted,
               reply->cost_usd);
    return OK;
}

static enum status ask_one(struct demo *d, const char *question, const char *wanted,
                           struct error *err)
{
    struct buf body, decision, answer;
    struct local_reply reply = {0};
    buf_init(&body, REPLY_BYTES_MAX);
    buf_init(&decision, REPLY_BYTES_MAX);
    buf_init(&answer, REPLY_BYTES_MAX);
    buf_add(&body, STR("{\"model\":\"leeroo\",\"messages\":[{\"role\":\"user\",\"content\":"));
    json_write_string(&body, str_from(question));
    buf_add(&body, STR("}]}"));
    print_fitted(arena_printf(d->arena, "  %s%s%s\n\n", d->bold ? "\033[1m" : "", question,
                              d->bold ? "\033[0m" : ""));
    enum status status = post(d, "/v1/route", buf_str(&body), &decision, &reply, err);
    if (status == OK) {
        ask_table_print(stdout, buf_str(&decision), d->bold);
        explain(buf_str(&decision));
        status = post(d, "/v1/chat/completions", buf_str(&body), &answer, &reply, err);
    }
    if (status == OK)
        status = print_answer(d, buf_str(&answer), wanted, &reply, err);
    buf_done(&body);
    buf_done(&decision);
    buf_done(&answer);
    return status;
}

enum status demo_ask_three(struct demo *d, struct error *err)
{
    demo_heading(d, 6, "Three questions through the gateway");
    enum status status = OK;
    for (size_t i = 0; i < sizeof(QUESTIONS) / sizeof(QUESTIONS[0]) && status == OK; i++)
        status = ask_one(d, QUESTIONS[i].text, QUESTIONS[i].answer, err);
    return status;
}
