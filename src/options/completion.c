/* A script for each shell: see completion.h. Help texts are ours, but hold brackets, colons and quotes that mean
 * something to shells, so each shell's quoting is in one function. Everything that is no option or command completes
 * as a file, which most arguments are. Pure writing, any thread; a script is whole only after completion_end, and
 * whoever wants one calls the three in their order. */
#include "options/completion.h"

#include <string.h>

const char *completion_shell_name(enum completion_shell shell)
{
    static const char *const names[] = {"bash", "zsh", "fish"};
    return names[shell];
}

/* Within single quotes; of zsh's specifications brackets and colons are escaped, too. */
static void add_quoted(struct buf *out, const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (*text == '\'') {
            buf_add_c(out, "'\\''");
            continue;
        }
        if (strchr(escaped, *text))
            buf_add_char(out, '\\');
        buf_add_char(out, *text);
    }
}

/* bash */

static void bash_begin(const struct completion_command *commands, size_t count, struct buf *out)
{
    buf_add_c(out, "# leeroo completion bash > /etc/bash_completion.d/leeroo\n"
                   "_leeroo() {\n"
                   "    local cur=${COMP_WORDS[COMP_CWORD]} words=\n"
                   "    COMPREPLY=()\n"
                   "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                   "        COMPREPLY=($(compgen -W '");
    for (size_t i = 0; i < count; i++)
        buf_addf(out, "%s ", commands[i].name);
    buf_add_c(out, "help version' -- \"$cur\"))\n        return\n    fi\n"
                   "    case ${COMP_WORDS[1]} in\n");
}

static void bash_add(const struct completion_command *c, struct buf *out)
{
    buf_addf(out, "    %s) words='", c->name);
    for (size_t i = 0; i < c->usage->row_count; i++)
        buf_addf(out, "%s ", c->usage->rows[i].name);
    buf_add_c(out, "--help' ;;\n");
}

static void bash_end(struct buf *out)
{
    buf_add_c(out, "    esac\n"
                   "    if [[ $cur == -* ]]; then\n"
                   "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                   "    else\n"
                   "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                   "    fi\n"
                   "}\n"
                   "complete -o filenames -F _leeroo leeroo\n");
}

/* zsh */

static void zsh_begin(const struct completion_command *commands, size_t count, struct buf *out)
{
    buf_add_c(out, "#compdef leeroo\n"
                   "# leeroo completion zsh > \"${fpath[1]}/_leeroo\"\n"
                   "_leeroo() {\n"
                   "    local -a commands=(\n");
    for (size_t i = 0; i < count; i++) {
        buf_addf(out, "        '%s:", commands[i].name);
        add_quoted(out, commands[i].summary, ":\\");
        buf_add_c(out, "'\n");
    }
    buf_add_c(out, "        'help:what a command does'\n"
                   "        'version:of this program'\n"
                   "    )\n"
                   "    if (( CURRENT == 2 )); then\n"
                   "        _describe command commands\n"
                   "        return\n"
                   "    fi\n"
                   "    local command=$words[2]\n"
                   "    shift words\n"
                   "    (( CURRENT-- ))\n"
                   "    case $command in\n");
}

static void zsh_add(const struct completion_command *c, struct buf *out)
{
    buf_addf(out, "    %s) _arguments -S", c->name);
    for (size_t i = 0; i < c->usage->row_count; i++) {
        const struct option_row *row = &c->usage->rows[i];
        buf_addf(out, " \\\n        '%s%s[", row->type == OPTION_LIST ? "*" : "", row->name);
        add_quoted(out, row->help, "[]:\\");
        buf_add_char(out, ']');
        if (row->argument) {
            buf_add_char(out, ':');
            add_quoted(out, row->argument, "[]:\\");
            buf_add_c(out, ":_files");
        }
        buf_add_char(out, '\'');
    }
    buf_add_c(out, " \\\n        '--help[what it does]' \\\n        '*:file:_files' ;;\n");
}

static void zsh_end(struct buf *out)
{
    buf_add_c(out, "    *) _files ;;\n"
                   "    esac\n"
                   "}\n"
                   "if [ \"$funcstack[1]\" = _leeroo ]; then _leeroo \"$@\"; else compdef _leeroo "
                   "leeroo; fi\n");
}

/* fish */

static void fish_begin(const struct completion_command *commands, size_t count, struct buf *out)
{
    buf_add_c(out, "# leeroo completion fish > ~/.config/fish/completions/leeroo.fish\n");
    for (size_t i = 0; i < count; i++) {
        buf_addf(out, "complete -c leeroo -n __fish_use_subcommand -f -a %s -d '",
                 commands[i].name);
        add_quoted(out, commands[i].summary, "\\");
        buf_add_c(out, "'\n");
    }
}

static void fish_add(const struct completion_command *c, struct buf *out)
{
    for (size_t i = 0; i < c->usage->row_count; i++) {
        const struct option_row *row = &c->usage->rows[i];
        buf_addf(out, "complete -c leeroo -n '__fish_seen_subcommand_from %s' -l %s", c->name,
                 row->name + strspn(row->name, "-"));
        if (row->letter)
            buf_addf(out, " -s %c", row->letter);
        buf_addf(out, "%s -d '", row->argument ? " -r" : "");
        add_quoted(out, row->help, "\\");
        buf_add_c(out, "'\n");
    }
}

void completion_begin(enum completion_shell shell, const struct completion_command *commands,
                      size_t count, struct buf *out)
{
    if (shell == COMPLETION_BASH)
        bash_begin(commands, count, out);
    else if (shell == COMPLETION_ZSH)
        zsh_begin(commands, count, out);
    else
        fish_begin(commands, count, out);
}

void completion_add(enum completion_shell shell, const struct completion_command *command,
                    struct buf *out)
{
    if (shell == COMPLETION_BASH)
        bash_add(command, out);
    else if (shell == COMPLETION_ZSH)
        zsh_add(command, out);
    else
        fish_add(command, out);
}

void completion_end(enum completion_shell shell, struct buf *out)
{
    if (shell == COMPLETION_BASH)
        bash_end(out);
    else if (shell == COMPLETION_ZSH)
        zsh_end(out);
}
