/* The parts of the page. Internal to universe_page*.c. */
#pragma once

#include "eval/markup.h"
#include "eval/page.h"
#include "eval/svg.h"
#include "universe/universe_page.h"

/* Sections, each a whole <section>; one that has nothing to show writes nothing. */
void universe_page_frontier(const struct universe_page *p, struct buf *b); /* by cost */
void universe_page_number(const struct universe_page *p, struct buf *b);
void universe_page_members(const struct universe_page *p, struct buf *b);
void universe_page_domains(const struct universe_page *p, struct buf *b);
void universe_page_domain_sets(const struct universe_page *p, struct buf *b);
void universe_page_routed(const struct universe_page *p, struct buf *b);
void universe_page_dominated(const struct universe_page *p, struct buf *b);

/* "a, b, c", escaped. */
void universe_page_names(const struct universe_page *p, const size_t *members, size_t count,
                         struct buf *b);
