/* A progress line on standard error, for anything that may take over two seconds. Silent unless standard
 * error is a terminal that can redraw; at most ten times a second, never wider than the terminal, and by carriage
 * returns and blanks alone. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct progress {
    const char *what;
    size_t total;
    uint64_t started_ns, drawn_ns;
    size_t columns; /* 0: silent */
    size_t drawn;   /* of them, by the last line */
};

void progress_begin(struct progress *p, const char *what, size_t total);
void progress_update(struct progress *p, size_t done);
void progress_end(struct progress *p); /* clears the line */
