/* The program: a table of commands. Everything else is one file per command. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/process_setup.h"

static const struct command *const commands[] = {COMMANDS NULL};

static void print_help(FILE *out)
{
    fputs("leeroo " LEEROO_VERSION " - one endpoint in front of many language models\n\n"
          "usage: leeroo COMMAND [options]      leeroo COMMAND -h explains each\n\n",
          out);
    for (size_t i = 0; commands[i]; i++)
        fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
}

int main(int argc, char **argv)
{
    process_begin();
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
        puts("leeroo " LEEROO_VERSION);
        return process_end("version", 0);
    }
    for (size_t i = 0; commands[i]; i++)
        if (!strcmp(name, commands[i]->name))
            return process_end(name, commands[i]->run(argc - 1, argv + 1));
    fprintf(stderr, "leeroo: no command '%s'; `leeroo -h` lists them\n", name);
    return 2;
}
