/* Reading a request: numbers within their bounds, stop strings, biases; messages and the form of the answer have
 * files of their own. A member that is null counts as absent, as OpenAI has it, and what has no effect on an answer
 * (user, store, metadata) is not looked at. On the thread that starts the call, where nothing may take long: tokens
 * are made later, by the model's own thread. All of it lives in the call's arena. */
#include "infer/infer_request.h"

#include <math.h>

#include "infer/infer_request_int.h"

#define BIAS_MAX 100

enum status request_fail(struct request_reader *x, enum status status, const char *what)
{
    return error_set(x->err, status, "%s %s", x->param, what);
}

enum status request_keep(struct request_reader *x, const struct buf *text, const char **ret)
{
    enum status status = buf_status(text, x->err);
    struct str copy = status == OK ? arena_copy(x->arena, buf_str(text)) : STR("");
    if (status == OK && !copy.ptr)
        return error_set(x->err, ERR_MEMORY, "out of memory for a request");
    if (status == OK)
        *ret = copy.ptr;
    return status;
}

static struct json_value member(struct request_reader *x, const char *name)
{
    x->param = name;
    return json_get(x->root, name);
}

/* *ret stays where there is none. */
static enum status read_real(struct request_reader *x, const char *name, double min, double max,
                             float *ret)
{
    struct json_value v = member(x, name);
    double number = 0;
    if (!json_is_set(v))
        return OK;
    if (v.type != JSON_NUMBER || json_to_double(v, &number) != OK || !(number >= min) ||
        !(number <= max))
        return error_set(x->err, ERR_INPUT, "%s must be a number from %g to %g", name, min, max);
    *ret = (float)number;
    return OK;
}

static enum status read_whole(struct request_reader *x, const char *name, int64_t min, int64_t max,
                              int64_t *ret)
{
    struct json_value v = member(x, name);
    int64_t number = 0;
    if (!json_is_set(v))
        return OK;
    if (v.type != JSON_NUMBER || json_to_int64(v, &number) != OK || number < min || number > max)
        return error_set(x->err, ERR_INPUT, "%s must be a whole number from %lld to %lld", name,
                         (long long)min, (long long)max);
    *ret = number;
    return OK;
}

static enum status read_bool(struct request_reader *x, const char *name, bool *ret)
{
    struct json_value v = member(x, name);
    if (!json_is_set(v))
        return OK;
    if (v.type != JSON_TRUE && v.type != JSON_FALSE)
        return request_fail(x, ERR_INPUT, "must be true or false");
    *ret = v.type == JSON_TRUE;
    return OK;
}

/* Sampling */

/* One piece: a loop, and what is wrong with each item. */
static enum status read_biases(struct request_reader *x)
{
    struct json_value v = member(x, "logit_bias"), key, item;
    struct json_iter it = json_iter_begin(v);
    size_t count = 0;
    if (!json_is_set(v))
        return OK;
    if (v.type != JSON_OBJECT)
        return request_fail(x, ERR_INPUT, "must be an object of token numbers and biases");
    struct lm_bias *list = ARENA_ARRAY(x->arena, LM_SAMPLER_BIASES_MAX, struct lm_bias);
    if (!list)
        return error_set(x->err, ERR_MEMORY, "out of memory for a request");
    while (json_object_next(&it, &key, &item)) {
        int64_t token;
        double bias;
        if (count == LM_SAMPLER_BIASES_MAX)
            return request_fail(x, ERR_TOO_LARGE, "names too many tokens");
        if (str_to_int64(json_inside(key), &token) != OK || token < 0 || token > INT32_MAX ||
            json_to_double(item, &bias) != OK || fabs(bias) > BIAS_MAX)
            return request_fail(x, ERR_INPUT,
                                "must hold numbers of tokens with biases from -100 to 100");
        list[count++] = (struct lm_bias){(int32_t)token, (float)bias};
    }
    x->r->sampling.biases = list;
    x->r->sampling.bias_count = count;
    return OK;
}

