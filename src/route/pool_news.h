/* What the log says of a pool that comes into force, once, not for each request: who came, who left and whose price is
 * another, which plans fell away with their members, and who no policy would ask. */
#pragma once

#include "route/pool.h"

/* `before` is the pool that it takes the place of. */
void pool_news_change(const struct pool *before, const struct pool *now);
/* Reckons for some milliseconds (route/pool_asked.h): not on a loop's thread. */
void pool_news_never_asked(const struct pool *p);
