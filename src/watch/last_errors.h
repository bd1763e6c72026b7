/* The last requests that failed, for whoever looks. A failure is noted on its way, under a lock that is held for a
 * copy; a request that went well touches nothing here. */
#pragma once

#include "base/buf.h"
#include "base/name.h"
#include "watch/record.h"

#define LAST_ERRORS_MAX        20
#define LAST_ERRORS_TEXT_BYTES 200 /* of a message; longer ones are cut */

struct last_errors;

struct last_error {
    int64_t at_ms;
    int http_status;
    char id[RECORD_ID_BYTES], expert[NAME_BYTES_MAX + 1], message[LAST_ERRORS_TEXT_BYTES + 1];
};

struct last_errors *last_errors_create(void); /* NULL: no memory */
void last_errors_free(struct last_errors *e); /* NULL is fine */

/* Of a record that has ended: notes it if an expert was asked and failed, or if it was refused as no fault of the
 * client's. Any thread. */
void last_errors_note(struct last_errors *e, const struct record *r);
/* The newest first; returns how many. Any thread. */
size_t last_errors_read(struct last_errors *e, struct last_error into[LAST_ERRORS_MAX]);
