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
    enum status status = loop_create(&loop, err);
    if (status == OK && (loop_signal(loop, SIGINT, stop, loop) != OK ||
                         loop_signal(loop, SIGTERM, stop, loop) != OK))
        status = error_set(err, ERR_IO, "cannot watch for signals");
    if (status == OK)
        status = loop_run(loop, err);
    loop_free(loop);
    return status;
}
