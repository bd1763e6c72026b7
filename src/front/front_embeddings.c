/* Reading requests for embeddings: the model, how many vectors are asked for, and how much text or how many tokens go
 * in. Every other member passes unread, because experts may know more of them than is known here. Pure functions of
 * text for any thread; the decoded model lives in the request's arena, all else is spans into the client's bytes, into
 * which dialect/embeddings_text.c splices for the expert. */
#include "front/front_embeddings.h"

#include "dialect/token_estimate.h"

struct reader {
    struct embeddings_request *r;
    const char *param;
    struct error *err;
};

static enum status bad(struct reader *x, const char *param, const char *what)
{
    x->param = param;
    return error_set(x->err, ERR_INPUT, "%s %s", param, what);
}

/* Members */

enum field { FIELD_MODEL, FIELD_INPUT, FIELD_LEEROO, FIELD_COUNT };

static const char *const field_names[FIELD_COUNT] = {"model", "input", "leeroo"};

/* From its key to the next one; the last member from the end of the one before. */
static struct str cut_of(struct str previous, struct json_value key, struct json_value item,
                         struct json_iter rest)
{
    struct json_value next_key, next;
    const char *from = key.raw.ptr, *to = item.raw.ptr + item.raw.len;
    if (json_object_next(&rest, &next_key, &next))
        to = next_key.raw.ptr;
    else if (previous.ptr)
        from = previous.ptr + previous.len;
    return (struct str){from, (size_t)(to - from)};
}

static enum status read_members(struct reader *x, struct json_value *fields)
{
    struct json_iter it = json_iter_begin(x->r->root);
    struct json_value key, item;
    struct str previous = {0};
    for (; json_object_next(&it, &key, &item); previous = item.raw)
        for (size_t i = 0; i < FIELD_COUNT; i++) {
            if (!json_string_equal(key, str_from(field_names[i])))
                continue;
            if (fields[i].type != JSON_NONE)
                return bad(x, field_names[i], "is given twice");
            fields[i] = item;
            if (i == FIELD_LEEROO)
                x->r->leeroo_cut = cut_of(previous, key, item, it);
        }
    return OK;
}

/* Inputs: a text, a list of texts, a list of token numbers, or a list of such lists */

static const char input_forms[] =
    "must be a text, a list of texts, a list of token numbers, or a list of such lists";

static enum status read_tokens(struct reader *x, struct json_value list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    int64_t number = 0;
    size_t count = 0;
    for (; json_array_next(&it, &item); count++)
        if (json_to_int64(item, &number) != OK || number < 0)
            return bad(x, "input", input_forms);
    if (count == 0)
        return bad(x, "input", "must not be empty");
    x->r->inputs++;
    x->r->tokens += count;
    return OK;
}

static enum status read_list(struct reader *x, struct json_value list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value item;
    enum json_type type = JSON_NONE;
    enum status status = OK;
    while (status == OK && json_array_next(&it, &item)) {
        if (item.type == JSON_NUMBER && type == JSON_NONE)
            return read_tokens(x, list);
        if (type != JSON_NONE && item.type != type)
            return bad(x, "input", input_forms);
        type = item.type;
        if (type == JSON_ARRAY) {
            status = read_tokens(x, item);
        } else if (type == JSON_STRING) {
            x->r->inputs++;
            x->r->characters += tokens_json_weight(item);
        } else {
            return bad(x, "input", input_forms);
        }
    }
    if (status == OK && type == JSON_NONE)
        return bad(x, "input", "must not be empty");
    return status;
}

static enum status read_input(struct reader *x, struct json_value input)
{
    if (input.type == JSON_NONE)
        return bad(x, "input", "is missing");
    if (input.type == JSON_ARRAY)
        return read_list(x, input);
    if (input.type != JSON_STRING)
        return bad(x, "input", input_forms);
    x->r->inputs = 1;
    x->r->characters = tokens_json_weight(input);
    return OK;
}

static enum status read_model(struct reader *x, struct json_value model, struct arena *a)
{
    if (model.type == JSON_NONE)
        return bad(x, "model", "is missing");
    if (model.type != JSON_STRING)
        return bad(x, "model", "must be a text");
    x->r->model_value = model;
    if (json_string_decode(model, a, &x->r->model) != OK)
        return error_set(x->err, ERR_TOO_LARGE, "the request needs more memory than one may have");
    return OK;
}

static enum status read_root(struct reader *x, struct str body, struct arena *a)
{
    struct json_value fields[FIELD_COUNT] = {{0}};
    enum status status = json_parse(body, "request body", 1, &x->r->root, x->err);
    if (status == OK && x->r->root.type != JSON_OBJECT)
        status = error_set(x->err, ERR_INPUT, "the request body must be a JSON object");
    if (status == OK)
        status = read_members(x, fields);
    if (status == OK)
        status = read_model(x, fields[FIELD_MODEL], a);
    if (status == OK)
        status = read_input(x, fields[FIELD_INPUT]);
    return status;
}

enum status embeddings_request_parse(struct str body, struct arena *a,
                                     struct embeddings_request *ret, const char **ret_param,
                                     struct error *err)
{
    struct embeddings_request request = {0};
    struct reader reader = {&request, NULL, err};
    enum status status = read_root(&reader, body, a);
    if (ret_param)
        *ret_param = reader.param;
    if (status == OK)
        *ret = request;
    return status;
}

static int64_t add_saturated(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) || sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
}

int64_t embeddings_request_tokens(const struct embeddings_request *r)
{
    return add_saturated((uint64_t)tokens_from_characters(r->characters), r->tokens);
}

int64_t embeddings_request_tokens_worst(const struct embeddings_request *r)
{
    return add_saturated(r->characters, r->tokens);
}
