/* An answer has two forms, whole and a stream of events. Where a server sends the one though the other was asked for,
 * it is turned into that: what comes out says the same, down to members that nobody here knows. */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef void forms_event_fn(void *arg, struct str name, struct str data);

struct forms {
    /* Events become a whole answer. create: NULL where there is no memory. add: the data of an event, a JSON object.
     * write: ERR_TOO_LARGE, ERR_MEMORY, and ERR_UPSTREAM where there was no answer in them. */
    void *(*create)(size_t bytes_max);
    void (*free)(void *gathered); /* NULL is fine */
    void (*add)(void *gathered, struct str data);
    enum status (*write)(const void *gathered, struct buf *out, struct error *err);
    /* A whole answer becomes events, down to the one that ends a stream. Of what is no answer none are made. Names are
     * empty where the API has none. */
    void (*split)(struct str answer, forms_event_fn *on_event, void *arg);
    const char *last_name, *last_data; /* of the event that ends a stream */
};

extern const struct forms openai_forms;    /* chat completions and their chunks */
extern const struct forms anthropic_forms; /* messages and their events */
