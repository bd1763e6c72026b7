/* HTTP responses: whole and cut at the first byte's place, the parser must say the same and never read beyond. */
#include <stdint.h>
#include <stdlib.h>

#include "net/http_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool on_head(void *arg, int http_status)
{
    *(uint64_t *)arg = *(uint64_t *)arg * 31 + (uint64_t)http_status;
    return true;
}

static bool on_body(void *arg, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        *(uint64_t *)arg = *(uint64_t *)arg * 31 + (unsigned char)bytes.ptr[i];
    return true;
}

static enum http_reply run(struct http_reply_parser *p, struct str bytes, size_t cut, uint64_t *sum)
{
    const struct http_reply_user user = {sum, on_head, on_body};
    bool all = true;
    http_reply_begin(p, false, &user);
    enum http_reply r = http_reply_feed(p, str_slice(bytes, 0, cut), &all);
    if (r == HTTP_REPLY_MORE && cut < bytes.len)
        r = http_reply_feed(p, str_slice(bytes, cut, bytes.len), &all);
    return r == HTTP_REPLY_MORE ? http_reply_eof(p) : r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t whole = 0, pieces = 0;
    if (size < 2)
        return 0;
    struct http_reply_parser *p = http_reply_parser_create(4096);
    if (!p)
        return 0;
    struct str bytes = {(const char *)data + 1, size - 1};
    enum http_reply a = run(p, bytes, bytes.len, &whole);
    enum http_reply b = run(p, bytes, data[0] % bytes.len, &pieces);
    if (a != b || (a == HTTP_REPLY_DONE && whole != pieces))
        abort();
    http_reply_parser_free(p);
    return 0;
}
