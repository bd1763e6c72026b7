/* Which addresses belong to the machine itself or to a private network. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* Everything that is not reached over the public internet: loopback, private, link-local (cloud metadata), shared,
 * reserved, multicast; of IPv6 also addresses that stand for such ones of IPv4. Families other than IP are private. */
bool address_is_private(const struct sockaddr *a);
