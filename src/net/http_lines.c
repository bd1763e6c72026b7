/* Lines that two readers might see differently. */
#include "net/http_lines.h"

#include <string.h>

void http_lines_begin(struct http_lines *l, bool trailers)
{
    *l = (struct http_lines){.in_request_line = !trailers, .before = '\n'};
}

static const char bare_lf[] = "A line ends with LF alone.";

/* METHOD SP target SP HTTP/x.y: one blank each, and no other protocol. */
static const char *check_request_line(struct http_lines *l, struct str bytes, size_t *at)
{
    for (; *at < bytes.len; (*at)++) {
        char c = bytes.ptr[*at], before = l->before;
        l->before = c;
        if (before == ' ' && (c == ' ' || (l->blanks == 2 && c != 'H')))
            return "The request line is not a method, a target and HTTP/1.1 with one blank "
                   "between.";
        l->blanks = (uint8_t)(l->blanks + (c == ' ' && l->blanks < UINT8_MAX));
        if (c != '\n' || (l->blanks == 0 && (before == '\r' || before == '\n')))
            continue; /* empty lines before a request are nobody's */
        if (before != '\r')
            return bare_lf;
        if (l->blanks != 2)
            return "The request line lacks its target or its version.";
        l->in_request_line = false;
        (*at)++;
        return NULL;
    }
    return NULL;
}

static const char *check_line_start(char c)
{
    if (c == ' ' || c == '\t')
        return "A header is folded over two lines, which HTTP/1.1 no longer has.";
    return c == ':' ? "A header has no name." : NULL;
}

const char *http_lines_check(struct http_lines *l, struct str bytes)
{
    size_t at = 0;
    const char *wrong = l->in_request_line ? check_request_line(l, bytes, &at) : NULL;
    while (!wrong && at < bytes.len) {
        if (l->before == '\n')
            wrong = check_line_start(bytes.ptr[at]);
        const char *end = memchr(bytes.ptr + at, '\n', bytes.len - at);
        if (!wrong && end && (end > bytes.ptr + at ? end[-1] : l->before) != '\r')
            wrong = bare_lf;
        l->before = end ? '\n' : bytes.ptr[bytes.len - 1];
        at = end ? (size_t)(end - bytes.ptr) + 1 : bytes.len;
    }
    return wrong;
}
