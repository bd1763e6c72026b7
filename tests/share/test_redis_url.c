/* Addresses of Redis: what is read, what is refused, and that no password is ever said. */
#include "share/redis_url.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_create(1 << 20);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(redis_url, .init = setup, .fini = teardown);

static struct redis_url parse(const char *url)
{
    struct redis_url u = {.port = 0};
    struct error err = {0};
    cr_assert_eq(redis_url_parse(str_from(url), arena, &u, &err), OK, "%s: %s", url, err.text);
    return u;
}

Test(redis_url, host_port_and_database)
{
    struct redis_url u = parse("redis://redis.example");
    cr_assert_str_eq(u.host, "redis.example");
    cr_assert(u.port == REDIS_PORT && u.db == 0 && !u.user && !u.password && !u.path);
    u = parse("redis://10.0.0.5:7000/3");
    cr_assert(u.port == 7000 && u.db == 3);
    u = parse("redis://[::1]:7001/");
    cr_assert_str_eq(u.host, "::1");
    cr_assert(u.port == 7001 && u.db == 0);
}

Test(redis_url, users_and_passwords)
{
    struct redis_url u = parse("redis://:p%40ss%2fw%25@host");
    cr_assert(!u.user);
    cr_assert_str_eq(u.password, "p@ss/w%");
    u = parse("redis://leeroo:secret@host:6380");
    cr_assert_str_eq(u.user, "leeroo");
    cr_assert_str_eq(u.password, "secret");
    struct buf text;
    buf_init(&text, 256);
    redis_url_write(&u, &text);
    cr_assert_str_eq(text.ptr, "host:6380");
    buf_done(&text);
}

Test(redis_url, sockets)
{
    struct redis_url u = parse("unix:/run/redis.sock");
    cr_assert_str_eq(u.path, "/run/redis.sock");
    cr_assert(!u.host);
    u = parse("unix://:secret@/run/redis.sock?db=2");
    cr_assert_str_eq(u.path, "/run/redis.sock");
    cr_assert_str_eq(u.password, "secret");
    cr_assert_eq(u.db, 2u);
    cr_assert_str_eq(parse("unix:/run/a@b").path, "/run/a@b");
}

Test(redis_url, what_will_not_do_is_refused_without_its_password)
{
    static const char *const bad[] = {"",
                                      "localhost",
                                      "http://h",
                                      "redis://",
                                      "redis://:0",
                                      "redis://h:0",
                                      "redis://h:65536",
                                      "redis://h:x",
                                      "redis://h/x",
                                      "redis://h/65536",
                                      "redis://:s3cret%2@h",
                                      "redis://:s3cret%zz@h",
                                      "redis://:s3cret%00@h",
                                      "redis://user@h",
                                      "redis://[::1",
                                      "unix:",
                                      "unix:relative",
                                      "unix:/path?s3cret"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct redis_url u = {.port = 1};
        struct error err = {0};
        cr_expect_eq(redis_url_parse(str_from(bad[i]), arena, &u, &err), ERR_INPUT, "%s", bad[i]);
        cr_expect(u.port == 1 && !strstr(err.text, "s3cret"));
    }
    struct redis_url u;
    struct error err;
    cr_assert_eq(redis_url_parse(STR("rediss://h"), arena, &u, &err), ERR_UNSUPPORTED);
    cr_assert(strstr(err.text, "tunnel"));
}
