/* sqlite.c: whose file it is, who may read it, and that readers change nothing. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/backend.h"
#include "store/sql.h"
#include "store_test.h"

static struct backend *b;

static void begin(void)
{
    store_test_begin();
    cr_assert_eq(backend_create(store_test_path("l.sqlite"), &b, NULL), OK);
}

static void end(void)
{
    backend_free(b);
    store_test_end();
}

TestSuite(sqlite, .init = begin, .fini = end);

static enum status take(const struct value *values, size_t count, void *arg, struct error *err)
{
    (void)err;
    cr_assert_eq(count, 1);
    *(struct value *)arg = values[0];
    return OK;
}

static int64_t ask(const char *sql)
{
    struct value v = {0};
    struct error err = {0};
    cr_assert_eq(b->ops->query(b, sql, NULL, 0, take, &v, &err), OK, "%s", err.text);
    cr_assert_eq(v.type, VALUE_INT);
    return v.integer;
}

static void reconnect(void)
{
    backend_free(b);
    cr_assert_eq(backend_create(store_test_path("l.sqlite"), &b, NULL), OK);
}

Test(sqlite, the_file_is_its_owners_alone)
{
    struct stat s;
    cr_assert_eq(backend_connect(b, true, NULL), OK);
    cr_assert_eq(stat(store_test_path("l.sqlite"), &s), 0);
    cr_assert_eq(s.st_mode & 0777, 0600);
    cr_assert_eq(stat(store_test_path("l.sqlite-wal"), &s), 0);
    cr_assert_eq(s.st_mode & 0777, 0600);
}

Test(sqlite, a_reader_makes_nothing_and_writes_nothing)
{
    struct error err = {0};
    cr_assert_neq(backend_connect(b, false, &err), OK);
    cr_assert_neq(access(store_test_path("l.sqlite"), F_OK), 0);
    cr_assert_eq(backend_connect(b, true, &err), OK, "%s", err.text);
    reconnect();
    cr_assert_eq(backend_connect(b, false, &err), OK, "%s", err.text);
    struct value v = {0};
    cr_assert_neq(b->ops->query(b, "DELETE FROM requests", NULL, 0, take, &v, &err), OK);
}

Test(sqlite, a_newer_ledger_is_left_alone)
{
    struct error err = {0};
    struct value v = {0};
    cr_assert_eq(backend_connect(b, true, NULL), OK);
    cr_assert_eq(ask("PRAGMA user_version"), SQL_SCHEMA_VERSION);
    cr_assert_eq(b->ops->query(b, "PRAGMA user_version = 99", NULL, 0, take, &v, &err), OK);
    reconnect();
    cr_assert_eq(backend_connect(b, true, &err), ERR_CORRUPT);
    cr_assert(strstr(err.text, "newer Leeroo"), "%s", err.text);
}

Test(sqlite, another_programs_file_is_left_alone)
{
    struct error err = {0};
    struct value v = {0};
    cr_assert_eq(backend_connect(b, true, NULL), OK);
    cr_assert_eq(b->ops->query(b, "PRAGMA application_id = 7", NULL, 0, take, &v, &err), OK);
    reconnect();
    cr_assert_eq(backend_connect(b, true, &err), ERR_CORRUPT);
    cr_assert(strstr(err.text, "another program"), "%s", err.text);
}

/* A row that breaks a rule is refused as such; what is wrong with the disk is not the row's fault. */
Test(sqlite, tells_refused_rows_from_storage_that_is_away)
{
    struct error err = {0};
    const struct value nothing[5] = {{.type = VALUE_NULL}};
    struct backend *other = NULL;
    cr_assert_eq(backend_connect(b, true, NULL), OK);
    cr_assert_eq(b->ops->begin(b, &err), OK);
    cr_assert_eq(b->ops->put(b, SQL_LOSS, nothing, 5, &err), ERR_INPUT);
    cr_assert_eq(backend_create(store_test_path("l.sqlite"), &other, NULL), OK);
    enum status status = backend_connect(other, true, &err);
    if (status == OK)
        status = other->ops->begin(other, &err);
    cr_assert_eq(status, ERR_IO, "the database is locked");
    b->ops->rollback(b);
    backend_free(other);
    cr_assert_eq(backend_connect(b, true, NULL), OK);
    cr_assert_eq(b->ops->begin(b, &err), OK, "%s", err.text);
    b->ops->rollback(b);
}

/* A question that would never end does, and the connection is as good as before. */
Test(sqlite, a_reader_gives_up_in_time)
{
    struct error err = {0};
    struct value v = {0};
    cr_assert_eq(backend_connect(b, true, NULL), OK);
    reconnect();
    cr_assert_eq(backend_connect(b, false, NULL), OK);
    b->answer_ms = 30;
    cr_assert_eq(b->ops->query(b,
                               "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
                               "SELECT COUNT(*) FROM n",
                               NULL, 0, take, &v, &err),
                 ERR_TIMEOUT);
    b->answer_ms = 0;
    cr_assert_eq(ask("SELECT COUNT(*) FROM requests"), 0);
}
