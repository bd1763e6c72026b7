/* One sum for many bodies: small ones are free, none passes the limit, and all of it comes back. */
#include "net/http_bodies.h"

#include <criterion/criterion.h>

Test(http_bodies, the_first_bytes_are_free)
{
    struct http_bodies b = {.bytes_max = 10};
    cr_expect(http_bodies_take(&b, 0, HTTP_BODY_FREE_BYTES));
    cr_expect_eq(atomic_load(&b.bytes), 0);
    cr_expect(http_bodies_take(&b, HTTP_BODY_FREE_BYTES - 2, 12));
    cr_expect_eq(atomic_load(&b.bytes), 10);
    cr_expect_not(http_bodies_take(&b, HTTP_BODY_FREE_BYTES, 1));
    cr_expect(http_bodies_take(&b, 0, 5), "a small one still passes");
    cr_expect_eq(atomic_load(&b.bytes), 10);
    http_bodies_give_back(&b, HTTP_BODY_FREE_BYTES + 10);
    http_bodies_give_back(&b, HTTP_BODY_FREE_BYTES);
    cr_expect_eq(atomic_load(&b.bytes), 0);
}

Test(http_bodies, there_need_not_be_a_limit)
{
    struct http_bodies b = {0};
    cr_expect(http_bodies_take(&b, 0, (size_t)1 << 40));
    http_bodies_give_back(&b, (size_t)1 << 40);
    cr_expect_eq(atomic_load(&b.bytes), 0);
    cr_expect(http_bodies_take(NULL, 0, (size_t)1 << 40));
    http_bodies_give_back(NULL, (size_t)1 << 40);
}
