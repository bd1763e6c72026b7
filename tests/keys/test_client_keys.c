/* The keys in memory: found by their secret, swapped whole while others hold them, counted exactly by all threads. */
#include <criterion/criterion.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keys/key_scene.h"

#define THREADS 4
#define ROUNDS  300

TestSuite(keys, .init = key_scene_begin, .fini = key_scene_end);

static void wait_for(struct keys *k, const char *secret, bool good)
{
    for (int i = 0; i < 1000; i++) {
        struct client_key *key = key_scene_find(k, secret);
        client_key_release(key);
        if (!key == !good)
            return;
        usleep(10000);
    }
    cr_assert_fail("the file was never read again");
}

Test(keys, a_secret_finds_its_key_and_nothing_else_does)
{
    char a[KEY_SECRET_BYTES], b[KEY_SECRET_BYTES], near[KEY_SECRET_BYTES];
    key_scene_add("key_a", a);
    key_scene_add("key_b", b);
    key_scene_save();
    struct keys *k = key_scene_open();
    cr_expect(keys_wanted(k));
    struct client_key *key = key_scene_find(k, b);
    cr_assert_not_null(key);
    cr_expect(str_equal(client_key_id(key), STR("key_b")));
    client_key_release(client_key_hold(key));
    client_key_release(key);
    client_key_release(NULL);
    cr_expect_eq(client_key_id(NULL).len, 0);
    memcpy(near, a, sizeof(near));
    near[20] = near[20] == 'A' ? 'B' : 'A';
    cr_expect_null(key_scene_find(k, near));
    cr_expect_null(key_scene_find(k, ""));
    cr_expect_eq(keys_find(k, str_slice(str_from(a), 0, 45), 0, &key), ERR_AUTH);
    keys_note_refused(k, true);
    keys_close(k);
    keys_close(NULL);
}

static bool no_memory;

static void *crypto_malloc(size_t len, const char *file, int line)
{
    (void)file, (void)line;
    return no_memory ? NULL : malloc(len);
}

static void *crypto_realloc(void *old, size_t len, const char *file, int line)
{
    (void)file, (void)line;
    return no_memory ? NULL : realloc(old, len);
}

static void crypto_free(void *old, const char *file, int line)
{
    (void)file, (void)line;
    free(old);
}

/* libcrypto takes them only before it has allocated anything. */
__attribute__((constructor)) static void take_memory_over(void)
{
    (void)CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free);
}

/* Nobody can say whether a key is good: that is no wrong key. */
Test(keys, without_memory_no_key_is_called_wrong)
{
    char a[KEY_SECRET_BYTES];
    struct client_key *key = NULL;
    CRYPTO_malloc_fn in_force = NULL;
    CRYPTO_get_mem_functions(&in_force, NULL, NULL);
    cr_assert_eq(in_force, crypto_malloc);
    key_scene_add("key_a", a);
    key_scene_save();
    struct keys *k = key_scene_open();
    no_memory = true;
    cr_expect_eq(keys_find(k, str_from(a), 0, &key), ERR_MEMORY);
    cr_expect_null(key);
    no_memory = false;
    cr_expect_eq(keys_find(k, str_from(a), 0, &key), OK);
    client_key_release(key);
    keys_close(k);
}

Test(keys, revoked_and_expired_ones_are_none)
{
    char a[KEY_SECRET_BYTES], b[KEY_SECRET_BYTES];
    key_scene_add("key_a", a)->revoked_ms = 5000;
    key_scene_add("key_b", b)->expires_ms = 90000000000000;
    key_scene_save();
    struct keys *k = key_scene_open();
    cr_expect_null(key_scene_find(k, a));
    struct client_key *key = NULL;
    cr_expect_eq(keys_find(k, str_from(b), 90000000000000 - 1, &key), OK);
    client_key_release(key);
    cr_expect_eq(keys_find(k, str_from(b), 90000000000000, &key), ERR_AUTH);
    keys_close(k);
}

Test(keys, who_is_asked)
{
    char secret[KEY_SECRET_BYTES];
    struct error err = {0};
    struct keys *k = key_scene_open();
    cr_expect_not(keys_wanted(k), "loopback, and no keys");
    keys_close(k);
    cr_expect_neq(access(key_scene.spend_path, F_OK), 0, "no file of spending without keys");
    key_scene.config.auth = AUTH_REQUIRED;
    k = key_scene_open();
    cr_expect(keys_wanted(k));
    keys_close(k);
    key_scene.config.auth = AUTH_AUTO;
    key_scene.config.remote = true;
    cr_expect_eq(keys_check(&key_scene.config, &err), ERR_INPUT);
    cr_expect_eq(keys_open(&key_scene.config, &k, &err), ERR_INPUT);
    cr_expect(strstr(err.text, "leeroo keys create") && strstr(err.text, "auth: off"), "%s",
              err.text);
    key_scene.config.keys_path = NULL;
    cr_expect_eq(keys_open(&key_scene.config, &k, &err), ERR_INPUT);
    cr_expect(strstr(err.text, "state_dir"), "%s", err.text);
    key_scene.config.auth = AUTH_OFF;
    k = key_scene_open();
    cr_expect_not(keys_wanted(k));
    keys_close(k);
    key_scene.config.auth = AUTH_AUTO;
    key_scene.config.keys_path = key_scene.t.path;
    key_scene_add("key_a", secret);
    key_scene_save();
    cr_expect_eq(keys_check(&key_scene.config, &err), OK);
    k = key_scene_open();
    cr_expect(keys_wanted(k));
    keys_close(k);
}

