/* Editing requests for embeddings, and reading what their answers cost. */
#include "dialect/embeddings_text.h"

#include "dialect/openai.h"

void embeddings_request_write(const struct embeddings_request *r, struct str upstream_model,
                              struct buf *out)
{
    struct buf model;
    buf_init(&model, upstream_model.len * 6 + 8);
    json_write_string(&model, upstream_model);
    struct json_edit edits[2] = {{r->model_value.raw, buf_str(&model)}, {r->leeroo_cut, STR("")}};
    size_t count = r->leeroo_cut.ptr ? 2 : 1;
    if (count == 2 && r->leeroo_cut.ptr < r->model_value.raw.ptr) {
        struct json_edit first = edits[1];
        edits[1] = edits[0];
        edits[0] = first;
    }
    json_splice(r->root.raw, edits, count, out);
    if (buf_status(&model, NULL) != OK)
        out->status = ERR_MEMORY;
    buf_done(&model);
}

/* Answers */

static bool read_reported(struct json_value usage, const char *name, int64_t *ret)
{
    int64_t tokens = 0;
    bool is_count = openai_read_count(json_get(usage, name), &tokens);
    if (is_count)
        *ret = tokens;
    return is_count;
}

enum status embeddings_reply_read(struct str text, struct embeddings_reply *ret, struct error *err)
{
    struct embeddings_reply reply = {0};
    struct json_value first;
    enum status status = json_parse(text, "answer", 1, &reply.root, err);
    if (status != OK)
        return status;
    struct json_iter it = json_iter_begin(reply.root);
    if (reply.root.type == JSON_ARRAY && json_array_next(&it, &first) &&
        json_is_set(json_get(first, "error")))
        reply.root = first;
    if (reply.root.type != JSON_OBJECT)
        return error_set(err, ERR_INPUT, "the answer is not a JSON object");
    struct json_value usage = json_get(reply.root, "usage");
    reply.is_error = json_is_set(json_get(reply.root, "error"));
    reply.has_vectors = json_get(reply.root, "data").type == JSON_ARRAY;
    reply.known = read_reported(usage, "prompt_tokens", &reply.input_tokens) ||
                  read_reported(usage, "total_tokens", &reply.input_tokens);
    *ret = reply;
    return OK;
}
