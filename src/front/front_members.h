/* Private to front/front_*.c: what fronts share. A request is read by a table of the members it may have; what is not
 * in the table is refused by its name or, in a lenient front, left out and named: nothing is left out in silence.
 * Values are carried as the bytes they are. The inside of a JSON string is never decoded: two escaped texts joined are
 * the joined text, escaped. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "front/front.h"

#define FRONT_PARAM_BYTES_MAX 64
#define FRONT_MEMBERS_MAX     64   /* rows of a table */
#define FRONT_BODY_GROWTH     4    /* a translated request is at most so many times as long, ... */
#define FRONT_BODY_SPARE      8192 /* ... and this */

struct front_reader {
    struct arena *a;
    const char *param; /* of the field at fault */
    struct error *err;
    bool lenient; /* unknown members are left out and named in `dropped` */
    struct dropped dropped;
};

enum front_use {
    FRONT_READ,   /* the front looks at it */
    FRONT_CARRY,  /* chat has it under the same name, with the same meaning */
    FRONT_ACCEPT, /* changes no answer, and is left out */
    FRONT_DROP,   /* a wish that nobody here can grant, which is left out and named */
    FRONT_REFUSE, /* another API's, so that the answer would not be what was meant */
};

#define FRONT_TYPE(type) (1u << (type))
#define FRONT_FLAG       (FRONT_TYPE(JSON_TRUE) | FRONT_TYPE(JSON_FALSE))

struct front_member {
    const char *name;
    enum front_use use;
    unsigned types; /* of FRONT_TYPE; 0: any. null is always fine and counts as absent */
};

/* The members of `object` into fields[count], in the table's order. `place` is what it is called ("text"), or NULL
 * for the request itself. ERR_UNSUPPORTED: a member that the table does not have, or refuses. */
NODISCARD enum status front_members_read(struct front_reader *x, struct json_value object,
                                         const char *place, const struct front_member *table,
                                         size_t count, struct json_value *fields);
/* `,"name":value` for each FRONT_CARRY that is there. */
void front_members_carry(const struct front_member *table, size_t count,
                         const struct json_value *fields, struct buf *out);

/* "PARAM what": ERR_INPUT and ERR_UNSUPPORTED. `param` must outlive the arena or be a copy in it. */
enum status front_bad(struct front_reader *x, const char *param, const char *what);
enum status front_refuse(struct front_reader *x, const char *param, const char *what);

/* A buffer that lives as long as the arena, for the translation of `body`. ERR_MEMORY. */
NODISCARD enum status front_body_create(struct arena *a, struct str body, struct buf **ret,
                                        struct error *err);

typedef enum status front_write_fn(struct front_reader *x, const struct json_value *fields,
                                   struct buf *out);
struct front_table {
    const struct front_member *rows;
    size_t count;
    bool lenient;
    front_write_fn *write;
};
/* front_request by a table and a writer: reads the members, and `write` makes a chat completion's body of them. */
NODISCARD enum status front_translate(struct str body, struct arena *a,
                                      const struct front_table *table, struct front_chat *ret,
                                      const char **ret_param, struct error *err);

/* `,"name":value`; nothing when absent. */
void front_write_member(struct buf *out, const char *name, struct json_value value);
/* `,"name":value`, or `otherwise` when absent or null. */
void front_write_or(struct buf *out, const char *name, struct json_value value,
                    const char *otherwise);
/* A chat message's content, text or parts with text, as the inside of one JSON string. */
void front_write_content(struct buf *out, struct json_value content);

/* Around data written on one line. `name` may be NULL. */
void front_event_begin(struct buf *out, const char *name);
void front_event_end(struct buf *out);