Test(keys, a_damaged_file_is_an_error_at_the_start_and_none_later)
{
    char a[KEY_SECRET_BYTES], b[KEY_SECRET_BYTES];
    struct error err = {0};
    struct keys *k = NULL;
    temp_write(key_scene.t.path, "{\"format\"", 9);
    cr_expect_eq(keys_open(&key_scene.config, &k, &err), ERR_INPUT);
    cr_expect_eq(keys_check(&key_scene.config, &err), ERR_INPUT);
    key_scene_add("key_a", a);
    key_scene_save();
    k = key_scene_open();
    temp_write(key_scene.t.path, "{\"format\"", 9);
    usleep(2 * KEYS_LOOK_MS * 1000);
    wait_for(k, a, true);
    unlink(key_scene.t.path);
    usleep(2 * KEYS_LOOK_MS * 1000);
    wait_for(k, a, true);
    cr_expect(keys_wanted(k));
    key_scene_add("key_b", b);
    key_scene_save();
    wait_for(k, b, true);
    keys_close(k);
}

Test(keys, who_asked_once_goes_on_asking)
{
    char a[KEY_SECRET_BYTES];
    key_scene_save();
    struct keys *k = key_scene_open();
    cr_expect_not(keys_wanted(k), "a file that never had a key");
    key_scene_add("key_a", a);
    key_scene_save();
    wait_for(k, a, true);
    cr_expect(keys_wanted(k));
    key_scene.file.count = 0;
    key_scene_save();
    wait_for(k, a, false);
    cr_expect(keys_wanted(k), "the list became empty");
    keys_close(k);
    k = key_scene_open();
    cr_expect_not(keys_wanted(k), "a restart");
    keys_close(k);
}

struct seen {
    size_t count;
    int64_t total_nano_usd;
    enum key_role role;
};

static void see(void *arg, const struct key_row *row, const struct key_spent *spent)
{
    struct seen *s = arg;
    s->count++;
    s->total_nano_usd += spent->nano_usd[KEY_TOTAL];
    s->role = row->role;
}

Test(keys, what_was_just_written_is_in_force_when_refresh_returns)
{
    char a[KEY_SECRET_BYTES], b[KEY_SECRET_BYTES];
    struct seen seen = {0};
    struct key_desk desk;
    struct error err;
    struct keys *k = key_scene_open();
    cr_expect_eq(keys_refresh(k, &err), OK, "nothing is there");
    keys_each(k, clock_wall_ms(), see, &seen);
    cr_expect_eq(seen.count, 0);
    key_scene_add("key_a", a);
    key_scene_add("key_b", b)->role = KEY_ADMIN;
    key_scene_save();
    cr_expect_eq(keys_refresh(k, &err), OK);
    cr_expect(keys_wanted(k));
    struct client_key *key = key_scene_find(k, a), *same = NULL;
    cr_assert_not_null(key);
    cr_expect_eq(keys_find_digest(k, client_key_digest(key), clock_wall_ms(), &same), OK);
    cr_expect(same == key && str_equal(client_key_name(same), STR("n")));
    struct key_reserved none = {0};
    client_key_settle(key, &none, (struct key_reserved){.nano_usd = 7});
    keys_each(k, clock_wall_ms(), see, &seen);
    cr_expect(seen.count == 2 && seen.total_nano_usd == 7 && seen.role == KEY_ADMIN);
    key_scene.file.rows[0].revoked_ms = 1000;
    key_scene_save();
    cr_expect_eq(keys_refresh(k, &err), OK);
    cr_expect_null(key_scene_find(k, a));
    cr_expect_eq(keys_find_digest(k, client_key_digest(key), clock_wall_ms(), &same), ERR_AUTH);
    cr_expect(keys_desk(k, key_scene.arena, 1000, &desk));
    cr_expect_str_eq(desk.path, key_scene.t.path);
    client_key_release(same);
    client_key_release(key);
    keys_close(k);
}

