/* RFC 4180 over a line_reader. Each line is copied, and quoted cells are unescaped in place in that copy, so a cell
 * costs no allocation and stays valid until the next row. The cells of a row whose reading failed must not be used.
 *
 * A csv belongs to one thread. Reading blocks, so it is for commands and never for an event loop. */
#include "base/csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

#define HEADER_SHOWN 160 /* bytes, in a complaint */

struct csv {
    struct line_reader *lines;
    bool spanning;
    size_t line; /* where the row began */
    struct buf header_bytes, row_bytes;
    struct str header[CSV_COLUMNS_MAX];
    struct str cells[CSV_COLUMNS_MAX];
    size_t columns[CSV_COLUMNS_MAX];
    int count;
};

/* Unescapes a quoted cell in place. *at is on the opening quote; moves past the closing one. */
static bool take_quoted(char *row, size_t len, size_t *at, struct str *cell)
{
    size_t read = *at + 1, write = read;
    cell->ptr = row + read;
    for (;;) {
        if (read == len)
            return false;
        if (row[read] == '"') {
            if (read + 1 < len && row[read + 1] == '"')
                read++;
            else
                break;
        }
        row[write++] = row[read++];
    }
    cell->len = (size_t)(row + write - cell->ptr);
    *at = read + 1;
    return true;
}

static void take_plain(char *row, size_t len, size_t *at, struct str *cell)
{
    const char *hit = memchr(row + *at, ',', len - *at);
    size_t end = hit ? (size_t)(hit - row) : len;
    *cell = (struct str){row + *at, end - *at};
    *at = end;
}

/* Cuts one row into cells. One loop, because what may follow a cell depends on how that cell began, and every complaint
 * needs the column at which it stands. */
static enum status split(struct csv *c, char *row, size_t len, struct str *cells, int *ret_count,
                         struct error *err)
{
    size_t at = 0;
    int count = 0;
    for (;;) {
        if (count == CSV_COLUMNS_MAX)
            return error_set_at(
                err, ERR_TOO_LARGE, csv_path(c), csv_line(c), at + 1, "more than %d columns%s",
                CSV_COLUMNS_MAX,
                memchr(row, '\r', len) ? "; its lines end in CR alone, save it with LF" : "");
        c->columns[count] = at + 1;
        if (at < len && row[at] == '"') {
            if (!take_quoted(row, len, &at, &cells[count]))
                return error_set_at(
                    err, ERR_INPUT, csv_path(c), csv_line(c), c->columns[count],
                    "the quoted cell does not end on this line; a quote within one is doubled");
        } else {
            take_plain(row, len, &at, &cells[count]);
        }
        count++;
        if (at == len)
            break;
        if (row[at] != ',')
            return error_set_at(err, ERR_INPUT, csv_path(c), csv_line(c), at + 1,
                                "expected ',' after a quoted cell");
        at++;
    }
    *ret_count = count;
    return OK;
}

static bool is_open(const struct buf *row, size_t from, bool open)
{
    for (size_t i = from; i < row->len; i++)
        open ^= row->ptr[i] == '"';
    return open;
}

/* As long as a quote is open, the next line belongs to it. At the end of the file the cell is found not to end. */
static enum status next_lines(struct csv *c, struct buf *row, struct error *err)
{
    struct str line;
    bool open = is_open(row, 0, false);
    while (open && row->status == OK) {
        enum status status = line_reader_next(c->lines, &line, err);
        if (status == CLOSED)
            break;
        if (status != OK)
            return status;
        size_t from = row->len;
        buf_add_char(row, '\n');
        buf_add(row, line);
        open = is_open(row, from, open);
    }
    return buf_status(row, err);
}

/* The next line that is not blank, copied into `into`. */
static enum status next_line(struct csv *c, struct buf *into, struct error *err)
{
    struct str line;
    do {
        enum status status = line_reader_next(c->lines, &line, err);
        if (status != OK)
            return status;
    } while (!str_trim(line).len);
    buf_clear(into);
    buf_add(into, line);
    c->line = line_reader_number(c->lines);
    return c->spanning ? next_lines(c, into, err) : buf_status(into, err);
}

/* Columns are asked for by name: of two that are called alike, one would be passed over in silence. */
static enum status check_names(const struct csv *c, struct error *err)
{
    for (int i = 1; i < c->count; i++)
        for (int k = 0; k < i && c->header[i].len > 0; k++)
            if (str_equal(c->header[i], c->header[k]))
                return error_set_at(err, ERR_INPUT, csv_path(c), csv_line(c), c->columns[i],
                                    "column '%.*s' is there twice; rename one",
                                    (int)(c->header[i].len < 60 ? c->header[i].len : 60),
                                    c->header[i].ptr);
    return OK;
}

static enum status read_header(struct csv *c, struct error *err)
{
    enum status status = next_line(c, &c->header_bytes, err);
    if (status == CLOSED)
        return error_set(err, ERR_INPUT, "%s: empty file; expected a header line", csv_path(c));
    if (status != OK)
        return status;
    char *row = c->header_bytes.ptr;
    size_t len = c->header_bytes.len;
    if (len >= 3 && !memcmp(row, "\xef\xbb\xbf", 3)) { /* byte order mark of spreadsheet exports */
        row += 3;
        len -= 3;
    }
    status = split(c, row, len, c->header, &c->count, err);
    return status == OK ? check_names(c, err) : status;
}

