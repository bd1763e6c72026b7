/* Finds questions in a generator's reply: see generator_reply.h. The text is walked from brace to brace. A braced part
 * that is JSON and means to be a question is one item; one that holds others (a list in an object, a reply that was cut
 * off) is opened and its inside walked on; anything else is a malformed item.
 *
 * Pure functions of the reply and the arena, any thread. */
#include "pose/generator_reply.h"

#include <string.h>

#include "base/check.h"
#include "judge/thought.h"
#include "pose/escape_mend.h"
#include "pose/generator_item.h"

struct walk {
    struct str text;
    size_t at, descents;
    const struct generator_want *want;
    struct arena *arena;
    const struct drop_sink *sink;
    struct posed items[GENERATOR_REPLY_ITEMS_MAX];
    size_t count, seen; /* kept; kept or dropped */
    struct drop_counts dropped;
};

/* The index behind the brace that closes the one at text[from]; 0 when it is never closed. Braces in strings do not
 * count. */
static size_t closed_at(struct str text, size_t from)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = from; i < text.len; i++) {
        char c = text.ptr[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '{')
            depth++;
        else if (!quoted && c == '}' && --depth == 0)
            return i + 1;
    }
    return 0;
}

static void drop(struct walk *w, enum drop_reason reason, struct str text, struct str why)
{
    w->seen++;
    drop_tell(w->sink, &w->dropped, STR(""), reason, text, why);
}

static enum status item_read(struct walk *w, struct json_value object, struct error *err)
{
    struct error why = {0};
    enum drop_reason reason = DROP_MALFORMED;
    enum status status =
        generator_item_read(object, w->want, w->arena, &w->items[w->count], &reason, &why);
    if (status == OK) {
        w->count++;
        w->seen++;
        return OK;
    }
    if (status != ERR_INPUT)
        return error_set(err, status, "%s", why.text);
    drop(w, reason, generator_item_text(object, w->arena), str_from(why.text));
    return OK;
}

/* Where the first brace within the part stands, at which it can be opened instead of given up; 0: nowhere. */
static size_t inside(const struct walk *w, size_t from, size_t to)
{
    if (w->descents >= GENERATOR_DESCENTS_MAX)
        return 0;
    const char *brace = memchr(w->text.ptr + from + 1, '{', to - from - 1);
    return brace ? (size_t)(brace - w->text.ptr) : 0;
}

static bool means_question(struct str part)
{
    return str_find(part, STR("\"question\""), 0) != SIZE_MAX;
}

/* Goes on at the brace within. What stands before it is a list's beginning, or a question that is broken. */
static void open_part(struct walk *w, size_t from, size_t brace)
{
    struct str head = str_slice(w->text, from, brace);
    w->descents++;
    w->at = brace;
    if (means_question(head))
        drop(w, DROP_MALFORMED, head, STR("no JSON"));
}

/* The part from the brace at `from`. Three things it can be: JSON that is a question, something that has other parts in
 * it, or broken. Broken parts end at their brace, or with the text; braces in prose are none. */
static enum status part_read(struct walk *w, size_t from, struct error *err)
{
    struct json_value object;
    size_t end = closed_at(w->text, from);
    struct str part = str_slice(w->text, from, end ? end : w->text.len);
    struct str mended = end != 0 ? escape_mend(part, w->arena) : part;
    if (!mended.ptr)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    bool sound = end != 0 && json_parse(mended, "reply", 1, &object, NULL) == OK;
    w->at = from + part.len;
    if (sound && generator_item_is(object))
        return item_read(w, object, err);
    size_t brace = inside(w, from, from + part.len);
    if (brace != 0)
        open_part(w, from, brace);
    else if (sound)
        drop(w, DROP_FIELD_MISSING, part, STR("there is no \"question\""));
    else if (memchr(part.ptr, '"', part.len))
        drop(w, DROP_MALFORMED, part, end ? STR("no JSON") : STR("cut off"));
    return OK;
}

static enum status walk(struct walk *w, struct error *err)
{
    while (w->at < w->text.len && w->seen < GENERATOR_REPLY_ITEMS_MAX) {
        const char *brace = memchr(w->text.ptr + w->at, '{', w->text.len - w->at);
        if (!brace)
            break;
        enum status status = part_read(w, (size_t)(brace - w->text.ptr), err);
        if (status != OK)
            return status;
    }
    if (w->seen == 0)
        drop(w, DROP_MALFORMED, w->text, STR("no JSON"));
    return OK;
}

enum status generator_reply_read(struct str reply, const struct generator_want *want,
                                 struct arena *a, const struct drop_sink *sink,
                                 struct question_list *ret, struct drop_counts *dropped,
                                 struct error *err)
{
    struct walk w = {.want = want, .arena = a, .sink = sink};
    w.text = judge_behind_thought(str_slice(reply, 0, GENERATOR_REPLY_BYTES_MAX));
    enum status status = walk(&w, err);
    if (status != OK)
        return status;
    CHECK(w.count <= GENERATOR_REPLY_ITEMS_MAX);
    struct posed *items = ARENA_ARRAY(a, w.count, struct posed);
    if (!items)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    memcpy(items, w.items, w.count * sizeof(*items));
    *ret = (struct question_list){items, w.count};
    drop_counts_add(dropped, &w.dropped);
    return OK;
}
