/* Starts a thread with every signal blocked: a new thread inherits the mask of the one that starts it. */
#include "base/thread.h"

#include <signal.h>

enum status thread_start(pthread_t *ret, void *(*run)(void *), void *arg, struct error *err)
{
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return error_set_errno(err, ERR_IO, failed, "cannot start a thread");
    *ret = thread;
    return OK;
}
