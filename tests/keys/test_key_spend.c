/* What keys have spent, over restarts, kills and torn writes. */
#include "keys/key_spend.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/temp.h"

#define FIRST_SLOT 4096
#define COPY_BYTES 128

static bool nobody(void *arg, struct str id)
{
    (void)arg, (void)id;
    return false;
}

static bool all(void *arg, struct str id)
{
    (void)arg, (void)id;
    return true;
}

static struct key_spend *open_at(const char *path, int64_t *ret_killed)
{
    struct key_spend *s = NULL;
    struct error err = {0};
    cr_assert_eq(key_spend_open(path, &s, ret_killed, &err), OK, "%s", err.text);
    return s;
}

static uint32_t slot_of(struct key_spend *s, const char *id)
{
    uint32_t slot = UINT32_MAX;
    struct error err = {0};
    cr_assert_eq(key_spend_slot(s, str_from(id), all, NULL, &slot, &err), OK, "%s", err.text);
    return slot;
}

static void put(struct key_spend *s, const char *id, int64_t total, int64_t open)
{
    const struct key_spent spent = {
        .day = 20000, .month = 657, .nano_usd = {1, 2, total}, .open_nano_usd = open};
    key_spend_put(s, slot_of(s, id), &spent);
}

static struct key_spent get(struct key_spend *s, const char *id)
{
    struct key_spent spent;
    key_spend_get(s, slot_of(s, id), &spent);
    return spent;
}

Test(key_spend, is_there_after_a_restart)
{
    struct temp t;
    int64_t killed = -1;
    temp_begin(&t, "keys.spend");
    struct key_spend *s = open_at(t.path, &killed);
    cr_expect_eq(get(s, "key_a").nano_usd[KEY_TOTAL], 0);
    for (int i = 1; i <= 5; i++) {
        put(s, "key_a", i, 0);
        put(s, "key_b", 100 * i, 0);
    }
    key_spend_close(s);
    s = open_at(t.path, &killed);
    cr_expect_eq(killed, 0);
    struct key_spent a = get(s, "key_a");
    cr_expect(a.day == 20000 && a.month == 657 && a.nano_usd[KEY_DAY] == 1 &&
              a.nano_usd[KEY_MONTH] == 2 && a.nano_usd[KEY_TOTAL] == 5);
    cr_expect_eq(get(s, "key_b").nano_usd[KEY_TOTAL], 500);
    cr_expect_eq(get(s, "key_c").nano_usd[KEY_TOTAL], 0);
    key_spend_close(s);
    temp_end(&t);
}

