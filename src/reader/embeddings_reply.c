/* See embeddings_reply.h. */
#include "reader/embeddings_reply.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"

#define COUNT_MAX 256

static enum status wrong(struct error *err, const char *what)
{
    return error_set(err, ERR_UPSTREAM, "its answer is no list of embeddings: %s", what);
}

static size_t count_items(struct json_value list)
{
    size_t n = 0;
    struct json_value item;
    struct json_iter it = json_iter_begin(list);
    while (json_array_next(&it, &item))
        n++;
    return n;
}

static enum status read_row(struct json_value vector, size_t width, float *row, struct error *err)
{
    struct json_value item;
    struct json_iter it = json_iter_begin(vector);
    for (size_t i = 0; i < width; i++) {
        double value;
        if (!json_array_next(&it, &item) || json_to_double(item, &value) != OK ||
            !isfinite((float)value))
            return wrong(err, "a vector holds something that is no number");
        row[i] = (float)value;
    }
    return OK;
}

static enum status find_width(struct json_value vector, size_t width_max, size_t *width,
                              struct error *err)
{
    size_t found = count_items(vector);
    if (vector.type != JSON_ARRAY)
        return wrong(err, "an item has no vector");
    if (!found || (!*width && found > width_max))
        return error_set(err, ERR_UPSTREAM, "its vectors are %zu numbers long; at most %zu", found,
                         width_max);
    if (*width && found != *width)
        return error_set(err, ERR_UPSTREAM, "its vectors are %zu numbers long, not %zu", found,
                         *width);
    *width = found;
    return OK;
}

/* One piece: a list is walked once, and each item is checked against those before it. */
enum status embeddings_reply_rows(struct str body, size_t count, size_t width_max, size_t *width,
                                  float *rows, struct error *err)
{
    struct json_value root, item;
    bool seen[COUNT_MAX] = {false};
    size_t known = *width, next = 0;
    if (count > COUNT_MAX || json_parse(body, "answer", 1, &root, NULL) != OK)
        return wrong(err, "no JSON");
    struct json_value data = json_get(root, "data");
    if (data.type != JSON_ARRAY || count_items(data) != count)
        return wrong(err, "not as many vectors as texts");
    struct json_iter it = json_iter_begin(data);
    while (json_array_next(&it, &item)) {
        struct json_value index = json_get(item, "index"), vector = json_get(item, "embedding");
        int64_t at = (int64_t)next++;
        if (index.type != JSON_NONE && json_to_int64(index, &at) != OK)
            at = -1;
        if (at < 0 || (uint64_t)at >= count || seen[at])
            return wrong(err, "an index is wrong");
        seen[at] = true;
        enum status status = find_width(vector, width_max, &known, err);
        if (status == OK)
            status = read_row(vector, known, rows + (size_t)at * known, err);
        if (status != OK)
            return status;
    }
    *width = known;
    return OK;
}
