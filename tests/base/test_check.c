/* check.h: a failed CHECK ends the program, in release builds too. */
#include "base/check.h"

#include <signal.h>

#include <criterion/criterion.h>

Test(check, true_is_silent)
{
    CHECK(1 + 1 == 2);
}

Test(check, false_aborts, .signal = SIGABRT)
{
    CHECK(1 + 1 == 3);
}
