/* What a family of tasks needs beyond texts and programs: parameters, inputs, and what is to be printed for them. */
#pragma once

#include "pose/coding_task.h"

#define SHEET_ROWS   16
#define SHEET_FIELDS 8

struct sheet { /* an input, cut */
    size_t rows;
    struct str lines[SHEET_ROWS];
    size_t field_count[SHEET_ROWS];
    struct str fields[SHEET_ROWS][SHEET_FIELDS];
};

struct coding_family {
    const char *name; /* of the struct program_family */
    void (*draw_args)(struct rng *rng, struct program_ask *ask);
    void (*draw_input)(struct rng *rng, const struct program_ask *ask, struct buf *out);
    const char *edges[2]; /* inputs that all its tasks have; "@1": its parameter */
    void (*solve)(const struct sheet *s, const struct program_ask *ask, struct buf *out);
};

const struct coding_family *coding_family_named(const char *name); /* it must be there */

void sheet_cut(struct str input, struct sheet *ret); /* the input is within the limits above */
int64_t sheet_number(const struct sheet *s, size_t row, size_t field);
int64_t ask_number(const struct program_ask *ask, size_t arg);

/* What is to be printed. */
void coding_sum(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_lines_with(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_columns(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_largest(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_tail(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_unique(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_runs(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_latest(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_totals(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_divisor(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_shift(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_brackets(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_frequency(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_sort(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_transpose(const struct sheet *s, const struct program_ask *ask, struct buf *out);
void coding_base(const struct sheet *s, const struct program_ask *ask, struct buf *out);
