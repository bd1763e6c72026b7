/* One line on a terminal, redrawn in place. */
#include "base/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/terminal.h"

#define REDRAW_NS  UINT64_C(100000000)
#define BAR_CELLS  30
#define LINE_BYTES 128
#define AROUND_BAR 48 /* what stands before and behind it, at most */

void progress_begin(struct progress *p, const char *what, size_t total)
{
    *p = (struct progress){.what = what, .total = total ? total : 1, .started_ns = clock_now_ns()};
    if (terminal_redraws(STDERR_FILENO))
        p->columns = terminal_columns(STDERR_FILENO);
}

/* In place of what was drawn before; the last column stays free, where some terminals wrap already. */
static void draw(struct progress *p, const char *line)
{
    size_t len = strlen(line);
    len = len < p->columns ? len : p->columns - 1;
    int blanks = p->drawn > len ? (int)(p->drawn - len) : 0;
    fprintf(stderr, "\r%.*s%*s", (int)len, line, blanks, "");
    fflush(stderr);
    p->drawn = len;
}

void progress_update(struct progress *p, size_t done)
{
    if (!p->columns)
        return;
    uint64_t now = clock_now_ns();
    if (now - p->drawn_ns < REDRAW_NS)
        return;
    p->drawn_ns = now;
    if (done > p->total)
        done = p->total;
    double share = (double)done / (double)p->total;
    double seconds = (double)(now - p->started_ns) * 1e-9;
    char bar[BAR_CELLS + 1] = "", line[LINE_BYTES];
    size_t cells = p->columns > AROUND_BAR ? p->columns - AROUND_BAR : 0;
    cells = cells < BAR_CELLS ? cells : BAR_CELLS;
    memset(bar, '.', cells);
    memset(bar, '#', (size_t)(share * (double)cells));
    bar[cells] = 0;
    int len = snprintf(line, sizeof(line), "%-22.22s [%s] %3.0f %%", p->what, bar, share * 100);
    if (share > 0.02 && seconds > 1)
        snprintf(line + len, sizeof(line) - (size_t)len, "  %.0f s left",
                 seconds / share - seconds);
    draw(p, line);
}

void progress_end(struct progress *p)
{
    if (p->columns && p->drawn) {
        draw(p, "");
        fputc('\r', stderr);
    }
    p->columns = 0;
}
