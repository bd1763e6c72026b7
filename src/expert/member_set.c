/* Two objects become one. What is not set keeps its bytes and its order; what is set comes last, in its own spelling.
 *
 * Keys of the set are plain (src/config sees to that), so that what stands between their quotes is their name; those of
 * the body are a client's, may be escaped in any way and stand there twice: then the last counts, and none stays. No
 * state, any thread. */
#include "expert/member_set.h"

#include <stdio.h>

static struct json_value member_of(struct json_value object, struct str name)
{
    struct json_value value;
    json_members(object, &name, 1, &value);
    return value;
}

static bool is_set(struct json_value set, struct json_value key)
{
    struct json_value own, value;
    for (struct json_iter it = json_iter_begin(set); json_object_next(&it, &own, &value);)
        if (json_string_equal(key, json_inside(own)))
            return true;
    return false;
}

static bool same_text(struct json_value a, struct json_value b)
{
    struct buf texts[2];
    for (size_t i = 0; i < 2; i++) {
        buf_init(&texts[i], 2 * (a.raw.len + b.raw.len) + MEMBER_NAME_MAX);
        json_write_line(&texts[i], i ? b : a);
    }
    bool same = str_equal(buf_str(&texts[0]), buf_str(&texts[1]));
    buf_done(&texts[0]);
    buf_done(&texts[1]);
    return same;
}

/* Whether the client meant the same: 0.2 and 0.20 are, and blanks do not matter. */
static bool is_same(struct json_value a, struct json_value b)
{
    double x, y;
    if (a.type != b.type)
        return false;
    if (json_to_double(a, &x) == OK && json_to_double(b, &y) == OK)
        return x >= y && x <= y;
    return same_text(a, b);
}

static bool are_of_one_type(struct json_value a, struct json_value b)
{
    struct json_value x = json_get(a, "type"), y = json_get(b, "type");
    return x.type == JSON_NONE || y.type == JSON_NONE || is_same(x, y);
}

static void tell(struct dropped *lost, struct str place, struct str name)
{
    char in[MEMBER_NAME_MAX + 1];
    snprintf(in, sizeof(in), "%.*s", STR_FMT(place));
    dropped_add(lost, place.len > 0 ? in : NULL, name);
}

/* `place`: the member of the body that the objects are in; empty: they are the whole. As deep as `set` is. */
static void join(struct json_value set, struct json_value body, struct str place, struct buf *out,
                 struct dropped *lost)
{
    struct json_value key, value;
    const char *between = "";
    buf_add_char(out, '{');
    for (struct json_iter it = json_iter_begin(body); json_object_next(&it, &key, &value);) {
        if (is_set(set, key))
            continue;
        buf_addf(out, "%s", between);
        buf_add(out, key.raw);
        buf_add_char(out, ':');
        buf_add(out, value.raw);
        between = ",";
    }
    for (struct json_iter it = json_iter_begin(set); json_object_next(&it, &key, &value);) {
        struct str name = json_inside(key);
        struct json_value theirs = member_of(body, name);
        buf_addf(out, "%s", between);
        buf_add(out, key.raw);
        buf_add_char(out, ':');
        between = ",";
        if (value.type == JSON_OBJECT && theirs.type == JSON_OBJECT &&
            are_of_one_type(value, theirs)) {
            join(value, theirs, place.len > 0 ? place : name, out, lost);
            continue;
        }
        if (json_is_set(theirs) && !is_same(value, theirs))
            tell(lost, place, name);
        buf_add(out, value.raw);
    }
    buf_add_char(out, '}');
}

void member_set_write(struct json_value set, struct json_value body, struct buf *out,
                      struct dropped *lost)
{
    join(set, body, STR(""), out, lost);
}
