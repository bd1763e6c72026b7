/* The response object, its items and usage. What the request said is repeated in it, and null where it said nothing,
 * because the expert's defaults are unknown here. Pure functions of text for any thread, called by
 * front_responses_answer.c and front_responses_events.c, which say what is in the object; only its form is decided
 * here. */
#include "dialect/openai.h"
#include "front/front_responses_toolbox.h"

static const char *const status_names[] = {
    [RESPONSES_IN_PROGRESS] = "in_progress",
    [RESPONSES_COMPLETED] = "completed",
    [RESPONSES_INCOMPLETE] = "incomplete",
    [RESPONSES_FAILED] = "failed",
};

/* What "req_12" and "resp_12" have in common. */
static struct str id_of(const struct front_context *c)
{
    struct str id = str_from(c->request_id);
    return str_starts(id, STR("req_")) ? str_slice(id, 4, id.len) : id;
}

static void write_inside(struct buf *out, struct str inside)
{
    buf_add_char(out, '"');
    buf_add(out, inside);
    buf_add_char(out, '"');
}

/* Items */

/* Calls of each kind of tool: how the item is called, what holds its content, and that content as it begins. */
static const struct {
    const char *id, *type, *member, *begun;
} calls[] = {
    [RESPONSES_TOOL_FUNCTION] = {"fc", "function_call", "arguments", NULL},
    [RESPONSES_TOOL_CUSTOM] = {"ctc", "custom_tool_call", "input", NULL},
    [RESPONSES_TOOL_LOCAL_SHELL] = {"lsh", "local_shell_call", "action",
                                    "{\"type\":\"exec\",\"command\":[],\"env\":{}}"},
    [RESPONSES_TOOL_SHELL] = {"sh", "shell_call", "action",
                              "{\"commands\":[],\"timeout_ms\":null,\"max_output_length\":null}"},
    [RESPONSES_TOOL_APPLY_PATCH] = {"apc", "apply_patch_call", "operation",
                                    "{\"type\":\"update_file\",\"path\":\"\",\"diff\":\"\"}"},
    [RESPONSES_TOOL_SEARCH] = {"tsc", "tool_search_call", "arguments", "{}"},
};

static enum responses_tool_kind tool_kind(const struct responses_item *item)
{
    return item->tool ? item->tool->kind : RESPONSES_TOOL_FUNCTION;
}

void responses_item_id_write(struct buf *out, const struct front_context *c,
                             const struct responses_item *item)
{
    static const char *const prefixes[] = {"rs", "msg", "msg"};
    buf_addf(out, "\"%s_%.*s_%zu\"",
             item->kind == RESPONSES_CALL ? calls[tool_kind(item)].id : prefixes[item->kind],
             STR_FMT(id_of(c)), item->index);
}

void responses_part_write(struct buf *out, const struct responses_item *item, struct str text)
{
    switch (item->kind) {
    case RESPONSES_REASONING:
        buf_add_c(out, "{\"type\":\"summary_text\",\"text\":");
        break;
    case RESPONSES_REFUSAL:
        buf_add_c(out, "{\"type\":\"refusal\",\"refusal\":");
        break;
    default:
        buf_add_c(out, "{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[");
        if (text.len > 0)
            buf_add(out, item->logprobs);
        buf_add_c(out, "],\"text\":");
    }
    write_inside(out, text);
    buf_add_char(out, '}');
}

static void write_called(struct buf *out, const struct responses_item *item)
{
    struct str name = item->tool ? item->tool->name : item->name;
    buf_add_c(out, ",\"name\":");
    write_inside(out, name);
    if (item->tool && item->tool->space.len > 0) {
        buf_add_c(out, ",\"namespace\":");
        write_inside(out, item->tool->space);
    }
}

