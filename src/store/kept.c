/* Kept prompts in SQLite: see kept.h. With a rollback journal and not with a write-ahead log, because that would hold
 * what is forgotten until some later checkpoint; rows come a few a second, and nobody waits for them.
 *
 * Deleting overwrites (secure_delete). Pages that were split may still hold copies of rows that have moved on, so what
 * is forgotten is only gone when the file has been written anew (VACUUM). */
#include "store/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/kept_redact.h"

#define BUSY_MS        5000
#define APPLICATION_ID 0x4c656b70 /* "Lekp" */
#define SCHEMA_VERSION 1

struct kept {
    sqlite3 *db;
    char *path;
    struct buf redacted;
};

static enum status fail(const struct kept *k, struct error *err)
{
    int code = k->db ? sqlite3_errcode(k->db) & 0xff : SQLITE_NOMEM;
    enum status status = code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? ERR_CORRUPT : ERR_IO;
    return error_set(err, status, "kept prompts %s: %s%s", k->path,
                     k->db ? sqlite3_errmsg(k->db) : "out of memory",
                     status == ERR_CORRUPT ? "; move it away, and a new one is begun" : "");
}

static enum status run(struct kept *k, const char *sql, struct error *err)
{
    return sqlite3_exec(k->db, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : fail(k, err);
}

static bool bind_text(sqlite3_stmt *stmt, int index, struct str text)
{
    return sqlite3_bind_text(stmt, index, text.ptr ? text.ptr : "", (int)text.len, SQLITE_STATIC) ==
           SQLITE_OK;
}

static enum status step(struct kept *k, sqlite3_stmt *stmt, bool bound, size_t *changes,
                        struct error *err)
{
    enum status status = OK;
    if (!bound || sqlite3_step(stmt) != SQLITE_DONE)
        status = fail(k, err);
    else if (changes)
        *changes += (size_t)sqlite3_changes(k->db);
    sqlite3_finalize(stmt);
    return status;
}

/* Statements with one value. */
static enum status run_text(struct kept *k, const char *sql, struct str text, size_t *changes,
                            struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    bool bound =
        sqlite3_prepare_v2(k->db, sql, -1, &stmt, NULL) == SQLITE_OK && bind_text(stmt, 1, text);
    return step(k, stmt, bound, changes, err);
}

static enum status run_number(struct kept *k, const char *sql, int64_t number, size_t *changes,
                              struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    bool bound = sqlite3_prepare_v2(k->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
                 sqlite3_bind_int64(stmt, 1, number) == SQLITE_OK;
    return step(k, stmt, bound, changes, err);
}

static enum status read_int(struct kept *k, const char *sql, int64_t *ret, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum status status = OK;
    if (sqlite3_prepare_v2(k->db, sql, -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        status = fail(k, err);
    else
        *ret = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return status;
}

/* Opening */

static const char schema[] =
    "CREATE TABLE prompts(request_id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, key_id TEXT NOT "
    "NULL, expert TEXT NOT NULL, text TEXT NOT NULL);"
    "CREATE INDEX prompts_by_time ON prompts(at_ms);"
    "CREATE TABLE forgotten(request_id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE bounds(before_ms INTEGER NOT NULL);"
    "INSERT INTO bounds VALUES(-9223372036854775807);";

static enum status make_schema(struct kept *k, struct error *err)
{
    char text[80];
    enum status status = run(k, schema, err);
    snprintf(text, sizeof(text), "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, SCHEMA_VERSION);
    return status == OK ? run(k, text, err) : status;
}

static enum status check_schema(struct kept *k, enum kept_use use, struct error *err)
{
    int64_t application = 0, version = 0, tables = 0;
    enum status status = read_int(k, "PRAGMA application_id", &application, err);
    if (status == OK)
        status = read_int(k, "PRAGMA user_version", &version, err);
    if (status == OK)
        status = read_int(k, "SELECT COUNT(*) FROM sqlite_master", &tables, err);
    if (status != OK)
        return status;
    if (tables > 0 && application != APPLICATION_ID)
        return error_set(err, ERR_CORRUPT, "%s is another database, not one of kept prompts",
                         k->path);
    if (version > SCHEMA_VERSION)
        return error_set(err, ERR_CORRUPT, "kept prompts %s were written by a newer Leeroo",
                         k->path);
    if (tables > 0)
        return OK;
    return use == KEPT_WRITE ? make_schema(k, err)
                             : error_set(err, ERR_NOT_FOUND, "%s holds nothing yet", k->path);
}

/* Only its owner may read it. SQLite gives the journal beside it the same rights. */
static enum status make_file(const char *path, struct error *err)
{
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST)
        return error_set_errno(err, ERR_IO, errno, "kept prompts: cannot make %s", path);
    if (fd >= 0)
        close(fd);
    return OK;
}

/* Two processes may make the schema at once: the lock of the transaction decides. Whoever only reads may write, too, as
 * far as the file's rights go: what a killed writer has left half done must be undone first. */
static enum status open_database(struct kept *k, enum kept_use use, struct error *err)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    enum status status = OK;
    if (sqlite3_open_v2(k->path, &k->db, flags, NULL) != SQLITE_OK)
        return fail(k, err);
    sqlite3_busy_timeout(k->db, BUSY_MS);
    if (use == KEPT_READ) {
        status = run(k, "PRAGMA query_only = ON", err);
        return status == OK ? check_schema(k, use, err) : status;
    }
    if (sqlite3_db_readonly(k->db, "main") == 1) /* SQLite makes do with that until it writes */
        return error_set(err, ERR_IO, "kept prompts %s: the file may not be written", k->path);
    status =
        run(k,
            "PRAGMA journal_mode = DELETE; PRAGMA secure_delete = ON; PRAGMA synchronous = NORMAL; "
            "PRAGMA temp_store = MEMORY; BEGIN IMMEDIATE",
            err);
    if (status != OK)
        return status;
    status = check_schema(k, use, err);
    if (status == OK)
        return run(k, "COMMIT", err);
    (void)sqlite3_exec(k->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

enum status kept_open(const char *path, enum kept_use use, struct kept **ret, struct error *err)
{
    struct kept *k = calloc(1, sizeof(*k));
    if (k)
        k->path = strdup(path);
    if (!k || !k->path) {
        free(k);
        return error_set(err, ERR_MEMORY, "out of memory for kept prompts");
    }
    buf_init(&k->redacted, 16u * KEPT_TEXT_BYTES_MAX);
    enum status status = OK;
    if (use == KEPT_WRITE)
        status = make_file(path, err);
    else if (access(path, F_OK) != 0)
        status = error_set(err, ERR_NOT_FOUND,
                           "%s: no prompts are kept there; `keep: {share: 0.05}` keeps some", path);
    if (status == OK)
        status = open_database(k, use, err);
    if (status != OK) {
        kept_close(k);
        return status;
    }
    *ret = k;
    return OK;
}

void kept_close(struct kept *k)
{
    if (!k)
        return;
    sqlite3_close(k->db);
    buf_done(&k->redacted);
    free(k->path);
    free(k);
}

/* Writing */

static enum status in_transaction(struct kept *k,
                                  enum status (*work)(struct kept *, void *, struct error *),
                                  void *arg, struct error *err)
{
    enum status status = run(k, "BEGIN IMMEDIATE", err);
    if (status != OK)
        return status;
    status = work(k, arg, err);
    if (status == OK)
        status = run(k, "COMMIT", err);
    if (status != OK)
        (void)sqlite3_exec(k->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

struct putting {
    const struct kept_row *rows;
    size_t count, taken;
};

static enum status put_row(struct kept *k, sqlite3_stmt *stmt, const struct kept_row *row,
                           size_t *taken, struct error *err)
{
    if (row->text.len > KEPT_TEXT_BYTES_MAX)
        return OK;
    struct str text = kept_redact(row->text, &k->redacted);
    if (k->redacted.status != OK)
        return buf_status(&k->redacted, err);
    if (!bind_text(stmt, 1, row->request_id) || sqlite3_bind_int64(stmt, 2, row->at_ms) ||
        !bind_text(stmt, 3, row->key) || !bind_text(stmt, 4, row->expert) ||
        !bind_text(stmt, 5, text) || sqlite3_step(stmt) != SQLITE_DONE)
        return fail(k, err);
    *taken += (size_t)sqlite3_changes(k->db);
    sqlite3_reset(stmt);
    return OK;
}

static enum status put_rows(struct kept *k, void *arg, struct error *err)
{
    static const char sql[] =
        "INSERT OR IGNORE INTO prompts(request_id, at_ms, key_id, expert, text) "
        "SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?2 >= (SELECT before_ms FROM bounds) "
        "AND NOT EXISTS(SELECT 1 FROM forgotten WHERE request_id = ?1)";
    struct putting *p = arg;
    sqlite3_stmt *stmt = NULL;
    enum status status = OK;
    if (sqlite3_prepare_v2(k->db, sql, -1, &stmt, NULL) != SQLITE_OK)
        return fail(k, err);
    for (size_t i = 0; i < p->count && status == OK; i++)
        status = put_row(k, stmt, &p->rows[i], &p->taken, err);
    sqlite3_finalize(stmt);
    if (status != OK)
        return status;
    return run_number(k,
                      "DELETE FROM prompts WHERE rowid IN (SELECT rowid FROM prompts ORDER BY "
                      "at_ms DESC LIMIT -1 OFFSET ?1)",
                      KEPT_ROWS_MAX, NULL, err);
}

enum status kept_put(struct kept *k, const struct kept_row *rows, size_t count, size_t *ret_taken,
                     struct error *err)
{
    struct putting p = {rows, count, 0};
    enum status status = in_transaction(k, put_rows, &p, err);
    if (status == OK && ret_taken)
        *ret_taken = p.taken;
    return status;
}

/* Forgetting */

struct forgetting {
    const struct str *ids;
    size_t count, erased;
    bool all, by_age;
    int64_t before_ms, now_ms;
};

static enum status forget_ids(struct kept *k, void *arg, struct error *err)
{
    struct forgetting *f = arg;
    enum status status = OK;
    for (size_t i = 0; i < f->count && status == OK; i++) {
        status = run_text(k, "INSERT OR IGNORE INTO forgotten VALUES(?1, unixepoch() * 1000)",
                          f->ids[i], NULL, err);
        if (status == OK)
            status = run_text(k, "DELETE FROM prompts WHERE request_id = ?1", f->ids[i], &f->erased,
                              err);
    }
    return status;
}

/* Ids that were forgotten before then can hardly arrive any more. */
static enum status delete_before(struct kept *k, struct forgetting *f, struct error *err)
{
    enum status status =
        run_number(k, "DELETE FROM forgotten WHERE at_ms < ?1", f->before_ms, NULL, err);
    if (status != OK)
        return status;
    return run_number(k,
                      f->all ? "DELETE FROM prompts WHERE ?1 IS NOT NULL"
                             : "DELETE FROM prompts WHERE at_ms < ?1",
                      f->before_ms, &f->erased, err);
}

static enum status forget_times(struct kept *k, void *arg, struct error *err)
{
    struct forgetting *f = arg;
    enum status status =
        run_number(k, "UPDATE bounds SET before_ms = MAX(before_ms, ?1)", f->before_ms, NULL, err);
    return status == OK ? delete_before(k, f, err) : status;
}

/* Raises no bound: were the clock ahead by a year, nothing would be kept for a year. */
static enum status forget_aged(struct kept *k, void *arg, struct error *err)
{
    struct forgetting *f = arg;
    enum status status =
        run_number(k, "UPDATE prompts SET at_ms = ?1 WHERE at_ms > ?1", f->now_ms, NULL, err);
    if (status == OK)
        status = run_number(k, "UPDATE bounds SET before_ms = MIN(before_ms, ?1 + 1)", f->now_ms,
                            NULL, err);
    return status == OK ? delete_before(k, f, err) : status;
}

/* What is forgotten on demand is written over even where an earlier attempt was cut short after its deletion. */
static enum status forget(struct kept *k, enum status (*how)(struct kept *, void *, struct error *),
                          struct forgetting *f, size_t *ret_erased, struct error *err)
{
    enum status status = in_transaction(k, how, f, err);
    if (status == OK && (f->erased > 0 || !f->by_age))
        status = run(k, "VACUUM", err);
    if (status == OK && ret_erased)
        *ret_erased = f->erased;
    return status;
}

enum status kept_forget(struct kept *k, const struct str *ids, size_t count, size_t *ret_erased,
                        struct error *err)
{
    struct forgetting f = {.ids = ids, .count = count};
    return forget(k, forget_ids, &f, ret_erased, err);
}

enum status kept_forget_before(struct kept *k, int64_t at_ms, size_t *ret_erased, struct error *err)
{
    struct forgetting f = {.before_ms = at_ms};
    return forget(k, forget_times, &f, ret_erased, err);
}

enum status kept_age(struct kept *k, int64_t now_ms, int64_t keep_ms, size_t *ret_erased,
                     struct error *err)
{
    struct forgetting f = {.before_ms = now_ms - keep_ms, .now_ms = now_ms, .by_age = true};
    return forget(k, forget_aged, &f, ret_erased, err);
}

enum status kept_forget_all(struct kept *k, int64_t now_ms, size_t *ret_erased, struct error *err)
{
    struct forgetting f = {.before_ms = now_ms + 1, .all = true};
    return forget(k, forget_times, &f, ret_erased, err);
}

/* Reading */

static struct str column_text(sqlite3_stmt *stmt, int i)
{
    const char *text = (const char *)sqlite3_column_text(stmt, i);
    return (struct str){text ? text : "", (size_t)sqlite3_column_bytes(stmt, i)};
}

enum status kept_each(struct kept *k, int64_t since_ms, kept_fn *fn, void *arg, struct error *err)
{
    static const char sql[] = "SELECT request_id, at_ms, key_id, expert, text FROM prompts "
                              "WHERE at_ms >= ?1 ORDER BY at_ms, request_id";
    sqlite3_stmt *stmt = NULL;
    enum status status = OK;
    int code = SQLITE_ERROR;
    if (sqlite3_prepare_v2(k->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_bind_int64(stmt, 1, since_ms) == SQLITE_OK)
        while ((code = sqlite3_step(stmt)) == SQLITE_ROW && status == OK) {
            const struct kept_row row = {.request_id = column_text(stmt, 0),
                                         .at_ms = sqlite3_column_int64(stmt, 1),
                                         .key = column_text(stmt, 2),
                                         .expert = column_text(stmt, 3),
                                         .text = column_text(stmt, 4)};
            status = fn(&row, arg, err);
        }
    if (status == OK && code != SQLITE_DONE)
        status = fail(k, err);
    sqlite3_finalize(stmt);
    return status;
}

enum status kept_find(struct kept *k, struct str request_id, struct arena *a, struct str *ret_text,
                      struct error *err)
{
    static const char sql[] = "SELECT text FROM prompts WHERE request_id = ?1";
    sqlite3_stmt *stmt = NULL;
    enum status status = OK;
    int code = SQLITE_ERROR;
    if (sqlite3_prepare_v2(k->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_bind_text(stmt, 1, request_id.ptr ? request_id.ptr : "", (int)request_id.len,
                          SQLITE_STATIC) == SQLITE_OK)
        code = sqlite3_step(stmt);
    struct str text = code == SQLITE_ROW ? arena_copy(a, column_text(stmt, 0)) : STR("");
    if (code == SQLITE_DONE)
        status = error_set(err, ERR_NOT_FOUND, "the request's prompt is not kept");
    else if (code != SQLITE_ROW)
        status = fail(k, err);
    else if (!text.ptr)
        status = error_set(err, ERR_MEMORY, "out of memory for a prompt");
    sqlite3_finalize(stmt);
    if (status == OK)
        *ret_text = text;
    return status;
}
