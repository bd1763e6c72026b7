/* One table from enum status to HTTP status and the OpenAI error body: every error a client sees is made here. */
#pragma once

#include "base/buf.h"
#include "base/error.h"
#include "front/front.h"

struct errors_row {
    int http_status;
    const char *type; /* as OpenAI names them, so that client libraries raise the right exception */
    const char *code;
};

const struct errors_row *errors_row(enum status status); /* never NULL */

/* {"error":{"message","type","param","code"}} for a status; param may be NULL, code NULL means the row's. */
void errors_write(struct buf *out, enum status status, const char *message, const char *param,
                  const char *code);
/* The row for an HTTP status of an expert's answer; type and code fit it. */
struct errors_row errors_http_row(int http_status);
/* For an HTTP status that no enum status stands behind (404 unknown path, 405, 408, 413, 431 ...), in the words of
 * the API that `path` belongs to. */
void errors_write_http(struct str path, int http_status, const char *message, struct buf *out);
