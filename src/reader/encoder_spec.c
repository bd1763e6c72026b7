/* Rows of keys, in one table for all three ways of writing. What a spec must hold is checked in one place, so that a
 * configuration, a command line and a forged model file meet the same limits.
 *
 * Pure but for encoder_spec_find_key, which reads the environment. Any thread. */
#include "reader/encoder_spec.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "opinion/opinion_prompt.h"
#include "opinion/opinion_said.h"

static const char *const poolings[] = {"own", "mean", "last", "hidden"};

const char *encoder_pooling_name(enum encoder_pooling p)
{
    return poolings[p];
}

bool encoder_pooling_named(struct str name, enum encoder_pooling *ret)
{
    for (size_t i = 0; i < sizeof(poolings) / sizeof(*poolings); i++)
        if (str_equal(name, str_from(poolings[i]))) {
            *ret = (enum encoder_pooling)i;
            return true;
        }
    return false;
}

/* Rows */

enum row_kind { ROW_TEXT, ROW_LINES, ROW_NUMBER, ROW_POOLING };

static const struct row {
    const char *key;
    enum row_kind kind;
    size_t offset;
    uint32_t min, max;
} rows[] = {
    {"name", ROW_TEXT, offsetof(struct encoder_spec, name), 0, 0},
    {"gguf", ROW_TEXT, offsetof(struct encoder_spec, gguf), 0, 0},
    {"pooling", ROW_POOLING, offsetof(struct encoder_spec, pooling), 0, 0},
    {"layer", ROW_NUMBER, offsetof(struct encoder_spec, layer), 1, 1000},
    {"tokens", ROW_NUMBER, offsetof(struct encoder_spec, tokens), 1, ENCODER_TOKENS_MAX},
    {"threads", ROW_NUMBER, offsetof(struct encoder_spec, threads), 1, 256},
    {"gpu_layers", ROW_NUMBER, offsetof(struct encoder_spec, gpu_layers), 1,
     ENCODER_GPU_LAYERS_MAX},
    {"url", ROW_TEXT, offsetof(struct encoder_spec, url), 0, 0},
    {"model", ROW_TEXT, offsetof(struct encoder_spec, model), 0, 0},
    {"api_key", ROW_TEXT, offsetof(struct encoder_spec, key_variable), 0, 0},
    {"dimensions", ROW_NUMBER, offsetof(struct encoder_spec, dimensions), 1, LATE_WIDTH_MAX},
    {"timeout_ms", ROW_NUMBER, offsetof(struct encoder_spec, timeout_ms), 1, 3600000},
    {"calls", ROW_NUMBER, offsetof(struct encoder_spec, calls), 1, LATE_WORKERS_MAX},
    {"width", ROW_NUMBER, offsetof(struct encoder_spec, width), 1, LATE_WIDTH_MAX},
    {"batch", ROW_NUMBER, offsetof(struct encoder_spec, batch), 1, ENCODER_BATCH_MAX},
    {"head", ROW_LINES, offsetof(struct encoder_spec, head), 0, 0},
    {"labels", ROW_NUMBER, offsetof(struct encoder_spec, labels), 1, OPINION_EXPERTS_MAX},
    {"loras", ROW_LINES, offsetof(struct encoder_spec, loras), 0, 0},
    {"chat_template", ROW_TEXT, offsetof(struct encoder_spec, chat_template), 0, 0},
    {"without_choices", ROW_NUMBER, offsetof(struct encoder_spec, without_choices), 1, 1},
};

static bool is_text(const struct row *row)
{
    return row->kind == ROW_TEXT || row->kind == ROW_LINES;
}

static enum status set_number(const struct row *row, struct str value, struct encoder_spec *s,
                              struct error *err)
{
    uint64_t n = 0;
    bool good = value.len > 0 && value.len < 10;
    for (size_t i = 0; good && i < value.len; i++) {
        good = isdigit((unsigned char)value.ptr[i]);
        n = n * 10 + (uint64_t)(value.ptr[i] - '0');
    }
    if (!good || n < row->min || n > row->max)
        return error_set(err, ERR_INPUT, "%s must be a whole number from %u to %u", row->key,
                         row->min, row->max);
    *(uint32_t *)((char *)s + row->offset) = (uint32_t)n;
    return OK;
}

/* Printable, line by line. */
static bool lines_printable(struct str text)
{
    while (text.len > 0)
        if (!utf8_printable(str_split(&text, '\n')))
            return false;
    return true;
}

static enum status set_text(const struct row *row, struct str value, struct arena *a,
                            struct encoder_spec *s, struct error *err)
{
    if (!value.len || !(row->kind == ROW_LINES ? lines_printable(value) : utf8_printable(value)))
        return error_set(err, ERR_INPUT, "%s must be a text without control characters", row->key);
    const char *copy = arena_printf(a, "%.*s", STR_FMT(value));
    if (!copy)
        return error_set(err, ERR_MEMORY, "out of memory");
    *(const char **)((char *)s + row->offset) = copy;
    return OK;
}

