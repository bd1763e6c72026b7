/* Threads that no signal reaches but those of their own faults. */
#include "base/thread.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdbool.h>

static void *mask_of(void *arg)
{
    pthread_sigmask(SIG_SETMASK, NULL, arg);
    return arg;
}

Test(thread, takes_no_signals_and_leaves_the_starters_mask)
{
    pthread_t thread;
    sigset_t inside, before, after;
    void *result = NULL;
    sigemptyset(&inside);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    cr_assert_eq(thread_start(&thread, mask_of, &inside, NULL), OK);
    cr_assert_eq(pthread_join(thread, &result), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    cr_expect_eq(result, &inside);
    for (int s = 1; s < 32; s++) {
        cr_expect_eq(sigismember(&after, s), sigismember(&before, s), "signal %d", s);
        bool own = s == SIGBUS || s == SIGSEGV || s == SIGFPE || s == SIGILL;
        if (s != SIGKILL && s != SIGSTOP)
            cr_expect_eq(sigismember(&inside, s), !own, "signal %d", s);
    }
}
