/* What a stream may be given: escapes and lines that are drawn again only on a terminal that wants them, lines as wide
 * as it is. Reads the environment (TERM, NO_COLOR, COLUMNS), in main's thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define TERMINAL_COLUMNS     80 /* where nothing says how wide */
#define TERMINAL_COLUMNS_MIN 40 /* narrower ones wrap by themselves */

/* A terminal that can move its cursor: TERM is set and not "dumb". */
bool terminal_redraws(int fd);
/* One that redraws, where NO_COLOR (https://no-color.org) is unset or empty. */
bool terminal_has_style(int fd);
/* Its width, at least TERMINAL_COLUMNS_MIN; of one that does not say it, COLUMNS' or TERMINAL_COLUMNS. 0: no terminal.
 */
size_t terminal_columns(int fd);
