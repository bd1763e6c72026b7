/* Margins of tokens: see margins.h. */
#include "expert/margins.h"

#include <float.h>

/* The alternatives come in any order. */
static bool read_margin(struct json_value token, float *ret)
{
    double first = -DBL_MAX, second = -DBL_MAX, logprob;
    struct json_iter it = json_iter_begin(json_get(token, "top_logprobs"));
    struct json_value item;
    size_t count = 0;
    while (json_array_next(&it, &item)) {
        if (json_to_double(json_get(item, "logprob"), &logprob) != OK)
            continue;
        count++;
        if (logprob > first) {
            second = first;
            first = logprob;
        } else if (logprob > second) {
            second = logprob;
        }
    }
    if (count < 2)
        return false;
    *ret = first - second < (double)CERTAINTY_MARGIN_MAX ? (float)(first - second)
                                                         : CERTAINTY_MARGIN_MAX;
    return true;
}

void margins_add(struct margins *m, struct json_value root)
{
    struct json_iter choices = json_iter_begin(json_get(root, "choices"));
    struct json_value choice = {0}, token;
    float margin;
    if (!json_array_next(&choices, &choice))
        return;
    struct json_iter it = json_iter_begin(json_get(json_get(choice, "logprobs"), "content"));
    while (json_array_next(&it, &token)) {
        if (json_inside(json_get(token, "token")).len == 0 || !read_margin(token, &margin))
            continue;
        m->least = m->count == 0 || margin < m->least ? margin : m->least;
        m->last = margin;
        m->sum += (double)margin;
        m->count++;
    }
}

struct certainty margins_certainty(const struct margins *m)
{
    if (m->count == 0)
        return (struct certainty){0};
    return (struct certainty){true, (float)(m->sum / (double)m->count), m->least, m->last};
}

bool margins_strip(struct json_value root, struct str text, struct buf *out)
{
    struct json_iter choices = json_iter_begin(json_get(root, "choices"));
    struct json_value choice, key, value;
    const char *from = text.ptr;
    bool found = false;
    while (json_array_next(&choices, &choice)) {
        struct json_iter it = json_iter_begin(choice);
        while (json_object_next(&it, &key, &value)) {
            if (!json_string_equal(key, STR("logprobs")) || value.type == JSON_NULL)
                continue;
            buf_add(out, (struct str){from, (size_t)(value.raw.ptr - from)});
            buf_add_c(out, "null");
            from = value.raw.ptr + value.raw.len;
            found = true;
        }
    }
    if (found)
        buf_add(out, (struct str){from, (size_t)(text.ptr + text.len - from)});
    return found;
}
