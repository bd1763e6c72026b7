/* Regular expressions of JSON schemas (ECMA-262) → GBNF, as far as they say which characters follow each other:
 * texts, classes, groups, alternatives, repetitions, anchors at the ends. What looks around, remembers or asks for
 * words' borders is refused. The text stands in JSON, so a quote or a backslash is written with its escape, and
 * characters that JSON cannot hold as they are, are in no class. Any thread; nothing is kept. */
#include "infer/schema_int.h"

#define GROUPS_MAX 32
#define PLAIN      "[^\"\\\\\\x7F\\x00-\\x1F]" /* a character that stands in JSON as it is */

struct pattern {
    struct str text;
    size_t at;
    unsigned groups; /* that are open */
    bool splits;     /* into alternatives, outside of groups */
    struct buf *out;
    struct error *err;
};

static enum status refuse(const struct pattern *p, const char *what)
{
    return error_set(p->err, ERR_UNSUPPORTED,
                     "pattern: %s at character %zu cannot be kept to; use texts, classes, groups, "
                     "| and repetitions",
                     what, p->at + 1);
}

static enum status broken(const struct pattern *p, const char *what)
{
    return error_set(p->err, ERR_INPUT, "pattern: %s", what);
}

static char next(const struct pattern *p) /* NUL: the end */
{
    return p->at < p->text.len ? p->text.ptr[p->at] : '\0';
}

/* As it stands in the text, in JSON's escape where it needs one. */
static void write_character(struct buf *out, uint32_t c)
{
    char utf8[4];
    size_t n = 0;
    if (c == '"' || c == '\\') {
        buf_addf(out, "\"\\\\%s\"", c == '"' ? "\\\"" : "\\\\");
        return;
    }
    if (c < 0x80) {
        utf8[n++] = (char)c;
    } else if (c < 0x800) {
        utf8[n++] = (char)(0xc0 | c >> 6);
        utf8[n++] = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        utf8[n++] = (char)(0xe0 | c >> 12);
        utf8[n++] = (char)(0x80 | (c >> 6 & 0x3f));
        utf8[n++] = (char)(0x80 | (c & 0x3f));
    } else {
        utf8[n++] = (char)(0xf0 | c >> 18);
        utf8[n++] = (char)(0x80 | (c >> 12 & 0x3f));
        utf8[n++] = (char)(0x80 | (c >> 6 & 0x3f));
        utf8[n++] = (char)(0x80 | (c & 0x3f));
    }
    schema_literal_write(out, (struct str){utf8, n});
}

/* What "\d" and its like stand for inside a class; NULL: it is no class. */
static const char *class_of(char escape)
{
    switch (escape) {
    case 'd':
        return "0-9";
    case 'w':
        return "a-zA-Z0-9_";
    case 's':
        return " "; /* others of them need an escape in JSON */
    default:
        return NULL;
    }
}

/* The character behind a backslash that stands for itself. */
static enum status read_escape(struct pattern *p, uint32_t *ret)
{
    char c = next(p);
    if (c == '\0')
        return broken(p, "a backslash ends it");
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (word || (unsigned char)c < 0x20 || (unsigned char)c >= 0x7f)
        return refuse(p, "an escape");
    p->at++;
    *ret = (unsigned char)c;
    return OK;
}

static enum status read_character(struct pattern *p, uint32_t *ret)
{
    if (next(p) != '\\') {
        *ret = utf8_next(p->text, &p->at);
        return *ret < 0x20 || *ret == 0x7f ? refuse(p, "a control character") : OK;
    }
    p->at++;
    return read_escape(p, ret);
}

/* In a class of GBNF. Quotes and backslashes stand in JSON as two characters, so that no class can hold them. */
static void write_class_character(struct buf *out, uint32_t c)
{
    if (c == ']' || c == '[' || c == '-' || c == '^' || c == '\\')
        buf_addf(out, "\\x%02X", c);
    else if (c < 0x80)
        buf_add_char(out, (char)c);
    else
        buf_addf(out, c < 0x10000 ? "\\u%04X" : "\\U%08X", c);
}

/* One piece: a class inside the class, a character, or a range of them. */
static enum status read_class_item(struct pattern *p, struct buf *set, bool negated)
{
    uint32_t from, to;
    if (next(p) == '\\' && p->at + 1 < p->text.len && class_of(p->text.ptr[p->at + 1])) {
        buf_add_c(set, class_of(p->text.ptr[p->at + 1]));
        p->at += 2;
        return OK;
    }
    enum status status = read_character(p, &from);
    if (status != OK)
        return status;
    to = from;
    if (next(p) == '-' && p->at + 1 < p->text.len && p->text.ptr[p->at + 1] != ']') {
        p->at++;
        status = read_character(p, &to);
        if (status == OK && to < from)
            status = broken(p, "a range of characters runs backwards");
    }
    if (status != OK)
        return status;
    bool holds = (from <= '"' && to >= '"') || (from <= '\\' && to >= '\\');
    if (holds && !negated)
        return refuse(p, "a class with a quote or a backslash");
    write_class_character(set, from);
    if (to != from) {
        buf_add_char(set, '-');
        write_class_character(set, to);
    }
    return OK;
}

