/* Finding the members of a completion. */
#include "dialect/openai_completion.h"

#include <stddef.h>
#include <string.h>

void openai_completion_read(struct json_value root, struct openai_completion *ret)
{
    static const struct {
        struct str name;
        size_t offset;
    } members[] = {
#define MEMBER(name) {{#name, sizeof(#name) - 1}, offsetof(struct openai_completion, name)}
        MEMBER(id),      MEMBER(created),      MEMBER(model),
        MEMBER(choices), MEMBER(usage),        MEMBER(system_fingerprint),
        MEMBER(leeroo),  MEMBER(service_tier), MEMBER(error),
#undef MEMBER
    };
    struct json_iter it = json_iter_begin(root);
    struct json_value key, item;
    memset(ret, 0, sizeof(*ret));
    while (root.type == JSON_OBJECT && json_object_next(&it, &key, &item))
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
            if (json_string_equal(key, members[i].name)) {
                *(struct json_value *)((char *)ret + members[i].offset) = item;
                break;
            }
}

struct json_value openai_choice_of(struct json_value choices)
{
    struct json_value choice;
    struct json_iter it = json_iter_begin(choices);
    while (choices.type == JSON_ARRAY && json_array_next(&it, &choice)) {
        struct json_value index = json_get(choice, "index");
        if (choice.type == JSON_OBJECT && (!json_is_set(index) || str_equal(index.raw, STR("0"))))
            return choice;
    }
    return (struct json_value){0};
}

struct json_value openai_choice_first(struct json_value completion)
{
    return openai_choice_of(json_get(completion, "choices"));
}
