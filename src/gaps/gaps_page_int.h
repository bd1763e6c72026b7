/* Between the files of the page. */
#pragma once

#include "eval/markup.h"
#include "eval/page.h"
#include "eval/svg.h"
#include "gaps/gaps.h"

#define GAPS_PAGE_NAME_WORDS 4
#define GAPS_PAGE_NAME       90 /* characters of a topic's name */

/* How many topics are shown: those that lack something. */
size_t gaps_page_shown(const struct gaps_page *p);
/* A topic's name, escaped, in at most so many characters. */
void gaps_page_name(struct buf *b, const struct gaps_topic *t, size_t most);
/* "12.3" of a figure per 1,000; "–" for NaN. */
void gaps_page_number(struct buf *b, double value);

/* Sections; one that has nothing to show writes nothing. */
void gaps_page_ranks(const struct gaps_page *p, struct buf *b);
void gaps_page_topics(const struct gaps_page *p, struct buf *b);