static enum status read_class(struct pattern *p)
{
    struct buf set;
    enum status status = OK;
    bool negated = next(p) == '^';
    size_t items = 0;
    p->at += negated;
    buf_init(&set, SCHEMA_TEXT_BYTES_MAX);
    for (; status == OK && next(p) != ']'; items++)
        status = p->at < p->text.len ? read_class_item(p, &set, negated)
                                     : broken(p, "a class has no end");
    if (status == OK && items == 0)
        status = refuse(p, "an empty class");
    if (status == OK) {
        p->at++;
        buf_addf(p->out, negated ? "[^%s\"\\\\\\x7F\\x00-\\x1F]" : "[%s]", set.ptr ? set.ptr : "");
    }
    buf_done(&set);
    return status;
}

static enum status read_alternatives(struct pattern *p);

static enum status read_group(struct pattern *p)
{
    if (next(p) == '?') {
        if (p->at + 1 >= p->text.len || p->text.ptr[p->at + 1] != ':')
            return refuse(p, "a group that looks around or has a name");
        p->at += 2;
    }
    if (++p->groups > GROUPS_MAX)
        return error_set(p->err, ERR_TOO_LARGE, "pattern: groups are nested more than %d deep",
                         GROUPS_MAX);
    buf_add_char(p->out, '(');
    enum status status = read_alternatives(p);
    if (status == OK && next(p) != ')')
        status = broken(p, "a group has no end");
    p->at++;
    p->groups--;
    buf_add_char(p->out, ')');
    return status;
}

/* One piece: what an item of a regular expression may be. */
static enum status read_atom(struct pattern *p)
{
    char c = next(p);
    uint32_t character;
    if (c == '(' || c == '[' || c == '.')
        p->at++;
    if (c == '(')
        return read_group(p);
    if (c == '[')
        return read_class(p);
    if (c == '.') {
        buf_add_c(p->out, PLAIN);
        return OK;
    }
    if (c == '*' || c == '+' || c == '?' || c == '{')
        return broken(p, "a repetition has nothing to repeat");
    if (c == '^' || c == '$')
        return refuse(p, "an anchor");
    if (c == '\\' && p->at + 1 < p->text.len && class_of(p->text.ptr[p->at + 1])) {
        buf_addf(p->out, "[%s]", class_of(p->text.ptr[p->at + 1]));
        p->at += 2;
        return OK;
    }
    enum status status = read_character(p, &character);
    if (status == OK)
        write_character(p->out, character);
    return status;
}

static bool read_number(struct pattern *p, unsigned *ret)
{
    size_t from = p->at;
    unsigned n = 0;
    for (; next(p) >= '0' && next(p) <= '9'; p->at++)
        n = n > SCHEMA_REPEATS_MAX ? n : n * 10 + (unsigned)(next(p) - '0');
    *ret = n;
    return p->at > from;
}

/* "{2}", "{2,}", "{2,5}" */
static enum status read_counts(struct pattern *p)
{
    unsigned least, most = 0;
    bool open = false;
    if (!read_number(p, &least))
        return broken(p, "a repetition has no number");
    most = least;
    if (next(p) == ',') {
        p->at++;
        open = !read_number(p, &most);
    }
    if (next(p) != '}' || (!open && most < least))
        return broken(p, "a repetition must be like {2}, {2,} or {2,5}");
    p->at++;
    if (least > SCHEMA_REPEATS_MAX || (!open && most > SCHEMA_REPEATS_MAX))
        return error_set(p->err, ERR_TOO_LARGE, "pattern: more than %d repetitions",
                         SCHEMA_REPEATS_MAX);
    buf_addf(p->out, open ? "{%u,}" : "{%u,%u}", least, most);
    return OK;
}

static enum status read_repetition(struct pattern *p)
{
    char c = next(p);
    enum status status = OK;
    if (c != '*' && c != '+' && c != '?' && c != '{')
        return OK;
    p->at++;
    if (c == '{')
        status = read_counts(p);
    else
        buf_add_char(p->out, c);
    if (status == OK && next(p) == '?')
        p->at++; /* which of the matches is taken: the same texts */
    if (status == OK && (next(p) == '*' || next(p) == '+' || next(p) == '{'))
        status = refuse(p, "a repetition of a repetition");
    return status;
}

static enum status read_alternatives(struct pattern *p)
{
    enum status status = OK;
    bool empty = true;
    while (status == OK && p->at < p->text.len && next(p) != ')') {
        if (next(p) == '$' && p->at + 1 == p->text.len && p->groups == 0)
            break;
        if (next(p) == '|') {
            p->at++;
            p->splits |= p->groups == 0;
            buf_add_c(p->out, empty ? "\"\" | " : " | ");
            empty = true;
            continue;
        }
        if (!empty)
            buf_add_char(p->out, ' ');
        status = read_atom(p);
        if (status == OK)
            status = read_repetition(p);
        empty = false;
    }
    if (status == OK && empty)
        buf_add_c(p->out, "\"\"");
    return status;
}

/* Without anchors the text may have more on either side. */
enum status schema_pattern_write(struct str pattern, struct buf *out, struct error *err)
{
    struct pattern p = {.text = pattern, .out = out, .err = err};
    bool begins = next(&p) == '^';
    p.at = begins;
    buf_add_c(out, begins ? "(" : "char* (");
    enum status status = read_alternatives(&p);
    if (status != OK)
        return status;
    bool ends = next(&p) == '$';
    if (!ends && p.at < pattern.len)
        return broken(&p, "a group ends that did not begin");
    buf_add_c(out, ends ? ")" : ") char*");
    if ((begins || ends) && p.splits) /* "^a|b$" is "^a" or "b$" */
        return refuse(&p, "an anchor of one alternative; put them in a group, ^(a|b)$,");
    return OK;
}
