/* RFC 4180 records from a line_reader: a header row, then rows by column name. Quoted cells may hold
 * separators and doubled quotes, but not line ends. */
#pragma once

#include "base/buf.h"
#include "base/gz.h"

#define CSV_COLUMNS_MAX 1024

struct csv;

/* Opens and reads the header. */
NODISCARD enum status csv_open(const char *path, struct csv **ret, struct error *err);
/* The same for tables of others: quoted cells may hold line ends. */
NODISCARD enum status csv_open_spanning(const char *path, struct csv **ret, struct error *err);
void csv_close(struct csv *c);
int csv_column_count(const struct csv *c);
struct str csv_column_name(const struct csv *c, int column); /* without blanks around it */
/* Index of a column, or -1. */
int csv_column(const struct csv *c, const char *name);
/* Index of a column that must be there; ERR_INPUT naming the file and the columns found. */
NODISCARD enum status csv_require(const struct csv *c, const char *name, int *ret,
                                  struct error *err);
/* For a complaint about a second row: the line of the first whose cell in `column` has this value, and in `other`, if
 * that is not NULL, the other one. Reads the file anew; 0: there is none. */
size_t csv_find_line(const char *path, const char *column, struct str value, const char *other,
                     struct str other_value);

/* Moves to the next row (blank lines are skipped). CLOSED at the end; ERR_INPUT when the number of cells differs. */
NODISCARD enum status csv_next(struct csv *c, struct error *err);
struct str csv_cell(const struct csv *c, int column);    /* valid until csv_next */
size_t csv_line(const struct csv *c);                    /* first line of the current row */
size_t csv_cell_column(const struct csv *c, int column); /* 1-based byte column of the cell */
const char *csv_path(const struct csv *c);

/* Appends one cell, quoted where a separator, a quote or a line end asks for it. */
void csv_write_cell(struct buf *b, struct str cell);
