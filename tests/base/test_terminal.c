/* terminal.h: what a pseudo terminal, a dumb one and a pipe may be given. */
#include "base/terminal.h"

#include <pty.h>
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>

static int open_terminal(unsigned short columns, int *ret_master)
{
    struct winsize size = {.ws_row = 24, .ws_col = columns};
    int terminal;
    if (openpty(ret_master, &terminal, NULL, NULL, &size) != 0)
        cr_skip_test("skipped: this machine has no pseudo-terminals");
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    unsetenv("COLUMNS");
    return terminal;
}

Test(terminal, styles_where_it_is_wanted)
{
    int master, fd = open_terminal(80, &master);
    cr_assert(terminal_has_style(fd) && terminal_redraws(fd));
    setenv("NO_COLOR", "", 1);
    cr_assert(terminal_has_style(fd), "empty says nothing");
    setenv("NO_COLOR", "1", 1);
    cr_assert_not(terminal_has_style(fd));
    cr_assert(terminal_redraws(fd), "which is no colour");
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    cr_assert_not(terminal_has_style(fd));
    cr_assert_not(terminal_redraws(fd));
    unsetenv("TERM");
    cr_assert_not(terminal_redraws(fd));
    close(fd);
    close(master);
}

Test(terminal, says_how_wide_it_is)
{
    int master, fd = open_terminal(123, &master);
    setenv("COLUMNS", "60", 1);
    cr_assert_eq(terminal_columns(fd), 123);
    close(fd);
    close(master);
    fd = open_terminal(0, &master);
    cr_assert_eq(terminal_columns(fd), TERMINAL_COLUMNS);
    setenv("COLUMNS", "97", 1);
    cr_assert_eq(terminal_columns(fd), 97);
    setenv("COLUMNS", "3", 1);
    cr_assert_eq(terminal_columns(fd), TERMINAL_COLUMNS_MIN);
    setenv("COLUMNS", "wide", 1);
    cr_assert_eq(terminal_columns(fd), TERMINAL_COLUMNS);
    close(fd);
    close(master);
}

Test(terminal, a_pipe_is_none)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    setenv("TERM", "xterm", 1);
    cr_assert_not(terminal_has_style(ends[1]));
    cr_assert_not(terminal_redraws(ends[1]));
    cr_assert_eq(terminal_columns(ends[1]), 0);
    close(ends[0]);
    close(ends[1]);
}
