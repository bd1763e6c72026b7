/* Lines made to fit a screen: gaps between columns shrink, what is still too long goes on in the next line.
 *
 * A table is laid out by looking at it: a column of blanks in all of its rows lies between two of its columns. So
 * whoever prints needs to know nothing of widths. No state; any thread. Not for JSON, whose blanks may be somebody's
 * text, and not for what is copied by machines. */
#include "base/text_fit.h"

#include <string.h>

#define MAP_COLUMNS    512 /* wider tables are wrapped without being squeezed */
#define TEXT_COLUMNS   20  /* at least, for a last column that wraps */
#define COMMAND_INDENT 4   /* at most; what begins further right is a term's second column */
#define LINE_BYTES     (1u << 20)

/* Columns */

static bool is_wide(uint32_t code) /* by and large East_Asian_Width W and F, and emoji */
{
    return (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
           (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
           (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
           (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFD);
}

/* The bytes of the character at `at`, and its columns. */
static size_t character(struct str s, size_t at, size_t *ret_columns)
{
    unsigned char c = (unsigned char)s.ptr[at];
    size_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    uint32_t code = c < 0x80 ? c : c < 0xE0 ? c & 0x1Fu : c < 0xF0 ? c & 0xFu : c & 7u;
    *ret_columns = 0;
    if (c == 0x1B) {
        const char *end = memchr(s.ptr + at, 'm', s.len - at);
        return end ? (size_t)(end - s.ptr) - at + 1 : s.len - at;
    }
    len = len < s.len - at ? len : s.len - at;
    for (size_t i = 1; i < len; i++)
        code = code << 6 | ((unsigned char)s.ptr[at + i] & 0x3Fu);
    *ret_columns = is_wide(code) ? 2 : 1;
    return len;
}

size_t text_columns(struct str text)
{
    size_t all = 0, columns;
    for (size_t at = 0; at < text.len; at += character(text, at, &columns), all += columns)
        ;
    return all;
}

/* How many bytes of a text stand before a column. */
static size_t bytes_before(struct str text, size_t column)
{
    size_t at = 0, columns;
    while (at < text.len && column > 0) {
        at += character(text, at, &columns);
        column -= columns < column ? columns : column;
    }
    return at;
}

/* Lines */

static struct str trimmed(struct str line)
{
    while (line.len && line.ptr[line.len - 1] == ' ')
        line.len--;
    return line;
}

static struct str take_line(struct str *rest)
{
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    struct str line = str_slice(*rest, 0, len);
    *rest = str_slice(*rest, len + (end != NULL), rest->len);
    return trimmed(line);
}

static size_t indent_of(struct str line)
{
    size_t n = 0;
    while (n < line.len && line.ptr[n] == ' ')
        n++;
    return n;
}

/* Where what follows its last gap of two blanks begins, in columns, at most `most`; 0: there is none. */
static size_t last_gap(struct str line, size_t most)
{
    size_t found = 0, blanks = 0, column = 0, columns;
    for (size_t at = indent_of(line); at < line.len;) {
        bool blank = line.ptr[at] == ' ';
        if (!blank && blanks >= 2 && indent_of(line) + column <= most)
            found = indent_of(line) + column;
        blanks = blank ? blanks + 1 : 0;
        at += character(line, at, &columns);
        column += columns;
    }
    return found;
}

static bool is_row(struct str line)
{
    return last_gap(line, SIZE_MAX) > 0;
}

/* Wrapping */

/* Bytes of the longest beginning that ends before a blank and fits, else the first word. Of a command, where it can be,
 * before an option, which stays with its value. */
static size_t fitting(struct str text, size_t width, bool command)
{
    size_t best = 0, option = 0, column = 0, columns;
    for (size_t at = 0; at < text.len && (column <= width || best == 0);) {
        if (text.ptr[at] == ' ' && at > 0 && text.ptr[at - 1] != ' ')
            best = at;
        if (best == at && at > 0 && at + 1 < text.len && text.ptr[at + 1] == '-')
            option = at;
        at += character(text, at, &columns);
        column += columns;
        if (at == text.len && column <= width)
            return at;
    }
    if (command && option)
        return option;
    return best ? best : text.len;
}

/* The line, and what does not fit in lines below that begin at column `hang`. */
static void wrap(struct str line, size_t width, size_t hang, const char *more, struct buf *out)
{
    size_t indent = indent_of(line), room = width - strlen(more);
    buf_add(out, str_slice(line, 0, indent));
    line = str_slice(line, indent, line.len);
    while (line.len) {
        bool last = text_columns(line) + indent <= width;
        size_t len = last ? line.len : fitting(line, room > indent ? room - indent : 1, *more);
        buf_add(out, str_slice(line, 0, len));
        line = str_slice(line, len, line.len);
        size_t blanks = indent_of(line);
        line = str_slice(line, blanks, line.len);
        indent = hang;
        buf_add_c(out, line.len ? more : "");
        buf_addf(out, "\n%*s", line.len ? (int)hang : 0, "");
    }
}

static size_t hang_of(struct str line, size_t width)
{
    size_t indent = indent_of(line), gap = last_gap(line, width * 4 / 5);
    bool item = line.len > indent + 1 && line.ptr[indent] == '-' && line.ptr[indent + 1] == ' ';
    return gap ? gap : indent + 2 * item;
}

/* Tables */

struct table {
    bool used[MAP_COLUMNS], dropped[MAP_COLUMNS];
    size_t columns; /* of the widest row */
    size_t last;    /* where its last column begins */
    bool words;     /* which is words and not figures */
    bool below;     /* and goes below its row, for there is no room beside the others */
};

static void mark(struct table *t, struct str row)
{
    size_t column = 0, columns;
    for (size_t at = 0; at < row.len; column += columns) {
        bool blank = row.ptr[at] == ' ';
        at += character(row, at, &columns);
        for (size_t i = column; i < column + columns && i < MAP_COLUMNS; i++)
            t->used[i] |= !blank;
    }
    t->columns = column > t->columns ? column : t->columns;
}

/* A gap that ends at `end`: how many of its columns are left. */
static size_t gap_left(const struct table *t, size_t end)
{
    size_t left = 0;
    for (size_t i = end; i > 0 && !t->used[i - 1]; i--)
        left += !t->dropped[i - 1];
    return left;
}

static bool ends_gap(const struct table *t, size_t at)
{
    return at > 0 && t->used[at] && !t->used[at - 1];
}

/* Takes a column from the widest gap that is wider than `least`; an indentation of two stays. */
static bool shrink(struct table *t, size_t least)
{
    size_t widest = 0;
    bool first = !t->used[0];
    for (size_t i = 1; i < t->columns; i++) {
        if (!ends_gap(t, i))
            continue;
        size_t from = first && least < 2 ? 2 : least;
        if (gap_left(t, i) > (widest ? gap_left(t, widest) : from))
            widest = i;
        first = false;
    }
    for (size_t i = widest; i > 0 && !t->used[i - 1]; i--)
        if (!t->dropped[i - 1])
            return t->dropped[i - 1] = true;
    return false;
}

/* Where the last column begins once what was dropped is gone. */
static size_t last_column(const struct table *t)
{
    size_t left = 0;
    for (size_t i = 0; i < t->last; i++)
        left += !t->dropped[i];
    return left;
}

/* One that is too wide loses blanks between its columns, down to two, and to one where its last column is no text. */
static void squeeze(struct table *t, size_t width)
{
    size_t over = t->columns > width ? t->columns - width : 0;
    for (size_t i = 1; i < t->columns; i++)
        if (ends_gap(t, i) && gap_left(t, i) >= 2)
            t->last = i;
    while (over && shrink(t, 2))
        over--;
    if (t->words && last_column(t) + TEXT_COLUMNS <= width)
        return;
    t->below = t->words;
    over = t->below && last_column(t) <= width + 2 ? 0 : over;
    while (over && shrink(t, 1))
        over--;
}

static void add_row(const struct table *t, struct str row, size_t width, struct buf *out)
{
    struct buf line;
    size_t column = 0, columns, hang = last_column(t);
    buf_init(&line, LINE_BYTES);
    for (size_t at = 0; at < row.len; column += columns) {
        size_t len = character(row, at, &columns);
        if (column >= MAP_COLUMNS || !t->dropped[column])
            buf_add(&line, str_slice(row, at, at + len));
        at += len;
    }
    struct str whole = buf_str(&line);
    size_t left = t->below && text_columns(whole) > width ? bytes_before(whole, hang) : whole.len;
    bool room = hang && hang + TEXT_COLUMNS <= width;
    wrap(trimmed(str_slice(whole, 0, left)), width, room ? hang : indent_of(row) + 4, "", out);
    if (left < whole.len) {
        struct buf below;
        buf_init(&below, LINE_BYTES);
        buf_addf(&below, "    %.*s", STR_FMT(str_slice(whole, left, whole.len)));
        wrap(buf_str(&below), width, 4, "", out);
        buf_done(&below);
    }
    buf_done(&line);
}

static bool has_words(struct str row)
{
    size_t gap = 0;
    for (size_t at = indent_of(row); at + 2 < row.len; at++)
        if (row.ptr[at] == ' ' && row.ptr[at + 1] == ' ' && row.ptr[at + 2] != ' ')
            gap = at + 2;
    return gap && memchr(row.ptr + gap, ' ', row.len - gap);
}

static void fit_tables(struct str paragraph, size_t width, struct buf *out)
{
    struct table t = {0};
    struct str rest = paragraph;
    while (rest.len) {
        struct str line = take_line(&rest);
        if (!is_row(line))
            continue;
        mark(&t, line);
        t.words |= has_words(line);
    }
    if (t.columns <= MAP_COLUMNS)
        squeeze(&t, width);
    for (rest = paragraph; rest.len;) {
        struct str line = take_line(&rest);
        if (is_row(line))
            add_row(&t, line, width, out);
        else if (line.len)
            wrap(line, width, hang_of(line, width), "", out);
        else
            buf_add_char(out, '\n');
    }
}

/* Help */

/* What goes on in the line below: prose at the same place, or the second column of a term. */
static bool goes_on(struct str line, size_t hang, struct str next)
{
    size_t indent = indent_of(line);
    if (!next.len || is_row(next) || indent_of(next) != hang)
        return false;
    return hang > indent || indent == 0;
}

/* An example for a shell, which a backslash may continue; JSON is none. */
static bool is_command(struct str line)
{
    size_t indent = indent_of(line);
    return indent > 0 && indent <= COMMAND_INDENT && line.ptr[indent] != '{' && !is_row(line);
}

static void fit_help(struct str paragraph, size_t width, struct buf *out)
{
    struct buf whole;
    buf_init(&whole, LINE_BYTES);
    while (paragraph.len) {
        struct str line = take_line(&paragraph), rest = paragraph, next;
        size_t hang = hang_of(line, width);
        bool command = is_command(line);
        buf_clear(&whole);
        buf_add(&whole, line);
        while (rest.len && (next = take_line(&rest), goes_on(line, hang, next))) {
            buf_addf(&whole, " %.*s", (int)(next.len - hang), next.ptr + hang);
            paragraph = rest;
        }
        if (whole.len == 0)
            buf_add_char(out, '\n');
        wrap(buf_str(&whole), width, command ? indent_of(line) + 4 : hang, command ? " \\" : "",
             out);
    }
    buf_done(&whole);
}

/* Paragraphs */

static struct str take_paragraph(struct str *rest, size_t *ret_columns)
{
    struct str from = *rest;
    *ret_columns = 0;
    while (rest->len) {
        struct str line = take_line(rest);
        size_t columns = text_columns(line);
        *ret_columns = columns > *ret_columns ? columns : *ret_columns;
        if (line.len == 0)
            break;
    }
    return str_slice(from, 0, from.len - rest->len);
}

void text_fit(struct str text, size_t width, enum text_fit_how how, struct buf *out)
{
    while (text.len) {
        size_t columns;
        struct str paragraph = take_paragraph(&text, &columns);
        if (width == 0 || columns <= width)
            buf_add(out, paragraph);
        else if (how == TEXT_FIT_HELP)
            fit_help(paragraph, width, out);
        else
            fit_tables(paragraph, width, out);
    }
}
