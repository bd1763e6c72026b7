/* Prompt → text and choices. */
#include "route/prompt_choices.h"

/* How the letter of a choice is written: what stands before and behind it. */
struct style {
    struct str before, behind;
};

static const struct style styles[] = {
    {{"", 0}, {". ", 2}},
    {{"", 0}, {") ", 2}},
    {{"(", 1}, {") ", 2}},
};

/* Bytes of the mark of choice `index` at the beginning of a line; 0: it is none. */
static size_t mark_bytes(const struct style *s, uint32_t index, struct str line)
{
    size_t letter = s->before.len;
    if (!str_starts(line, s->before) || line.len <= letter ||
        line.ptr[letter] != (char)('A' + index) ||
        !str_starts(str_slice(line, letter + 1, line.len), s->behind))
        return 0;
    return letter + 1 + s->behind.len;
}

/* Where the next line behind `at` begins that carries the mark of choice `index`; SIZE_MAX: none. */
static size_t next_mark(const struct style *s, uint32_t index, struct str prompt, size_t at)
{
    while ((at = str_find(prompt, STR("\n"), at)) != SIZE_MAX)
        if (mark_bytes(s, index, str_slice(prompt, ++at, prompt.len)))
            return at;
    return SIZE_MAX;
}

/* The line of the last choice A; SIZE_MAX: none. */
static size_t last_list(const struct style *s, struct str prompt)
{
    size_t last = mark_bytes(s, 0, prompt) ? 0 : SIZE_MAX;
    for (size_t at = 0; (at = next_mark(s, 0, prompt, at)) != SIZE_MAX;)
        last = at;
    return last;
}

/* The choices from the line at `at` on; returns how many. */
static uint32_t read_choices(const struct style *s, struct str prompt, size_t at,
                             struct str choices[QUERY_CHOICES_MAX])
{
    uint32_t count = 0;
    while (at != SIZE_MAX && count < QUERY_CHOICES_MAX) {
        size_t from = at + mark_bytes(s, count, str_slice(prompt, at, prompt.len));
        at = next_mark(s, count + 1, prompt, from);
        size_t end = at == SIZE_MAX ? str_find(prompt, STR("\n\n"), from) : at - 1;
        choices[count++] = str_slice(prompt, from, end);
    }
    return count;
}

enum status plan_query_read(struct str prompt, struct arena *a, struct query *ret,
                            struct error *err)
{
    struct query q = {.text = prompt, .prompt = prompt};
    for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]) && q.choice_count == 0; i++) {
        struct str found[QUERY_CHOICES_MAX];
        size_t at = last_list(&styles[i], prompt);
        uint32_t count = at == SIZE_MAX ? 0 : read_choices(&styles[i], prompt, at, found);
        if (count < 2)
            continue;
        struct str *kept = ARENA_ARRAY(a, count, struct str);
        if (!kept)
            return error_set(err, ERR_MEMORY, "out of memory for a question");
        for (uint32_t k = 0; k < count; k++)
            kept[k] = found[k];
        q.choices = kept;
        q.choice_count = count;
        q.text = str_slice(prompt, 0, at == 0 ? 0 : at - 1);
    }
    *ret = q;
    return OK;
}
