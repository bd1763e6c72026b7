/* How far a message of a conversation is about what was said before it: "Are you sure?" has nothing of its own, "Prove
 * that the square root of 2 is irrational" needs nothing else. A rule of thumb for English and, by length alone, for
 * other languages: words of content are counted, those that only refer, ask or thank are not (docs/gateway.md). */
#pragma once

#include "base/str.h"

#define FOLLOW_UP_BYTES_MAX 400 /* a longer text speaks for itself */

/* 0: not at all, 1: it is about nothing else. */
double follow_up_share(struct str text);
