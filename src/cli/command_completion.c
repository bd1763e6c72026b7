/* `leeroo completion`: a script for the shell, made of the rows that the commands themselves parse. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "options/completion.h"

#define SCRIPT_BYTES_MAX (1u << 20)

static const struct command *const commands[] = {COMMANDS};
#define COUNT (sizeof(commands) / sizeof(commands[0]))

static const char text[] = "Prints a script by which the shell completes commands and options; "
                           "SHELL is bash, zsh or fish.\n"
                           "\n"
                           "  leeroo completion bash > /etc/bash_completion.d/leeroo\n"
                           "  leeroo completion zsh > \"${fpath[1]}/_leeroo\"\n"
                           "  leeroo completion fish > ~/.config/fish/completions/leeroo.fish\n"
                           "  source <(leeroo completion bash)          for this shell alone\n";

struct writing {
    enum completion_shell shell;
    struct completion_command *command;
    struct buf *out;
};

static void on_usage(void *arg, const struct usage *usage)
{
    const struct writing *w = arg;
    w->command->usage = usage;
    completion_add(w->shell, w->command, w->out);
}

/* Each command is run up to where it would parse its options. */
static void write_script(enum completion_shell shell, struct buf *out)
{
    struct completion_command all[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        all[i] = (struct completion_command){commands[i]->name, commands[i]->summary, NULL};
    completion_begin(shell, all, COUNT, out);
    for (size_t i = 0; i < COUNT; i++) {
        struct writing w = {shell, &all[i], out};
        char name[32];
        snprintf(name, sizeof(name), "%s", commands[i]->name);
        char *argv[] = {name, NULL};
        options_listen(on_usage, &w);
        (void)commands[i]->run(1, argv);
    }
    options_listen(NULL, NULL);
    completion_end(shell, out);
}

static int run(int argc, char **argv)
{
    const struct usage usage = {"completion SHELL", text, NULL, 0};
    struct error err = {0};
    struct buf out;
    int count = 0;
    enum status status = options_parse(&usage, argc, argv, &count);
    if (status == CLOSED)
        return 0;
    if (status != OK)
        return 2;
    enum completion_shell shell = COMPLETION_BASH;
    while (count == 1 && shell < COMPLETION_SHELLS && strcmp(argv[0], completion_shell_name(shell)))
        shell++;
    if (count != 1 || shell == COMPLETION_SHELLS) {
        (void)error_set(&err, ERR_USAGE, "which shell? bash, zsh or fish");
        return cli_fail("completion", &err);
    }
    buf_init(&out, SCRIPT_BYTES_MAX);
    write_script(shell, &out);
    status = buf_status(&out, &err);
    if (status == OK)
        fwrite(out.ptr, 1, out.len, stdout);
    buf_done(&out);
    return status == OK ? 0 : cli_fail("completion", &err);
}

const struct command completion_command = {
    .name = "completion",
    .summary = "a script by which the shell completes all of these",
    .run = run,
};
