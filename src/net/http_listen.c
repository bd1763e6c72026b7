/* Listening sockets from addresses as people write them.
 *
 * Names are looked up and /proc is read for who is in the way, so all of it belongs to the start of a process and never
 * on a loop, but for http_listen_deafen, which waits for nothing. */
#include <errno.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_server.h"
#include "net/port_owner.h"

#define LISTEN_BACKLOG 4096
#define HOST_BYTES_MAX 256
#define BOUND_BYTES    64
#define PORT_BYTES_MAX 6

struct address {
    char host[HOST_BYTES_MAX], port[PORT_BYTES_MAX];
};

static enum status address_split(const char *text, struct address *ret, struct error *err)
{
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    if (!colon || str_to_uint64(str_from(colon + 1), &port) != OK || port > 65535)
        return error_set(err, ERR_INPUT,
                         "'%s' is not an address to listen on; write HOST:PORT, for example "
                         "127.0.0.1:8080",
                         text);
    struct str host = {text, (size_t)(colon - text)};
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = str_slice(host, 1, host.len - 1);
    else if (memchr(host.ptr, ':', host.len))
        return error_set(err, ERR_INPUT, "'%s': an IPv6 address needs brackets, [::1]:8080", text);
    if (host.len == 0)
        host = STR("127.0.0.1"); /* loopback unless another address is asked for */
    if (host.len >= sizeof ret->host)
        return error_set(err, ERR_INPUT, "'%s': the host name is too long", text);
    snprintf(ret->host, sizeof ret->host, "%.*s", STR_FMT(host));
    snprintf(ret->port, sizeof ret->port, "%u", (unsigned)port);
    return OK;
}

static enum status address_bound(int fd, char *bound, struct error *err)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    char host[INET6_ADDRSTRLEN + 1], port[PORT_BYTES_MAX];
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return error_set_errno(err, ERR_IO, errno, "cannot read the bound address");
    if (getnameinfo((struct sockaddr *)&address, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return error_set(err, ERR_IO, "cannot write out the bound address");
    bool six = address.ss_family == AF_INET6;
    snprintf(bound, BOUND_BYTES, six ? "[%s]:%s" : "%s:%s", host, port);
    return OK;
}

/* Who is in the way, or why one may not. */
static enum status cannot_listen(int code, const char *address, const char *port, struct error *err)
{
    struct port_owner owner;
    uint64_t number = 0;
    if (code == EACCES)
        return error_set_errno(err, ERR_IO, code,
                               "cannot listen on %s (ports below 1024 want root or "
                               "CAP_NET_BIND_SERVICE)",
                               address);
    if (code != EADDRINUSE || str_to_uint64(str_from(port), &number) != OK ||
        !port_owner_find((uint16_t)number, &owner))
        return error_set_errno(err, ERR_IO, code, "cannot listen on %s", address);
    error_set_errno(err, ERR_IO, code, "cannot listen on %s, taken by %s (process %ld)", address,
                    owner.name, (long)owner.pid);
    return ERR_IO;
}

/* With `listens` false the address is only held for a moment: whether it could be had. */
static enum status socket_listen(const struct addrinfo *a, const char *text, const char *port,
                                 bool listens, int *ret, struct error *err)
{
    int one = 1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(err, ERR_IO, errno, "cannot create a socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (a->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || (listens && listen(fd, LISTEN_BACKLOG) != 0)) {
        int code = errno;
        close(fd);
        return cannot_listen(code, text, port, err);
    }
    *ret = fd;
    return OK;
}

static enum status socket_at(const char *address, bool listens, int *ret_fd, struct error *err)
{
    struct address parts;
    enum status status = address_split(address, &parts, err);
    if (status != OK)
        return status;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    int code = getaddrinfo(parts.host, parts.port, &hints, &found);
    if (code != 0)
        return error_set(err, ERR_INPUT, "cannot listen on %s: %s", address, gai_strerror(code));
    status = socket_listen(found, address, parts.port, listens, ret_fd, err);
    freeaddrinfo(found);
    return status;
}

enum status http_listen_try(const char *address, struct error *err)
{
    int fd = -1;
    enum status status = socket_at(address, false, &fd, err);
    if (status == OK)
        close(fd);
    return status;
}

enum status http_listen(const char *address, int *ret_fd, char *bound, struct error *err)
{
    int fd = -1;
    enum status status = socket_at(address, true, &fd, err);
    if (status != OK)
        return status;
    status = address_bound(fd, bound, err);
    if (status != OK) {
        close(fd);
        return status;
    }
    *ret_fd = fd;
    return OK;
}

/* A packet filter that drops the first packet of every new connection: the client repeats it a second later, when there
 * is no socket any more. Packets of connections already begun pass. The filter sees the TCP header. */
void http_listen_deafen(int fd)
{
    enum { FLAGS_OFFSET = 13, FLAG_SYN = 0x02 };
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_OFFSET),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FLAG_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    const struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
