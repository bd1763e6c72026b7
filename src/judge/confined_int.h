/* Between starting a command and shutting it in. */
#pragma once

#include <stdint.h>

/* In the child, before it becomes the command: everything that takes rights away, in order. `folder` is the working
 * directory. Returns 0, or the errno of what failed; only async-signal-safe calls. */
int jail_enter(const char *folder, uint64_t cpu_s, uint64_t memory_bytes);
