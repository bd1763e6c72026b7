/* Is it a terminal, and what may it be given. */
#include "base/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_redraws(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

bool terminal_has_style(int fd)
{
    const char *wish = getenv("NO_COLOR");
    return terminal_redraws(fd) && !(wish && *wish);
}

size_t terminal_columns(int fd)
{
    struct winsize size = {0};
    const char *told = getenv("COLUMNS");
    if (!isatty(fd))
        return 0;
    size_t columns = ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
    if (!columns && told)
        columns = (size_t)strtoul(told, NULL, 10);
    if (!columns)
        columns = TERMINAL_COLUMNS;
    return columns < TERMINAL_COLUMNS_MIN ? TERMINAL_COLUMNS_MIN : columns;
}
