/* The table behind a decision, and what came of it, for `leeroo ask --explain` and the demo.
 *
 * It reads the bodies that the gateway sends, which are our own: names in them need no unescaping. What is missing is
 * left out, so that a body of another version prints less and never fails. One thread; `out` is any stream, and what is
 * written to it is not checked here. */
#include "print/ask_table.h"

#include "base/json.h"
#include "base/money.h"
#include "base/screen.h"

#define NAME_WIDTH_MAX 80

static struct str text_of(struct json_value string) /* our own names need no unescaping */
{
    return string.type == JSON_STRING ? str_slice(string.raw, 1, string.raw.len - 1) : STR("");
}

static double number_of(struct json_value value)
{
    double number = 0;
    return json_to_double(value, &number) == OK ? number : 0;
}

static struct json_value find(struct json_value object, struct str name)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value key, item;
    while (json_object_next(&it, &key, &item))
        if (json_string_equal(key, name))
            return item;
    return (struct json_value){0};
}

/* What a terminal shows of UTF-8. */
static size_t columns(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    return n;
}

static size_t name_width(struct json_value estimates)
{
    struct json_iter it = json_iter_begin(estimates);
    struct json_value key, item;
    size_t width = 6;
    while (json_object_next(&it, &key, &item))
        if (columns(text_of(key)) > width)
            width = columns(text_of(key));
    return width > NAME_WIDTH_MAX ? NAME_WIDTH_MAX : width;
}

static void print_padded(FILE *out, struct str name, size_t width)
{
    int pad = columns(name) < width ? (int)(width - columns(name)) : 0;
    fprintf(out, "%.*s%*s", STR_FMT(name), pad, "");
}

static void print_row(FILE *out, struct json_value root, struct str name,
                      struct json_value estimate, bool chosen, size_t width)
{
    struct json_iter it = json_iter_begin(estimate);
    struct json_value quality = {0}, cost = {0};
    if (!json_array_next(&it, &quality) || !json_array_next(&it, &cost))
        return;
    struct str ruled = text_of(find(json_get(root, "ruled_out"), name));
    struct json_value plan = find(json_get(root, "plans"), name);
    struct json_value weighed = find(json_get(root, "weighed_usd"), name);
    double lambda = number_of(json_get(root, "lambda"));
    fputs(chosen ? "* " : "  ", out);
    print_padded(out, name, width);
    fprintf(out, "  %7.4f  %.*s  %8.4f", number_of(quality), STR_FMT(cost.raw),
            number_of(quality) - lambda * number_of(weighed.raw.len ? weighed : cost));
    if (plan.type == JSON_OBJECT)
        fprintf(out, "  asks the last: %.0f %%", 100 * number_of(json_get(plan, "escalation")));
    if (chosen || ruled.len > 0)
        fprintf(out, "  %.*s", STR_FMT(chosen ? STR("chosen") : ruled));
    fputc('\n', out);
}

/* Whose estimates are a prior. */
static void print_placed(FILE *out, struct json_value root, size_t width)
{
    struct json_iter it = json_iter_begin(json_get(root, "placed"));
    struct json_value key, item;
    bool any = false;
    while (json_object_next(&it, &key, &item)) {
        fputs("  ", out);
        print_padded(out, text_of(key), width);
        fprintf(out, "  %.*s\n", STR_FMT(text_of(item)));
        any = true;
    }
    if (any)
        fputc('\n', out);
}

/* Who was not heard; then the decision is by the others alone. */
static void print_silent(FILE *out, struct json_value root)
{
    struct json_iter it = json_iter_begin(json_get(root, "encoders"));
    struct json_value key, item;
    while (json_object_next(&it, &key, &item))
        if (!str_equal(text_of(item), STR("spoke")))
            fprintf(out, "encoder %.*s was not heard: %.*s\n\n", STR_FMT(text_of(key)),
                    STR_FMT(text_of(item)));
}

/* Where the estimates are what training knows on average. */
static void print_unfamiliar(FILE *out, struct json_value root)
{
    double share = number_of(json_get(root, "unfamiliar"));
    if (share > 0)
        fprintf(
            out,
            "unfamiliar: %.0f %%, for it is like nothing in training; by so much the\n"
            "estimates are the experts' averages, and utility counts what a usual text costs\n\n",
            100 * share);
}

void ask_table_print(FILE *to, struct str decision, bool bold)
{
    struct json_value root, key, item;
    struct screen screen;
    if (json_parse(decision, "decision", 1, &root, NULL) != OK)
        return;
    FILE *out = screen_begin(&screen, to);
    struct json_value estimates = json_get(root, "estimates");
    struct str plan = text_of(json_get(root, "plan")), policy = text_of(json_get(root, "policy"));
    struct str chosen = str_equal(plan, STR("single")) ? text_of(json_get(root, "expert")) : plan;
    size_t width = name_width(estimates);
    fprintf(out, "%s  %-*s  quality  cost USD     utility%s\n", bold ? "\033[1m" : "", (int)width,
            "expert", bold ? "\033[0m" : "");
    struct json_iter it = json_iter_begin(estimates);
    while (json_object_next(&it, &key, &item))
        print_row(out, root, text_of(key), item, str_equal(text_of(key), chosen), width);
    fprintf(out, "plan %.*s, policy %.*s, lambda %.6g (utility = quality - lambda * cost)\n\n",
            STR_FMT(plan), policy.len ? (int)policy.len : 4, policy.len ? policy.ptr : "none",
            number_of(json_get(root, "lambda")));
    print_placed(out, root, width);
    print_silent(out, root);
    print_unfamiliar(out, root);
    screen_end(&screen);
}