static enum status open_table(const char *path, bool spanning, struct csv **ret, struct error *err)
{
    struct csv *c = calloc(1, sizeof(*c));
    if (!c)
        return error_set(err, ERR_MEMORY, "out of memory");
    c->spanning = spanning;
    buf_init(&c->header_bytes, LINE_BYTES_MAX);
    buf_init(&c->row_bytes, LINE_BYTES_MAX);
    enum status status = line_reader_open(path, &c->lines, err);
    if (status == OK)
        status = read_header(c, err);
    if (status != OK) {
        csv_close(c);
        return status;
    }
    *ret = c;
    return OK;
}

enum status csv_open(const char *path, struct csv **ret, struct error *err)
{
    return open_table(path, false, ret, err);
}

enum status csv_open_spanning(const char *path, struct csv **ret, struct error *err)
{
    return open_table(path, true, ret, err);
}

void csv_close(struct csv *c)
{
    if (!c)
        return;
    line_reader_close(c->lines);
    buf_done(&c->header_bytes);
    buf_done(&c->row_bytes);
    free(c);
}

int csv_column_count(const struct csv *c)
{
    return c->count;
}

struct str csv_column_name(const struct csv *c, int column)
{
    CHECK((unsigned)column < (unsigned)c->count);
    return str_trim(c->header[column]);
}

int csv_column(const struct csv *c, const char *name)
{
    for (int i = 0; i < c->count; i++)
        if (str_equal(str_trim(c->header[i]), str_from(name)))
            return i;
    return -1;
}

/* A header in which a column is missed: mostly it is none, or not in commas. */
static enum status mend_header(const struct csv *c, struct error *err)
{
    struct str header = buf_str(&c->header_bytes);
    const char *encoding = utf8_mend(header);
    if (encoding)
        return error_mend(err, "%s", encoding);
    if (c->count == 1 && memchr(header.ptr, ';', header.len))
        return error_mend(err, "cells are parted by commas here, not by ';'");
    if (c->count == 1 && memchr(header.ptr, '\t', header.len))
        return error_mend(err, "cells are parted by commas here, not by tabs");
    return error_mend(err, "the first line names the columns");
}

enum status csv_require(const struct csv *c, const char *name, int *ret, struct error *err)
{
    int column = csv_column(c, name);
    if (column < 0) {
        error_set_at(err, ERR_INPUT, csv_path(c), 1, 0, "no column '%s'; the header is: %.*s", name,
                     STR_FMT(str_slice(buf_str(&c->header_bytes), 0, HEADER_SHOWN)));
        return mend_header(c, err);
    }
    *ret = column;
    return OK;
}

size_t csv_find_line(const char *path, const char *column, struct str value, const char *other,
                     struct str other_value)
{
    struct csv *c = NULL;
    size_t line = 0;
    if (csv_open(path, &c, NULL) != OK)
        return 0;
    int a = csv_column(c, column), b = other ? csv_column(c, other) : a;
    while (!line && a >= 0 && b >= 0 && csv_next(c, NULL) == OK)
        if (str_equal(csv_cell(c, a), value) && (!other || str_equal(csv_cell(c, b), other_value)))
            line = csv_line(c);
    csv_close(c);
    return line;
}

enum status csv_next(struct csv *c, struct error *err)
{
    enum status status = next_line(c, &c->row_bytes, err);
    if (status != OK)
        return status;
    int count = 0;
    status = split(c, c->row_bytes.ptr, c->row_bytes.len, c->cells, &count, err);
    if (status != OK)
        return status;
    if (count == c->count)
        return OK;
    error_set_at(err, ERR_INPUT, csv_path(c), csv_line(c), 0,
                 "%d cells, but the header has %d columns", count, c->count);
    return error_mend(err, count > c->count
                               ? "a cell with a comma in it wants quotes, a decimal number a point"
                               : "what is unknown is an empty cell between commas");
}

struct str csv_cell(const struct csv *c, int column)
{
    CHECK((unsigned)column < (unsigned)c->count);
    return c->cells[column];
}

size_t csv_line(const struct csv *c)
{
    return c->line;
}

size_t csv_cell_column(const struct csv *c, int column)
{
    CHECK((unsigned)column < (unsigned)c->count);
    return c->columns[column];
}

const char *csv_path(const struct csv *c)
{
    return line_reader_path(c->lines);
}

void csv_write_cell(struct buf *b, struct str cell)
{
    bool quote = false;
    for (size_t i = 0; i < cell.len; i++)
        quote = quote || strchr(",\"\r\n", cell.ptr[i]);
    if (!quote) {
        buf_add(b, cell);
        return;
    }
    buf_add_char(b, '"');
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.ptr[i] == '"')
            buf_add_char(b, '"');
        buf_add_char(b, cell.ptr[i]);
    }
    buf_add_char(b, '"');
}