/* One piece: OpenAI's parameters with OpenAI's bounds, in a row. */
static enum status read_sampling(struct request_reader *x)
{
    struct lm_sampling *s = &x->r->sampling;
    int64_t top_k = 0, seed = 0;
    *s = (struct lm_sampling){.temperature = 1, .top_p = 1};
    enum status status = read_real(x, "temperature", 0, 2, &s->temperature);
    if (status == OK)
        status = read_real(x, "top_p", 0, 1, &s->top_p);
    if (status == OK)
        status = read_real(x, "min_p", 0, 1, &s->min_p);
    if (status == OK)
        status = read_real(x, "frequency_penalty", -2, 2, &s->frequency_penalty);
    if (status == OK)
        status = read_real(x, "presence_penalty", -2, 2, &s->presence_penalty);
    if (status == OK)
        status = read_whole(x, "top_k", 0, INT32_MAX, &top_k);
    if (status == OK)
        status = read_whole(x, "seed", INT64_MIN, INT64_MAX, &seed);
    if (status == OK)
        status = read_biases(x);
    s->top_k = (int32_t)top_k;
    s->seed = (uint32_t)((uint64_t)seed ^ (uint64_t)seed >> 32);
    x->r->has_seed = json_is_set(json_get(x->root, "seed"));
    return status;
}

/* Ends */

static enum status add_stop(struct request_reader *x, struct json_value v)
{
    struct infer_request *r = x->r;
    struct str text;
    if (v.type != JSON_STRING)
        return request_fail(x, ERR_INPUT, "must be a text or a list of texts");
    if (r->stop_count == INFER_STOPS_MAX)
        return request_fail(x, ERR_INPUT, "may hold at most 4 texts");
    if (json_string_decode(v, x->arena, &text) != OK)
        return error_set(x->err, ERR_MEMORY, "out of memory for a request");
    if (text.len == 0 || text.len > INFER_STOP_BYTES_MAX)
        return request_fail(x, ERR_INPUT, "holds a text that is empty or too long");
    r->stops[r->stop_count++] = text;
    return OK;
}

static enum status read_stops(struct request_reader *x)
{
    struct json_value v = member(x, "stop"), item;
    struct json_iter it = json_iter_begin(v);
    enum status status = OK;
    if (v.type != JSON_ARRAY)
        return json_is_set(v) ? add_stop(x, v) : OK;
    while (status == OK && json_array_next(&it, &item))
        status = add_stop(x, item);
    return status;
}

static enum status read_limits(struct request_reader *x)
{
    struct infer_request *r = x->r;
    int64_t n = 1, top = 0;
    enum status status = read_whole(x, "max_tokens", 1, INT32_MAX, &r->tokens_max);
    if (status == OK)
        status = read_whole(x, "max_completion_tokens", 1, INT32_MAX, &r->tokens_max);
    if (status == OK)
        status = read_whole(x, "n", 1, 1, &n);
    if (status == OK)
        status = read_stops(x);
    if (status == OK)
        status = read_bool(x, "logprobs", &r->logprobs);
    if (status == OK)
        status = read_whole(x, "top_logprobs", 0, LM_SAMPLER_LIKELIEST_MAX, &top);
    if (status == OK && top > 0 && !r->logprobs)
        return request_fail(x, ERR_INPUT, "needs logprobs to be true");
    r->top_logprobs = (unsigned)top;
    return status;
}

static enum status read_stream(struct request_reader *x)
{
    struct infer_request *r = x->r;
    struct json_value options = json_get(x->root, "stream_options");
    enum status status = read_bool(x, "stream", &r->stream);
    r->wants_usage = json_get(options, "include_usage").type == JSON_TRUE;
    if (status == OK && json_get(x->root, "model").type == JSON_STRING &&
        json_string_decode(json_get(x->root, "model"), x->arena, &r->model) != OK)
        return error_set(x->err, ERR_MEMORY, "out of memory for a request");
    return status;
}

/* One piece: the parts in the order in which they stand on each other. */
enum status infer_request_read(struct str body, struct arena *a, struct infer_request *ret,
                               const char **ret_param, struct error *err)
{
    struct infer_request r = {.model = STR("")};
    struct request_reader x = {.r = &r, .arena = a, .err = err};
    struct request_tools *tools = ARENA_NEW(a, struct request_tools);
    enum status status = tools ? json_parse(body, "request", 1, &x.root, err)
                               : error_set(err, ERR_MEMORY, "out of memory for a request");
    if (status == OK && x.root.type != JSON_OBJECT)
        status = error_set(err, ERR_INPUT, "the request must be a JSON object");
    if (status == OK)
        status = read_stream(&x);
    if (status == OK)
        status = read_sampling(&x);
    if (status == OK)
        status = read_limits(&x);
    if (status == OK)
        status = request_read_tools(&x, tools);
    if (status == OK)
        status = request_read_form(&x, tools);
    if (status == OK)
        status = request_read_messages(&x, tools);
    if (status != OK) {
        *ret_param = x.param;
        return status;
    }
    *ret = r;
    return OK;
}
