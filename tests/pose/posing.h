/* What the tests of questions share: literals as slices, and who was told of what was dropped. */
#pragma once

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "pose/drop.h"

#define TOLD_MAX 64

struct told {
    size_t count;
    enum drop_reason reasons[TOLD_MAX];
    char texts[TOLD_MAX][200];
};

static inline void told_drop(void *self, struct str id, enum drop_reason reason, struct str text,
                             struct str why)
{
    struct told *t = self;
    (void)id;
    (void)why;
    cr_assert_lt(t->count, TOLD_MAX);
    t->reasons[t->count] = reason;
    snprintf(t->texts[t->count++], sizeof(t->texts[0]), "%.*s", STR_FMT(text));
}

static inline struct arena *test_arena(void)
{
    struct arena *a = arena_create((size_t)256 << 20);
    cr_assert(a);
    return a;
}