Test(keys, where_nobody_is_asked_there_is_no_desk)
{
    struct key_desk desk;
    struct error err;
    key_scene.config.auth = AUTH_OFF;
    struct keys *k = key_scene_open();
    cr_expect_not(keys_desk(k, key_scene.arena, 1000, &desk));
    cr_expect_eq(keys_refresh(k, &err), OK);
    keys_close(k);
}

Test(keys, limits_change_and_what_was_taken_stays)
{
    char a[KEY_SECRET_BYTES], b[KEY_SECRET_BYTES];
    struct key_refusal why;
    struct key_rate requests, tokens;
    key_scene_add("key_a", a)->limits.requests_per_minute = 2;
    key_scene_save();
    struct keys *k = key_scene_open();
    struct client_key *old = key_scene_find(k, a);
    cr_expect(client_key_admit(old, &why) && client_key_admit(old, &why));
    cr_expect_not(client_key_admit(old, &why));
    key_scene.file.rows[0].limits.requests_per_minute = 3;
    key_scene_add("key_b", b); /* to see when it was read */
    key_scene_save();
    wait_for(k, b, true);
    struct client_key *fresh = key_scene_find(k, a);
    client_key_rates(fresh, &requests, &tokens);
    cr_expect(requests.limit == 3 && requests.remaining == 1 && tokens.limit == KEY_UNLIMITED);
    cr_expect_not(client_key_admit(old, &why), "who came before has its own limits");
    cr_expect(client_key_admit(fresh, &why));
    cr_expect_not(client_key_admit(fresh, &why));
    client_key_release(old);
    client_key_release(fresh);
    keys_close(k);
}

Test(keys, what_was_spent_is_there_again)
{
    char a[KEY_SECRET_BYTES];
    struct key_refusal why;
    struct key_reserved r = {0};
    struct key_spent spent;
    key_scene_add("key_a", a)->limits.budget_nano_usd[KEY_TOTAL] = 100;
    key_scene_save();
    for (int i = 0; i < 4; i++) {
        struct keys *k = key_scene_open();
        struct client_key *key = key_scene_find(k, a);
        cr_expect(
            client_key_reserve(key, &r, (struct key_reserved){.nano_usd = 25, .tokens = 1}, &why),
            "%d", i);
        client_key_settle(key, &r, (struct key_reserved){.nano_usd = 25, .tokens = 1});
        client_key_release(key);
        keys_close(k);
    }
    struct keys *k = key_scene_open();
    struct client_key *key = key_scene_find(k, a);
    cr_expect_not(
        client_key_reserve(key, &r, (struct key_reserved){.nano_usd = 1, .tokens = 1}, &why));
    client_key_release(key);
    keys_close(k);
    cr_assert_eq(key_spend_read(key_scene.spend_path, key_scene.file.rows, 1, &spent, NULL), OK);
    cr_expect(spent.nano_usd[KEY_TOTAL] == 100 && spent.open_nano_usd == 0);
}

/* Threads */

static struct race {
    struct keys *keys;
    char secret[KEY_SECRET_BYTES];
    atomic_int passed;
    atomic_bool over;
} race;

static void *spend_a_lot(void *arg)
{
    struct key_refusal why;
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct key_reserved r = {0};
        struct client_key *key = key_scene_find(race.keys, race.secret);
        if (client_key_reserve(key, &r, (struct key_reserved){.nano_usd = 3, .tokens = 1}, &why)) {
            client_key_settle(key, &r, (struct key_reserved){.nano_usd = 2, .tokens = 1});
            atomic_fetch_add(&race.passed, 1);
        }
        client_key_release(key);
    }
    return NULL;
}

static void *rewrite(void *arg)
{
    (void)arg;
    while (!atomic_load(&race.over)) {
        key_scene_save();
        usleep(50000);
    }
    return NULL;
}

Test(keys, threads_share_one_budget_to_the_nano_dollar)
{
    pthread_t threads[THREADS], writer;
    struct key_spent spent;
    key_scene_add("key_a", race.secret)->limits.budget_nano_usd[KEY_TOTAL] = 2 * ROUNDS;
    key_scene_save();
    race.keys = key_scene_open();
    pthread_create(&writer, NULL, rewrite, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, spend_a_lot, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    usleep(2 * KEYS_LOOK_MS * 1000); /* tables are swapped meanwhile */
    atomic_store(&race.over, true);
    pthread_join(writer, NULL);
    int left = ROUNDS - atomic_load(&race.passed);
    cr_expect(left >= 0 && left <= THREADS, "%d passed", atomic_load(&race.passed));
    keys_close(race.keys);
    cr_assert_eq(key_spend_read(key_scene.spend_path, key_scene.file.rows, 1, &spent, NULL), OK);
    cr_expect_eq(spent.nano_usd[KEY_TOTAL], 2 * atomic_load(&race.passed));
    cr_expect_eq(spent.open_nano_usd, 0);
}
