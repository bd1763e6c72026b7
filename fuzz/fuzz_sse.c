/* Server-sent events out of any bytes: the cuts between pieces do not matter, and an event written and read again
 * is the same but for its line ends. The first byte chooses the pieces. */
#include "net/sse.h"

#include "base/check.h"

#define TRANSCRIPT_BYTES_MAX (256u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_event(const struct sse_event *e, void *arg)
{
    struct buf *b = arg;
    buf_add_char(b, '[');
    buf_add(b, e->event);
    buf_add_char(b, '|');
    buf_add(b, e->data);
    buf_add_char(b, ']');
}

static enum status write_transcript(struct buf *b, struct str text, size_t piece)
{
    struct sse_parser p;
    struct error err;
    enum status status = OK;
    sse_init(&p);
    for (size_t at = 0; at < text.len && status == OK; at += piece)
        status = sse_feed(&p, str_slice(text, at, at + piece), write_event, b, &err);
    if (status == OK)
        sse_end(&p, write_event, b);
    sse_done(&p);
    return status;
}

static void compare(struct str a, size_t piece_a, struct str b, size_t piece_b)
{
    struct buf first, second;
    buf_init(&first, TRANSCRIPT_BYTES_MAX);
    buf_init(&second, TRANSCRIPT_BYTES_MAX);
    CHECK(write_transcript(&first, a, piece_a) == write_transcript(&second, b, piece_b));
    CHECK(str_equal(buf_str(&first), buf_str(&second)));
    buf_done(&first);
    buf_done(&second);
}

/* Writing twice changes nothing more than writing once. */
static void round_trip(struct str text)
{
    struct buf once, read, twice;
    buf_init(&once, TRANSCRIPT_BYTES_MAX);
    buf_init(&read, TRANSCRIPT_BYTES_MAX);
    buf_init(&twice, TRANSCRIPT_BYTES_MAX);
    sse_write(&once, text);
    CHECK(write_transcript(&read, buf_str(&once), once.len) == OK);
    CHECK(read.len >= 3);
    sse_write(&twice, str_slice(buf_str(&read), 2, read.len - 1));
    CHECK(str_equal(buf_str(&once), buf_str(&twice)));
    buf_done(&once);
    buf_done(&read);
    buf_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > SSE_EVENT_BYTES_MAX / 8)
        return 0;
    struct str text = {(const char *)data + 1, size - 1};
    compare(text, size, text, 1 + data[0] % 32);
    round_trip(text);
    return 0;
}
