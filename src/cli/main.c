/* The program: a table of commands. Everything else is one file per command. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/commit.h"
#include "cli/process_setup.h"
#include "lm/lm_try.h"
#include "reader/encoder_open.h"

static const struct command *const commands[] = {COMMANDS NULL};

static void print_help(FILE *out)
{
    fputs("leeroo " LEEROO_VERSION " - one endpoint in front of many language models\n\n"
          "usage: leeroo COMMAND [options]      leeroo help COMMAND explains each\n\n",
          out);
    for (size_t i = 0; commands[i]; i++)
        fprintf(out, "  %-11s %s\n", commands[i]->name, commands[i]->summary);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (!strcmp(name, commands[i]->name))
            return commands[i];
    return NULL;
}

static int unknown(const char *name)
{
    const char *names[sizeof(commands) / sizeof(commands[0])];
    size_t count = 0;
    for (; commands[count]; count++)
        names[count] = commands[count]->name;
    const char *nearest = str_nearest(str_from(name), names, count);
    fprintf(stderr, "leeroo: no command '%s'", name);
    if (nearest)
        fprintf(stderr, ", did you mean '%s'?", nearest);
    fputs("; `leeroo -h` lists them\n", stderr);
    return 2;
}

/* `leeroo help`, `leeroo help train` */
static int help(int argc, char **argv)
{
    char flag[] = "-h", *of[] = {argc > 2 ? argv[2] : NULL, flag, NULL};
    if (argc < 3) {
        print_help(stdout);
        return process_end("help", 0);
    }
    const struct command *c = find(argv[2]);
    return c ? process_end(c->name, c->run(2, of)) : unknown(argv[2]);
}

static void print_version(void)
{
    printf("leeroo " LEEROO_VERSION "%s%s%s\n", build_commit[0] ? " (" : "", build_commit,
           build_commit[0] ? ")" : "");
    if (lm_is_built())
        printf("llama.cpp %s\n", lm_version());
    else
        puts("without llama.cpp");
    puts("with " LEEROO_WITH);
}

static int try_gguf(int argc, char **argv)
{
    struct error err = {0};
    enum status status = lm_try_files(argc, argv, &err);
    if (status != OK)
        fprintf(stderr, "%s\n", err.text);
    return status == OK ? 0 : LM_TRY_EXIT + (int)status;
}

/* One piece: what is no command first, then the table. */
int main(int argc, char **argv)
{
    process_begin();
    encoder_open_by(encoder_open_of_model, encoder_close);
    signal(SIGPIPE, SIG_IGN); /* a reader that has gone is an error like a full disk */
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is an error like a full disk */
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    const char *name = argv[1];
    if (!strcmp(name, "-h") || !strcmp(name, "--help") || !strcmp(name, "help"))
        return help(argc, argv);
    if (!strcmp(name, "--version") || !strcmp(name, "-V") || !strcmp(name, "version")) {
        print_version();
        return process_end("version", 0);
    }
    if (!strcmp(name, LM_TRY_COMMAND)) /* for ourselves */
        return try_gguf(argc - 2, argv + 2);
    lm_try_by("/proc/self/exe");
    const struct command *command = find(name);
    return command ? process_end(name, command->run(argc - 1, argv + 1)) : unknown(name);
}
