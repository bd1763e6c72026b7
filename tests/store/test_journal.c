/* journal.h: what was appended comes back, in order, after a crash too; a full ring refuses; damage costs what
 * it hit. */
#include "store/journal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "store_test.h"

#define RING JOURNAL_BYTES_MIN

static const char *path;
static struct journal *j;

static void open_journal(void)
{
    struct error err = {0};
    cr_assert_eq(journal_open(path, RING, NULL, &j, &err), OK, "%s", err.text);
}

static void begin(void)
{
    store_test_begin();
    path = store_test_path("j");
    open_journal();
}

static void end(void)
{
    journal_close(j);
    store_test_end();
}

TestSuite(journal, .init = begin, .fini = end);

static void append(const char *text)
{
    cr_assert(journal_append(j, 7, str_from(text), 0));
}

static void expect_next(uint64_t *at, const char *text)
{
    struct journal_record r;
    uint64_t damaged = 0;
    cr_assert(journal_next(j, at, journal_head(j), &r, &damaged));
    cr_assert_eq(r.kind, 7);
    cr_assert(str_equal(r.payload, str_from(text)), "'%.*s'", STR_FMT(r.payload));
    cr_assert_eq((uintptr_t)r.payload.ptr % 8, 0);
    cr_assert_eq(damaged, 0);
}

static void expect_end(uint64_t at)
{
    struct journal_record r;
    uint64_t damaged = 0;
    cr_assert_not(journal_next(j, &at, journal_head(j), &r, &damaged));
    cr_assert_eq(at, journal_head(j));
}

Test(journal, gives_back_what_was_appended)
{
    uint64_t at = journal_tail(j);
    expect_end(at);
    append("one");
    append("");
    append("three of them");
    expect_next(&at, "one");
    expect_next(&at, "");
    expect_next(&at, "three of them");
    expect_end(at);
}

Test(journal, keeps_what_was_not_released)
{
    uint64_t at = journal_tail(j);
    append("one");
    append("two");
    expect_next(&at, "one");
    journal_release(j, at);
    journal_loss(j)->rows = 3;
    char instance[JOURNAL_INSTANCE_BYTES];
    memcpy(instance, journal_instance(j), sizeof(instance));
    journal_close(j);
    open_journal();
    at = journal_tail(j);
    expect_next(&at, "two");
    expect_end(at);
    cr_assert_eq(journal_loss(j)->rows, 3);
    cr_assert_str_eq(journal_instance(j), instance);
}

Test(journal, outlives_a_kill)
{
    journal_close(j);
    pid_t child = fork();
    if (child == 0) {
        open_journal();
        for (int i = 0; i < 100; i++)
            append("from the dead");
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status));
    open_journal();
    uint64_t at = journal_tail(j);
    for (int i = 0; i < 100; i++)
        expect_next(&at, "from the dead");
    expect_end(at);
}

/* A ring many times over, with records of all sizes; a queue in memory says what must come back. */
Test(journal, wraps)
{
    struct rng rng;
    uint64_t at = journal_tail(j), oldest = 0, newest = 0, damaged = 0;
    static char bytes[4000];
    rng_seed(&rng, 5);
    for (size_t i = 0; i < 20000; i++) {
        size_t len = 8 + (size_t)(rng_next(&rng) % (sizeof(bytes) - 8));
        memset(bytes, (int)newest & 0xff, len);
        memcpy(bytes, &newest, 8);
        if (rng_next(&rng) % 3 && journal_append(j, 1, (struct str){bytes, len}, 0)) {
            newest++;
            continue;
        }
        struct journal_record r;
        if (!journal_next(j, &at, journal_head(j), &r, &damaged))
            continue;
        uint64_t number;
        memcpy(&number, r.payload.ptr, 8);
        cr_assert_eq(number, oldest++);
        cr_assert_eq((unsigned char)r.payload.ptr[r.payload.len - 1],
                     r.payload.len > 8 ? number & 0xff : (number >> 56));
        journal_release(j, at);
        journal_trim(j);
        journal_rewind(j);
        at = journal_tail(j);
    }
    cr_assert_gt(journal_head(j), 10 * (uint64_t)RING);
    cr_assert_eq(damaged, 0);
    cr_assert_gt(oldest, 1000);
}

