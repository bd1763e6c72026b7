/* logfmt lines made of events; log_json.c makes JSON of them on demand, log_writer.c brings them to standard error.
 *
 * Any thread may log. The only state is threshold and format and, for each thread, the date of the current second.
 * Whatever a line ends up with, it is made printable as a whole before it leaves: values that nobody quoted may come
 * from clients. Not from a signal's handler: it formats, and it takes the writer's lock. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/log_json.h"
#include "base/log_writer.h"

#define LINE_BYTES    LOG_LINE_BYTES
#define MESSAGE_BYTES 300

static atomic_int threshold = LOG_INFO, log_format = LOG_TEXT;
static const char *const names[] = {"debug", "info", "warn", "error", "off"};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&threshold, memory_order_relaxed);
}

enum status log_level_parse(struct str name, enum log_level *ret)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_equal(name, str_from(names[i]))) {
            *ret = (enum log_level)i;
            return OK;
        }
    return ERR_INPUT;
}

void log_set_format(enum log_format format)
{
    atomic_store_explicit(&log_format, (int)format, memory_order_relaxed);
}

enum status log_format_parse(struct str name, enum log_format *ret)
{
    bool is_json = str_equal(name, STR("json"));
    if (!is_json && !str_equal(name, STR("text")))
        return ERR_INPUT;
    *ret = is_json ? LOG_JSON : LOG_TEXT;
    return OK;
}

/* Whether it may stand without quotes, and, quoted or not, without any escape. */
static void look_at(struct str value, bool *ret_bare, bool *ret_plain)
{
    bool bare = value.len > 0, plain = true;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bare = bare && (unsigned char)c > 0x20 && c != '"' && c != '=' && c != '\\';
        plain = plain && c != '"' && c != '\\';
    }
    *ret_plain = plain && utf8_printable(value);
    *ret_bare = bare && *ret_plain;
}

/* One character, or a byte that is none: as it is, escaped, or as \xNN. Control characters become blanks. */
static size_t quote_next(struct str value, size_t *at, char into[8])
{
    size_t from = *at;
    uint32_t c = utf8_next(value, at);
    struct str bytes = str_slice(value, from, *at);
    if (bytes.len == 1 && (unsigned char)*bytes.ptr >= 0x80)
        return (size_t)snprintf(into, 8, "\\x%02x", (unsigned char)*bytes.ptr);
    if (c == '"' || c == '\\')
        return (size_t)snprintf(into, 8, "\\%c", (char)c);
    return utf8_make_printable(into, 8, bytes);
}

/* In one piece: what was written, what is left to be and the room for it must agree at every step. */
void log_quote(char *into, size_t size, struct str value)
{
    bool bare, plain;
    size_t at = 0, n = 0;
    look_at(value, &bare, &plain);
    if (size < 8) { /* no room for quotes, an escape and an end */
        if (size)
            into[0] = 0;
        return;
    }
    if (!bare)
        into[n++] = '"';
    if (plain && value.len + 2 < size - n) { /* nearly always */
        memcpy(into + n, value.ptr, value.len);
        n += value.len;
        at = value.len;
    }
    while (at < value.len) {
        char piece[8];
        size_t len = quote_next(value, &at, piece);
        if (n + len + 2 > size)
            break;
        memcpy(into + n, piece, len);
        n += len;
    }
    if (!bare)
        into[n++] = '"';
    into[n] = 0;
}

/* The beginning of a line. Date and time are formatted once a second in each thread, since that costs most. */
static size_t stamp(char *line, enum log_level level)
{
    static _Thread_local char date[32];
    static _Thread_local time_t second = -1;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != second) {
        struct tm utc;
        gmtime_r(&now.tv_sec, &utc);
        if (strftime(date, sizeof(date), "ts=%Y-%m-%dT%H:%M:%S.", &utc) == 0)
            date[0] = 0; /* a year of five digits */
        second = now.tv_sec;
    }
    unsigned ms = (unsigned)(now.tv_nsec / 1000000);
    const char digits[] = {(char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
                           (char)('0' + ms % 10), 0};
    const char *const parts[] = {date, digits, "Z level=", names[level], " msg="};
    char *at = line;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        at = stpcpy(at, parts[i]);
    return (size_t)(at - line);
}

/* Writes the line up to the place where its fields begin. */
static size_t begin(char line[LINE_BYTES], enum log_level level, const char *msg)
{
    CHECK(level < LOG_OFF);
    size_t n = stamp(line, level);
    log_quote(line + n, MESSAGE_BYTES, str_from(msg));
    return n + strlen(line + n);
}

/* Ends the line; returns its length. What was cut, or not quoted where it had to be, is made fit to be shown. */
static size_t end(char line[LINE_BYTES], size_t n)
{
    CHECK(n < LINE_BYTES);
    char shown[LINE_BYTES];
    const struct str all = {line, n};
    if (!utf8_printable(all)) {
        n = utf8_make_printable(shown, sizeof(shown), all);
        memcpy(line, shown, n);
    }
    if (atomic_load_explicit(&log_format, memory_order_relaxed) == LOG_JSON) {
        n = log_json_write(shown, sizeof(shown) - 1, (struct str){line, n});
        memcpy(line, shown, n);
    }
    line[n++] = '\n';
    return n;
}

__attribute__((format(printf, 4, 0))) static size_t line_of(char line[LINE_BYTES],
                                                            enum log_level level, const char *msg,
                                                            const char *fields, va_list args)
{
    size_t n = begin(line, level, msg);
    if (*fields) {
        line[n++] = ' ';
        vsnprintf(line + n, LINE_BYTES - n - 1, fields, args);
        n += strlen(line + n);
    }
    return end(line, n);
}

size_t log_line(char *line, enum log_level level, const char *msg, const char *fields, ...)
{
    va_list args;
    va_start(args, fields);
    size_t n = line_of(line, level, msg, fields, args);
    va_end(args);
    return n;
}

void log_event(enum log_level level, const char *msg, const char *fields, ...)
{
    if (!log_enabled(level))
        return;
    char line[LINE_BYTES];
    va_list args;
    va_start(args, fields);
    size_t n = line_of(line, level, msg, fields, args);
    va_end(args);
    log_write((struct str){line, n});
}

void log_fields(enum log_level level, const char *msg, struct str fields)
{
    if (!log_enabled(level))
        return;
    char line[LINE_BYTES];
    size_t n = begin(line, level, msg);
    fields = str_slice(fields, 0, sizeof(line) - n - 2);
    if (fields.len > 0) {
        line[n++] = ' ';
        memcpy(line + n, fields.ptr, fields.len);
        n += fields.len;
    }
    log_write((struct str){line, end(line, n)});
}
