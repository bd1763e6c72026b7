/* Which messages ask something, and how far each of them refers back to the one before it. */
#include "route/question_turns.h"

#include <string.h>

#include "base/check.h"
#include "encode/follow_up.h"
#include "encode/spoken.h"

#define TURN_SHARE_MIN 0.05       /* a turn that says less of what is asked is left out */
#define EARLIER_BYTES  (8u << 10) /* of an earlier turn the first and the last half of this */
#define SPOKEN_BYTES                                                                               \
    (1u << 20) /* the same of a message, before what clients put into it is cut out */

/* What is too long is cut out of the middle. */
static enum status bound_text(struct str *text, size_t bytes, struct arena *a, struct error *err)
{
    const size_t half = bytes / 2;
    if (text->len <= bytes)
        return OK;
    char *joined = arena_alloc(a, bytes);
    if (!joined)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    memcpy(joined, text->ptr, half);
    memcpy(joined + half, text->ptr + text->len - half, half);
    *text = (struct str){joined, bytes};
    return OK;
}

/* User messages, from the last to the first. */
struct walk {
    const struct openai_request *r;
    struct arena *arena;
    size_t back;            /* how many were read */
    size_t said;            /* how many of them were not a client's notes alone */
    struct json_value *all; /* contents of all of them, the first one first; NULL: not listed */
    size_t all_count;
};

/* The request keeps the last few. Agents may have put notes alone into as many. */
static enum status list_all(struct walk *w, struct error *err)
{
    struct json_iter it = json_iter_begin(w->r->messages);
    struct json_value message;
    w->all = ARENA_ARRAY(w->arena, w->r->message_count, struct json_value);
    if (!w->all)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    while (json_array_next(&it, &message))
        if (json_string_equal(json_get(message, "role"), STR("user")))
            w->all[w->all_count++] = json_get(message, "content");
    return OK;
}

/* The next message's text; *ret_any false: there is none. */
static enum status read_back(struct walk *w, struct str *ret, bool *ret_any, struct error *err)
{
    enum status status = OK;
    size_t back = w->back++;
    bool skipped = w->said < back, more = w->r->earlier_count == OPENAI_EARLIER_MAX;
    *ret_any = true;
    if (back == 0) {
        *ret = w->r->query;
        return OK;
    }
    if (back <= w->r->earlier_count)
        return openai_request_earlier(w->r, back - 1, w->arena, ret, err);
    if (skipped && more && !w->all)
        status = list_all(w, err);
    *ret_any = back < w->all_count;
    if (status != OK || !*ret_any)
        return status;
    return openai_content_text(w->all[w->all_count - 1 - back], w->arena, ret, err);
}

/* The next message that says something. No more of them count than when all do. */
static enum status next_said(struct walk *w, struct str *ret, bool *ret_any, struct error *err)
{
    struct str text = {0}, said = {0};
    *ret_any = false;
    while (w->said < TURNS_MAX) {
        enum status status = read_back(w, &text, ret_any, err);
        if (status == OK && *ret_any)
            status = bound_text(&text, SPOKEN_BYTES, w->arena, err);
        if (status == OK && *ret_any)
            status = spoken_text(text, w->arena, &said, err);
        if (status != OK || !*ret_any)
            return status;
        if (said.len == 0 && text.len > 0)
            continue;
        w->said++;
        *ret = said;
        return OK;
    }
    return OK;
}

/* One piece: each turn takes its part of what those after it have left. */
enum status turns_find(const struct openai_request *r, struct arena *a,
                       struct turn turns[TURNS_MAX], size_t *ret_count, struct str *ret_question,
                       struct error *err)
{
    struct walk w = {.r = r, .arena = a};
    struct str text = r->query, before = {0};
    double left = 1;
    size_t count = 0;
    bool any;
    enum status status = next_said(&w, &text, &any, err);
    const struct str question = text;
    while (status == OK) {
        double refer = follow_up_share(text);
        if (refer > 0)
            status = next_said(&w, &before, &any, err);
        if (!any)
            refer = 0;
        if (left * (1 - refer) >= TURN_SHARE_MIN || (refer == 0 && count == 0))
            turns[count++] = (struct turn){text, left * (1 - refer)};
        left *= refer;
        if (left < TURN_SHARE_MIN)
            break;
        text = before;
    }
    for (size_t i = 1; status == OK && i < count; i++)
        status = bound_text(&turns[i].text, EARLIER_BYTES, a, err);
    if (status != OK)
        return status;
    CHECK(count > 0);
    *ret_count = count;
    *ret_question = question;
    return OK;
}
