/* Kept prompts: what is put in, read, aged out, and gone. */
#include "store/kept.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

static char folder[64], path[96];

static void setup(void)
{
    snprintf(folder, sizeof(folder), "/tmp/leeroo-kept-XXXXXX");
    cr_assert(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/kept.sqlite", folder);
}

static void teardown(void)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(kept, .init = setup, .fini = teardown);

static struct kept *open_kept(enum kept_use use)
{
    struct kept *k = NULL;
    struct error err;
    cr_assert_eq(kept_open(path, use, &k, &err), OK, "%s", err.text);
    return k;
}

static size_t put(struct kept *k, const char *id, int64_t at_ms, const char *text)
{
    const struct kept_row row = {.request_id = str_from(id),
                                 .key = STR("key_1"),
                                 .expert = STR("small"),
                                 .text = str_from(text),
                                 .at_ms = at_ms};
    struct error err;
    size_t taken = 9;
    cr_assert_eq(kept_put(k, &row, 1, &taken, &err), OK, "%s", err.text);
    return taken;
}

static enum status add(const struct kept_row *row, void *arg, struct error *err)
{
    struct buf *b = arg;
    (void)err;
    buf_addf(b, "%.*s@%lld:%.*s/%.*s=%.*s;", STR_FMT(row->request_id), (long long)row->at_ms,
             STR_FMT(row->key), STR_FMT(row->expert), STR_FMT(row->text));
    return OK;
}

static void expect_rows(struct kept *k, int64_t since_ms, const char *wanted)
{
    struct buf b;
    struct error err;
    buf_init(&b, 1 << 20);
    buf_add_c(&b, "");
    cr_assert_eq(kept_each(k, since_ms, add, &b, &err), OK, "%s", err.text);
    cr_expect(str_equal(buf_str(&b), str_from(wanted)), "'%.*s', wanted '%s'", STR_FMT(buf_str(&b)),
              wanted);
    buf_done(&b);
}

/* Whether the bytes are in any file of the folder. */
static bool on_disk(const char *text)
{
    char pattern[96];
    glob_t found;
    bool there = false;
    snprintf(pattern, sizeof(pattern), "%s/*", folder);
    cr_assert_eq(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct buf b;
        buf_init(&b, 64 << 20);
        cr_assert_eq(file_read(found.gl_pathv[i], 64 << 20, &b, NULL), OK);
        there |= str_find(buf_str(&b), str_from(text), 0) != SIZE_MAX;
        buf_done(&b);
    }
    globfree(&found);
    return there;
}

Test(kept, rows_come_back_in_order_of_time_and_redacted)
{
    struct kept *k = open_kept(KEPT_WRITE);
    cr_expect_eq(put(k, "r2", 20, "Is a@b.org mine?"), 1);
    cr_expect_eq(put(k, "r1", 10, "Why?"), 1);
    cr_expect_eq(put(k, "r1", 30, "again"), 0, "an id comes once");
    expect_rows(k, 0, "r1@10:key_1/small=Why?;r2@20:key_1/small=Is [e-mail] mine?;");
    expect_rows(k, 11, "r2@20:key_1/small=Is [e-mail] mine?;");
    cr_expect_not(on_disk("a@b.org"));
    struct kept *reader = open_kept(KEPT_READ);
    expect_rows(reader, 20, "r2@20:key_1/small=Is [e-mail] mine?;");
    kept_close(reader);
    kept_close(k);
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
}

Test(kept, one_is_found_by_its_request)
{
    struct arena *a = arena_create(1 << 20);
    struct str text = STR("");
    struct error err = {0};
    struct kept *k = open_kept(KEPT_WRITE);
    put(k, "req_a", 10, "what is <b>that</b>?");
    put(k, "req_b", 10, "and this?");
    cr_assert_eq(kept_find(k, STR("req_a"), a, &text, &err), OK, "%s", err.text);
    cr_assert(str_equal(text, STR("what is <b>that</b>?")));
    cr_assert_eq(kept_find(k, STR("req_"), a, &text, &err), ERR_NOT_FOUND);
    cr_assert_eq(kept_find(k, STR(""), a, &text, &err), ERR_NOT_FOUND);
    cr_assert_eq(kept_find(k, STR("req_a' OR 1=1 --"), a, &text, &err), ERR_NOT_FOUND);
    cr_assert_eq(kept_forget(k, (struct str[]){STR("req_a")}, 1, NULL, &err), OK);
    cr_assert_eq(kept_find(k, STR("req_a"), a, &text, &err), ERR_NOT_FOUND);
    kept_close(k);
    arena_free(a);
}

Test(kept, long_texts_are_passed_over)
{
    struct kept *k = open_kept(KEPT_WRITE);
    char *text = malloc(KEPT_TEXT_BYTES_MAX + 2);
    memset(text, 'x', KEPT_TEXT_BYTES_MAX + 1);
    text[KEPT_TEXT_BYTES_MAX + 1] = '\0';
    cr_expect_eq(put(k, "r1", 1, text), 0);
    text[KEPT_TEXT_BYTES_MAX] = '\0';
    cr_expect_eq(put(k, "r2", 1, text), 1);
    free(text);
    kept_close(k);
}

/* Rows of all sizes, so that pages are split and rows move. */
Test(kept, what_is_forgotten_is_gone_from_the_file)
{
    struct kept *k = open_kept(KEPT_WRITE);
    struct error err;
    size_t erased = 0;
    for (int i = 0; i < 150; i++) {
        char id[16], text[2000];
        int len = snprintf(text, sizeof(text), "SECRET%04dSTORY ", i);
        int more = i * 7 % 1700;
        memset(text + len, 'a', (size_t)more);
        text[len + more] = '\0';
        snprintf(id, sizeof(id), "r%d", i);
        cr_assert_eq(put(k, id, i, text), 1);
    }
    cr_assert(on_disk("SECRET0123STORY"));
    const struct str ids[] = {STR_INIT("r123"), STR_INIT("r7"), STR_INIT("nobody")};
    cr_assert_eq(kept_forget(k, ids, 3, &erased, &err), OK, "%s", err.text);
    cr_expect_eq(erased, 2);
    cr_expect_not(on_disk("SECRET0123STORY"));
    cr_expect_not(on_disk("SECRET0007STORY"));
    cr_expect(on_disk("SECRET0008STORY"));
    cr_assert_eq(kept_forget_before(k, 100, &erased, &err), OK);
    cr_expect_eq(erased, 99);
    cr_expect_not(on_disk("SECRET0008STORY"));
    cr_expect(on_disk("SECRET0101STORY"));
    cr_assert_eq(kept_age(k, 200, 98, &erased, &err), OK);
    cr_expect_eq(erased, 2);
    cr_expect_not(on_disk("SECRET0101STORY"));
    cr_assert_eq(kept_forget_all(k, 1000, &erased, &err), OK);
    cr_expect_eq(erased, 47);
    cr_expect_not(on_disk("STORY"));
    kept_close(k);
}

Test(kept, what_is_forgotten_before_it_comes_is_not_taken)
{
    struct kept *k = open_kept(KEPT_WRITE);
    const struct str id = STR("r1");
    cr_assert_eq(kept_forget(k, &id, 1, NULL, NULL), OK);
    cr_expect_eq(put(k, "r1", 10, "late"), 0);
    cr_expect_eq(put(k, "r2", 10, "fine"), 1);
    cr_assert_eq(kept_forget_before(k, 20, NULL, NULL), OK);
    cr_expect_eq(put(k, "r3", 19, "late"), 0);
    cr_expect_eq(put(k, "r4", 20, "fine"), 1);
    cr_assert_eq(kept_forget_all(k, 50, NULL, NULL), OK);
    cr_expect_eq(put(k, "r5", 50, "in flight"), 0);
    cr_expect_eq(put(k, "r6", 51, "after"), 1);
    kept_close(k);
}

/* A day ahead, and back: nothing that came meanwhile outlives its days, and what comes then is kept. */
Test(kept, a_clock_that_was_ahead_bars_nothing_and_keeps_nothing_longer)
{
    struct kept *k = open_kept(KEPT_WRITE);
    size_t erased = 9;
    cr_expect_eq(put(k, "r1", 1000, "before"), 1);
    cr_assert_eq(kept_age(k, 90000, 500, &erased, NULL), OK);
    cr_expect_eq(erased, 1);
    cr_expect_eq(put(k, "r2", 90000, "ahead"), 1);
    cr_assert_eq(kept_forget_all(k, 90000, &erased, NULL), OK);
    cr_expect_eq(put(k, "r3", 90002, "ahead, too"), 1);
    cr_assert_eq(kept_age(k, 2000, 500, &erased, NULL), OK);
    cr_expect_eq(erased, 0);
    cr_expect_eq(put(k, "r4", 1999, "forgotten while it was asked"), 0);
    cr_expect_eq(put(k, "r5", 2001, "after"), 1);
    expect_rows(k, 0, "r3@2000:key_1/small=ahead, too;r5@2001:key_1/small=after;");
    cr_assert_eq(kept_age(k, 2501, 500, &erased, NULL), OK);
    cr_expect_eq(erased, 1);
    expect_rows(k, 0, "r5@2001:key_1/small=after;");
    kept_close(k);
}

/* What a killed gateway leaves: a transaction half written, and the journal that undoes it. */
Test(kept, a_reader_undoes_what_a_killed_writer_has_left)
{
    struct kept *k = open_kept(KEPT_WRITE);
    sqlite3 *db;
    char command[256];
    put(k, "r1", 1, "whole");
    kept_close(k);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db,
                              "PRAGMA cache_size = 1; BEGIN; UPDATE prompts SET text = 'half';"
                              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                              "LIMIT 500) INSERT INTO prompts SELECT 'x' || i, i, '', '', "
                              "hex(zeroblob(900)) FROM n",
                              NULL, NULL, NULL),
                 SQLITE_OK);
    snprintf(command, sizeof(command), "cd %s && cp kept.sqlite a && cp kept.sqlite-journal b",
             folder);
    cr_assert_eq(system(command), 0);
    sqlite3_close(db);
    snprintf(command, sizeof(command), "cd %s && mv a kept.sqlite && mv b kept.sqlite-journal",
             folder);
    cr_assert_eq(system(command), 0);
    k = open_kept(KEPT_READ);
    expect_rows(k, 0, "r1@1:key_1/small=whole;");
    struct error err;
    const struct kept_row row = {
        .request_id = STR("r2"), .key = STR(""), .expert = STR(""), .text = STR("x"), .at_ms = 2};
    cr_expect_eq(kept_put(k, &row, 1, NULL, &err), ERR_IO, "it reads only");
    kept_close(k);
}

