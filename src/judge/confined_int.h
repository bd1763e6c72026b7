/* Between starting a command and shutting it in. */
#pragma once

#include <stdint.h>

struct jail {
    const char *folder; /* the working directory */
    uint64_t cpu_s, memory_bytes;
    const char *const *readable; /* NULL: all that its user may read */
    const char *program;         /* readable as well */
};

/* In the child, before it becomes the command: everything that takes rights away, in order. Returns 0, or the errno of
 * what failed; ENOSYS: this kernel cannot do it. Only async-signal-safe calls. */
int jail_enter(const struct jail *j);
