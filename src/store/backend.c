/* Which database a store's name means. */
#include "store/backend.h"

enum status backend_create(const char *store, struct backend **ret, struct error *err)
{
    struct str name = str_from(store);
    if (str_starts(name, STR("postgresql://")) || str_starts(name, STR("postgres://")))
        return postgres_backend_create(store, ret, err);
    return sqlite_backend_create(store, ret, err);
}

enum status backend_connect(struct backend *b, bool write, struct error *err)
{
    if (b->connected && b->ops->look)
        b->ops->look(b);
    if (b->connected)
        return OK;
    enum status status = b->ops->connect(b, write, err);
    b->connected = status == OK;
    return status;
}

void backend_free(struct backend *b)
{
    if (b)
        b->ops->free(b);
}
