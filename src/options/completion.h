/* Scripts by which a shell completes command lines of this program. Made of the commands' own option rows, so that they
 * cannot name an option that is not there. */
#pragma once

#include "base/buf.h"
#include "options/option_rows.h"

enum completion_shell { COMPLETION_BASH, COMPLETION_ZSH, COMPLETION_FISH, COMPLETION_SHELLS };

const char *completion_shell_name(enum completion_shell shell); /* "bash", "zsh", "fish" */

struct completion_command {
    const char *name, *summary;
    const struct usage *usage;
};

/* Appends a script for commands[count] whose usage is still to come: begin, one command after the other, end. */
void completion_begin(enum completion_shell shell, const struct completion_command *commands,
                      size_t count, struct buf *out);
void completion_add(enum completion_shell shell, const struct completion_command *command,
                    struct buf *out);
void completion_end(enum completion_shell shell, struct buf *out);
