/* progress.h: silent away from a terminal; on one, a bar that is cleared at the end. */
#include "base/progress.h"

#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

/* Runs a progress bar with `fd` as standard error. */
static void run_bar(int fd)
{
    int saved = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    struct progress p;
    progress_begin(&p, "counting", 10);
    for (size_t i = 0; i <= 12; i++)
        progress_update(&p, i);
    progress_end(&p);
    dup2(saved, STDERR_FILENO);
    close(saved);
}

Test(progress, is_silent_in_a_pipe)
{
    int ends[2];
    char seen[16];
    cr_assert_eq(pipe(ends), 0);
    run_bar(ends[1]);
    close(ends[1]);
    cr_assert_eq(read(ends[0], seen, sizeof(seen)), 0);
    close(ends[0]);
}

/* The kernel hands a terminal's output on in its own time and pieces. */
static void read_until(int fd, const char *wanted, char *into, size_t size)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    size_t len = 0;
    while (!strstr(into, wanted) && len + 1 < size && poll(&ready, 1, 10000) == 1) {
        ssize_t n = read(fd, into + len, size - 1 - len);
        if (n <= 0)
            return;
        len += (size_t)n;
        into[len] = 0;
    }
}

static void open_terminal(unsigned short columns, int *ret_master, int *ret_terminal)
{
    struct winsize size = {.ws_row = 24, .ws_col = columns};
    setenv("TERM", "xterm", 1);
    if (openpty(ret_master, ret_terminal, NULL, NULL, &size) != 0)
        cr_skip_test("skipped: this machine has no pseudo-terminals");
}

Test(progress, draws_on_a_terminal_and_clears)
{
    int master, terminal;
    open_terminal(80, &master, &terminal);
    run_bar(terminal);
    char seen[1024] = {0}, cleared[96];
    const char *line = "counting               [..............................]   0 %";
    snprintf(cleared, sizeof(cleared), "\r%*s\r", (int)strlen(line), "");
    read_until(master, cleared, seen, sizeof(seen));
    cr_assert_not_null(strstr(seen, line), "%s", seen);
    cr_assert_not_null(strstr(seen, cleared), "the line is cleared");
    cr_assert_null(strchr(seen, '\033'), "without an escape");
    close(terminal);
    close(master);
}

Test(progress, is_no_wider_than_the_terminal)
{
    int master, terminal;
    open_terminal(50, &master, &terminal);
    run_bar(terminal);
    char seen[1024] = {0};
    read_until(master, " \r", seen, sizeof(seen));
    cr_assert_not_null(strstr(seen, "\rcounting               [..]   0 %"), "%s", seen);
    close(terminal);
    close(master);
}

Test(progress, is_silent_on_a_dumb_terminal)
{
    int master, terminal;
    open_terminal(80, &master, &terminal);
    setenv("TERM", "dumb", 1);
    run_bar(terminal);
    cr_assert_eq(write(terminal, "end", 3), 3);
    char seen[64] = {0};
    read_until(master, "end", seen, sizeof(seen));
    cr_assert_str_eq(seen, "end");
    close(terminal);
    close(master);
}

Test(progress, nothing_to_do_is_not_a_division_by_zero)
{
    struct progress p;
    progress_begin(&p, "nothing", 0);
    progress_update(&p, 0);
    progress_end(&p);
    progress_end(&p);
}
