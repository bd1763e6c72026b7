/* What the programs of each family have to print: see coding_int.h. One function a family, in C and by the plainest way
 * there is, because the tests hold the families' awk programs to it.
 *
 * Pure functions over a sheet; a parameter that is a column is within the sheet's fields. */
#include <string.h>

#include "base/check.h"
#include "pose/coding_int.h"

void sheet_cut(struct str input, struct sheet *ret)
{
    ret->rows = 0;
    while (input.len > 0) {
        CHECK(ret->rows < SHEET_ROWS);
        struct str line = str_split(&input, '\n'), rest = line;
        size_t count = 0;
        while (rest.len > 0) {
            CHECK(count < SHEET_FIELDS);
            ret->fields[ret->rows][count++] = str_split(&rest, ' ');
        }
        ret->field_count[ret->rows] = count;
        ret->lines[ret->rows++] = line;
    }
}

static int64_t number(struct str text)
{
    int64_t value = 0;
    CHECK(str_to_int64(text, &value) == OK);
    return value;
}

int64_t sheet_number(const struct sheet *s, size_t row, size_t field)
{
    CHECK(field < s->field_count[row]);
    return number(s->fields[row][field]);
}

int64_t ask_number(const struct program_ask *ask, size_t arg)
{
    return number(str_from(ask->args[arg]));
}

/* A column is counted from 1. */
static size_t column(const struct program_ask *ask, size_t arg)
{
    return (size_t)ask_number(ask, arg) - 1;
}

static void put_line(struct buf *out, struct str text)
{
    buf_add(out, text);
    buf_add_char(out, '\n');
}

static void put_number(struct buf *out, int64_t value)
{
    buf_add_int(out, value);
    buf_add_char(out, '\n');
}

void coding_sum(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    int64_t sum = 0;
    for (size_t r = 0; r < s->rows; r++)
        sum += sheet_number(s, r, column(ask, 0));
    put_number(out, sum);
}

static size_t count_in_line(const struct sheet *s, size_t row, struct str word)
{
    size_t count = 0;
    for (size_t f = 0; f < s->field_count[row]; f++)
        count += str_equal(s->fields[row][f], word);
    return count;
}

void coding_lines_with(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    int64_t lines = 0;
    for (size_t r = 0; r < s->rows; r++)
        lines += count_in_line(s, r, str_from(ask->args[0])) > 0;
    put_number(out, lines);
}

void coding_columns(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    for (size_t r = 0; r < s->rows; r++) {
        buf_add(out, s->fields[r][column(ask, 0)]);
        buf_add_char(out, ',');
        put_line(out, s->fields[r][column(ask, 1)]);
    }
}

void coding_largest(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    int64_t largest = INT64_MIN;
    for (size_t r = 0; r < s->rows; r++)
        if (sheet_number(s, r, column(ask, 0)) > largest)
            largest = sheet_number(s, r, column(ask, 0));
    put_number(out, largest);
}

void coding_tail(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    for (size_t r = s->rows; r > 0 && (int64_t)(s->rows - r) < ask_number(ask, 0); r--)
        put_line(out, s->lines[r - 1]);
}

void coding_unique(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    const size_t c = column(ask, 0);
    for (size_t r = 0; r < s->rows; r++) {
        size_t before = 0;
        while (!str_equal(s->fields[before][c], s->fields[r][c]))
            before++;
        if (before == r)
            put_line(out, s->lines[r]);
    }
}

static void put_run(char letter, size_t len, int64_t least, struct buf *out)
{
    if ((int64_t)len >= least)
        buf_addf(out, "%c%zu", letter, len);
    else
        for (size_t i = 0; i < len; i++)
            buf_add_char(out, letter);
}

void coding_runs(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    for (size_t r = 0; r < s->rows; r++) {
        const struct str line = s->lines[r];
        size_t len = 0;
        for (size_t i = 0; i < line.len; i++) {
            len++;
            if (i + 1 < line.len && line.ptr[i + 1] == line.ptr[i])
                continue;
            put_run(line.ptr[i], len, ask_number(ask, 0), out);
            len = 0;
        }
        buf_add_char(out, '\n');
    }
}

void coding_latest(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    for (size_t r = 0; r < s->rows; r++) {
        int64_t sum = 0;
        for (size_t k = 0; k <= r && (int64_t)k < ask_number(ask, 0); k++)
            sum += sheet_number(s, r - k, 0);
        put_number(out, sum);
    }
}

