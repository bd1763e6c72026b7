/* Text from data in a table for a terminal. */
#pragma once

#include "base/buf.h"

#define PRINTABLE_MAX 100 /* bytes of a text that are shown */

/* The first PRINTABLE_MAX bytes, with "…" where that is not all. Nothing in it can steer a terminal or end a line. */
void printable_add(struct buf *b, struct str text);
