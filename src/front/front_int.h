/* Private to front/front_*.c: the row that a front's file defines. A stream's state lives in the arena given to
 * `begin`; buffers in it are released by arena_defer. */
#pragma once

#include "front/front.h"

#define FRONT_ERROR_BYTES_MAX (16u << 10)

struct front_row {
    const char *name;
    const struct dialect *native; /* as for front_dialect */
    enum dialect_errors errors;   /* that the front's clients read */
    bool streams_overflow;        /* as for front_streams_overflow */
    enum status (*request)(struct str body, struct arena *a, struct front_chat *ret,
                           const char **ret_param, struct error *err);
    enum status (*answer)(const struct front_context *c, struct str completion, struct buf *out,
                          struct error *err);
    void *(*begin)(const struct front_context *c,
                   struct arena *a); /* NULL: a stream has no state */
    void (*event)(void *state, struct str data, struct buf *out);
    void (*end)(void *state, struct buf *out);
    void (*fail)(void *state, const struct front_error *e, struct buf *out);
    void (*error)(const struct front_error *e, struct buf *out);
};

extern const struct front_row front_completions, front_responses, front_messages;

/* "event: NAME" (when given) and the data as server-sent event. */
void front_write_event(struct buf *out, const char *event, struct str data);