static void write_call(struct buf *out, const struct front_context *c,
                       const struct responses_item *item, bool begun)
{
    enum responses_tool_kind kind = tool_kind(item);
    buf_addf(out, ",\"type\":\"%s\",\"call_id\":", calls[kind].type);
    if (item->call_id.len > 0)
        write_inside(out, item->call_id);
    else
        buf_addf(out, "\"call_%.*s_%zu\"", STR_FMT(id_of(c)), item->index);
    if (kind <= RESPONSES_TOOL_CUSTOM)
        write_called(out, item);
    else if (kind == RESPONSES_TOOL_SEARCH)
        buf_add_c(out, ",\"execution\":\"client\"");
    buf_addf(out, ",\"%s\":", calls[kind].member);
    struct str content = kind == RESPONSES_TOOL_FUNCTION ? item->text : item->content;
    if (calls[kind].begun)
        buf_add(out, begun || content.len == 0 ? str_from(calls[kind].begun) : content);
    else
        write_inside(out, begun ? STR("") : content);
}

static void write_item(struct buf *out, const struct front_context *c,
                       const struct responses_item *item, enum responses_status status, bool begun)
{
    buf_add_c(out, "{\"id\":");
    responses_item_id_write(out, c, item);
    if (item->kind == RESPONSES_CALL) {
        write_call(out, c, item, begun);
    } else {
        buf_add_c(out, item->kind == RESPONSES_REASONING
                           ? ",\"type\":\"reasoning\",\"summary\":["
                           : ",\"type\":\"message\",\"role\":\"assistant\",\"content\":[");
        if (!begun && (item->kind != RESPONSES_REASONING || item->text.len > 0))
            responses_part_write(out, item, item->text);
        buf_add_char(out, ']');
        if (item->sealed.len > 0) {
            buf_add_c(out, ",\"encrypted_content\":");
            write_inside(out, item->sealed);
        }
    }
    buf_addf(out, ",\"status\":\"%s\"}", status_names[status]);
}

void responses_item_write(struct buf *out, const struct front_context *c,
                          const struct responses_item *item)
{
    write_item(out, c, item, item->status, false);
}

void responses_item_write_begun(struct buf *out, const struct front_context *c,
                                const struct responses_item *item)
{
    write_item(out, c, item, RESPONSES_IN_PROGRESS, true);
}

/* The object */

const char *responses_error_code(const struct front_error *e)
{
    if (e->overflow)
        return OVERFLOW_CODE;
    if (e->http_status == 429)
        return "rate_limit_exceeded";
    return e->http_status >= 400 && e->http_status < 500 ? "invalid_prompt" : "server_error";
}

static void write_json(struct buf *out, const char *name, struct str json)
{
    buf_addf(out, ",\"%s\":", name);
    buf_add(out, json.len > 0 ? json : STR("null"));
}

static void write_problem(struct buf *out, const struct responses_view *v)
{
    if (v->error) {
        buf_addf(out, ",\"error\":{\"code\":\"%s\",\"message\":", responses_error_code(v->error));
        json_write_string(out, v->error->message);
        buf_add_char(out, '}');
    } else {
        buf_add_c(out, ",\"error\":null");
    }
    if (v->incomplete)
        buf_addf(out, ",\"incomplete_details\":{\"reason\":\"%s\"}", v->incomplete);
    else
        buf_add_c(out, ",\"incomplete_details\":null");
}

void responses_head_write(struct buf *out, const struct responses_view *v)
{
    const struct front_context *c = v->context;
    const struct json_value *f = v->fields;
    buf_addf(out, "{\"id\":\"resp_%.*s\",\"object\":\"response\",\"created_at\":%lld",
             STR_FMT(id_of(c)), (long long)c->created_s);
    buf_addf(out, ",\"status\":\"%s\",\"background\":false", status_names[v->status]);
    write_problem(out, v);
    front_write_or(out, "instructions", f[RESPONSES_INSTRUCTIONS], "null");
    front_write_or(out, "max_output_tokens", f[RESPONSES_MAX_OUTPUT], "null");
    front_write_or(out, "max_tool_calls", f[RESPONSES_MAX_TOOL_CALLS], "null");
    if (v->model.len > 0)
        write_json(out, "model", v->model);
    else
        front_write_or(out, "model", f[RESPONSES_MODEL], "null");
    buf_add_c(out, ",\"output\":[");
}

