/* The mark that says which expert reasoning came from. */
#include "dialect/reasoning_mark.h"

#define PREFIX STR("leeroo:")

void reasoning_mark_write(struct buf *out, struct str expert, struct str rest)
{
    buf_add(out, PREFIX);
    buf_addf(out, "%zu:%.*s", expert.len, STR_FMT(expert));
    buf_add(out, rest);
}

bool reasoning_mark_is(struct str text)
{
    return str_starts(text, PREFIX);
}

bool reasoning_mark_read(struct str mark, struct str *ret_expert, struct str *ret_rest)
{
    int64_t len = 0;
    if (!str_starts(mark, PREFIX))
        return false;
    struct str rest = str_slice(mark, PREFIX.len, mark.len);
    struct str digits = str_split(&rest, ':');
    if (str_to_int64(digits, &len) != OK || len < 0 || (uint64_t)len > rest.len)
        return false;
    *ret_expert = str_slice(rest, 0, (size_t)len);
    *ret_rest = str_slice(rest, (size_t)len, rest.len);
    return true;
}