static enum status set_row(struct str key, struct str value, struct arena *a,
                           struct encoder_spec *s, struct error *err)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!str_equal(key, str_from(rows[i].key)))
            continue;
        if (rows[i].kind == ROW_NUMBER)
            return set_number(&rows[i], value, s, err);
        if (is_text(&rows[i]))
            return set_text(&rows[i], value, a, s, err);
        return encoder_pooling_named(value, &s->pooling)
                   ? OK
                   : error_set(err, ERR_INPUT, "pooling must be own, mean, last or hidden");
    }
    return error_set(
        err, ERR_INPUT,
        "an encoder has no '%.*s'; it has gguf, pooling, layer, tokens, threads, "
        "gpu_layers, or url, model, api_key, dimensions, timeout_ms, calls; and name, batch",
        STR_FMT(str_slice(key, 0, 40)));
}

/* What belongs together */

static bool is_name(const char *name)
{
    size_t n = strlen(name);
    bool good = n > 0 && n <= ENCODER_NAME_MAX;
    for (size_t i = 0; good && i < n; i++)
        good = isalnum((unsigned char)name[i]) || strchr("-_.", name[i]);
    return good;
}

/* Of the file without its folder and ending, or of the model: "all-MiniLM-L6-v2". */
static const char *name_of(const struct encoder_spec *s, struct arena *a)
{
    char name[ENCODER_NAME_MAX + 1];
    const char *from = s->gguf ? s->gguf : s->model;
    const char *slash = strrchr(from, '/');
    snprintf(name, sizeof(name), "%s", slash && slash[1] ? slash + 1 : from);
    char *end = strrchr(name, '.');
    if (s->gguf && end && end != name && !strcmp(end, ".gguf"))
        *end = '\0';
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            *c = '-';
    return arena_printf(a, "%s", name);
}

static enum status complete_orchestrator(const struct encoder_spec *s, struct error *err)
{
    if (s->pooling || s->layer || s->dimensions)
        return error_set(err, ERR_INPUT,
                         "pooling, layer and dimensions are of an encoder, not of an orchestrator");
    if (!s->head != !s->labels)
        return error_set(err, ERR_INPUT, "head and labels go together");
    if (s->url && (s->loras || s->chat_template))
        return error_set(err, ERR_INPUT, "lora and chat_template are of a file");
    if (s->url && s->width && s->width != opinion_width(s->labels))
        return error_set(err, ERR_INPUT, "width and labels do not fit");
    return OK;
}

/* One piece: a list of what does not belong together, each with its mend. */
enum status encoder_spec_complete(struct encoder_spec *s, struct arena *a, struct error *err)
{
    if (!s->gguf == !s->url)
        return error_set(err, ERR_INPUT,
                         "an encoder is a file (gguf: PATH) or an endpoint (url: and model:)");
    if (s->gguf && (s->model || s->key_variable || s->dimensions || s->timeout_ms || s->calls))
        return error_set(err, ERR_INPUT,
                         "model, api_key, dimensions, timeout and calls are of an endpoint; an "
                         "encoder of a file has pooling, layer, tokens and threads");
    if (s->url && (s->pooling || s->layer || s->tokens || s->threads || s->gpu_layers))
        return error_set(
            err, ERR_INPUT,
            "pooling, layer, tokens, threads and gpu_layers are of a file; an encoder behind an "
            "endpoint has model, api_key, dimensions, timeout and calls");
    if (s->url && !s->model)
        return error_set(err, ERR_INPUT, "%s: which model? Say model: NAME", s->url);
    if (s->url && !str_starts(str_from(s->url), STR("http://")) &&
        !str_starts(str_from(s->url), STR("https://")))
        return error_set(err, ERR_INPUT, "url must begin with http:// or https://");
    s->orchestrates |= s->head != NULL;
    if (!s->orchestrates && (s->labels || s->loras || s->chat_template || s->without_choices))
        return error_set(err, ERR_INPUT,
                         "labels, lora, chat_template and choices are of an orchestrator");
    if (s->orchestrates && complete_orchestrator(s, err) != OK)
        return ERR_INPUT;
    if (s->key_variable && strncmp(s->key_variable, "env:", 4) != 0)
        return error_set(err, ERR_INPUT, "api_key must be env:NAME; keys are never written");
    if (s->dimensions && s->width && s->dimensions != s->width)
        return error_set(err, ERR_INPUT, "dimensions and width differ");
    if (!s->name)
        s->name = name_of(s, a);
    if (!s->name)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (!is_name(s->name) || !strcmp(s->name, "ngram"))
        return error_set(err, ERR_INPUT,
                         "an encoder's name is up to %d letters, digits and -_. and not ngram",
                         ENCODER_NAME_MAX);
    return OK;
}

