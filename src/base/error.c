/* Formats errors once, at the place that knows what went wrong. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/str.h"

static const char *const names[STATUS_COUNT] = {
    [OK] = "ok",
    [AGAIN] = "again",
    [CLOSED] = "closed",
    [ERR_USAGE] = "usage",
    [ERR_INPUT] = "input",
    [ERR_TOO_LARGE] = "too_large",
    [ERR_AUTH] = "auth",
    [ERR_FORBIDDEN] = "forbidden",
    [ERR_NOT_FOUND] = "not_found",
    [ERR_QUOTA] = "quota",
    [ERR_RATE] = "rate",
    [ERR_BUDGET] = "budget",
    [ERR_OVERLOAD] = "overload",
    [ERR_TIMEOUT] = "timeout",
    [ERR_UPSTREAM] = "upstream",
    [ERR_IO] = "io",
    [ERR_CORRUPT] = "corrupt",
    [ERR_MEMORY] = "memory",
    [ERR_UNSUPPORTED] = "unsupported",
    [ERR_CONTEXT] = "context",
    [ERR_CANCELLED] = "cancelled",
};

/* A sentence for a person fits on one line and is UTF-8, whatever the input it quotes. */
static void flatten(char *text, size_t size)
{
    struct str all = str_from(text);
    char printable[sizeof(((struct error *)0)->text)];
    if (utf8_printable(all))
        return;
    size_t n =
        utf8_make_printable(printable, size < sizeof(printable) ? size : sizeof(printable), all);
    memcpy(text, printable, n + 1);
}

/* A text that was cut ends in "..." behind a whole character. */
static void mark_cut(char *text, size_t size)
{
    size_t end = size - sizeof("...");
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    memcpy(text + end, "...", sizeof("..."));
}

__attribute__((format(printf, 4, 0))) static void
fill(struct error *err, enum status status, int sys_errno, const char *format, va_list args)
{
    err->status = status;
    err->sys_errno = sys_errno;
    err->line = err->column = 0;
    if (vsnprintf(err->text, sizeof(err->text), format, args) >= (int)sizeof(err->text))
        mark_cut(err->text, sizeof(err->text));
    flatten(err->text, sizeof(err->text));
}

enum status(error_set)(struct error *err, enum status status, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        fill(err, status, 0, format, args);
        va_end(args);
    }
    return status;
}

enum status error_set_errno(struct error *err, enum status status, int sys_errno,
                            const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        fill(err, status, sys_errno, format, args);
        va_end(args);
        size_t len = strlen(err->text);
        snprintf(err->text + len, sizeof(err->text) - len, ": %s", strerror(sys_errno));
    }
    return status;
}

enum status error_set_at(struct error *err, enum status status, const char *place, size_t line,
                         size_t column, const char *format, ...)
{
    if (!err)
        return status;
    struct error inner;
    va_list args;
    va_start(args, format);
    fill(&inner, status, 0, format, args);
    va_end(args);
    if (column)
        error_set(err, status, "%s:%zu:%zu: %s", place, line, column, inner.text);
    else
        error_set(err, status, "%s:%zu: %s", place, line, inner.text);
    err->line = line;
    err->column = column;
    return status;
}

enum status error_prefix(struct error *err, const char *format, ...)
{
    if (!err)
        return ERR_INPUT;
    char prefix[200];
    va_list args;
    va_start(args, format);
    vsnprintf(prefix, sizeof(prefix), format, args);
    va_end(args);
    flatten(prefix, sizeof(prefix));
    struct error old = *err;
    if (snprintf(err->text, sizeof(err->text), "%s: %s", prefix, old.text) >=
        (int)sizeof(err->text))
        mark_cut(err->text, sizeof(err->text));
    return err->status;
}

enum status error_mend(struct error *err, const char *format, ...)
{
    if (!err)
        return ERR_INPUT;
    size_t len = strlen(err->text), room = sizeof(err->text) - len;
    if (room > 2) {
        va_list args;
        memcpy(err->text + len, "; ", 3);
        va_start(args, format);
        vsnprintf(err->text + len + 2, room - 2, format, args);
        va_end(args);
        flatten(err->text, sizeof(err->text));
    }
    return err->status;
}

const char *status_name(enum status status)
{
    CHECK((unsigned)status < STATUS_COUNT);
    return names[status];
}
