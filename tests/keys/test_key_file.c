/* The file of keys: what is read, what is refused, and what is written back. */
#include "keys/key_file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/temp.h"

#define HEAD     "{\"format\": \"leeroo-keys\", \"version\": 1, \"keys\": ["
#define DIGEST_A "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define DIGEST_B "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define KEY(id, digest, more)                                                                      \
    "{\"id\": \"" id "\", \"name\": \"n\", \"sha256\": \"" digest                                  \
    "\", \"created\": \"2026-11-22T03:00:00Z\"" more "}"
#define ALL                                                                                        \
    ", \"revoked\": \"2026-11-23T03:00:00Z\", \"expires\": \"2027-01-01T00:00:00Z\""               \
    ", \"budget_day_usd\": 0, \"budget_month_usd\": 2.500000001, \"budget_total_usd\": 1e3"        \
    ", \"requests_per_minute\": 60, \"tokens_per_minute\": 100000"                                 \
    ", \"experts\": [\"a\", \"b\"], \"policies\": []"

static struct arena *arena;

static void begin(void)
{
    arena = arena_create(16u << 20);
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(key_file, .init = begin, .fini = end);

static struct key_file parse(const char *text)
{
    struct key_file f = {0};
    struct error err = {0};
    cr_assert_eq(key_file_parse(str_from(text), "k.json", arena, &f, &err), OK, "%s", err.text);
    return f;
}

Test(key_file, unset_is_unlimited)
{
    struct key_file f = parse(HEAD KEY("key_a", DIGEST_A, ", \"experts\": null") "]}");
    cr_assert_eq(f.count, 1);
    const struct key_row *r = &f.rows[0];
    cr_expect(str_equal(r->id, STR("key_a")) && str_equal(r->name, STR("n")));
    cr_expect_eq(r->created_ms, INT64_C(1795316400000));
    cr_expect(r->revoked_ms == 0 && r->expires_ms == 0);
    for (enum key_period p = KEY_DAY; p < KEY_PERIODS; p++)
        cr_expect_eq(r->limits.budget_nano_usd[p], KEY_UNLIMITED);
    cr_expect(r->limits.requests_per_minute == KEY_UNLIMITED &&
              r->limits.tokens_per_minute == KEY_UNLIMITED);
    cr_expect(key_names_have(&r->limits.experts, STR("anybody")));
    cr_expect_null(key_row_refused(r, INT64_MAX));
    cr_expect_eq(parse(HEAD "]}").count, 0);
}

Test(key_file, roles_are_read_and_written_as_earlier_versions_know_them)
{
    struct key_file f = parse(HEAD KEY("key_a", DIGEST_A, ", \"metrics\": true") "," KEY(
        "key_b", DIGEST_B, ", \"role\": \"admin\"") "]}");
    cr_expect_eq(f.rows[0].role, KEY_METRICS);
    cr_expect_eq(f.rows[1].role, KEY_ADMIN);
    struct buf out;
    buf_init(&out, 4096);
    key_file_write(&f, &out);
    cr_expect(strstr(out.ptr, "\"metrics\": true") && strstr(out.ptr, "\"role\": \"admin\""));
    cr_expect_null(strstr(out.ptr, "\"role\": \"metrics\""));
    buf_done(&out);
    cr_expect_eq(parse(HEAD KEY("a", DIGEST_A, ", \"role\": \"metrics\"") "]}").rows[0].role,
                 KEY_METRICS);
    cr_expect_eq(parse(HEAD KEY("a", DIGEST_A, ", \"role\": \"user\"") "]}").rows[0].role,
                 KEY_USER);
    cr_expect_eq(parse(HEAD KEY("a", DIGEST_A, ", \"metrics\": false") "]}").rows[0].role,
                 KEY_USER);
}

Test(key_file, every_limit_is_read)
{
    struct key_file f = parse(HEAD KEY("key_a", DIGEST_A, ALL) "]}");
    const struct key_row *r = &f.rows[0];
    cr_expect_eq(r->limits.budget_nano_usd[KEY_DAY], 0);
    cr_expect_eq(r->limits.budget_nano_usd[KEY_MONTH], INT64_C(2500000001));
    cr_expect_eq(r->limits.budget_nano_usd[KEY_TOTAL], INT64_C(1000000000000));
    cr_expect(r->limits.requests_per_minute == 60 && r->limits.tokens_per_minute == 100000);
    cr_expect(key_names_have(&r->limits.experts, STR("b")));
    cr_expect_not(key_names_have(&r->limits.experts, STR("c")));
    cr_expect_not(key_names_have(&r->limits.policies, STR("a")), "an empty list allows nobody");
    cr_expect_str_eq(key_row_refused(r, 0), "revoked");
    struct key_row living = *r;
    living.revoked_ms = 0;
    cr_expect_null(key_row_refused(&living, r->expires_ms - 1));
    cr_expect_str_eq(key_row_refused(&living, r->expires_ms), "expired");
}

Test(key_file, is_written_as_it_was_read)
{
    struct buf first, second;
    buf_init(&first, KEY_FILE_BYTES_MAX);
    buf_init(&second, KEY_FILE_BYTES_MAX);
    struct key_file f = parse(HEAD KEY("key_a", DIGEST_A, ALL) "," KEY("key_b", DIGEST_B, "") "]}");
    f.rows[1].name = STR("quote \" and ü");
    key_file_write(&f, &first);
    struct key_file again = parse(first.ptr);
    cr_assert_eq(again.count, 2);
    cr_expect(str_equal(again.rows[1].name, f.rows[1].name));
    key_file_write(&again, &second);
    cr_expect_str_eq(first.ptr, second.ptr);
    buf_clear(&second);
    key_row_write(&f.rows[0], false, &second);
    cr_expect_null(strstr(second.ptr, "ba7816bf"));
    buf_done(&first);
    buf_done(&second);
}

Test(key_file, mistakes_are_named)
{
    static const struct {
        const char *text, *part;
    } rows[] = {
        {"", "k.json"},
        {"{}", "not a file of keys"},
        {"{\"format\": \"leeroo-keys\", \"version\": 2, \"keys\": []}", "another version"},
        {"{\"format\": \"leeroo-keys\", \"version\": 1}", "keys must be a list"},
        {HEAD "7]}", "key 1 must be an object"},
        {HEAD "{}]}", "key 1 lacks id"},
        {HEAD KEY("KEY", DIGEST_A, "") "]}", "id must be lower-case"},
        {HEAD KEY("key_far_too_long_an_id", DIGEST_A, "") "]}", "id must be a short text"},
        {HEAD KEY("", DIGEST_A, "") "]}", "id must be"},
        {HEAD KEY("a", "abc", "") "]}", "sha256 must be 64"},
        {HEAD KEY("a", DIGEST_A, ", \"revoked\": \"yesterday\"") "]}", "revoked must be a time"},
        {HEAD KEY("a", DIGEST_A, ", \"budget_day_usd\": -1") "]}", "budget_day_usd must be"},
        {HEAD KEY("a", DIGEST_A, ", \"budget_day_usd\": \"5\"") "]}", "budget_day_usd must be"},
        {HEAD KEY("a", DIGEST_A, ", \"requests_per_minute\": 0") "]}", "requests_per_minute must"},
        {HEAD KEY("a", DIGEST_A, ", \"tokens_per_minute\": 1.5") "]}", "tokens_per_minute must"},
        {HEAD KEY("a", DIGEST_A, ", \"experts\": \"a\"") "]}", "experts must be a list"},
        {HEAD KEY("a", DIGEST_A, ", \"experts\": [1]") "]}", "experts must be a short text"},
        {HEAD KEY("a", DIGEST_A, ", \"budget_week_usd\": 1") "]}", "no member \"budget_week_usd\""},
        {HEAD KEY("a", DIGEST_A, ", \"role\": \"root\"") "]}", "role must be \"user\""},
        {HEAD KEY("a", DIGEST_A, ", \"role\": \"user\", \"metrics\": true") "]}", "not both"},
        {HEAD KEY("a", DIGEST_A, ", \"id\": \"b\"") "]}", "id is there twice"},
        {HEAD KEY("a", DIGEST_A, "") "," KEY("a", DIGEST_B, "") "]}", "keys 1 and 2 have the same"},
        {HEAD KEY("a", DIGEST_A, "") "," KEY("b", DIGEST_A, "") "]}", "keys 1 and 2 have the same"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct key_file f = {.count = 77};
        struct error err = {0};
        cr_expect_neq(key_file_parse(str_from(rows[i].text), "k.json", arena, &f, &err), OK, "%s",
                      rows[i].text);
        cr_expect(strstr(err.text, rows[i].part), "'%s' is not in '%s'", rows[i].part, err.text);
        cr_expect_eq(f.count, 77);
    }
}

Test(key_file, times)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } rows[] = {
        {"2026-12-31", INT64_C(1798675200000)},
        {"2026-12-31T23:59:59Z", INT64_C(1798761599000)},
        {"2028-02-29", INT64_C(1835395200000)},
        {"2027-02-29", -1},
        {"2026-13-01", -1},
        {"2026-00-10", -1},
        {"2026-12-31T24:00:00Z", -1},
        {"2026-12-31T10:00Z", -1},
        {"2026-12-31T10:00:00", -1},
        {"2026-12-31 ", -1},
        {"31.12.2026", -1},
        {"", -1},
        {"1960-01-01", -1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = -1;
        enum status status = key_time_parse(str_from(rows[i].text), &ms);
        cr_expect_eq(status, rows[i].ms < 0 ? ERR_INPUT : OK, "%s", rows[i].text);
        cr_expect_eq(ms, rows[i].ms, "%s: %lld", rows[i].text, (long long)ms);
    }
}

Test(key_file, a_secret_is_known_by_its_digest_only)
{
    struct key_row a = {0}, b = {0};
    char one[KEY_SECRET_BYTES], two[KEY_SECRET_BYTES];
    struct digest d;
    cr_assert_eq(key_secret_make(arena, &a, one, NULL), OK);
    cr_assert_eq(key_secret_make(arena, &b, two, NULL), OK);
    cr_expect_eq(strlen(one), 46);
    cr_expect(str_starts(str_from(one), STR("lr-")));
    cr_expect_eq(
        strspn(one + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
    cr_expect(strcmp(one, two) != 0 && !str_equal(a.id, b.id));
    cr_assert_eq(digest_sha256(str_from(one), &d, NULL), OK);
    cr_expect(digest_equal(&d, &a.sha256));
    cr_expect(str_starts(a.id, STR("key_")) && a.id.len == 14);
}

Test(key_file, is_saved_whole_for_its_owner_only)
{
    struct temp t;
    struct stat st;
    struct error err = {0};
    struct key_file f = parse(HEAD KEY("key_a", DIGEST_A, ALL) "]}"), again = {0};
    temp_begin(&t, "keys.json");
    cr_assert_eq(key_file_load(t.path, arena, &again, &err), ERR_NOT_FOUND);
    umask(0);
    cr_assert_eq(key_file_save(t.path, &f, &err), OK, "%s", err.text);
    cr_assert_eq(stat(t.path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
    cr_assert_eq(key_file_load(t.path, arena, &again, &err), OK, "%s", err.text);
    cr_expect(again.count == 1 && str_equal(again.rows[0].id, STR("key_a")));
    cr_expect_eq(key_file_save("/nowhere/keys.json", &f, &err), ERR_IO);
    temp_end(&t);
}

Test(key_file, one_writer_at_a_time)
{
    struct temp t;
    struct error err = {0};
    int fd = -1;
    char lock[160];
    temp_begin(&t, "keys.json");
    snprintf(lock, sizeof(lock), "%s.lock", t.path);
    cr_assert_eq(key_file_lock(t.path, &fd, &err), OK, "%s", err.text);
    int other = open(lock, O_RDWR);
    cr_expect(other >= 0 && flock(other, LOCK_EX | LOCK_NB) != 0);
    close(fd);
    cr_expect_eq(flock(other, LOCK_EX | LOCK_NB), 0);
    close(other);
    unlink(lock);
    temp_end(&t);
}
