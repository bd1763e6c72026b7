/* Options from a table of rows: parsing, bounds, and the help that the same rows make.
 *
 * Runs once in main's thread, before anything is loaded. It answers for itself on standard output (help) and standard
 * error (what is wrong), so that a command only says how to exit; it never exits itself. Words that it keeps point into
 * argv. */
#include "cli/options.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log_writer.h"
#include "base/str.h"

static void print_usage(const struct usage *u)
{
    printf("usage: leeroo %s\n\n%s\n", u->synopsis, u->text);
    if (u->row_count)
        puts("options:");
    for (size_t i = 0; i < u->row_count; i++) {
        const struct option_row *row = &u->rows[i];
        char left[80], shape[12] = "";
        if (row->letter)
            snprintf(shape, sizeof(shape), "-%c, ", row->letter);
        snprintf(left, sizeof(left), "%s%s%s%s", shape, row->name, row->argument ? " " : "",
                 row->argument ? row->argument : "");
        printf("  %-26s %s\n", left, row->help);
    }
    puts("  -h, --help                 this text");
}

static enum status __attribute__((format(printf, 2, 3)))
complain(const char *command, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "leeroo %s: ", command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "; `leeroo %s -h` shows the options\n", command);
    return ERR_USAGE;
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
static enum status store(const char *command, const struct option_row *row, const char *value)
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
            return complain(command, "%s: given more than %d times", row->name, OPTION_LIST_MAX);
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
    return complain(command, "%s '%.60s': expected %s", row->name, value, wanted);
}

/* One option at argv[*at]; moves *at over its value. */
static enum status take_option(const struct usage *u, int argc, char **argv, int *at)
{
    const char *arg = argv[*at];
    const char *equals = !strncmp(arg, "--", 2) ? strchr(arg, '=') : NULL;
    size_t name_len = equals ? (size_t)(equals - arg) : strlen(arg);
    const struct option_row *row = find_row(u, arg, name_len);
    if (!row)
        return complain(argv[0], "no option '%s'", arg);
    const char *value = equals ? equals + 1 : NULL;
    if (row->type == OPTION_FLAG && value)
        return complain(argv[0], "%s takes no value", row->name);
    if (row->type != OPTION_FLAG && !value) {
        if (*at + 1 >= argc)
            return complain(argv[0], "%s wants %s", row->name, row->argument);
        value = argv[++*at];
    }
    return store(argv[0], row, value);
}

enum status options_parse(const struct usage *usage, int argc, char **argv, int *ret_count)
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
            print_usage(usage);
            return CLOSED;
        } else if (take_option(usage, argc, argv, &i) != OK) {
            return ERR_USAGE;
        }
    }
    memmove(argv, argv + 1, (size_t)count * sizeof(*argv));
    argv[count] = command;
    *ret_count = count;
    return OK;
}

enum status options_parse_alone(const struct usage *usage, const char *hint, int argc, char **argv)
{
    const char *command = argv[0];
    int count = 0;
    enum status status = options_parse(usage, argc, argv, &count);
    if (status != OK || count == 0)
        return status;
    fprintf(stderr, "leeroo %s: unexpected argument '%s'%s%s\n", command, argv[0], hint ? "; " : "",
            hint ? hint : "");
    return ERR_USAGE;
}

/* By way of the log: a gateway that ends may have a standard error that takes nothing any more. */
int cli_fail(const char *command, const struct error *err)
{
    char line[LOG_LINE_BYTES];
    int n = snprintf(line, sizeof(line), "leeroo %s: %s\n", command, err->text);
    log_write((struct str){line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1});
    return err->status == ERR_USAGE ? 2 : 1;
}
