/* ledger_backup.h: a copy is whole and of one moment while rows are written, no half copy stays, and what was erased
 * gives its room back. */
#include "store/ledger_backup.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/ledger_probe.h"
#include "store/reader.h"
#include "store/retention.h"
#include "store_test.h"

static struct ledger *l;

static void begin(void)
{
    store_test_begin();
    l = store_test_open();
}

static void end(void)
{
    ledger_close(l);
    store_test_end();
}

TestSuite(ledger_backup, .init = begin, .fini = end, .timeout = 60);

static void say(const char *prefix, unsigned count)
{
    char id[40];
    for (unsigned i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "%s_%u", prefix, i);
        store_test_say_end(l, id, i, "answered");
    }
}

static atomic_bool over;

static void *keep_writing(void *arg)
{
    (void)arg;
    char prefix[16];
    for (unsigned n = 0; !atomic_load(&over); n++) {
        snprintf(prefix, sizeof(prefix), "w%u", n);
        say(prefix, 20);
        usleep(2000);
    }
    return NULL;
}

static size_t files_like(const char *part)
{
    size_t n = 0;
    DIR *d = opendir(store_test_path("."));
    for (struct dirent *e; d && (e = readdir(d));)
        n += strstr(e->d_name, part) != NULL;
    closedir(d);
    return n;
}

Test(ledger_backup, is_whole_while_rows_are_written)
{
    pthread_t thread;
    struct ledger_backup b = {0};
    struct ledger_probe p = {0};
    struct error err = {0};
    struct stat st;
    say("first", 3000);
    cr_assert(ledger_flush(l, 20000));
    atomic_store(&over, false);
    cr_assert_eq(pthread_create(&thread, NULL, keep_writing, NULL), 0);
    for (unsigned i = 0; i < 5; i++) {
        cr_assert_eq(
            ledger_backup(store_test_path("l.sqlite"), store_test_path("b.sqlite"), &b, &err), OK,
            "%s", err.text);
        cr_assert_geq(b.requests, 3000);
        cr_assert_eq(ledger_probe(store_test_path("b.sqlite"), &p, &err), OK, "%s", err.text);
        cr_assert_eq(p.requests, b.requests);
    }
    atomic_store(&over, true);
    pthread_join(thread, NULL);
    cr_assert_eq(stat(store_test_path("b.sqlite"), &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
    cr_assert_eq((uint64_t)st.st_size, b.bytes);
    cr_assert_eq(files_like("b.sqlite"), 1, "no log and no temporary beside it");
}

Test(ledger_backup, what_cannot_be_copied)
{
    struct ledger_backup b = {.bytes = 7};
    struct error err = {0};
    const char *ledger = store_test_path("l.sqlite");
    cr_assert(ledger_flush(l, 20000));
    cr_assert_eq(ledger_backup(ledger, ledger, &b, &err), ERR_INPUT);
    cr_assert_eq(ledger_backup(store_test_path("none"), store_test_path("b"), &b, &err),
                 ERR_NOT_FOUND);
    cr_assert_eq(ledger_backup(ledger, "/nowhere/b", &b, &err), ERR_IO);
    cr_assert_not_null(strstr(err.text, "cannot make /nowhere/b.tmp."), "%s", err.text);
    cr_assert_eq(ledger_backup("postgresql://u:canary@h/d", "b", &b, &err), ERR_UNSUPPORTED);
    cr_assert_not_null(strstr(err.text, "pg_dump --schema=leeroo"), "%s", err.text);
    cr_assert_null(strstr(err.text, "canary"));
    cr_assert_eq(b.bytes, 7);
    cr_assert_eq(files_like(".tmp."), 0);
}

Test(ledger_backup, room_of_what_was_erased_comes_back)
{
    uint64_t gone = 0, bytes = 0;
    struct error err = {0};
    say("old", 5000);
    cr_assert(ledger_flush(l, 20000));
    cr_assert_eq(ledger_prune(store_test_path("l.sqlite"), INT64_MAX, NULL, &gone, &err), OK, "%s",
                 err.text);
    cr_assert_eq(gone, 5000);
    cr_assert_eq(ledger_compact(store_test_path("l.sqlite"), &bytes, &err), OK, "%s", err.text);
    cr_assert_gt(bytes, 200000);
    say("new", 10);
    cr_assert(ledger_flush(l, 20000), "the gateway goes on with it");
}
