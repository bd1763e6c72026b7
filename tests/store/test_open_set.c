/* open_set.h against a plain list. */
#include "store/open_set.h"

#include <stdio.h>

#include <criterion/criterion.h>

#include "base/rng.h"

#define IDS 300

static struct str id_of(size_t i, char into[16])
{
    snprintf(into, 16, "req_%zu", i);
    return str_from(into);
}

Test(open_set, behaves_like_a_list)
{
    struct open_set *s = open_set_create(200);
    bool in[IDS] = {false};
    size_t count = 0;
    struct rng rng;
    char text[16];
    rng_seed(&rng, 3);
    for (size_t i = 0; i < 100000; i++) {
        size_t k = (size_t)(rng_next(&rng) % IDS);
        if (rng_next(&rng) % 2) {
            bool fits = !in[k] && count < 200;
            cr_assert_eq(open_set_add(s, id_of(k, text)), fits);
            in[k] |= fits;
            count += fits;
        } else {
            cr_assert_eq(open_set_remove(s, id_of(k, text)), in[k]);
            count -= in[k];
            in[k] = false;
        }
        cr_assert_eq(open_set_count(s), count);
    }
    open_set_free(s);
    open_set_free(NULL);
}
