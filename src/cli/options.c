/* Options on the command line: help on standard output, what is wrong on standard error, so that a command only says
 * how to exit. In main's thread alone. */
#include "cli/options.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log_writer.h"
#include "base/terminal.h"

#define USAGE_BYTES_MAX (1u << 16)

static struct {
    options_listener *tell;
    void *arg;
} listening; /* main's thread alone */

void options_listen(options_listener *listener, void *arg)
{
    listening.tell = listener;
    listening.arg = arg;
}

static void print_usage(const struct usage *u)
{
    struct buf text;
    size_t width = terminal_columns(STDOUT_FILENO);
    buf_init(&text, USAGE_BYTES_MAX);
    options_usage_write(u, width ? width : TERMINAL_COLUMNS, &text);
    fwrite(text.ptr, 1, text.len, stdout);
    buf_done(&text);
}

enum status options_parse(const struct usage *usage, int argc, char **argv, int *ret_count)
{
    const char *command = argv[0];
    struct error err = {0};
    if (listening.tell) {
        listening.tell(listening.arg, usage);
        return CLOSED;
    }
    enum status status = options_read(usage, argc, argv, ret_count, &err);
    if (status == CLOSED)
        print_usage(usage);
    else if (status != OK)
        fprintf(stderr, "leeroo %s: %s; `leeroo %s -h` shows the options\n", command, err.text,
                command);
    return status;
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
