/* sse.h: line ends, fields, limits, and that the cuts between pieces do not matter. */
#include "net/sse.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void note(const struct sse_event *e, void *arg)
{
    struct buf *b = arg;
    buf_addf(b, "[%.*s|%.*s]", STR_FMT(e->event), STR_FMT(e->data));
}

/* Feeds `text` in pieces that end at the two cuts; gives what came out. */
static char *events_cut(struct str text, size_t first, size_t second)
{
    struct sse_parser p;
    struct buf seen;
    sse_init(&p);
    buf_init(&seen, 1 << 16);
    buf_add_c(&seen, "");
    cr_assert_eq(sse_feed(&p, str_slice(text, 0, first), note, &seen, NULL), OK);
    cr_assert_eq(sse_feed(&p, str_slice(text, first, second), note, &seen, NULL), OK);
    cr_assert_eq(sse_feed(&p, str_slice(text, second, text.len), note, &seen, NULL), OK);
    sse_done(&p);
    char *events = buf_take(&seen);
    return events ? events : calloc(1, 1);
}

static void expect(const char *text, const char *events)
{
    char *seen = events_cut(str_from(text), 0, 0);
    cr_assert_str_eq(seen, events, "%s", text);
    free(seen);
}

Test(sse, one_event)
{
    expect("data: hello\n\n", "[|hello]");
}

Test(sse, all_line_ends)
{
    expect("data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\n\r\ndata: e\r\n\n",
           "[|a][|b][|c][|d][|e]");
}

Test(sse, fields)
{
    expect("event: delta\ndata: a\ndata: b\n\ndata: c\n\n", "[delta|a\nb][|c]");
    expect("data:no space\n\ndata:  two\n\n", "[|no space][| two]");
    expect("data\n\ndata:\n\ndata\ndata\n\n", "[|][|][|\n]");
    expect(": comment\n\nid: 7\nretry: 10\nunknown: x\ndatax: y\n\n", "");
    expect("event: lost\n\ndata: later\n\n", "[|later]");
    expect("data: a:b\n\n", "[|a:b]");
}

Test(sse, an_event_without_its_blank_line_is_told_at_the_end)
{
    static const char *const cuts[] = {"data: a\n\ndata: b", "data: a\n\ndata: b\n",
                                       "data: a\r\n\r\ndata: b\r\n"};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        struct sse_parser p;
        struct buf seen;
        sse_init(&p);
        buf_init(&seen, 1 << 16);
        cr_assert_eq(sse_feed(&p, str_from(cuts[i]), note, &seen, NULL), OK);
        sse_end(&p, note, &seen);
        sse_end(&p, note, &seen);
        cr_expect_str_eq(seen.ptr, "[|a][|b]");
        sse_done(&p);
        buf_done(&seen);
    }
}

Test(sse, an_event_without_its_blank_line_is_not_told)
{
    expect("data: whole\n\ndata: half\n", "[|whole]");
}

Test(sse, a_byte_order_mark_is_skipped_once)
{
    expect("\xEF\xBB\xBF"
           "data: a\n\n",
           "[|a]");
    expect("data: a\n\n\xEF\xBB\xBF"
           "data: b\n\n",
           "[|a]");
}

Test(sse, every_pair_of_cuts_gives_the_same_events)
{
    struct str text = STR("\xEF\xBB\xBF: hi\r\ndata: {\"a\":1}\r\n\r\nevent: x\rdata: b\rdata:\r\r"
                          "data: [DONE]\n\n\r\n\ndata: tail\n\n");
    char *whole = events_cut(text, 0, 0);
    cr_assert_str_eq(whole, "[|{\"a\":1}][x|b\n][|[DONE]][|tail]");
    for (size_t i = 0; i <= text.len; i++) {
        for (size_t j = i; j <= text.len; j++) {
            char *cut = events_cut(text, i, j);
            cr_assert_str_eq(cut, whole, "cut at %zu and %zu", i, j);
            free(cut);
        }
    }
    free(whole);
}

/* `pieces` of `piece` bytes of one line, then its end. */
static enum status feed_long_line(size_t piece, size_t pieces)
{
    struct sse_parser p;
    struct buf seen;
    char *bytes = malloc(piece);
    memset(bytes, 'x', piece);
    sse_init(&p);
    buf_init(&seen, 1 << 10);
    enum status status = OK;
    struct error err;
    for (size_t i = 0; status == OK && i < pieces; i++)
        status = sse_feed(&p, (struct str){bytes, piece}, note, &seen, &err);
    if (status == OK)
        status = sse_feed(&p, STR("\n\n"), note, &seen, &err);
    sse_done(&p);
    buf_done(&seen);
    free(bytes);
    return status;
}

Test(sse, a_line_has_a_limit_however_it_is_cut)
{
    cr_assert_eq(feed_long_line(SSE_EVENT_BYTES_MAX, 1), OK);
    cr_assert_eq(feed_long_line(SSE_EVENT_BYTES_MAX / 4, 4), OK);
    cr_assert_eq(feed_long_line(SSE_EVENT_BYTES_MAX + 1, 1), ERR_TOO_LARGE);
    cr_assert_eq(feed_long_line(SSE_EVENT_BYTES_MAX / 4 + 1, 4), ERR_TOO_LARGE);
}

Test(sse, many_data_lines_have_a_limit_together)
{
    struct sse_parser p;
    struct buf seen;
    sse_init(&p);
    buf_init(&seen, 1 << 10);
    enum status status = OK;
    size_t lines = 0;
    for (; status == OK && lines <= SSE_EVENT_BYTES_MAX; lines++)
        status = sse_feed(&p, STR("data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"), note, &seen, NULL);
    cr_assert_eq(status, ERR_TOO_LARGE);
    cr_assert_geq(lines, SSE_EVENT_BYTES_MAX / 32);
    sse_done(&p);
}

static void round_trip(const char *data, const char *written)
{
    struct buf out;
    buf_init(&out, 1 << 10);
    sse_write(&out, str_from(data));
    cr_assert_str_eq(out.ptr, written);
    char *seen = events_cut(buf_str(&out), 0, 0);
    cr_assert_eq(seen[0], '[');
    free(seen);
    buf_done(&out);
}

Test(sse, written_events_read_back)
{
    round_trip("one", "data: one\n\n");
    round_trip("", "data: \n\n");
    round_trip("a\nb", "data: a\ndata: b\n\n");
    round_trip("a\r\nb\rc", "data: a\ndata: b\ndata: c\n\n");
    round_trip("end\n", "data: end\ndata: \n\n");
}
