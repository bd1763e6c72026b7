/* Whom a run knows, and whom of them it asks its questions. */
#pragma once

#include "config/config.h"
#include "play/play.h"

struct play_pool { /* lives in the arena; names are the configuration's */
    const struct expert *experts;
    const struct str *likes; /* [count] as play_options has them */
    const bool *asked;       /* [count]; NULL: all are */
    size_t count;
};

/* All of the configuration; where the settings name experts, these, in its order, with whoever scores answers or makes
 * questions up. ERR_USAGE: one that is named is not there, or is named twice. */
NODISCARD enum status play_pool_choose(const struct config *config, const struct play_settings *s,
                                       struct arena *a, struct play_pool *ret, struct error *err);
