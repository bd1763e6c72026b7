/* What the gateway knows of a path: who is let in, and who answers. Its own are in path.c; folders above serve bring
 * theirs (struct gateway_above). A new one is a row of such a table and a handler, and one path may have several rows,
 * a method each. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "front/front.h"
#include "keys/caller.h"
#include "net/http_server.h"

struct worker;

enum path_admission {
    ADMISSION_USUAL,   /* a key; of a POST also its rates and budgets, for it may ask an expert */
    ADMISSION_KEY,     /* a key: what costs nothing */
    ADMISSION_METRICS, /* a key of that role, which is let in nowhere else; or an admin key */
    ADMISSION_ADMIN,   /* an admin key */
    ADMISSION_PAGE,    /* nobody is asked, but strange names and origins are turned away */
    ADMISSION_OPEN,    /* nobody is asked */
};

struct path {
    const char *path;
    bool prefix;        /* the path and everything below it */
    const char *method; /* GET stands for HEAD, too */
    enum path_admission admission;
    enum front words; /* of errors: those of the API that it belongs to */
    /* On the worker's loop; it may not wait. `caller` is in the exchange's arena. */
    void (*handle)(struct worker *, struct http_exchange *, struct caller *);
};

struct path_table {
    const struct path *rows;
    size_t count;
};

/* The row that takes the method, or else one of the same path. NULL: no row has it, and it needs all that
 * ADMISSION_USUAL asks. `more` are those from above. */
const struct path *path_find(const struct path_table *more, struct str path, struct str method);
bool path_takes(const struct path *path, struct str method);
bool path_takes_body(const struct path *path);
/* All methods of all rows that have this one's path, as the header `allow` lists them: "GET, HEAD, POST". */
void path_methods(const struct path_table *more, const struct path *path, struct buf *out);
/* The API whose words clients of `path` expect; also of a path below a row's, or that was cut at a limit. */
enum front path_words(struct str path);
