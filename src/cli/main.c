/* The program: a table of commands. Everything else is one file per command. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/process_setup.h"
#include "lm/lm_try.h"
#include "reader/encoder_open.h"

static const struct command *const commands[] = {COMMANDS NULL};

static void print_help(FILE *out)
{
    fputs("leeroo " LEEROO_VERSION " - one endpoint in front of many language models\n\n"
          "usage: leeroo COMMAND [options]      leeroo COMMAND -h explains each\n\n",
          out);
    for (size_t i = 0; commands[i]; i++)
        fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
}

static void print_version(void)
{
    puts("leeroo " LEEROO_VERSION);
    if (lm_is_built())
        printf("llama.cpp %s\n", lm_version());
    else
        puts("without llama.cpp");
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
    if (!strcmp(name, "-h") || !strcmp(name, "--help") || !strcmp(name, "help")) {
        print_help(stdout);
        return process_end("help", 0);
    }
    if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
        print_version();
        return process_end("version", 0);
    }
    if (!strcmp(name, LM_TRY_COMMAND)) /* for ourselves */
        return try_gguf(argc - 2, argv + 2);
    lm_try_by("/proc/self/exe");
    for (size_t i = 0; commands[i]; i++)
        if (!strcmp(name, commands[i]->name))
            return process_end(name, commands[i]->run(argc - 1, argv + 1));
    fprintf(stderr, "leeroo: no command '%s'; `leeroo -h` lists them\n", name);
    return 2;
}
