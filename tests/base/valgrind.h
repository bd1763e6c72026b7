/* Tests of what valgrind cannot do. */
#pragma once

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Ends the test as skipped where valgrind runs it. */
#define NOT_UNDER_VALGRIND(why)                                                                    \
    do {                                                                                           \
        const char *preload = getenv("LD_PRELOAD");                                                \
        if (preload && strstr(preload, "vgpreload"))                                               \
            cr_skip(why);                                                                          \
    } while (0)

#define NEEDS_CONFINEMENT NOT_UNDER_VALGRIND("valgrind cannot shut a command in")