static void write_reasoning(struct buf *out, struct json_value reasoning)
{
    struct json_value summary = json_get(reasoning, "summary");
    if (!json_is_set(summary))
        summary = json_get(reasoning, "generate_summary");
    buf_add_c(out, ",\"reasoning\":{\"effort\":");
    json_write_line(out, json_get(reasoning, "effort"));
    front_write_or(out, "summary", summary, "null");
    buf_add_char(out, '}');
}

static void write_text(struct buf *out, struct json_value text)
{
    struct json_value format = json_get(text, "format");
    buf_add_c(out, ",\"text\":{\"format\":");
    if (json_is_set(format))
        json_write_line(out, format);
    else
        buf_add_c(out, "{\"type\":\"text\"}");
    if (json_is_set(json_get(text, "verbosity")))
        front_write_member(out, "verbosity", json_get(text, "verbosity"));
    buf_add_char(out, '}');
}

void responses_tail_write(struct buf *out, const struct responses_view *v)
{
    const struct json_value *f = v->fields;
    buf_add_char(out, ']');
    front_write_or(out, "parallel_tool_calls", f[RESPONSES_PARALLEL], "true");
    buf_add_c(out, ",\"previous_response_id\":null");
    front_write_or(out, "prompt_cache_key", f[RESPONSES_PROMPT_CACHE_KEY], "null");
    write_reasoning(out, f[RESPONSES_REASONING_EFFORT]);
    front_write_or(out, "safety_identifier", f[RESPONSES_SAFETY_IDENTIFIER], "null");
    write_json(out, "service_tier", v->service_tier);
    buf_add_c(out, ",\"store\":false");
    front_write_or(out, "temperature", f[RESPONSES_TEMPERATURE], "null");
    write_text(out, f[RESPONSES_TEXT_FORMAT]);
    front_write_or(out, "tool_choice", f[RESPONSES_TOOL_CHOICE], "\"auto\"");
    front_write_or(out, "tools", f[RESPONSES_TOOLS], "[]");
    front_write_or(out, "top_logprobs", f[RESPONSES_TOP_LOGPROBS], "0");
    front_write_or(out, "top_p", f[RESPONSES_TOP_P], "null");
    buf_add_c(out, ",\"truncation\":\"disabled\"");
    write_json(out, "usage", v->usage);
    front_write_or(out, "user", f[RESPONSES_USER], "null");
    front_write_or(out, "metadata", f[RESPONSES_METADATA], "{}");
    if (v->leeroo.len > 0)
        write_json(out, "leeroo", v->leeroo);
    buf_add_char(out, '}');
}

/* Usage */

static int64_t read_count(struct json_value object, const char *name)
{
    int64_t count = 0;
    return openai_read_count(json_get(object, name), &count) ? count : 0;
}

/* Responses has reasoning within its output, so what some endpoints put beside it, in the total, is added here. */
void responses_usage_write(struct buf *out, struct json_value usage)
{
    struct json_value input = json_get(usage, "prompt_tokens_details"),
                      output = json_get(usage, "completion_tokens_details");
    int64_t asked = read_count(usage, "prompt_tokens"),
            answered = read_count(usage, "completion_tokens"), total = asked + answered;
    if (usage.type != JSON_OBJECT)
        return;
    (void)openai_read_count(json_get(usage, "total_tokens"), &total);
    if (total - asked > answered && read_count(output, "reasoning_tokens") > answered)
        answered = total - asked;
    buf_addf(out, "{\"input_tokens\":%lld,\"input_tokens_details\":{\"cached_tokens\":%lld,",
             (long long)asked, (long long)read_count(input, "cached_tokens"));
    buf_addf(out, "\"cache_write_tokens\":%lld},\"output_tokens\":%lld,",
             (long long)read_count(input, "cache_write_tokens"), (long long)answered);
    buf_addf(out, "\"output_tokens_details\":{\"reasoning_tokens\":%lld},\"total_tokens\":%lld}",
             (long long)read_count(output, "reasoning_tokens"), (long long)total);
}
