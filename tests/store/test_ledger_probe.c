/* ledger_probe.h: what could be opened is told from what could not, and nothing is made. PostgreSQL is asked in
 * test_postgres.c, where a server runs. */
#include "store/ledger_probe.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_test.h"

TestSuite(ledger_probe, .init = store_test_begin, .fini = store_test_end);

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(store_test_path(name), "w");
    cr_assert_not_null(f);
    fputs(text, f);
    fclose(f);
}

Test(ledger_probe, a_file_that_is_not_there_is_made_later)
{
    struct ledger_probe p = {0};
    struct error err = {0};
    cr_assert_eq(ledger_probe(store_test_path("l.sqlite"), &p, &err), OK, "%s", err.text);
    cr_assert(!p.there && !p.is_server);
    cr_assert_eq(p.requests, -1);
    cr_assert_neq(access(store_test_path("l.sqlite"), F_OK), 0, "nothing is made");
    write_file("l.sqlite", "");
    cr_assert_eq(ledger_probe(store_test_path("l.sqlite"), &p, &err), OK, "%s", err.text);
    cr_assert(!p.there);
}

Test(ledger_probe, a_ledger_is_counted)
{
    struct ledger *l = NULL;
    struct ledger_probe p = {0};
    struct error err = {0};
    const struct ledger_options o = {.store = store_test_path("l.sqlite"),
                                     .journal_path = store_test_path("j"),
                                     .journal_bytes = 1u << 20};
    cr_assert_eq(ledger_open(&o, &l, &err), OK, "%s", err.text);
    store_test_say_begin(l, "req_1", 1);
    store_test_say_end(l, "req_1", 1, "answered");
    store_test_say_begin(l, "req_2", 2);
    cr_assert(ledger_flush(l, 10000));
    cr_assert_eq(ledger_probe(store_test_path("l.sqlite"), &p, &err), OK, "%s", err.text);
    cr_assert(p.there);
    cr_assert_eq(p.requests, 2);
    cr_assert_gt(p.bytes, 4096);
    ledger_close(l);
}

static void expect_wrong(const char *path, enum status status, const char *text)
{
    struct ledger_probe p = {.bytes = 77};
    struct error err = {0};
    cr_assert_eq(ledger_probe(path, &p, &err), status, "%s", err.text);
    cr_assert_not_null(strstr(err.text, text), "%s", err.text);
    cr_assert_eq(p.bytes, 77, "untouched");
}

Test(ledger_probe, what_is_no_ledger)
{
    write_file(
        "text",
        "this is no database, but it is long enough to be taken for one by its size .......");
    expect_wrong(store_test_path("text"), ERR_CORRUPT, "not a database");
    expect_wrong("/nowhere/at/all/l.sqlite", ERR_IO, "its folder: No such file or directory");
    expect_wrong("postgresql://127.0.0.1:1/x?password=canary", ERR_IO, "PostgreSQL: ");
}
