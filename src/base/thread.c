/* Starts a thread with every signal blocked that comes from outside: a new thread inherits the mask of the one that
 * starts it. A fault of its own that is blocked would end the process, whoever handles it. */
#include "base/thread.h"

#include <signal.h>

enum status thread_start(pthread_t *ret, void *(*run)(void *), void *arg, struct error *err)
{
    static const int own[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL}; /* of what the thread itself does */
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        sigdelset(&all, own[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return error_set_errno(err, ERR_IO, failed, "cannot start a thread");
    *ret = thread;
    return OK;
}
