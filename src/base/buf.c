/* Growing bytes; see buf.h for the sticky failure. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define FIRST_CAPACITY 64

void buf_init(struct buf *b, size_t limit)
{
    *b = (struct buf){.limit = limit};
}

void buf_done(struct buf *b)
{
    free(b->ptr);
    buf_init(b, b->limit);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->status = OK;
    if (b->ptr)
        b->ptr[0] = 0;
}

static bool grow(struct buf *b, size_t need)
{
    size_t capacity = b->capacity ? b->capacity : FIRST_CAPACITY;
    while (capacity < need)
        capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
    char *ptr = realloc(b->ptr, capacity);
    if (!ptr) {
        b->status = ERR_MEMORY;
        return false;
    }
    b->ptr = ptr;
    b->capacity = capacity;
    return true;
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->status != OK)
        return NULL;
    DEBUG_CHECK(b->len <= b->limit);
    if (n > b->limit - b->len || n > SIZE_MAX / 2 - b->len) {
        b->status = ERR_TOO_LARGE;
        return NULL;
    }
    if (b->len + n + 1 > b->capacity && !grow(b, b->len + n + 1))
        return NULL;
    return b->ptr + b->len;
}

void buf_add(struct buf *b, struct str s)
{
    char *at = buf_reserve(b, s.len);
    if (!at)
        return;
    if (s.len)
        memcpy(at, s.ptr, s.len);
    b->len += s.len;
    b->ptr[b->len] = 0;
}

void buf_add_c(struct buf *b, const char *c_string)
{
    buf_add(b, str_from(c_string));
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, (struct str){&c, 1});
}

void buf_add_int(struct buf *b, int64_t value)
{
    char digits[20], *at = digits + sizeof(digits);
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        *--at = '-';
    buf_add(b, (struct str){at, (size_t)(digits + sizeof(digits) - at)});
}

/* Formats into the room that is there, and a second time only when that was too small. */
void buf_addf(struct buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    bool usable = b->status == OK && b->capacity > b->len;
    size_t room = usable ? b->capacity - b->len : 0;
    int n = vsnprintf(usable ? b->ptr + b->len : NULL, room, format, args);
    va_end(args);
    CHECK(n >= 0);
    bool fits = (size_t)n < room && (size_t)n <= b->limit - b->len;
    if (usable && !fits)
        b->ptr[b->len] = 0; /* the text that was cut off is taken back */
    if (!fits && buf_reserve(b, (size_t)n)) {
        vsnprintf(b->ptr + b->len, (size_t)n + 1, format, again);
        fits = true;
    }
    if (fits)
        b->len += (size_t)n;
    va_end(again);
}

struct str buf_str(const struct buf *b)
{
    return (struct str){b->ptr, b->len};
}

enum status buf_status(const struct buf *b, struct error *err)
{
    if (b->status == ERR_TOO_LARGE)
        return error_set(err, ERR_TOO_LARGE, "more than %zu bytes", b->limit);
    if (b->status == ERR_MEMORY)
        return error_set(err, ERR_MEMORY, "out of memory");
    return b->status;
}

char *buf_take(struct buf *b)
{
    char *ptr = b->len ? b->ptr : NULL;
    if (!ptr)
        free(b->ptr);
    buf_init(b, b->limit);
    return ptr;
}
