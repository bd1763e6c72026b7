/* One datagram to a Unix socket, in place of a library of several hundred kilobytes. */
#include "base/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

#define WATCHDOG_MS_MAX 3600000u

static void send_state(const char *state)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = name ? strlen(name) : 0;
    if (len < 2 || len >= sizeof(to.sun_path) || (name[0] != '/' && name[0] != '@'))
        return;
    memcpy(to.sun_path, name, len);
    if (name[0] == '@') /* an abstract name */
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to, size);
    close(fd);
}

void notify_ready(void)
{
    send_state("READY=1\nSTATUS=serving");
}

void notify_reloading(void)
{
    char state[80];
    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=reloading",
             (unsigned long long)(clock_now_ns() / 1000));
    send_state(state);
}

void notify_stopping(void)
{
    send_state("STOPPING=1\nSTATUS=draining");
}

void notify_alive(void)
{
    send_state("WATCHDOG=1");
}

unsigned notify_alive_period_ms(void)
{
    uint64_t usec = 0;
    const char *text = getenv("WATCHDOG_USEC");
    if (!text || str_to_uint64(str_from(text), &usec) != OK || usec < 2000)
        return 0;
    uint64_t half_ms = usec / 2000;
    return half_ms > WATCHDOG_MS_MAX ? WATCHDOG_MS_MAX : (unsigned)half_ms;
}
