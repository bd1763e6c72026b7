/* Reasons for dropping a question, counted and told: see drop.h. */
#include "pose/drop.h"

#include <stdio.h>

#include "base/check.h"

const char *drop_reason_name(enum drop_reason reason)
{
    static const char *const names[DROP_REASONS] = {
        [DROP_MALFORMED] = "malformed",
        [DROP_FIELD_MISSING] = "a field is missing",
        [DROP_FIELD_WRONG] = "a field is wrong",
        [DROP_CHOICES] = "unusable choices",
        [DROP_NOT_A_CHOICE] = "reference is not among the choices",
        [DROP_NO_NUMBER] = "reference is no number",
        [DROP_TOO_LONG] = "too long",
        [DROP_GIVEN_AWAY] = "reference is given away",
        [DROP_DUPLICATE] = "duplicate",
        [DROP_CONTAMINATED] = "contaminated",
        [DROP_DISAGREES] = "generator disagrees with itself",
        [DROP_UNANIMOUS] = "pool is unanimous",
        [DROP_UNCHECKED] = "unchecked",
    };
    CHECK(reason < DROP_REASONS);
    return names[reason];
}

enum drop_reason drop_reason_read(struct str name)
{
    for (size_t i = 0; i < DROP_REASONS; i++)
        if (str_equal(name, str_from(drop_reason_name((enum drop_reason)i))))
            return (enum drop_reason)i;
    return DROP_REASONS;
}

size_t drop_counts_sum(const struct drop_counts *c)
{
    size_t sum = 0;
    for (size_t i = 0; i < DROP_REASONS; i++)
        sum += c->of[i];
    return sum;
}

void drop_counts_add(struct drop_counts *into, const struct drop_counts *more)
{
    for (size_t i = 0; i < DROP_REASONS; i++)
        into->of[i] += more->of[i];
}

/* The reason with the most drops among those that are left; it is taken out. */
static size_t most(struct drop_counts *left)
{
    size_t best = 0;
    for (size_t i = 1; i < DROP_REASONS; i++)
        if (left->of[i] > left->of[best])
            best = i;
    return best;
}

void drop_counts_print(const struct drop_counts *c, char *into, size_t size)
{
    struct drop_counts left = *c;
    size_t sum = drop_counts_sum(c), len = 0;
    CHECK(size > 0);
    into[0] = '\0';
    if (sum == 0)
        return;
    len = (size_t)snprintf(into, size, "%zu dropped", sum);
    for (size_t i = 0; i < DROP_REASONS && len < size; i++) {
        size_t reason = most(&left);
        if (left.of[reason] == 0)
            return;
        len += (size_t)snprintf(into + len, size - len, "%s%zu %s", i == 0 ? ": " : ", ",
                                left.of[reason], drop_reason_name((enum drop_reason)reason));
        left.of[reason] = 0;
    }
}

void drop_tell(const struct drop_sink *sink, struct drop_counts *counts, struct str id,
               enum drop_reason reason, struct str text, struct str why)
{
    CHECK(reason < DROP_REASONS);
    counts->of[reason]++;
    if (sink)
        sink->dropped(sink->self, id, reason, text, why);
}
