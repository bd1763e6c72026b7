/* What a request wished for and did not get, because no expert here or not the chosen one can do it: a list of names
 * that the gateway tells the client (x-leeroo-dropped) and the log (dropped=). It is for wishes that change how an
 * answer comes about (caching, effort, an optional tool), not for members without effect, and not for what would make
 * an answer wrong: that is refused. A plain value of fixed size. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define DROPPED_BYTES_MAX 200 /* of the whole list; what is beyond is "more" */
#define DROPPED_NAME_MAX  48

struct dropped {
    size_t len;
    bool full;                    /* "more" was written; nothing may follow */
    char text[DROPPED_BYTES_MAX]; /* "context_management,tools.web_search", without a final zero */
};

/* Adds PLACE.NAME, or NAME where place is NULL, once however often it is told. `name` may be any bytes, as a client
 * sent them: all but letters, digits, '_', '-', '.' and ':' become '_', and what is beyond DROPPED_NAME_MAX is cut. */
void dropped_add(struct dropped *d, const char *place, struct str name);
/* All names of `more`. */
void dropped_join(struct dropped *d, const struct dropped *more);
/* The names with commas between; valid for as long as *d. */
struct str dropped_text(const struct dropped *d);
