/* See opinion_reply.h. */
#include "reader/opinion_reply.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "opinion/opinion_prompt.h"
#include "opinion/opinion_said.h"

#define TOLD_MAX     20        /* of the likeliest tokens, as OpenAI allows */
#define LOGPROB_LOW  (-9999.0) /* what some endpoints write for "none" */
#define TOKEN_LENGTH 16        /* with blanks around a letter */

void opinion_request_write(struct str model, struct str head, struct str question, struct buf *out)
{
    buf_clear(out);
    buf_add_c(out, "{\"model\":");
    json_write_string(out, model);
    buf_add_c(out, ",\"messages\":[{\"role\":\"user\",\"content\":\"");
    json_write_inside(out, head);
    json_write_inside(out, question);
    json_write_inside(out, opinion_tail);
    buf_addf(out, "\"}],\"max_tokens\":1,\"temperature\":0,\"logprobs\":true,\"top_logprobs\":%d}",
             TOLD_MAX);
}

/* Adds a token's probability to that of the label that it spells, with or without blanks around. */
static void add_token(struct str token, double logprob, size_t labels, float *said)
{
    token = str_trim(token);
    for (size_t e = 0; e < labels && token.len == 1; e++)
        if (token.ptr[0] == opinion_label(labels, e))
            said[e] =
                said[e] == said[e] ? logf(expf(said[e]) + expf((float)logprob)) : (float)logprob;
}

struct told {
    double sum, least; /* of probabilities; the least log-probability */
    size_t count;
};

static enum status read_token(struct json_value item, size_t labels, float *said, struct told *told,
                              struct error *err)
{
    char bytes[TOKEN_LENGTH];
    double logprob;
    struct str raw;
    if (json_to_double(json_get(item, "logprob"), &logprob) != OK || !(logprob <= 1e-3))
        return error_set(err, ERR_UPSTREAM, "it tells a log-probability that is none");
    if (logprob < LOGPROB_LOW)
        return OK;
    logprob = fmin(logprob, 0);
    told->sum += exp(logprob);
    told->least = fmin(told->least, logprob);
    told->count++;
    raw = json_get(item, "token").raw; /* letters and blanks are spelled as they are */
    if (raw.len < 2 || raw.len - 2 > sizeof(bytes))
        return OK;
    memcpy(bytes, raw.ptr + 1, raw.len - 2);
    add_token((struct str){bytes, raw.len - 2}, logprob, labels, said);
    return OK;
}

/* One piece: from the answer down to its list of tokens, each step of which may not be there. */
enum status opinion_reply_row(struct str body, size_t labels, float *row, struct error *err)
{
    float said[OPINION_EXPERTS_MAX], *certainty = row + labels;
    struct told told = {0};
    struct json_value root, choice = {0}, first = {0}, item;
    CHECK(labels > 0 && labels <= OPINION_EXPERTS_MAX);
    if (json_parse(body, "answer", 1, &root, NULL) != OK || root.type != JSON_OBJECT)
        return error_set(err, ERR_UPSTREAM, "its answer is no JSON");
    struct json_iter it = json_iter_begin(json_get(root, "choices"));
    if (json_get(root, "choices").type != JSON_ARRAY || !json_array_next(&it, &choice))
        return error_set(err, ERR_UPSTREAM, "its answer is no chat completion");
    struct json_value content = json_get(json_get(choice, "logprobs"), "content");
    if (content.type == JSON_ARRAY) {
        it = json_iter_begin(content);
        (void)!json_array_next(&it, &first);
    }
    struct json_value list = json_get(first, "top_logprobs");
    for (size_t e = 0; e < labels; e++)
        said[e] = NAN;
    it = json_iter_begin(list);
    while (list.type == JSON_ARRAY && json_array_next(&it, &item)) {
        enum status status = read_token(item, labels, said, &told, err);
        if (status != OK)
            return status;
    }
    if (!told.count)
        return error_set(err, ERR_UNSUPPORTED,
                         "it tells no log-probabilities (logprobs, top_logprobs) of what it would "
                         "answer; name an expert that does, or a file (gguf: PATH)");
    memset(certainty, 0, OPINION_CERTAINTIES * sizeof(*certainty));
    opinion_normalise(said, labels, told.sum, told.least, row, &certainty[OPINION_ENTROPY],
                      &certainty[OPINION_MASS]);
    return OK;
}