Test(journal, a_full_ring_refuses)
{
    static const char kilobyte[1000];
    size_t count = 0;
    while (journal_append(j, 1, (struct str){kilobyte, sizeof(kilobyte)}, 4096))
        count++;
    cr_assert_eq(count, (RING - 4096) / journal_record_bytes(sizeof(kilobyte)));
    cr_assert(journal_append(j, 1, (struct str){kilobyte, sizeof(kilobyte)}, 0), "the room kept");
    uint64_t head = journal_head(j);
    while (journal_append(j, 1, (struct str){kilobyte, sizeof(kilobyte)}, 0))
        head = journal_head(j);
    cr_assert_eq(journal_head(j), head, "a refusal changes nothing");
    cr_assert_leq(head - journal_tail(j), RING);
}

Test(journal, rewinds_only_when_empty)
{
    static const char block[60000];
    uint64_t at = journal_tail(j);
    struct journal_record r;
    uint64_t damaged = 0;
    for (int i = 0; i < 3; i++)
        cr_assert(journal_append(j, 1, (struct str){block, sizeof(block)}, 0));
    uint64_t head = journal_head(j);
    journal_rewind(j);
    cr_assert_eq(journal_head(j), head);
    while (journal_next(j, &at, head, &r, &damaged))
        ;
    journal_release(j, at);
    journal_rewind(j);
    cr_assert_eq(journal_head(j), journal_tail(j));
    append("next");
    at = journal_tail(j);
    expect_next(&at, "next");
}

/* The file's bytes, changed behind the journal's back. */
static void damage(uint64_t position, size_t len)
{
    int fd = open(path, O_RDWR);
    static const char junk[64] = "################################################################";
    cr_assert(fd >= 0 && len <= sizeof(junk));
    cr_assert_eq(pwrite(fd, junk, len, (off_t)(4096 + position)), (ssize_t)len);
    close(fd);
}

Test(journal, damage_costs_what_it_hit)
{
    uint64_t at = journal_tail(j), damaged = 0;
    struct journal_record r;
    append("one");
    uint64_t second = journal_head(j);
    append("two");
    append("three");
    damage(second + 24, 1);
    expect_next(&at, "one");
    cr_assert(journal_next(j, &at, journal_head(j), &r, &damaged));
    cr_assert(str_equal(r.payload, STR("three")));
    cr_assert_eq(damaged, journal_record_bytes(3));
    expect_end(at);
}

Test(journal, a_torn_last_record_is_passed_over)
{
    append("one");
    uint64_t second = journal_head(j);
    append("two");
    damage(second, 16);
    journal_close(j);
    open_journal();
    uint64_t at = journal_tail(j);
    expect_next(&at, "one");
    expect_end(at);
    append("new");
    struct journal_record r;
    uint64_t damaged = 0;
    cr_assert(journal_next(j, &at, journal_head(j), &r, &damaged));
    cr_assert(str_equal(r.payload, STR("new")));
}

/* As after a power failure: the records reached the disk, the header's page did not. */
Test(journal, an_old_head_is_mended)
{
    append("one");
    append("two");
    static const uint64_t zero = 0;
    int fd = open(path, O_RDWR);
    cr_assert_eq(pwrite(fd, &zero, sizeof(zero), 192), (ssize_t)sizeof(zero));
    close(fd);
    journal_close(j);
    open_journal();
    uint64_t at = journal_tail(j);
    expect_next(&at, "one");
    expect_next(&at, "two");
    expect_end(at);
}

