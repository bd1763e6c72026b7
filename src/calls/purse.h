/* The money of a run: what may be spent, what is spent, and what calls in flight may still cost. To the cent the cap
 * holds because a call is made only after the most that it may cost fits beside all that is spent or reserved. It
 * belongs to one thread. Money is in nano-USD. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PURSE_NO_CAP INT64_MAX

struct purse {
    int64_t cap_nano_usd; /* of the run; PURSE_NO_CAP: none */
    int64_t spent_nano_usd, reserved_nano_usd;
};

/* What is neither spent nor reserved; 0 where the cap is passed, INT64_MAX without one. */
int64_t purse_left_nano_usd(const struct purse *p);
/* False, and nothing is reserved, when so much is not left. */
bool purse_reserve(struct purse *p, int64_t nano_usd);
/* The call is over: its reservation goes, what it cost is spent. It may have cost more (an endpoint that passed over
 * its limits): then that is spent all the same. */
void purse_settle(struct purse *p, int64_t reserved_nano_usd, int64_t paid_nano_usd);
/* Paid before this process began. */
void purse_book(struct purse *p, int64_t nano_usd);
/* Reserved before this process began, whatever is left. */
void purse_hold(struct purse *p, int64_t nano_usd);