struct found {
    struct json_value cost, basis, input, output, calls;
};

static struct found read_usage(const struct ask_result *r)
{
    struct found found = {0};
    struct json_value root;
    if (r->usage_event.len == 0 || json_parse(r->usage_event, "usage", 1, &root, NULL) != OK)
        return found;
    found.cost = json_get(json_get(root, "leeroo"), "cost_usd");
    found.basis = json_get(json_get(root, "leeroo"), "cost_basis");
    found.calls = json_get(json_get(root, "leeroo"), "calls");
    found.input = json_get(json_get(root, "usage"), "prompt_tokens");
    found.output = json_get(json_get(root, "usage"), "completion_tokens");
    return found;
}

/* What it was predicted to cost: of the plan, or of the expert that answered, which a failure may have made another
 * one. */
static struct str predicted_cost(const struct ask_result *r, struct json_value *root)
{
    struct json_value quality, cost;
    if (json_parse(r->decision, "decision", 1, root, NULL) != OK)
        return STR("0");
    if (!json_string_equal(json_get(*root, "plan"), STR("single")))
        return json_get(*root, "cost_usd").raw;
    struct json_iter it = json_iter_begin(find(json_get(*root, "estimates"), str_from(r->expert)));
    if (json_array_next(&it, &quality) && json_array_next(&it, &cost))
        return cost.raw;
    return json_get(*root, "cost_usd").raw;
}

/* "tests: cheap rejected (1 of 3 tests failed)"; why is plain text by verify/verify.h. */
static void print_check(FILE *out, struct json_value check)
{
    struct str said = text_of(json_get(check, "why"));
    fprintf(out, "  %.*s: %.*s %.*s", STR_FMT(text_of(json_get(check, "expert"))),
            STR_FMT(text_of(json_get(check, "checked"))),
            STR_FMT(text_of(json_get(check, "verdict"))));
    if (said.len > 0)
        fprintf(out, " (%.*s)", STR_FMT(said));
}

/* One line a call of the plan, and of a check between them. */
static void print_calls(FILE *out, struct json_value calls)
{
    struct json_iter it = json_iter_begin(calls);
    struct json_value call;
    while (calls.type == JSON_ARRAY && json_array_next(&it, &call)) {
        if (json_get(call, "verdict").type == JSON_STRING)
            print_check(out, call);
        else
            fprintf(out, "  %.*s %.*s", STR_FMT(text_of(json_get(call, "expert"))),
                    STR_FMT(text_of(json_get(call, "outcome"))));
        fprintf(out, " in %.2f s, %.*s USD (%.*s)\n",
                number_of(json_get(call, "latency_ms")) / 1000,
                STR_FMT(json_get(call, "cost_usd").raw),
                STR_FMT(text_of(json_get(call, "cost_basis"))));
    }
}

void ask_result_print(FILE *to, const struct ask_result *r)
{
    struct found found = read_usage(r);
    struct screen screen;
    FILE *out = screen_begin(&screen, to);
    struct json_value root = {0};
    struct str predicted = predicted_cost(r, &root);
    fprintf(out, "\n%s answered in %.2f s", r->expert, r->seconds);
    if (found.calls.type == JSON_ARRAY)
        fprintf(out, ": predicted %.*s, really %.*s USD\n", STR_FMT(predicted),
                STR_FMT(found.cost.raw));
    else if (found.cost.type == JSON_NUMBER)
        fprintf(out, ": predicted %.*s, really %.*s USD (%.*s input + %.*s output tokens)\n",
                STR_FMT(predicted), STR_FMT(found.cost.raw), STR_FMT(found.input.raw),
                STR_FMT(found.output.raw));
    else
        fprintf(out, ": predicted %.*s USD; the expert reported no usage\n", STR_FMT(predicted));
    print_calls(out, found.calls);
    screen_end(&screen);
}

static void print_raw(FILE *out, const char *name, struct json_value value)
{
    fprintf(out, ",\"%s\":%.*s", name, value.type == JSON_NONE ? 4 : (int)value.raw.len,
            value.type == JSON_NONE ? "null" : value.raw.ptr);
}

void ask_result_json(FILE *out, const struct ask_result *r)
{
    struct found found = read_usage(r);
    struct json_value root = {0};
    struct str predicted = predicted_cost(r, &root);
    struct buf answer;
    buf_init(&answer, r->answer.len * 6 + 16);
    json_write_string(&answer, r->answer);
    fprintf(out, "{\"answer\":%s,\"expert\":\"%s\",\"predicted_cost_usd\":%.*s",
            answer.ptr ? answer.ptr : "\"\"", r->expert, STR_FMT(predicted));
    print_raw(out, "cost_usd", found.cost);
    print_raw(out, "cost_basis", found.basis);
    print_raw(out, "input_tokens", found.input);
    print_raw(out, "output_tokens", found.output);
    if (found.calls.type == JSON_ARRAY)
        print_raw(out, "calls", found.calls);
    fprintf(out, ",\"seconds\":%.3f,\"decision\":%.*s}\n", r->seconds, STR_FMT(r->decision));
    buf_done(&answer);
}
