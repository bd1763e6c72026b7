/* Ends a program whose own logic is wrong: says which CHECK failed, and aborts so that a core can be looked at. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "leeroo: internal error: %s:%d: CHECK(%s)\n", file, line, condition);
    abort();
}
