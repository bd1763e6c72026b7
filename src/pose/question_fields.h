/* What people and models call the parts of a question, found in one JSON object. */
#pragma once

#include "base/json.h"
#include "pose/posed.h"

struct question_fields {
    struct json_value text, messages, reference, choices, kind, level, rationale, domain, task, id,
        check;
};

void question_fields_find(struct json_value object, struct question_fields *ret);
/* A string, or a number, true or false as it is spelled; empty when absent or null. ERR_INPUT otherwise. */
NODISCARD enum status question_field_text(struct json_value v, struct arena *a, struct str *ret);
/* A list of texts, an object whose members are letters in their order and texts, or {"text": [...]}; letters that texts
 * begin with in their order ("A. ", "B) ") are taken off. ERR_INPUT when it is none of these, a text is empty, there
 * are fewer than two or more than QUERY_CHOICES_MAX, or, where they must be `unlike`, two are the same. */
NODISCARD enum status question_field_choices(struct json_value v, bool unlike, struct arena *a,
                                             struct query *q);
/* The content of the last message of the user: a string, or the texts of its parts. ERR_INPUT when there is none. */
NODISCARD enum status question_field_messages(struct json_value v, struct arena *a,
                                              struct str *ret);
