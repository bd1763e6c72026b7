/* HTTP requests out of any bytes, and that the cuts between pieces do not matter: whatever comes out of the whole
 * input comes out of its pieces. The first byte chooses the pieces. */
#include "net/http_parse.h"

#include "base/buf.h"
#include "base/check.h"

#define TRANSCRIPT_BYTES_MAX (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small, so that a fuzzer reaches them. */
static const struct http_parse_limits limits = {.header_bytes_max = 600, .body_bytes_max = 300};

static void write_request(struct buf *b, const struct http_request *r)
{
    CHECK(r->path.len > 0);
    CHECK(r->body.len <= limits.body_bytes_max);
    CHECK(r->header_count <= HTTP_HEADERS_MAX);
    buf_addf(b, "%.*s %.*s %.*s %d%d\n", STR_FMT(r->method), STR_FMT(r->path), STR_FMT(r->query),
             r->keep_alive, r->http_1_0);
    for (size_t i = 0; i < r->header_count; i++)
        buf_addf(b, "%.*s: %.*s\n", STR_FMT(r->headers[i].name), STR_FMT(r->headers[i].value));
    buf_add(b, r->body);
}

/* False where the framing limit struck, which looks only once per piece. */
static bool write_transcript(struct buf *b, struct str text, size_t piece)
{
    struct http_parser *p = http_parser_create(&limits);
    CHECK(p != NULL);
    const char *message = "";
    size_t at = 0, taken = 0;
    enum http_parse result = HTTP_PARSE_MORE;
    while (at < text.len || result == HTTP_PARSE_HEAD) {
        result = http_parser_feed(p, str_slice(text, at, at + piece), &taken);
        CHECK(taken <= text.len - at);
        at += taken;
        if (result == HTTP_PARSE_BAD) {
            buf_addf(b, "refused %d", http_parser_error(p, &message));
            break;
        }
        CHECK(result == HTTP_PARSE_DONE || text.len == at || taken > 0 || http_parser_head_done(p));
        if (result == HTTP_PARSE_DONE) {
            write_request(b, http_parser_request(p));
            http_parser_begin(p);
        }
    }
    http_parser_free(p);
    return str_find(str_from(message), STR("framing"), 0) == SIZE_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct str text = {(const char *)data + 1, size - 1};
    struct buf whole, cut;
    buf_init(&whole, TRANSCRIPT_BYTES_MAX);
    buf_init(&cut, TRANSCRIPT_BYTES_MAX);
    bool comparable = write_transcript(&whole, text, text.len);
    comparable = write_transcript(&cut, text, 1 + data[0] % 64) && comparable;
    CHECK(!comparable || str_equal(buf_str(&whole), buf_str(&cut)));
    buf_done(&whole);
    buf_done(&cut);
    return 0;
}
