/* screen.h: fitted on a terminal, as it is in a pipe. */
#include "base/screen.h"

#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define TEXT   "name                                             figure\na  1\n"
#define FITTED "name                              figure\na  1\n" /* at 40 columns */

static FILE *terminal_at(int *ret_master)
{
    struct winsize size = {.ws_row = 24, .ws_col = 40};
    struct termios raw;
    int terminal;
    if (openpty(ret_master, &terminal, NULL, NULL, &size) != 0)
        cr_skip_test("skipped: this machine has no pseudo-terminals");
    tcgetattr(terminal, &raw);
    cfmakeraw(&raw);
    tcsetattr(terminal, TCSANOW, &raw);
    return fdopen(terminal, "w");
}

static void expect(int fd, const char *wanted)
{
    char seen[256] = {0};
    size_t len = 0;
    while (len < strlen(wanted)) {
        ssize_t n = read(fd, seen + len, sizeof(seen) - 1 - len);
        cr_assert_gt(n, 0);
        len += (size_t)n;
    }
    cr_expect_str_eq(seen, wanted);
}

static void print_both(FILE *to)
{
    struct buf b;
    struct screen s;
    struct error err = {0};
    buf_init(&b, 1024);
    buf_add_c(&b, TEXT);
    cr_assert_eq(screen_print(to, &b, &err), OK);
    FILE *out = screen_begin(&s, to);
    fputs("name                                   ", out);
    fputs("          figure\na  1\n", out);
    screen_end(&s);
    fflush(to);
}

Test(screen, fits_a_terminal)
{
    int master;
    FILE *to = terminal_at(&master);
    print_both(to);
    expect(master, FITTED FITTED);
    fclose(to);
    close(master);
}

Test(screen, leaves_a_pipe_alone)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    FILE *to = fdopen(ends[1], "w");
    print_both(to);
    expect(ends[0], TEXT TEXT);
    fclose(to);
    close(ends[0]);
}

Test(screen, what_has_failed_is_not_printed)
{
    struct buf b;
    struct error err = {0};
    int master;
    FILE *to = terminal_at(&master);
    buf_init(&b, 4);
    buf_add_c(&b, "too long");
    cr_assert_neq(screen_print(to, &b, &err), OK);
    fclose(to);
    close(master);
}
