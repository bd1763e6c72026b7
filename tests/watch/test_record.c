/* What records are called. */
#include "watch/record.h"

#include <criterion/criterion.h>
#include <string.h>

Test(record, ids_grow_with_time_and_differ_within_a_second)
{
    struct rng rng;
    char first[RECORD_ID_BYTES], other[RECORD_ID_BYTES], later[RECORD_ID_BYTES];
    rng_seed(&rng, 1);
    record_id(&rng, 1790000000000, first);
    record_id(&rng, 1790000000999, other);
    record_id(&rng, 1790000001000, later);
    cr_expect_eq(strlen(first), 28);
    cr_expect_eq(strspn(first + 4, "0123456789abcdef"), 24);
    cr_expect_eq(strncmp(first, "req_6ab13b80", 12), 0, "%s", first);
    cr_expect_eq(strncmp(other, first, 12), 0, "the same second");
    cr_expect_str_neq(other, first);
    cr_expect(strcmp(later, first) > 0 && strcmp(later, other) > 0);
}
