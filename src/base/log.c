/* logfmt lines, one write each. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

#define LINE_BYTES    2048
#define MESSAGE_BYTES 300

static atomic_int threshold = LOG_INFO;
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

void log_quote(char *into, size_t size, struct str value)
{
    bool bare = value.len > 0;
    for (size_t i = 0; i < value.len && bare; i++)
        bare = (unsigned char)value.ptr[i] > 0x20 && !strchr("\"=\\\x7f", value.ptr[i]);
    size_t at = 0;
    if (size < 8) { /* no room for quotes, an escape and an end */
        if (size)
            into[0] = 0;
        return;
    }
    if (!bare)
        into[at++] = '"';
    for (size_t i = 0; i < value.len && at + 4 < size; i++) {
        char c = value.ptr[i];
        if (c == '"' || c == '\\')
            into[at++] = '\\';
        into[at++] = (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c;
    }
    if (!bare)
        into[at++] = '"';
    into[at] = 0;
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

static void end(char line[LINE_BYTES], size_t n)
{
    CHECK(n < LINE_BYTES);
    line[n++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, n);
    (void)ignored;
}

void log_event(enum log_level level, const char *msg, const char *fields, ...)
{
    if (!log_enabled(level))
        return;
    char line[LINE_BYTES];
    size_t n = begin(line, level, msg);
    if (*fields) {
        line[n++] = ' ';
        va_list args;
        va_start(args, fields);
        vsnprintf(line + n, sizeof(line) - n - 1, fields, args);
        va_end(args);
        n += strlen(line + n);
    }
    end(line, n);
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
    end(line, n);
}
