/* Ends a program whose own logic is wrong: says which CHECK failed, and aborts so that a core can be looked at. */
#include "base/check.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static _Atomic(check_say *) sayer;

void check_say_by(check_say *say)
{
    atomic_store(&sayer, say);
}

void check_failed(const char *condition, const char *file, int line)
{
    char text[600];
    check_say *say = atomic_load(&sayer);
    int n = snprintf(text, sizeof(text) - 1, "leeroo: internal error: %s:%d: CHECK(%s)", file, line,
                     condition);
    size_t end = n > 0 && (size_t)n < sizeof(text) - 2 ? (size_t)n : sizeof(text) - 2;
    text[end] = '\n';
    text[end + 1] = 0;
    if (say)
        say(text);
    else
        fputs(text, stderr);
    abort();
}
