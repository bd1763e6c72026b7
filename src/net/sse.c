/* Server-sent events. Line ends are resolved first (a \r may end one piece and its \n begin the next), then whole lines
 * become fields. Lines that lie whole inside one piece are read there without copying.
 *
 * A parser belongs to one stream, so to one loop's thread. The callback runs from inside sse_feed; the slices it gets
 * die with its return, and it must not free the parser. */
#include "net/sse.h"

#include <string.h>

#include "base/check.h"

struct sse_sink {
    void (*fn)(const struct sse_event *, void *);
    void *arg;
};

void sse_init(struct sse_parser *p)
{
    *p = (struct sse_parser){.at_start = true};
    buf_init(&p->line, SSE_EVENT_BYTES_MAX);
    buf_init(&p->data, SSE_EVENT_BYTES_MAX);
    buf_init(&p->name, SSE_EVENT_BYTES_MAX);
}

void sse_done(struct sse_parser *p)
{
    buf_done(&p->line);
    buf_done(&p->data);
    buf_done(&p->name);
}

/* A blank line: the event is complete. Without any data line nothing happened (WHATWG 9.2.6). */
static void dispatch(struct sse_parser *p, struct sse_sink sink)
{
    if (p->has_data) {
        struct sse_event event = {.event = buf_str(&p->name), .data = buf_str(&p->data)};
        sink.fn(&event, sink.arg);
    }
    buf_clear(&p->data);
    buf_clear(&p->name);
    p->has_data = false;
}

static void take_field(struct sse_parser *p, struct str name, struct str value)
{
    if (str_equal(name, STR("data"))) {
        if (p->has_data)
            buf_add_char(&p->data, '\n');
        buf_add(&p->data, value);
        p->has_data = true;
    } else if (str_equal(name, STR("event"))) {
        buf_clear(&p->name);
        buf_add(&p->name, value);
    }
    /* "id" and "retry" are for reconnecting, which is not done with a model's answer. */
}

static void take_line(struct sse_parser *p, struct str line, struct sse_sink sink)
{
    const struct str mark = STR("\xEF\xBB\xBF");
    if (p->at_start && str_starts(line, mark))
        line = str_slice(line, mark.len, line.len);
    p->at_start = false;
    if (line.len == 0) {
        dispatch(p, sink);
        return;
    }
    struct str value = line;
    struct str name = str_split(&value, ':');
    if (name.len == line.len)
        value = (struct str){"", 0};
    if (value.len > 0 && value.ptr[0] == ' ')
        value = str_slice(value, 1, value.len);
    if (name.len > 0) /* else a comment */
        take_field(p, name, value);
}

static size_t line_end(struct str bytes)
{
    if (bytes.len == 0)
        return 0;
    const char *lf = memchr(bytes.ptr, '\n', bytes.len);
    size_t end = lf ? (size_t)(lf - bytes.ptr) : bytes.len;
    const char *cr = memchr(bytes.ptr, '\r', end);
    return cr ? (size_t)(cr - bytes.ptr) : end;
}

static enum status over_limit(const struct sse_parser *p, struct error *err)
{
    if (p->line.status == ERR_MEMORY || p->data.status == ERR_MEMORY ||
        p->name.status == ERR_MEMORY)
        return error_set(err, ERR_MEMORY, "out of memory for a server-sent event");
    if (p->line.status == OK && p->data.status == OK && p->name.status == OK)
        return OK;
    return error_set(err, ERR_TOO_LARGE, "a server-sent event is over %u bytes",
                     SSE_EVENT_BYTES_MAX);
}

/* Handles the line that ends at `end` of `bytes`; the line end itself is skipped by the caller. */
static void end_line(struct sse_parser *p, struct str bytes, size_t end, struct sse_sink sink)
{
    if (end > SSE_EVENT_BYTES_MAX) { /* the limit must not depend on how the bytes were cut */
        p->line.status = ERR_TOO_LARGE;
        return;
    }
    if (p->line.len == 0) {
        take_line(p, str_slice(bytes, 0, end), sink);
        return;
    }
    buf_add(&p->line, str_slice(bytes, 0, end));
    if (p->line.status == OK) {
        take_line(p, buf_str(&p->line), sink);
        buf_clear(&p->line);
    }
}

enum status sse_feed(struct sse_parser *p, struct str bytes,
                     void (*on_event)(const struct sse_event *, void *), void *arg,
                     struct error *err)
{
    CHECK(on_event);
    struct sse_sink sink = {on_event, arg};
    while (bytes.len > 0) {
        if (p->skip_lf && bytes.ptr[0] == '\n') {
            p->skip_lf = false;
            bytes = str_slice(bytes, 1, bytes.len);
            continue;
        }
        p->skip_lf = false;
        size_t end = line_end(bytes);
        if (end == bytes.len) {
            buf_add(&p->line, bytes);
            return over_limit(p, err);
        }
        end_line(p, bytes, end, sink);
        enum status status = over_limit(p, err);
        if (status != OK)
            return status;
        p->skip_lf = bytes.ptr[end] == '\r';
        bytes = str_slice(bytes, end + 1, bytes.len);
    }
    return OK;
}

void sse_end(struct sse_parser *p, void (*on_event)(const struct sse_event *, void *), void *arg)
{
    struct sse_sink sink = {on_event, arg};
    if (p->line.status != OK || p->data.status != OK || p->name.status != OK)
        return;
    if (p->line.len > 0)
        take_line(p, buf_str(&p->line), sink);
    buf_clear(&p->line);
    dispatch(p, sink);
}

void sse_write(struct buf *out, struct str data)
{
    do {
        size_t end = line_end(data);
        buf_add(out, STR("data: "));
        buf_add(out, str_slice(data, 0, end));
        buf_add_char(out, '\n');
        if (end == data.len) {
            data.len = 0;
            break;
        }
        size_t skip = data.ptr[end] == '\r' && end + 1 < data.len && data.ptr[end + 1] == '\n';
        data = str_slice(data, end + 1 + skip, data.len);
        if (data.len == 0) /* the text ended in a line end: an empty last line keeps it */
            buf_add(out, STR("data: \n"));
    } while (data.len > 0);
    buf_add_char(out, '\n');
}
