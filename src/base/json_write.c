/* Writing JSON, and editing a text by splices. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"

#define ESCAPE_BYTES_MAX 6

/* Returns the bytes of the escape. */
static size_t put_escape(unsigned char c, char *out)
{
    static const char letters[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    static const char hex[] = "0123456789abcdef";
    char letter = c < 0x20 ? letters[c] : (char)c;
    out[0] = '\\';
    if (letter) {
        out[1] = letter;
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = hex[c >> 4];
    out[5] = hex[c & 15];
    return ESCAPE_BYTES_MAX;
}

static bool is_escaped(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* A text may be nothing but escapes, so they are written by the run. Returns where the run ends. */
static size_t write_escapes(struct buf *b, struct str s, size_t at)
{
    char run[64 * ESCAPE_BYTES_MAX];
    size_t len = 0;
    while (at < s.len && is_escaped((unsigned char)s.ptr[at]) &&
           len + ESCAPE_BYTES_MAX <= sizeof(run))
        len += put_escape((unsigned char)s.ptr[at++], run + len);
    buf_add(b, (struct str){run, len});
    return at;
}

void json_write_inside(struct buf *b, struct str s)
{
    size_t run = 0, at = 0;
    while (at < s.len) {
        unsigned char c = (unsigned char)s.ptr[at];
        size_t start = at;
        bool bad = false;
        if (c < 0x80)
            at++;
        else
            bad = utf8_next(s, &at) == 0xfffd && at == start + 1;
        if (!is_escaped(c) && !bad)
            continue;
        buf_add(b, (struct str){s.ptr + run, start - run});
        if (bad)
            buf_add(b, STR("\xef\xbf\xbd"));
        else
            at = write_escapes(b, s, start);
        run = at;
    }
    if (s.len > run)
        buf_add(b, (struct str){s.ptr + run, s.len - run});
}

void json_write_string(struct buf *b, struct str s)
{
    buf_add_char(b, '"');
    json_write_inside(b, s);
    buf_add_char(b, '"');
}

void json_write_double(struct buf *b, double value)
{
    if (!isfinite(value)) {
        buf_add(b, STR("null"));
        return;
    }
    char text[40];
    /* Fifteen digits tell normal doubles apart and %g drops their zeros; subnormals have fewer. */
    for (int digits = fabs(value) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_add_c(b, text);
}

static bool is_json_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Behind the string that begins at `at`. */
static size_t skip_string(struct str s, size_t at)
{
    for (at++; at < s.len && s.ptr[at] != '"'; at++)
        if (s.ptr[at] == '\\')
            at++;
    return at + 1;
}

void json_write_line(struct buf *out, struct json_value value)
{
    struct str s = value.raw;
    if (value.type == JSON_NONE) {
        buf_add_c(out, "null");
        return;
    }
    size_t run = 0, at = 0;
    while (at < s.len) {
        if (s.ptr[at] == '"') {
            at = skip_string(s, at);
        } else if (is_json_blank(s.ptr[at])) {
            buf_add(out, str_slice(s, run, at));
            run = ++at;
        } else {
            at++;
        }
    }
    buf_add(out, str_slice(s, run, s.len));
}

void json_splice(struct str text, const struct json_edit *edits, size_t count, struct buf *out)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        CHECK(edits[i].cut.ptr >= text.ptr + at);
        CHECK(edits[i].cut.ptr + edits[i].cut.len <= text.ptr + text.len);
        size_t from = (size_t)(edits[i].cut.ptr - text.ptr);
        buf_add(out, str_slice(text, at, from));
        buf_add(out, edits[i].with);
        at = from + edits[i].cut.len;
    }
    buf_add(out, str_slice(text, at, text.len));
}