Test(journal, belongs_to_one_process)
{
    struct journal *other = NULL;
    struct error err = {0};
    cr_assert_eq(journal_open(path, RING, NULL, &other, &err), ERR_IO);
    cr_assert(strstr(err.text, "another process"), "%s", err.text);
    cr_assert_null(other);
}

Test(journal, a_foreign_file_stays_as_it_is)
{
    struct journal *other = NULL;
    struct error err = {0};
    const char *diary = store_test_path("diary");
    FILE *f = fopen(diary, "w");
    cr_assert_not_null(f);
    fputs("dear diary, today I was taken for a journal", f);
    fclose(f);
    cr_assert_eq(journal_open(diary, RING, NULL, &other, &err), ERR_CORRUPT);
    cr_assert_null(other);
    char found[8] = "";
    int fd = open(diary, O_RDONLY);
    cr_assert_eq(read(fd, found, 4), 4);
    close(fd);
    cr_assert_str_eq(found, "dear");
}

Test(journal, damaged_positions_are_refused)
{
    static const uint64_t far = 1u << 30;
    append("one");
    int fd = open(path, O_RDWR);
    cr_assert_eq(pwrite(fd, &far, sizeof(far), 192), (ssize_t)sizeof(far));
    close(fd);
    journal_close(j);
    j = NULL;
    cr_assert_eq(journal_open(path, RING, NULL, &j, NULL), ERR_CORRUPT);
}

Test(journal, changes_size_when_empty_only)
{
    append("one");
    journal_close(j);
    cr_assert_eq(journal_open(path, 2 * RING, "me", &j, NULL), OK);
    cr_assert_eq(journal_bytes(j), RING, "a row is still in it");
    cr_assert_str_eq(journal_instance(j), "me");
    uint64_t at = journal_tail(j);
    expect_next(&at, "one");
    journal_release(j, at);
    journal_close(j);
    cr_assert_eq(journal_open(path, 2 * RING, NULL, &j, NULL), OK);
    cr_assert_eq(journal_bytes(j), 2 * RING);
    cr_assert_str_eq(journal_instance(j), "me");
}

Test(journal, sizes_have_bounds)
{
    struct journal *other = NULL;
    const char *name = store_test_path("k");
    cr_assert_eq(journal_open(name, RING - 4096, NULL, &other, NULL), ERR_USAGE);
    cr_assert_eq(journal_open(name, 2 * JOURNAL_BYTES_MAX, NULL, &other, NULL), ERR_USAGE);
    cr_assert_neq(access(name, F_OK), 0);
    cr_assert_eq(journal_open(store_test_path("no/folder/j"), RING, NULL, &other, NULL), ERR_IO);
}

static long resident_kib(void)
{
    long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    cr_assert_not_null(f);
    cr_assert_eq(fscanf(f, "%ld %ld", &pages, &resident), 2);
    fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* As an outage does: the ring fills while nobody reads, and is read to its end in one go when storage is back. */
Test(journal, a_ring_that_was_full_does_not_stay_in_memory)
{
    static const char kilobyte[1000];
    struct error err = {0};
    struct journal_record r;
    uint64_t damaged = 0;
    journal_close(j);
    cr_assert_eq(journal_open(store_test_path("large"), 32u << 20, NULL, &j, &err), OK, "%s",
                 err.text);
    long before = resident_kib();
    while (journal_append(j, 1, (struct str){kilobyte, sizeof(kilobyte)}, 0))
        journal_trim(j);
    uint64_t at = journal_tail(j);
    for (int i = 1; journal_next(j, &at, journal_head(j), &r, &damaged); i++) {
        journal_release(j, at);
        if (i % 100)
            continue;
        (void)journal_append(j, 1, (struct str){kilobyte, 8}, 0); /* now at the front of the file */
        journal_trim(j);
    }
    cr_assert_eq(journal_tail(j), journal_head(j));
    cr_expect_lt(resident_kib() - before, 8 << 10, "%ld KiB more", resident_kib() - before);
}
