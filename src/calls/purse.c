/* The money of a run: see purse.h. */
#include "calls/purse.h"

#include "base/check.h"
#include "base/saturate.h"

int64_t purse_left_nano_usd(const struct purse *p)
{
    int64_t taken = add_saturated(p->spent_nano_usd, p->reserved_nano_usd);
    if (p->cap_nano_usd == PURSE_NO_CAP)
        return INT64_MAX;
    return taken < p->cap_nano_usd ? p->cap_nano_usd - taken : 0;
}

bool purse_reserve(struct purse *p, int64_t nano_usd)
{
    CHECK(nano_usd >= 0);
    if (nano_usd > purse_left_nano_usd(p))
        return false;
    p->reserved_nano_usd = add_saturated(p->reserved_nano_usd, nano_usd);
    return true;
}

void purse_settle(struct purse *p, int64_t reserved_nano_usd, int64_t paid_nano_usd)
{
    CHECK(reserved_nano_usd >= 0 && reserved_nano_usd <= p->reserved_nano_usd);
    p->reserved_nano_usd -= reserved_nano_usd;
    purse_book(p, paid_nano_usd);
}

void purse_book(struct purse *p, int64_t nano_usd)
{
    CHECK(nano_usd >= 0);
    p->spent_nano_usd = add_saturated(p->spent_nano_usd, nano_usd);
}

void purse_hold(struct purse *p, int64_t nano_usd)
{
    CHECK(nano_usd >= 0);
    p->reserved_nano_usd = add_saturated(p->reserved_nano_usd, nano_usd);
}
