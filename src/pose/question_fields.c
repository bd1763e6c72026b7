/* The parts of a question by all their names: see question_fields.h.
 *
 * Pure functions of the parsed text and the arena, any thread. The first name of a list that is there and not null
 * counts, so that a data set's own "text" is not overruled by a "prompt" beside it. */
#include "pose/question_fields.h"

#include <string.h>

#define FIELD_NAMES_MAX 6

struct field_names {
    size_t offset;
    const char *names[FIELD_NAMES_MAX];
};

#define FIELD(member, ...)                                                                         \
    {                                                                                              \
        offsetof(struct question_fields, member),                                                  \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

void question_fields_find(struct json_value object, struct question_fields *ret)
{
    static const struct field_names fields[] = {
        FIELD(text, "text", "question", "prompt", "query", "input"),
        FIELD(messages, "messages"),
        FIELD(reference, "answer", "reference", "target", "expected", "reference_answer",
              "answerKey"),
        FIELD(choices, "choices", "options"),
        FIELD(kind, "kind", "type", "answer_type"),
        FIELD(level, "difficulty", "level"),
        FIELD(rationale, "rationale", "explanation", "reasoning", "solution"),
        FIELD(domain, "domain", "category", "subject", "topic"),
        FIELD(task, "task"),
        FIELD(id, "id", "question_id", "uid"),
        FIELD(check, "check"),
    };
    memset(ret, 0, sizeof(*ret));
    for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
        struct json_value *into = (struct json_value *)(void *)((char *)ret + fields[f].offset);
        for (size_t n = 0; n < FIELD_NAMES_MAX && fields[f].names[n] && !json_is_set(*into); n++)
            *into = json_get(object, fields[f].names[n]);
    }
}

enum status question_field_text(struct json_value v, struct arena *a, struct str *ret)
{
    switch (v.type) {
    case JSON_NONE:
    case JSON_NULL:
        *ret = STR("");
        return OK;
    case JSON_NUMBER:
    case JSON_TRUE:
    case JSON_FALSE:
        *ret = v.raw;
        return OK;
    case JSON_STRING: {
        struct str text;
        enum status status = json_string_decode(v, a, &text);
        if (status == OK)
            *ret = str_trim(text);
        return status;
    }
    default:
        return ERR_INPUT;
    }
}

/* Choices */

static bool begins_with_letter(struct str choice, uint32_t index)
{
    return choice.len > 3 && choice.ptr[0] == (char)('A' + index) &&
           (choice.ptr[1] == '.' || choice.ptr[1] == ')' || choice.ptr[1] == ':') &&
           choice.ptr[2] == ' ';
}

static void take_letters_off(struct str *choices, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!begins_with_letter(choices[i], i))
            return;
    for (uint32_t i = 0; i < count; i++)
        choices[i] = str_trim(str_slice(choices[i], 3, choices[i].len));
}

static bool are_usable(const struct str *choices, uint32_t count, bool unlike)
{
    if (count < 2)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (choices[i].len == 0)
            return false;
        for (uint32_t j = 0; unlike && j < i; j++)
            if (str_equal(choices[i], choices[j]))
                return false;
    }
    return true;
}

static enum status choices_gather(struct json_value v, struct arena *a,
                                  struct str choices[QUERY_CHOICES_MAX], uint32_t *ret_count)
{
    struct json_iter it = json_iter_begin(v);
    uint32_t count = 0;
    for (struct json_value key, item;; count++) {
        bool more =
            v.type == JSON_ARRAY ? json_array_next(&it, &item) : json_object_next(&it, &key, &item);
        if (!more)
            break;
        if (count == QUERY_CHOICES_MAX)
            return ERR_INPUT;
        char letter = (char)('A' + count);
        if (v.type == JSON_OBJECT && !json_string_equal(key, (struct str){&letter, 1}))
            return ERR_INPUT;
        enum status status = question_field_text(item, a, &choices[count]);
        if (status != OK)
            return status;
    }
    *ret_count = count;
    return OK;
}

enum status question_field_choices(struct json_value v, bool unlike, struct arena *a,
                                   struct query *q)
{
    struct str choices[QUERY_CHOICES_MAX];
    uint32_t count;
    if (json_get(v, "text").type == JSON_ARRAY) /* texts beside their labels */
        v = json_get(v, "text");
    if (v.type != JSON_ARRAY && v.type != JSON_OBJECT)
        return ERR_INPUT;
    enum status status = choices_gather(v, a, choices, &count);
    if (status != OK)
        return status;
    take_letters_off(choices, count);
    if (!are_usable(choices, count, unlike))
        return ERR_INPUT;
    return query_choices_keep(q, choices, count, a);
}

/* Messages */

/* The texts of a message's parts, one a line. */
static enum status parts_text(struct json_value parts, struct arena *a, struct str *ret)
{
    struct buf joined;
    struct json_iter it = json_iter_begin(parts);
    enum status status = OK;
    buf_init(&joined, parts.raw.len + 1);
    for (struct json_value part; status == OK && json_array_next(&it, &part);) {
        struct str text;
        struct json_value v = json_get(part, "text");
        if (v.type != JSON_STRING)
            continue;
        status = json_string_decode(v, a, &text);
        if (status != OK)
            break;
        if (joined.len > 0)
            buf_add_char(&joined, '\n');
        buf_add(&joined, text);
    }
    struct str kept = arena_copy(a, str_trim(buf_str(&joined)));
    if (status == OK && (buf_status(&joined, NULL) != OK || !kept.ptr))
        status = ERR_MEMORY;
    if (status == OK && kept.len == 0)
        status = ERR_INPUT;
    buf_done(&joined);
    if (status == OK)
        *ret = kept;
    return status;
}

enum status question_field_messages(struct json_value v, struct arena *a, struct str *ret)
{
    struct json_value last = {0};
    struct json_iter it = json_iter_begin(v);
    if (v.type != JSON_ARRAY)
        return ERR_INPUT;
    for (struct json_value m; json_array_next(&it, &m);)
        if (json_string_equal(json_get(m, "role"), STR("user")))
            last = json_get(m, "content");
    if (last.type == JSON_ARRAY)
        return parts_text(last, a, ret);
    return last.type == JSON_STRING ? question_field_text(last, a, ret) : ERR_INPUT;
}
