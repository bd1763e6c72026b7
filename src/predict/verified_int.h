/* What the files of verified plans share: checks in probabilities, whatever numbers were given. */
#pragma once

#include <math.h>

#include "predict/shared_factor.h"
#include "predict/verified.h"

#define NODES     SHARED_NODES
#define SHIFT_MAX 20.0f

/* NaN is low. */
static inline float verified_within(float x, float low, float high)
{
    return x > low ? x < high ? x : high : low;
}

/* What a check does, in probabilities whatever was given. */
struct checking {
    float false_pass, false_alarm;
    double price_nano_usd;
};

static inline struct checking checking_of(const struct verified_check *c)
{
    return (struct checking){.false_pass = verified_within(c->false_pass, 0, 1),
                             .false_alarm = verified_within(c->false_alarm, 0, 1),
                             .price_nano_usd = fmax((double)c->price_nano_usd, 0)};
}

static inline float rejects(const struct checking *c, float right)
{
    return c->false_alarm * right + (1 - c->false_pass) * (1 - right);
}

/* P(right | rejected) and P(right | passed), where P(right) was `right` */
static inline float right_if_rejected(const struct checking *c, float right)
{
    float rejected = rejects(c, right);
    return rejected > 0 ? c->false_alarm * right / rejected : 0;
}

static inline float right_if_passed(const struct checking *c, float right)
{
    float passed = (1 - c->false_alarm) * right + c->false_pass * (1 - right);
    return passed > 0 ? (1 - c->false_alarm) * right / passed : 0;
}

static inline float target_of(const struct verified_terms *t, const struct estimate *e,
                              size_t expert)
{
    return shared_logit(e->quality) +
           (t->shift ? verified_within(t->shift[expert], -SHIFT_MAX, SHIFT_MAX) : 0);
}

static inline float sd_of(const struct verified_terms *t)
{
    return verified_within(t->shared_sd, 0, SHARED_SD_MAX);
}