/* Found at the start, and not with the first prompt. */
Test(kept, a_file_that_may_not_be_written_is_refused)
{
    struct kept *k = NULL;
    struct error err = {0};
    kept_close(open_kept(KEPT_WRITE));
    cr_assert_eq(chmod(path, 0444) | chmod(folder, 0755), 0);
    if (geteuid() == 0)
        cr_assert_eq(seteuid(65534), 0);
    cr_expect_eq(kept_open(path, KEPT_WRITE, &k, &err), ERR_IO);
    cr_expect_not_null(strstr(err.text, "may not be written"), "%s", err.text);
    kept_close(open_kept(KEPT_READ));
    if (getuid() == 0)
        cr_assert_eq(seteuid(0), 0);
}

Test(kept, one_that_is_cut_says_how_it_goes_on)
{
    struct kept *k = open_kept(KEPT_WRITE);
    struct error err = {0};
    for (int i = 0; i < 50; i++) {
        char id[16];
        snprintf(id, sizeof(id), "r%d", i);
        put(k, id, i, "a question of some length, so that there are pages enough to lose some");
    }
    kept_close(k);
    cr_assert_eq(truncate(path, 6000), 0);
    cr_expect_eq(kept_open(path, KEPT_WRITE, &k, &err), ERR_CORRUPT);
    cr_expect_not_null(strstr(err.text, "move it away"), "%s", err.text);
}

Test(kept, other_files_are_refused)
{
    struct kept *k = NULL;
    struct error err;
    cr_expect_eq(kept_open(path, KEPT_READ, &k, &err), ERR_NOT_FOUND);
    FILE *f = fopen(path, "w");
    fputs("this is no database, but it is long enough to be taken for one by its size, is it not?",
          f);
    fclose(f);
    cr_expect_eq(kept_open(path, KEPT_WRITE, &k, &err), ERR_CORRUPT, "%s", err.text);
    unlink(path);
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "CREATE TABLE t(x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    cr_expect_eq(kept_open(path, KEPT_WRITE, &k, &err), ERR_CORRUPT);
    cr_expect_not_null(strstr(err.text, "another database"));
    cr_expect_null(k);
}
