/* logfmt → JSON: a line is split into pairs, which are written one after the other as long as there is room.
 *
 * Any thread, without a lock: all of it lives on the stack. It takes a line as log.c has made it, but trusts it in
 * nothing: a value that nobody had quoted may come from a client, and what is written must be JSON all the same. */
#include "base/log_json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

#define PAIRS_MAX 96
#define CUT       ",\"cut\":true"
#define TAIL      (sizeof(CUT) - 1 + 1) /* and the brace */

struct pair {
    struct str key, value; /* of a quoted value what is between the quotes, escapes kept */
    bool quoted;
};

struct out {
    char *bytes;
    size_t len, room; /* room: without what the end of the object takes */
};

/* Reading */

/* The place of the quote that ends what begins at `at`: before a blank or the end. SIZE_MAX: it was cut off, or is
 * none. */
static size_t closing_quote(struct str line, size_t at)
{
    for (; at < line.len; at++) {
        if (line.ptr[at] == '\\')
            at++;
        else if (line.ptr[at] == '"')
            return at + 1 == line.len || line.ptr[at + 1] == ' ' ? at : SIZE_MAX;
    }
    return SIZE_MAX;
}

static size_t word_end(struct str line, size_t at)
{
    while (at < line.len && line.ptr[at] != ' ')
        at++;
    return at;
}

/* One word, or key and value; returns the place behind it. *ret_key empty: it belongs to what came before. */
static size_t read_pair(struct str line, size_t at, struct pair *ret)
{
    size_t end = word_end(line, at);
    struct str word = str_slice(line, at, end);
    size_t equals = str_find(word, STR("="), 0);
    size_t value = equals == SIZE_MAX || equals == 0 ? at : at + equals + 1;
    *ret = (struct pair){.key = str_slice(line, at, value > at ? value - 1 : at)};
    if (ret->key.len > 0 && value < line.len && line.ptr[value] == '"') {
        size_t quote = closing_quote(line, value + 1);
        ret->quoted = true;
        ret->value = str_slice(line, value + 1, quote == SIZE_MAX ? line.len : quote);
        if (quote != SIZE_MAX)
            return quote + 1;
        if (memchr(line.ptr + value + 1, '"', line.len - value - 1) == NULL)
            return line.len; /* cut off amid the value */
        ret->quoted = false;
    }
    ret->value = str_slice(line, value, end);
    return end;
}

static bool is_there(const struct pair *pairs, size_t count, struct str key)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(pairs[i].key, key))
            return true;
    return false;
}

/* Into pairs[PAIRS_MAX]; further ones are left out, with *ret_cut. */
static size_t read_pairs(struct str line, struct pair *pairs, bool *ret_cut)
{
    size_t count = 0;
    struct pair p;
    for (size_t at = 0; at < line.len;) {
        if (line.ptr[at] == ' ') {
            at++;
            continue;
        }
        at = read_pair(line, at, &p);
        if (p.key.len == 0 && count > 0 && !pairs[count - 1].quoted) {
            struct str *before = &pairs[count - 1].value;
            *before = (struct str){before->ptr, (size_t)(p.value.ptr + p.value.len - before->ptr)};
            continue;
        }
        if (p.key.len == 0)
            p.key = STR("text");
        if (is_there(pairs, count, p.key))
            continue;
        *ret_cut |= count == PAIRS_MAX;
        if (count < PAIRS_MAX)
            pairs[count++] = p;
    }
    return count;
}

/* What a value is */

static size_t digits(struct str s, size_t at)
{
    size_t from = at;
    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    return at - from;
}

/* By the grammar of JSON. */
static bool is_number(struct str s)
{
    if (s.len == 0)
        return false;
    size_t at = s.ptr[0] == '-', whole = digits(s, at);
    if (whole == 0 || (whole > 1 && s.ptr[at] == '0'))
        return false;
    at += whole;
    if (at < s.len && s.ptr[at] == '.') {
        size_t fraction = digits(s, at + 1);
        if (fraction == 0)
            return false;
        at += 1 + fraction;
    }
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        at++;
        at += at < s.len && (s.ptr[at] == '+' || s.ptr[at] == '-');
        size_t exponent = digits(s, at);
        if (exponent == 0)
            return false;
        at += exponent;
    }
    return at == s.len;
}

