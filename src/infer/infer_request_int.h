/* Private to infer/infer_request*.c. */
#pragma once

#include "infer/infer_request.h"

struct request_reader {
    struct infer_request *r;
    struct arena *arena;
    struct json_value root;
    const char *param; /* that is being read, for errors */
    struct error *err;
};

enum request_choice { /* of tools */
                      REQUEST_TOOLS_NONE,
                      REQUEST_TOOLS_AUTO,
                      REQUEST_TOOLS_REQUIRED
};

struct request_tools {
    enum request_choice choice;
    struct json_value functions[INFER_TOOLS_MAX]; /* that may be called */
    size_t count;
    struct json_value all; /* the list, as the model is told of it; JSON_NONE: of none */
    bool once;             /* at most one call */
};

enum status request_fail(struct request_reader *x, enum status status, const char *what);
/* A copy in the arena, ending in NUL. ERR_MEMORY. */
NODISCARD enum status request_keep(struct request_reader *x, const struct buf *text,
                                   const char **ret);

/* infer_tools.c. tools, tool_choice, parallel_tool_calls. */
NODISCARD enum status request_read_tools(struct request_reader *x, struct request_tools *ret);
/* What a system message says of tools. */
void request_write_tools(const struct request_tools *t, struct buf *out);
/* The calls of an assistant's message, and a tool's result, as the model sees them. */
NODISCARD enum status request_write_calls(struct request_reader *x, struct json_value calls,
                                          struct buf *out);
void request_write_result(struct str text, struct buf *out);
/* response_format and tools → r->grammar, r->calls_grammar. */
NODISCARD enum status request_read_form(struct request_reader *x, const struct request_tools *t);

/* infer_messages.c: r->messages. */
NODISCARD enum status request_read_messages(struct request_reader *x,
                                            const struct request_tools *t);
