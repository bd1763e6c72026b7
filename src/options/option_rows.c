/* Options from a table of rows: parsing, bounds, and the help that the same rows make.
 *
 * Runs once in main's thread, before anything is loaded. It prints nothing and never exits: cli/options.c does the one,
 * main the other. Words that it keeps point into argv, which it puts into another order. */
#include "options/option_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/str.h"
#include "base/text_fit.h"

#define ROWS_MAX 64 /* that a suggestion is looked for among */

static void write_rows(const struct usage *u, struct buf *out)
{
    buf_add_c(out, "options:\n");
    for (size_t i = 0; i < u->row_count; i++) {
        const struct option_row *row = &u->rows[i];
        char left[80], shape[12] = "";
        if (row->letter)
            snprintf(shape, sizeof(shape), "-%c, ", row->letter);
        snprintf(left, sizeof(left), "%s%s%s%s", shape, row->name, row->argument ? " " : "",
                 row->argument ? row->argument : "");
        buf_addf(out, "  %-26s %s\n", left, row->help);
    }
    buf_add_c(out, "  -h, --help                 this text\n");
}

void options_usage_write(const struct usage *u, size_t width, struct buf *out)
{
    struct buf text;
    buf_init(&text, out->limit);
    buf_addf(&text, "usage: leeroo %s\n\n%s\n", u->synopsis, u->text);
    write_rows(u, &text);
    text_fit(buf_str(&text), width, TEXT_FIT_HELP, out);
    buf_done(&text);
}

/* What may have been meant; of `arg` only the name counts. */
static enum status unknown_option(const struct usage *u, const char *arg, size_t name_len,
                                  struct error *err)
{
    const char *names[ROWS_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i < u->row_count && count < ROWS_MAX; i++)
        names[count++] = u->rows[i].name;
    names[count++] = "--help";
    const char *nearest =
        name_len > 2 ? str_nearest((struct str){arg, name_len}, names, count) : NULL;
    if (nearest)
        return error_set(err, ERR_USAGE, "no option '%s', did you mean '%s'?", arg, nearest);
    return error_set(err, ERR_USAGE, "no option '%s'", arg);
}

static const struct option_row *find_row(const struct usage *u, const char *arg, size_t name_len)
{
    for (size_t i = 0; i < u->row_count; i++) {
        const struct option_row *row = &u->rows[i];
        if (strlen(row->name) == name_len && !strncmp(row->name, arg, name_len))
            return row;
        if (row->letter && name_len == 2 && arg[0] == '-' && arg[1] == row->letter)
            return row;
    }
    return NULL;
}

static bool in_bounds(const struct option_row *row, double value)
{
    return (row->min == 0 && row->max == 0) || (value >= row->min && value <= row->max);
}

static enum status store_number(const struct option_row *row, struct str text)
{
    double number = 0;
    uint64_t whole = 0;
    enum status status =
        row->type == OPTION_DOUBLE ? str_to_double(text, &number) : str_to_uint64(text, &whole);
    if (row->type != OPTION_DOUBLE)
        number = (double)whole;
    if (status != OK || (row->type != OPTION_SEED && !in_bounds(row, number)))
        return ERR_USAGE;
    if (row->type == OPTION_DOUBLE)
        *(double *)row->into = number;
    else if (row->type == OPTION_COUNT)
        *(size_t *)row->into = (size_t)whole;
    else
        *(uint64_t *)row->into = whole;
    return OK;
}

/* One piece: a type of option is a way to keep its value, and each says what it wants instead. */
static enum status store(const struct option_row *row, const char *value, struct error *err)
{
    if (row->given)
        *row->given = true;
    if (row->type == OPTION_FLAG) {
        *(bool *)row->into = true;
        return OK;
    }
    if (row->type == OPTION_STRING) {
        *(const char **)row->into = value;
        return OK;
    }
    if (row->type == OPTION_LIST) {
        struct option_list *list = row->into;
        if (list->count == OPTION_LIST_MAX)
            return error_set(err, ERR_USAGE, "%s: given more than %d times", row->name,
                             OPTION_LIST_MAX);
        list->items[list->count++] = value;
        return OK;
    }
    if (store_number(row, str_from(value)) == OK)
        return OK;
    char wanted[80];
    if (row->min == 0 && row->max == 0)
        snprintf(wanted, sizeof(wanted), "a %s",
                 row->type == OPTION_DOUBLE ? "number" : "whole number, 0 or more");
    else if (isinf(row->max))
        snprintf(wanted, sizeof(wanted), "a number of at least %g", row->min);
    else
        snprintf(wanted, sizeof(wanted), "a number from %g to %g", row->min, row->max);
    return error_set(err, ERR_USAGE, "%s '%.60s': expected %s%s", row->name, value, wanted,
                     strchr(value, ',') ? ", with a decimal point" : "");
}

/* One option at argv[*at]; moves *at over its value. */
static enum status take_option(const struct usage *u, int argc, char **argv, int *at,
                               struct error *err)
{
    const char *arg = argv[*at];
    const char *equals = !strncmp(arg, "--", 2) ? strchr(arg, '=') : NULL;
    size_t name_len = equals ? (size_t)(equals - arg) : strlen(arg);
    const struct option_row *row = find_row(u, arg, name_len);
    if (!row)
        return unknown_option(u, arg, name_len, err);
    const char *value = equals ? equals + 1 : NULL;
    if (row->type == OPTION_FLAG && value)
        return error_set(err, ERR_USAGE, "%s takes no value", row->name);
    if (row->type != OPTION_FLAG && !value) {
        if (*at + 1 >= argc)
            return error_set(err, ERR_USAGE, "%s wants %s", row->name, row->argument);
        value = argv[++*at];
    }
    return store(row, value, err);
}

enum status options_read(const struct usage *usage, int argc, char **argv, int *ret_count,
                         struct error *err)
{
    char *command = argv[0];
    int count = 0;
    bool only_positional = false;
    for (int i = 1; i < argc; i++) {
        char *arg = argv[i];
        if (only_positional || arg[0] != '-' || !arg[1]) {
            argv[1 + count++] = arg;
        } else if (!strcmp(arg, "--")) {
            only_positional = true;
        } else if (!strcmp(arg, "-h") || !strcmp(arg, "--help")) {
            return CLOSED;
        } else if (take_option(usage, argc, argv, &i, err) != OK) {
            return ERR_USAGE;
        }
    }
    memmove(argv, argv + 1, (size_t)count * sizeof(*argv));
    argv[count] = command;
    *ret_count = count;
    return OK;
}
