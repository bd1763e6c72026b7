/* The words of a text by which topics are told: runs of letters in lower case, without the words that every text has.
 * Digits, marks, LaTeX's commands and single letters (the "A." of an option) are none. Where words are not set apart
 * by blanks (Han, kana, Thai), each pair of characters counts as a word. */
#pragma once

#include "base/str.h"

#define TERM_BYTES_MAX       64          /* longer runs are no words */
#define TERMS_TEXT_BYTES_MAX (32u << 10) /* of a longer text the first and the last half of this */

/* Calls `found` for each, in order; `term` is valid during the call. Any bytes are fine. */
void terms_each(struct str text, void (*found)(void *arg, struct str term), void *arg);
