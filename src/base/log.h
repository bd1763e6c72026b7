/* logfmt on standard error, one line per event: `ts=... level=info msg="..." key=value`, or the same as one JSON object
 * (base/log_json.h). Every line is UTF-8 without control characters, whatever the values hold. Thread-safe;
 * base/log_writer.h says how lines get there. Library code returns errors and does not log; watch, serve, rehearse,
 * play and cli do. Prompts and secrets are never logged. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };
enum log_format { LOG_TEXT, LOG_JSON };

void log_set_level(enum log_level level); /* default LOG_INFO */
bool log_enabled(enum log_level level);
NODISCARD enum status log_level_parse(struct str name, enum log_level *ret);
void log_set_format(
    enum log_format format); /* default LOG_TEXT; any thread, from the next line on */
NODISCARD enum status log_format_parse(struct str name, enum log_format *ret); /* "text", "json" */
/* `fields` is a printf format of ready logfmt pairs, or "": log_event(LOG_INFO, "listening", "addr=%s", a) */
void log_event(enum log_level level, const char *msg, const char *fields, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with fields that have been formatted already. */
void log_fields(enum log_level level, const char *msg, struct str fields);
/* The line of an event, for whoever writes it himself: at most LOG_LINE_BYTES, the newline included. */
size_t log_line(char *line, enum log_level level, const char *msg, const char *fields, ...)
    __attribute__((format(printf, 4, 5)));
/* Quotes and escapes a value for logfmt where it needs it; bytes that are no UTF-8 become \xNN. */
void log_quote(char *into, size_t size, struct str value);
