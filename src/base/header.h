/* A header of a message, whatever carries it: those who only hand headers on need not know the network. */
#pragma once

#include "base/str.h"

struct http_header {
    struct str name, value;
};
