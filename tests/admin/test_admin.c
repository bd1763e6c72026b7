/* The table: nothing of it is open to whoever comes. */
#include <criterion/criterion.h>

#include "admin/admin_int.h"

Test(admin, every_path_of_the_api_needs_an_admin_but_signing_in)
{
    const struct path_table *t = admin_paths();
    cr_assert_gt(t->count, 0);
    for (size_t i = 0; i < t->count; i++) {
        const struct path *p = &t->rows[i];
        cr_expect_not_null(p->handle, "%s", p->path);
        cr_expect_neq(p->admission, ADMISSION_OPEN, "%s", p->path);
        bool signs_in = p->handle == admin_session_post;
        if (str_starts(str_from(p->path), STR("/v1/")))
            cr_expect_eq(p->admission, signs_in ? ADMISSION_PAGE : ADMISSION_ADMIN, "%s", p->path);
    }
}

Test(admin, paths_are_found_beside_the_gateways_own)
{
    const struct path *session = path_find(admin_paths(), STR("/v1/admin/session"), STR("GET"));
    cr_assert_not_null(session);
    cr_expect(session->handle == admin_session_get);
    const struct path *out = path_find(admin_paths(), STR("/v1/admin/session"), STR("DELETE"));
    cr_expect(out->handle == admin_session_delete);
    const struct path *keys = path_find(admin_paths(), STR("/v1/admin/keys/key_a"), STR("PATCH"));
    cr_expect(keys->handle == admin_keys_change);
    const struct path *other = path_find(admin_paths(), STR("/v1/admin/session"), STR("PUT"));
    cr_assert_not_null(other);
    cr_expect_not(path_takes(other, STR("PUT")));
    cr_expect_null(path_find(admin_paths(), STR("/v1/admin"), STR("GET")));
    cr_expect_null(path_find(admin_paths(), STR("/v1/admin/session/"), STR("GET")));
    cr_expect_null(path_find(&(struct path_table){0}, STR("/v1/admin/session"), STR("GET")));
}
