/* Datagrams as systemd would get them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/notify.h"
#include "base/temp.h"

static char got[256];

static const char *receive(int fd)
{
    ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);
    got[n > 0 ? n : 0] = '\0';
    return got;
}

static int bind_to(const char *name, size_t len)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    memcpy(at.sun_path, name, len);
    cr_assert_eq(
        bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
        0);
    return fd;
}

Test(notify, each_state_is_one_datagram)
{
    struct temp t;
    temp_begin(&t, "notify");
    int fd = bind_to(t.path, strlen(t.path));
    setenv("NOTIFY_SOCKET", t.path, 1);
    notify_ready();
    cr_expect_str_eq(receive(fd), "READY=1\nSTATUS=serving");
    notify_reloading();
    cr_expect(strstr(receive(fd), "RELOADING=1\nMONOTONIC_USEC="), "%s", got);
    notify_stopping();
    cr_expect_str_eq(receive(fd), "STOPPING=1\nSTATUS=draining");
    notify_alive();
    cr_expect_str_eq(receive(fd), "WATCHDOG=1");
    close(fd);
    notify_ready(); /* nobody listens: no harm */
    temp_end(&t);
}

Test(notify, abstract_names_and_none)
{
    char name[64];
    int n = snprintf(name, sizeof(name), "@leeroo-test-%ld", (long)getpid());
    char bound[64];
    memcpy(bound, name, sizeof(name));
    bound[0] = '\0';
    int fd = bind_to(bound, (size_t)n);
    setenv("NOTIFY_SOCKET", name, 1);
    notify_ready();
    cr_expect_str_eq(receive(fd), "READY=1\nSTATUS=serving");
    unsetenv("NOTIFY_SOCKET");
    notify_ready();
    setenv("NOTIFY_SOCKET", "relative", 1);
    notify_ready();
    cr_expect_str_eq(receive(fd), "");
    close(fd);
}

Test(notify, a_watchdog_is_fed_twice_a_period)
{
    unsetenv("WATCHDOG_USEC");
    cr_expect_eq(notify_alive_period_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    cr_expect_eq(notify_alive_period_ms(), 15000);
    setenv("WATCHDOG_USEC", "soon", 1);
    cr_expect_eq(notify_alive_period_ms(), 0);
}
