/* Who listens on a port of this machine, as far as /proc tells this process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

struct port_owner {
    pid_t pid;
    char name[32]; /* of the program; UTF-8 without control characters */
};

/* False: nobody does, or a process that may not be looked into. Of those the one is found that is called as this one is
 * and runs as the user whose socket it is, for a gateway lets nobody look into it. Reads all of /proc: not on a loop.
 * */
bool port_owner_find(uint16_t port, struct port_owner *ret);

struct port_socket {
    uint64_t inode; /* 0: there is none */
    uint64_t uid;   /* whose it is */
};
/* The socket that listens on the port, in a text like /proc/net/tcp. */
struct port_socket port_socket_find(struct str table, uint16_t port);