/* Keys whose values are always strings, also where somebody has called an expert 7: a collector that has seen a number
 * once refuses the next name. */
static bool is_name(struct str key)
{
    static const char *const names[] = {"msg",    "req",    "key",   "model",  "expert", "policy",
                                        "plan",   "name",   "id",    "front",  "trace",  "run",
                                        "member", "winner", "addr",  "error",  "err",    "file",
                                        "store",  "text",   "added", "removed"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_equal(key, str_from(names[i])))
            return true;
    return false;
}

/* Writing */

static bool put(struct out *o, struct str bytes)
{
    if (bytes.len > o->room - o->len)
        return false;
    if (bytes.len > 0)
        memcpy(o->bytes + o->len, bytes.ptr, bytes.len);
    o->len += bytes.len;
    return true;
}

/* The next character as it stands in a JSON string: `into` has 8 bytes. */
static struct str next_escaped(struct str s, size_t *at, bool quoted, char into[8])
{
    if (quoted && s.ptr[*at] == '\\' && *at + 1 < s.len &&
        (s.ptr[*at + 1] == '"' || s.ptr[*at + 1] == '\\'))
        (*at)++; /* it was escaped for logfmt */
    size_t from = *at;
    uint32_t c = utf8_next(s, at);
    if (c == '"' || c == '\\' || c < 0x20 || c == 0x7f) {
        int n = c == '"' || c == '\\' ? snprintf(into, 8, "\\%c", (char)c)
                                      : snprintf(into, 8, "\\u%04x", (unsigned)c);
        return (struct str){into, (size_t)n};
    }
    if (c == 0xfffd && *at == from + 1)
        return STR("\xef\xbf\xbd"); /* a byte that is no UTF-8 */
    return str_slice(s, from, *at);
}

/* False: cut, but for what fits; the closing quote always does. */
static bool put_string(struct out *o, struct str s, bool quoted)
{
    char escaped[8];
    bool whole = true;
    if (o->room - o->len < 2)
        return false;
    o->bytes[o->len++] = '"';
    o->room--; /* for the closing one */
    for (size_t at = 0; at < s.len && whole;)
        whole = put(o, next_escaped(s, &at, quoted, escaped));
    o->room++;
    o->bytes[o->len++] = '"';
    return whole;
}

/* False: it, or the end of it, did not fit; what is written is whole pairs. */
static bool put_pair(struct out *o, const struct pair *p)
{
    size_t before = o->len;
    bool key =
        put(o, o->len > 1 ? STR(",") : STR("")) && put_string(o, p->key, false) && put(o, STR(":"));
    if (key && !p->quoted && is_number(p->value) && !is_name(p->key)) {
        if (put(o, p->value))
            return true;
    } else if (key && o->room - o->len >= 2) {
        return put_string(o, p->value, p->quoted);
    }
    o->len = before;
    return false;
}

size_t log_json_write(char *into, size_t size, struct str line)
{
    CHECK(size >= LOG_JSON_BYTES_MIN);
    struct pair pairs[PAIRS_MAX];
    struct out o = {.bytes = into, .room = size - TAIL};
    bool cut = false;
    size_t count = read_pairs(line, pairs, &cut);
    o.bytes[o.len++] = '{';
    for (size_t i = 0; i < count; i++)
        if (!put_pair(&o, &pairs[i])) {
            cut = true;
            break;
        }
    o.room = size;
    if (cut)
        (void)put(&o, o.len > 1 ? STR(CUT) : STR("\"cut\":true"));
    o.bytes[o.len++] = '}';
    CHECK(o.len <= size);
    return o.len;
}
