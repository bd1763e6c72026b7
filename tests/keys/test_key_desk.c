/* The desk where keys are made and ended: one at a time, and what it says no to. */
#include "keys/key_desk.h"

#include <fcntl.h>
#include <sys/file.h>

#include "keys/key_scene.h"

#define NOW_MS INT64_C(1796000000000)

static struct key_desk desk;
static char secret[KEY_SECRET_BYTES];

static void open_desk(bool create)
{
    desk = key_desk_at(key_scene.arena, key_scene.t.path, NULL, NOW_MS);
    cr_assert_eq(key_desk_open(&desk, create, NULL), OK);
}

static enum status add(const char *name, enum key_role role, struct error *err)
{
    struct key_row row = key_desk_blank(&desk, str_from(name), role);
    return key_desk_add(&desk, &row, secret, err);
}

static void begin(void)
{
    key_scene_begin();
    open_desk(true);
}

static void end(void)
{
    key_desk_close(&desk);
    key_scene_end();
}

TestSuite(key_desk, .init = begin, .fini = end);

Test(key_desk, what_was_added_is_there_at_the_next_look)
{
    struct key_row *row = NULL;
    cr_assert_eq(add("ann", KEY_ADMIN, NULL), OK);
    cr_expect(str_starts(str_from(secret), STR("lr-")));
    key_desk_close(&desk);
    open_desk(false);
    cr_assert_eq(key_desk_find(&desk, STR("ann"), &row, NULL), OK);
    cr_expect(row->role == KEY_ADMIN && row->created_ms == NOW_MS);
    cr_expect_eq(row->limits.requests_per_minute, KEY_UNLIMITED);
    cr_expect_eq(key_desk_find(&desk, row->id, &row, NULL), OK);
    cr_expect(key_desk_count(&desk, KEY_ADMIN) == 1 && key_desk_count(&desk, KEY_USER) == 0);
}

Test(key_desk, names_that_will_not_do)
{
    struct error err;
    char longest[KEY_NAME_BYTES_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    longest[KEY_NAME_BYTES_MAX + 1] = '\0';
    cr_expect_eq(add("", KEY_USER, &err), ERR_USAGE);
    cr_expect_eq(add("a\nb", KEY_USER, &err), ERR_USAGE);
    cr_expect_eq(add("a\xff", KEY_USER, &err), ERR_USAGE);
    cr_expect_eq(add(longest, KEY_USER, &err), ERR_USAGE);
    cr_expect_eq(add(longest + 1, KEY_USER, &err), OK);
    cr_expect_eq(add(longest + 1, KEY_USER, &err), ERR_INPUT);
    cr_expect(strstr(err.text, "revoke it, or give another name"), "%s", err.text);
    cr_expect_eq(desk.file.count, 1);
}

Test(key_desk, what_is_revoked_gives_its_name_away)
{
    struct key_row *row = NULL;
    struct error err;
    cr_assert_eq(add("ann", KEY_ADMIN, NULL), OK);
    cr_assert_eq(key_desk_find(&desk, STR("ann"), &row, NULL), OK);
    cr_expect_eq(key_desk_revoke(&desk, row, NULL), OK);
    cr_expect_eq(key_desk_revoke(&desk, row, &err), ERR_INPUT);
    cr_expect_eq(key_desk_find(&desk, STR("ann"), &row, &err), ERR_NOT_FOUND);
    cr_expect(strstr(err.text, "has no live key 'ann'"), "%s", err.text);
    cr_expect_eq(key_desk_count(&desk, KEY_ADMIN), 0);
    key_desk_close(&desk);
    open_desk(false);
    cr_expect_eq(add("ann", KEY_ADMIN, NULL), OK);
    cr_expect_eq(key_desk_count(&desk, KEY_ADMIN), 1);
}

Test(key_desk, is_locked_while_it_is_open)
{
    int fd = open(key_scene.lock_path, O_RDWR);
    cr_assert_geq(fd, 0);
    cr_expect_neq(flock(fd, LOCK_EX | LOCK_NB), 0);
    key_desk_close(&desk);
    cr_expect_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
    close(fd);
}

Test(key_desk, a_file_that_is_not_there_has_no_key_to_change)
{
    struct error err;
    struct key_desk other = key_desk_at(key_scene.arena, "nowhere/keys.json", NULL, NOW_MS);
    cr_expect_eq(key_desk_open(&other, false, &err), ERR_NOT_FOUND);
    cr_expect(strstr(err.text, "leeroo keys create"), "%s", err.text);
    key_desk_close(&other);
}
