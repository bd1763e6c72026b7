/* One statistic of a text by its name, and a suite that keeps the features it is read from. */
#pragma once

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "encode/stats.h"

static struct ngram_text f;

static void begin(void)
{
    cr_assert_eq(ngram_text_init(&f, NULL), OK);
}

static void end(void)
{
    ngram_text_done(&f);
}

static double stat(const char *text, const char *name)
{
    cr_assert_eq(ngram_text_encode(&f, str_from(text), NULL), OK);
    for (unsigned i = 0; i < NGRAM_STATS; i++)
        if (!strcmp(stats_name(i), name))
            return (double)f.stats[i];
    cr_assert_fail("no statistic '%s'", name);
    return 0;
}

#define EXPECT(text, name, value)                                                                  \
    cr_expect_float_eq(stat((text), (name)), (value), 1e-5, "%s of '%s' is %g", (name), (text),    \
                       stat((text), (name)))