/* A process that dies at any moment has its counters in the file, and what was in flight is charged as predicted. */
Test(key_spend, survives_a_kill_and_charges_what_was_in_flight)
{
    struct temp t;
    int64_t killed = -1;
    temp_begin(&t, "keys.spend");
    pid_t child = fork();
    if (child == 0) {
        struct key_spend *s = open_at(t.path, &killed);
        put(s, "key_a", 40, 7);
        put(s, "key_b", 1, 0);
        kill(getpid(), SIGKILL);
    }
    int how = 0;
    waitpid(child, &how, 0);
    cr_assert(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    struct key_spend *s = open_at(t.path, &killed);
    cr_expect_eq(killed, 7);
    struct key_spent a = get(s, "key_a");
    cr_expect(a.nano_usd[KEY_DAY] == 8 && a.nano_usd[KEY_MONTH] == 9 &&
              a.nano_usd[KEY_TOTAL] == 47 && a.open_nano_usd == 0);
    key_spend_close(s);
    s = open_at(t.path, &killed);
    cr_expect(killed == 0 && get(s, "key_a").nano_usd[KEY_TOTAL] == 47, "once");
    key_spend_close(s);
    temp_end(&t);
}

static void damage(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    char byte = 0;
    cr_assert(fd >= 0 && pread(fd, &byte, 1, at) == 1);
    byte ^= 0x20;
    cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* Both copies of an entry: what it held is not known, but whose it was. */
static void damage_entry(const char *path, size_t slot, off_t byte)
{
    for (off_t copy = 0; copy < 2; copy++)
        damage(path, FIRST_SLOT + ((off_t)slot * 2 + copy) * COPY_BYTES + byte);
}

Test(key_spend, damaged_entries_are_counted_and_condemned_on_demand)
{
    struct temp t;
    int64_t killed = 0, since_ms = 0;
    temp_begin(&t, "keys.spend");
    struct key_spend *s = open_at(t.path, &killed);
    put(s, "key_a", 10, 0);
    put(s, "key_b", 20, 0);
    cr_expect_eq(key_spend_damage(s).entries, 0);
    key_spend_close(s);
    damage_entry(t.path, 0, 50); /* in what was spent */
    s = open_at(t.path, &killed);
    struct key_spend_damage d = key_spend_damage(s);
    cr_expect(d.entries == 1 && d.unnamed == 0 && d.copies == 0);
    struct key_spent a = get(s, "key_a"), b = get(s, "key_b");
    cr_expect(a.nano_usd[KEY_TOTAL] == 0 && b.nano_usd[KEY_TOTAL] == 20, "as if it were new");
    key_spend_condemn(s, 1234567);
    a = get(s, "key_a");
    cr_expect(key_spent_is_lost(&a, &since_ms) && since_ms == 1234567);
    key_spent_roll(&a, INT64_C(1764590400000));
    cr_expect(key_spent_is_lost(&a, NULL), "no new day opens it");
    b = get(s, "key_b");
    cr_expect_not(key_spent_is_lost(&b, NULL));
    cr_expect_not(key_spend_may_be_lost(s, STR("key_new"), 1000), "whose it was is known");
    key_spend_close(s);
    s = open_at(t.path, &killed);
    a = get(s, "key_a");
    cr_expect(key_spent_is_lost(&a, NULL), "a restart is no operator");
    key_spend_close(s);
    temp_end(&t);
}

Test(key_spend, an_entry_without_a_name_may_be_anybodys)
{
    struct temp t;
    int64_t killed = 0;
    temp_begin(&t, "keys.spend");
    struct key_spend *s = open_at(t.path, &killed);
    put(s, "key_a", 10, 0);
    put(s, "key_b", 20, 0);
    key_spend_close(s);
    damage_entry(t.path, 0, 8); /* the first letter of its id */
    for (off_t byte = 9; byte < 14; byte++)
        damage_entry(t.path, 0, byte);
    s = open_at(t.path, &killed);
    cr_expect(key_spend_damage(s).entries == 1 && key_spend_damage(s).unnamed == 1);
    key_spend_condemn(s, 5000);
    cr_expect(key_spend_may_be_lost(s, STR("key_a"), 1000));
    cr_expect_not(key_spend_may_be_lost(s, STR("key_new"), 6000), "made later");
    cr_expect_not(key_spend_may_be_lost(s, STR("key_b"), 1000), "it has its own");
    key_spend_close(s);
    temp_end(&t);
}

/* Writes zeros, as a lost page or an operator's mistake leaves them. */
static void wipe(const char *path, off_t from, size_t bytes)
{
    int fd = open(path, O_WRONLY);
    char *zeros = calloc(1, bytes);
    cr_assert(fd >= 0 && zeros);
    cr_assert_eq(pwrite(fd, zeros, bytes, from), (ssize_t)bytes);
    free(zeros);
    close(fd);
}

Test(key_spend, what_was_wiped_is_no_empty_entry)
{
    struct temp t;
    int64_t killed = 0;
    temp_begin(&t, "keys.spend");
    struct key_spend *s = open_at(t.path, &killed);
    put(s, "key_a", 10, 0);
    put(s, "key_b", 20, 0);
    key_spend_close(s);
    wipe(t.path, FIRST_SLOT, 2 * COPY_BYTES);
    s = open_at(t.path, &killed);
    cr_expect(key_spend_damage(s).entries == 1 && key_spend_damage(s).unnamed == 1);
    key_spend_condemn(s, 5000);
    cr_expect(key_spend_may_be_lost(s, STR("key_a"), 1000));
    cr_expect_not(key_spend_may_be_lost(s, STR("key_b"), 1000));
    key_spend_close(s);
    wipe(t.path, 0, FIRST_SLOT + 4 * COPY_BYTES);
    s = open_at(t.path, &killed);
    cr_expect_eq(key_spend_damage(s).unnamed, 1, "all of it");
    key_spend_close(s);
    cr_assert_eq(truncate(t.path, 0), 0);
    s = open_at(t.path, &killed);
    cr_expect_eq(key_spend_damage(s).unnamed, 1, "emptied");
    key_spend_close(s);
    temp_end(&t);
}

/* Whatever byte of the copy that was being written is wrong, the one before counts. */
Test(key_spend, a_torn_copy_does_not_count)
{
    struct temp t;
    int64_t killed = 0;
    temp_begin(&t, "keys.spend");
    struct key_spend *s = open_at(t.path, &killed);
    put(s, "key_a", 10, 0); /* the first copy is that of the empty slot */
    put(s, "key_a", 11, 0);
    key_spend_close(s);
    for (off_t byte = 0; byte < 72; byte++) {
        off_t newest = FIRST_SLOT + COPY_BYTES + byte; /* third write: odd sequence, second copy */
        damage(t.path, newest);
        s = open_at(t.path, &killed);
        cr_expect_eq(get(s, "key_a").nano_usd[KEY_TOTAL], 10, "byte %lld", (long long)byte);
        key_spend_close(s);
        damage(t.path, newest); /* mends it */
    }
    s = open_at(t.path, &killed);
    cr_expect_eq(get(s, "key_a").nano_usd[KEY_TOTAL], 11);
    put(s, "key_a", 12, 0);
    cr_expect_eq(get(s, "key_a").nano_usd[KEY_TOTAL], 12, "and goes on");
    key_spend_close(s);
    temp_end(&t);
}

Test(key_spend, one_gateway_to_a_file)
{
    struct temp t;
    int64_t killed = 0;
    struct key_spend *s, *other = NULL;
    struct error err = {0};
    temp_begin(&t, "keys.spend");
    s = open_at(t.path, &killed);
    cr_expect_eq(key_spend_open(t.path, &other, &killed, &err), ERR_OVERLOAD);
    cr_expect(strstr(err.text, "another gateway"), "%s", err.text);
    key_spend_close(s);
    key_spend_close(open_at(t.path, &killed));
    temp_end(&t);
}

Test(key_spend, a_foreign_or_cut_file_is_refused)
{
    struct temp t;
    int64_t killed = 0;
    struct key_spend *s = NULL;
    struct error err = {0};
    temp_begin(&t, "keys.spend");
    temp_write(t.path, "hello, I am a letter", 20);
    cr_expect_eq(key_spend_open(t.path, &s, &killed, &err), ERR_CORRUPT);
    unlink(t.path);
    key_spend_close(open_at(t.path, &killed));
    cr_assert_eq(truncate(t.path, 8192), 0);
    cr_expect_eq(key_spend_open(t.path, &s, &killed, &err), ERR_CORRUPT, "%s", err.text);
    cr_assert_eq(truncate(t.path, 0), 0); /* killed before it was begun */
    key_spend_close(open_at(t.path, &killed));
    temp_end(&t);
}

Test(key_spend, in_memory_where_there_is_no_file)
{
    int64_t killed = 0;
    struct key_spend *s = open_at(NULL, &killed);
    put(s, "key_a", 3, 1);
    cr_expect_eq(get(s, "key_a").nano_usd[KEY_TOTAL], 3);
    key_spend_close(s);
    key_spend_close(NULL);
}

Test(key_spend, slots_are_taken_over_from_keys_that_are_gone)
{
    int64_t killed = 0;
    uint32_t slot = 0;
    struct error err = {0};
    struct key_spend *s = open_at(NULL, &killed);
    for (uint32_t i = 0; i < KEY_COUNT_MAX; i++) {
        char id[KEY_ID_BYTES];
        snprintf(id, sizeof(id), "key_%u", i);
        cr_assert_eq(key_spend_slot(s, str_from(id), all, NULL, &slot, &err), OK);
        cr_assert_eq(slot, i);
    }
    put(s, "key_0", 9, 0);
    cr_expect_eq(key_spend_slot(s, STR("key_new"), all, NULL, &slot, &err), ERR_TOO_LARGE);
    cr_assert_eq(key_spend_slot(s, STR("key_new"), nobody, NULL, &slot, &err), OK);
    cr_expect(slot == 0 && get(s, "key_new").nano_usd[KEY_TOTAL] == 0);
    key_spend_close(s);
}

Test(key_spend, can_be_read_beside_the_gateway)
{
    struct temp t;
    int64_t killed = 0;
    struct key_spent spent[2] = {{.day = 1}};
    const struct key_row rows[] = {{.id = STR("key_none")}, {.id = STR("key_a")}};
    struct error err = {0};
    temp_begin(&t, "keys.spend");
    cr_assert_eq(key_spend_read(t.path, rows, 2, spent, &err), OK, "no file is no spending");
    cr_expect_eq(spent[0].day, 0);
    struct key_spend *s = open_at(t.path, &killed);
    put(s, "key_a", 3, 0);
    put(s, "key_a", 4, 0);
    cr_assert_eq(key_spend_read(t.path, rows, 2, spent, &err), OK, "%s", err.text);
    cr_expect(spent[0].nano_usd[KEY_TOTAL] == 0 && spent[1].nano_usd[KEY_TOTAL] == 4);
    key_spend_close(s);
    temp_write(t.path, "x", 1);
    cr_expect_eq(key_spend_read(t.path, rows, 2, spent, &err), ERR_CORRUPT);
    temp_end(&t);
}