void coding_totals(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    for (size_t r = 0; r < s->rows; r++) {
        int64_t sum = 0;
        bool first = true;
        for (size_t k = 0; k < s->rows; k++) {
            if (!str_equal(s->fields[k][0], s->fields[r][0]))
                continue;
            first = first && k >= r;
            sum += sheet_number(s, k, 1);
        }
        if (first && sum > ask_number(ask, 0))
            buf_addf(out, "%.*s %lld\n", STR_FMT(s->fields[r][0]), (long long)sum);
    }
}

void coding_divisor(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    for (size_t r = 0; r < s->rows; r++) {
        int64_t d = sheet_number(s, r, 0) + 1;
        bool divides = false;
        while (!divides) {
            d--;
            divides = true;
            for (size_t f = 0; f <= column(ask, 0); f++)
                divides = divides && sheet_number(s, r, f) % d == 0;
        }
        put_number(out, d);
    }
}

void coding_shift(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    for (size_t r = 0; r < s->rows; r++) {
        for (size_t i = 0; i < s->lines[r].len; i++) {
            char c = s->lines[r].ptr[i];
            if (c >= 'a' && c <= 'z')
                c = (char)('a' + (c - 'a' + ask_number(ask, 0)) % 26);
            buf_add_char(out, c);
        }
        buf_add_char(out, '\n');
    }
}

static bool is_balanced(struct str line)
{
    static const char opens[] = "([{", closes[] = ")]}";
    char open[CODING_TEST_BYTES];
    size_t depth = 0;
    for (size_t i = 0; i < line.len; i++) {
        const char *o = strchr(opens, line.ptr[i]), *c = strchr(closes, line.ptr[i]);
        if (o)
            open[depth++] = closes[o - opens];
        else if (c && (depth == 0 || open[--depth] != *c))
            return false;
    }
    return depth == 0;
}

void coding_brackets(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    (void)ask;
    for (size_t r = 0; r < s->rows; r++)
        put_line(out, is_balanced(s->lines[r]) ? STR("yes") : STR("no"));
}

/* The word that comes next in the alphabet after `last` (empty: the first of all); empty: there is none. */
static struct str word_after(const struct sheet *s, struct str last)
{
    struct str next = STR("");
    for (size_t r = 0; r < s->rows; r++)
        for (size_t f = 0; f < s->field_count[r]; f++) {
            const struct str word = s->fields[r][f];
            if (str_compare(word, last) > 0 && (next.len == 0 || str_compare(word, next) < 0))
                next = word;
        }
    return next;
}

void coding_frequency(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    for (struct str word = word_after(s, STR("")); word.len > 0; word = word_after(s, word)) {
        size_t count = 0;
        for (size_t r = 0; r < s->rows; r++)
            count += count_in_line(s, r, word);
        if ((int64_t)count >= ask_number(ask, 0))
            buf_addf(out, "%.*s %zu\n", STR_FMT(word), count);
    }
}

void coding_sort(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    bool printed[SHEET_ROWS] = {false};
    for (size_t n = 0; n < s->rows; n++) {
        size_t next = SIZE_MAX;
        for (size_t r = 0; r < s->rows; r++)
            if (!printed[r] && (next == SIZE_MAX || sheet_number(s, r, column(ask, 0)) <
                                                        sheet_number(s, next, column(ask, 0))))
                next = r;
        printed[next] = true;
        put_line(out, s->lines[next]);
    }
}

void coding_transpose(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    for (size_t f = 0; f < s->field_count[0]; f++) {
        for (size_t r = 0; r < s->rows; r++) {
            buf_add_c(out, r > 0 ? ask->args[0] : "");
            buf_add(out, s->fields[r][f]);
        }
        buf_add_char(out, '\n');
    }
}

void coding_base(const struct sheet *s, const struct program_ask *ask, struct buf *out)
{
    const int64_t base = ask_number(ask, 0);
    for (size_t r = 0; r < s->rows; r++) {
        int64_t rest = sheet_number(s, r, 0), place = 1;
        while (rest / place >= base)
            place *= base;
        for (; place > 0; place /= base)
            buf_add_int(out, rest / place % base);
        buf_add_char(out, '\n');
    }
}