/* The three ways */

/* One piece: items are cut off and set one after the other. */
enum status encoder_spec_parse(struct str text, struct arena *a, struct encoder_spec *ret,
                               struct error *err)
{
    struct encoder_spec s = {0};
    struct buf item;
    enum status status = text.len <= ENCODER_SPEC_BYTES_MAX
                             ? OK
                             : error_set(err, ERR_USAGE, "an encoder of over 16 KiB");
    buf_init(&item, ENCODER_SPEC_BYTES_MAX + 1);
    for (size_t i = 0; status == OK && i < text.len;) {
        buf_clear(&item);
        for (; i < text.len && text.ptr[i] != ','; i++) {
            i += text.ptr[i] == '\\' && i + 1 < text.len && text.ptr[i + 1] == ',';
            buf_add_char(&item, text.ptr[i]);
        }
        i++;
        struct str value = buf_str(&item), key = str_split(&value, '=');
        status = item.status == OK ? set_row(str_trim(key), str_trim(value), a, &s, err)
                                   : buf_status(&item, err);
    }
    buf_done(&item);
    if (status == OK)
        status = encoder_spec_complete(&s, a, err);
    if (status == OK)
        *ret = s;
    if (status != ERR_INPUT)
        return status;
    error_prefix(err, "encoder '%.*s'", STR_FMT(str_slice(text, 0, 100)));
    if (err)
        err->status = ERR_USAGE;
    return ERR_USAGE;
}

/* Members are texts and numbers. */
enum status encoder_spec_read(struct str json, struct arena *a, struct encoder_spec *ret,
                              struct error *err)
{
    struct encoder_spec s = {0};
    struct json_value root, key, value;
    if (json.len > ENCODER_SPEC_BYTES_MAX || json_parse(json, "encoder", 1, &root, NULL) != OK ||
        root.type != JSON_OBJECT)
        return error_set(err, ERR_CORRUPT, "what an encoder is opened by is damaged");
    struct json_iter it = json_iter_begin(root);
    enum status status = OK;
    while (status == OK && json_object_next(&it, &key, &value)) {
        struct str name, text = value.raw;
        status = json_string_decode(key, a, &name);
        if (status == OK && value.type == JSON_STRING)
            status = json_string_decode(value, a, &text);
        else if (status == OK && value.type != JSON_NUMBER)
            status = error_set(err, ERR_INPUT, "its values are texts and numbers");
        if (status == OK)
            status = set_row(name, text, a, &s, err);
    }
    if (status == OK)
        status = encoder_spec_complete(&s, a, err);
    if (status == OK)
        *ret = s;
    if (status == ERR_MEMORY)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (status != OK)
        error_prefix(err, "what an encoder is opened by is damaged");
    return status == OK ? OK : ERR_CORRUPT;
}

enum status encoder_spec_copy(const struct encoder_spec *from, struct arena *a,
                              struct encoder_spec *ret, struct error *err)
{
    struct encoder_spec s = *from;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char **text = (const char **)((char *)&s + rows[i].offset);
        if (!is_text(&rows[i]) || !*text)
            continue;
        *text = arena_printf(a, "%s", *text);
        if (!*text)
            return error_set(err, ERR_MEMORY, "out of memory");
    }
    s.key = arena_copy(a, from->key);
    if (from->key.len && !s.key.ptr)
        return error_set(err, ERR_MEMORY, "out of memory");
    *ret = s;
    return OK;
}

void encoder_spec_write(const struct encoder_spec *s, struct buf *out)
{
    const char *before = "{\"";
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *at = (const char *)s + rows[i].offset;
        const char *text = is_text(&rows[i]) ? *(const char *const *)at : NULL;
        if (rows[i].kind == ROW_POOLING && s->pooling)
            text = encoder_pooling_name(s->pooling);
        uint32_t number = rows[i].kind == ROW_NUMBER ? *(const uint32_t *)at : 0;
        if (!text && !number)
            continue;
        buf_addf(out, "%s%s\":", before, rows[i].key);
        if (text)
            json_write_string(out, str_from(text));
        else
            buf_add_int(out, number);
        before = ",\"";
    }
    buf_add_c(out, "}");
}

enum status encoder_spec_find_key(struct encoder_spec *s, struct arena *a, struct error *err)
{
    if (!s->key_variable || s->key.len)
        return OK;
    const char *name = s->key_variable + strlen("env:");
    struct str secret = str_trim(str_from(getenv(name)));
    if (!secret.len || !utf8_printable(secret))
        return error_set(err, ERR_AUTH,
                         "encoder '%s': the environment variable %s is not set; export %s=...",
                         s->name, name, name);
    s->key = arena_copy(a, secret);
    return s->key.ptr ? OK : error_set(err, ERR_MEMORY, "out of memory");
}
