/* One line on a terminal, redrawn in place. */
#include "base/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define REDRAW_NS UINT64_C(100000000)
#define BAR_CELLS 30

void progress_begin(struct progress *p, const char *what, size_t total)
{
    *p = (struct progress){.what = what,
                           .total = total ? total : 1,
                           .started_ns = clock_now_ns(),
                           .enabled = isatty(STDERR_FILENO)};
}

void progress_update(struct progress *p, size_t done)
{
    if (!p->enabled)
        return;
    uint64_t now = clock_now_ns();
    if (now - p->drawn_ns < REDRAW_NS)
        return;
    p->drawn_ns = now;
    if (done > p->total)
        done = p->total;
    double share = (double)done / (double)p->total;
    double seconds = (double)(now - p->started_ns) * 1e-9;
    char bar[BAR_CELLS + 1];
    memset(bar, '.', BAR_CELLS);
    memset(bar, '#', (size_t)(share * BAR_CELLS));
    bar[BAR_CELLS] = 0;
    fprintf(stderr, "\r%-22.22s [%s] %3.0f %%", p->what, bar, share * 100);
    if (share > 0.02 && seconds > 1)
        fprintf(stderr, "  %.0f s left ", seconds / share - seconds);
    fflush(stderr);
}

void progress_end(struct progress *p)
{
    if (p->enabled && p->drawn_ns)
        fputs("\r\033[K", stderr);
    p->enabled = 0;
}
