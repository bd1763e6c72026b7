/* By which name a client calls this server, as far as that says who may be calling. A web page that has its own name
 * point to a loopback address (DNS rebinding) reads what is there as if it were its own, and is known by that name. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

/* Of "name", "name:port", "[::1]:port": without the port, brackets and a dot at the end. */
struct str http_host_name(struct str host);
/* A loopback address, localhost and all below it, or a name without a dot, which no page of the internet has. Empty
 * counts, too: browsers always send one. */
bool http_host_is_local(struct str host);
/* Whether it is one of them in any case; one that has no port stands for all ports. */
bool http_host_is_among(struct str host, const struct str *list, size_t count);
