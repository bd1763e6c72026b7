/* Lines that llhttp takes and others read otherwise; in any cuts. */
#include "net/http_lines.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *check(const char *text, bool trailers, size_t piece)
{
    struct http_lines l;
    const char *wrong = NULL;
    http_lines_begin(&l, trailers);
    for (size_t at = 0; !wrong && at < strlen(text); at += piece)
        wrong = http_lines_check(&l, str_slice(str_from(text), at, at + piece));
    return wrong;
}

static void expect(const char *text, bool trailers, const char *words)
{
    for (size_t piece = 1; piece < 9; piece++) {
        const char *wrong = check(text, trailers, piece);
        cr_expect(words ? wrong && strstr(wrong, words) : !wrong, "%s: %s", text,
                  wrong ? wrong : "");
    }
}

Test(http_lines, what_is_right_stays)
{
    expect("GET / HTTP/1.1\r\nHost: h\r\nX: a b  c: d\r\n\r\n", false, NULL);
    expect("\r\n\r\nGET / HTTP/1.1\r\n\r\n", false, NULL);
    expect("X: a\r\nY:\r\n\r\n", true, NULL);
    expect("", false, NULL);
}

Test(http_lines, request_lines)
{
    expect("GET  / HTTP/1.1\r\n", false, "one blank");
    expect("GET /  HTTP/1.1\r\n", false, "one blank");
    expect("GET / RTSP/1.0\r\n", false, "one blank");
    expect("GET /\r\n", false, "lacks");
    expect("GET / HTTP/1.1 \r\n", false, "lacks");
}

Test(http_lines, lines)
{
    expect("GET / HTTP/1.1\r\n X: a\r\n", false, "folded");
    expect("GET / HTTP/1.1\r\nX: a\r\n\tb\r\n", false, "folded");
    expect("GET / HTTP/1.1\r\n: a\r\n", false, "no name");
    expect(" a\r\n", true, "folded");
    expect("X: a\r\n:\r\n", true, "no name");
    expect("GET / HTTP/1.1\nX: a\r\n", false, "LF alone");
    expect("GET / HTTP/1.1\r\nX: a\nY: b\r\n", false, "LF alone");
    expect("GET / HTTP/1.1\r\n\n", false, "LF alone");
    expect("X: a\n", true, "LF alone");
}
