/* Reading a task by the texts of its family: see program.h. The texts of all families are tried; none is the beginning
 * of another up to its full stop. */
#include "rehearse/program.h"

#include <string.h>

#include "base/check.h"
#include "rehearse/program_int.h"

size_t program_family_count(void)
{
    return program_simple_family_count + program_middle_family_count + program_hard_family_count;
}

const struct program_family *program_family_at(size_t index)
{
    CHECK(index < program_family_count());
    if (index < program_simple_family_count)
        return &program_simple_families[index];
    index -= program_simple_family_count;
    if (index < program_middle_family_count)
        return &program_middle_families[index];
    return &program_hard_families[index - program_middle_family_count];
}

/* The argument that "@N" of a pattern names. */
static size_t arg_at(const char *sign)
{
    return (size_t)(sign[1] - '1');
}

size_t program_bug_count(const struct program_family *f)
{
    size_t count = 0;
    while (count < PROGRAM_BUGS && f->bugs[count])
        count++;
    return count;
}

/* The text up to the pattern's next "@", or its end, begins `rest`; takes both away. */
static bool take_literal(const char **pattern, struct str *rest)
{
    const size_t len = strcspn(*pattern, "@");
    if (!str_starts(*rest, (struct str){*pattern, len}))
        return false;
    *rest = str_slice(*rest, len, rest->len);
    *pattern += len;
    return true;
}

static bool take_arg(const char **pattern, struct str *rest, struct program_ask *ask)
{
    const char *behind = *pattern + 2;
    const struct str stop = {behind, strcspn(behind, "@")};
    const size_t end = stop.len ? str_find(*rest, stop, 0) : rest->len;
    char *arg = ask->args[arg_at(*pattern)];
    if (end == SIZE_MAX || end == 0 || end >= PROGRAM_ARG_BYTES)
        return false;
    memcpy(arg, rest->ptr, end);
    arg[end] = '\0';
    *rest = str_slice(*rest, end, rest->len);
    *pattern = behind;
    return true;
}

static bool matches(const char *pattern, struct str task, struct program_ask *ask)
{
    memset(ask->args, 0, sizeof(ask->args));
    while (take_literal(&pattern, &task)) {
        if (*pattern == '\0')
            return task.len == 0;
        if (!take_arg(&pattern, &task, ask))
            return false;
    }
    return false;
}

bool program_read(struct str question, struct program_ask *ret)
{
    const struct str introduces = STR(PROGRAM_INTRODUCES);
    const size_t at = str_find(question, introduces, 0);
    if (at == SIZE_MAX)
        return false;
    struct str rest = str_slice(question, at + introduces.len, question.len);
    const struct str task = str_slice(rest, 0, str_find(rest, STR("."), 0));
    for (size_t f = 0; f < program_family_count(); f++)
        for (size_t t = 0; t < PROGRAM_TEXTS; t++) {
            ret->family = program_family_at(f);
            if (matches(ret->family->texts[t], task, ret))
                return true;
        }
    return false;
}

void program_write(const struct program_ask *ask, const char *pattern, struct buf *out)
{
    for (;;) {
        const size_t len = strcspn(pattern, "@");
        buf_add(out, (struct str){pattern, len});
        if (pattern[len] == '\0')
            return;
        buf_add_c(out, ask->args[arg_at(pattern + len)]);
        pattern += len + 2;
    }
}
