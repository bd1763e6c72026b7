/* The operator's page: its files, compiled in. They hold nothing of anybody; what the page shows it asks of /v1/admin/.
 * All is constant, any thread. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

#define WEB_FILE_TAG_BYTES 20

struct web_file {
    const char *path; /* where the page is served: "/", "/ui/app.js" */
    const char *content_type;
    struct str bytes;
    char tag[WEB_FILE_TAG_BYTES]; /* of these bytes, in quotes, as the header etag has it */
};

size_t web_file_count(void);
struct web_file web_file_at(size_t index); /* below the count */
/* False: there is no such file. */
bool web_file_find(struct str path, struct web_file *ret);
/* Whether the client's if-none-match, which may be a list, names these bytes. */
bool web_file_is_known(const struct web_file *file, struct str if_none_match);
