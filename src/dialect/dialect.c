/* The table of dialects. */
#include "dialect/dialect.h"

#define DIALECT_POINT(name) &dialect_##name,
static const struct dialect *const rows[DIALECT_COUNT] = {DIALECTS(DIALECT_POINT)};

const struct dialect *dialect_find(struct str name)
{
    for (size_t i = 0; i < DIALECT_COUNT; i++)
        if (str_equal(name, str_from(rows[i]->name)))
            return rows[i];
    return NULL;
}

void dialect_list(struct buf *out)
{
    for (size_t i = 0; i < DIALECT_COUNT; i++)
        buf_addf(out, "%s%s", i == 0 ? "" : i + 1 == DIALECT_COUNT ? " or " : ", ", rows[i]->name);
}

size_t dialect_header_count(const struct dialect *row)
{
    size_t count = 0;
    while (count < DIALECT_HEADERS_MAX && row->headers[count].name.len > 0)
        count++;
    return count;
}
