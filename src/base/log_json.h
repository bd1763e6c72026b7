/* A line of the log as one JSON object, made of the same line in logfmt (base/log.h), so that both formats always have
 * the same fields. Pure; allocates nothing. */
#pragma once

#include <stddef.h>

#include "base/str.h"

#define LOG_JSON_BYTES_MIN 64 /* what `size` must be at least */

/* `line` without its newline: pairs `key=value` with blanks in between, values quoted where they need it. Whatever it
 * holds, what is written is one JSON object in UTF-8 without control characters; returns its length, at most `size`.
 *
 * A value without quotes that is a number becomes one, except for names and ids, which always are strings
 * ("model", "expert", "req" ...). A second value for a key is left out. What has no room is cut, and `"cut":true` says
 * so. A word that belongs to no key is added to the value in front of it. */
size_t log_json_write(char *into, size_t size, struct str line);
