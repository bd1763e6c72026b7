/* An event loop with nothing on it but two signals. */
#include "cli/wait.h"

#include <signal.h>

#include "net/loop.h"

static void stop(void *arg)
{
    loop_stop(arg);
}

enum status cli_wait_for_signal(struct error *err)
{
    struct loop *loop = NULL;
    enum status st = loop_create(&loop, err);
    if (st == OK && (loop_signal(loop, SIGINT, stop, loop) != OK ||
                     loop_signal(loop, SIGTERM, stop, loop) != OK))
        st = error_set(err, ERR_IO, "cannot watch for signals");
    if (st == OK)
        st = loop_run(loop, err);
    loop_free(loop);
    return st;
}
