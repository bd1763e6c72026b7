/* The escapes of URLs (RFC 3986 2.1). */
#pragma once

#include "base/arena.h"
#include "base/str.h"

/* %XX as what it stands for; what is no escape stays as it is. Empty: no memory. */
struct str percent_decode(struct str raw, struct arena *a);
