/* SQLite's own backup, in one step: it reads in one transaction, so that a gateway's writes neither wait for it nor
 * make it begin anew, and the write-ahead log holds them meanwhile.
 *
 * The copy is taken out of the write-ahead mode, so that it is one file, and looked through by integrity_check before
 * it gets its name. On a command's thread, which waits for the disk: never on an event loop. */
#include "store/ledger_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/ledger_probe.h"

#define BUSY_MS 60000

static enum status fail(sqlite3 *db, const char *path, struct error *err)
{
    return error_set(err, ERR_IO, "ledger %s: %s", path, db ? sqlite3_errmsg(db) : "out of memory");
}

static enum status open_db(const char *path, int flags, sqlite3 **ret, struct error *err)
{
    if (sqlite3_open_v2(path, ret, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return fail(*ret, path, err);
    sqlite3_busy_timeout(*ret, BUSY_MS);
    return OK;
}

static enum status copy_all(sqlite3 *from, sqlite3 *to, const char *to_path, struct error *err)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    if (!b)
        return fail(to, to_path, err);
    int step = sqlite3_backup_step(b, -1), end = sqlite3_backup_finish(b);
    if (step != SQLITE_DONE)
        return error_set(err, ERR_IO, "ledger backup %s: %s", to_path, sqlite3_errstr(step));
    return end == SQLITE_OK ? OK : fail(to, to_path, err);
}

/* The first column of the first row. */
static enum status ask_text(sqlite3 *db, const char *sql, char *into, size_t size,
                            struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    bool there = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
                 sqlite3_step(stmt) == SQLITE_ROW;
    const char *text = there ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    snprintf(into, size, "%s", text ? text : "");
    enum status status = there ? OK : fail(db, "backup", err);
    sqlite3_finalize(stmt);
    return status;
}

/* Whether it can be brought back: one file, whole, with as many requests as it says. */
static enum status verify(sqlite3 *db, const char *path, int64_t *ret_requests, struct error *err)
{
    char mode[16], verdict[160], count[24];
    enum status status = ask_text(db, "PRAGMA journal_mode = DELETE", mode, sizeof(mode), err);
    if (status == OK)
        status = ask_text(db, "PRAGMA integrity_check(1)", verdict, sizeof(verdict), err);
    if (status == OK)
        status = ask_text(db, "SELECT COUNT(*) FROM requests", count, sizeof(count), err);
    if (status != OK)
        return status;
    if (strcmp(verdict, "ok") != 0)
        return error_set(err, ERR_CORRUPT, "ledger backup %s is not whole: %s", path, verdict);
    return str_to_int64(str_from(count), ret_requests) == OK
               ? OK
               : error_set(err, ERR_CORRUPT, "ledger backup %s cannot be counted", path);
}

static enum status make_copy(const char *store, const char *temporary, int64_t *ret_requests,
                             struct error *err)
{
    sqlite3 *from = NULL, *to = NULL;
    enum status status = open_db(store, SQLITE_OPEN_READONLY, &from, err);
    if (status == OK)
        status = open_db(temporary, SQLITE_OPEN_READWRITE, &to, err);
    if (status == OK)
        status = copy_all(from, to, temporary, err);
    if (status == OK)
        status = verify(to, temporary, ret_requests, err);
    sqlite3_close(to);
    sqlite3_close(from);
    return status;
}

/* An empty file that only its owner can read. */
static enum status make_empty(const char *path, struct error *err)
{
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(err, ERR_IO, errno, "cannot make %s", path);
    close(fd);
    return OK;
}

static enum status sync_file(const char *path, int flags, struct error *err)
{
    int fd = open(path, flags | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    int code = errno;
    if (fd >= 0)
        close(fd);
    return synced ? OK : error_set_errno(err, ERR_IO, code, "cannot sync %s", path);
}

static enum status take_name(const char *temporary, const char *to, struct error *err)
{
    char folder[PATH_MAX];
    enum status status = sync_file(temporary, O_RDONLY, err);
    if (status != OK)
        return status;
    if (rename(temporary, to) != 0)
        return error_set_errno(err, ERR_IO, errno, "cannot rename to %s", to);
    const char *slash = strrchr(to, '/');
    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - to) + 1 : 1, slash ? to : ".");
    return sync_file(folder, O_RDONLY | O_DIRECTORY, err);
}

static enum status need_file(const char *store, const char *instead, struct error *err)
{
    struct ledger_probe p = {0};
    if (strstr(store, "://"))
        return error_set(err, ERR_UNSUPPORTED, "this ledger is in PostgreSQL: %s", instead);
    if (access(store, F_OK) != 0)
        return error_set_errno(err, ERR_NOT_FOUND, errno, "ledger %s", store);
    enum status status = ledger_probe(store, &p, err);
    if (status != OK && status != ERR_FORBIDDEN) /* who may read it may copy it */
        return status;
    return status == ERR_FORBIDDEN || p.there
               ? OK
               : error_set(err, ERR_NOT_FOUND, "ledger %s holds nothing yet", store);
}

/* One piece: whatever goes wrong, no half copy stays. */
enum status ledger_backup(const char *store, const char *to, struct ledger_backup *ret,
                          struct error *err)
{
    char temporary[PATH_MAX];
    struct stat st;
    int64_t requests = 0;
    enum status status = need_file(store,
                                   "`pg_dump --schema=leeroo --format=custom --file=FILE URL` "
                                   "copies it while gateways run, and pg_restore brings it back",
                                   err);
    if (status != OK)
        return status;
    if (file_is_same(store, to))
        return error_set(err, ERR_INPUT, "%s is the ledger itself", to);
    if (snprintf(temporary, sizeof(temporary), "%s.tmp.%ld", to, (long)getpid()) >=
        (int)sizeof(temporary))
        return error_set(err, ERR_INPUT, "%.200s: the path is too long", to);
    status = make_empty(temporary, err);
    if (status != OK)
        return status;
    status = make_copy(store, temporary, &requests, err);
    uint64_t bytes = stat(temporary, &st) == 0 ? (uint64_t)st.st_size : 0;
    if (status == OK)
        status = take_name(temporary, to, err);
    if (status != OK) {
        (void)unlink(temporary);
        return status;
    }
    *ret = (struct ledger_backup){bytes, requests};
    return OK;
}

/* With its write-ahead log. */
static uint64_t size_of(const char *store)
{
    char log[PATH_MAX];
    struct stat st;
    uint64_t bytes = stat(store, &st) == 0 ? (uint64_t)st.st_size : 0;
    snprintf(log, sizeof(log), "%s-wal", store);
    return bytes + (stat(log, &st) == 0 ? (uint64_t)st.st_size : 0);
}

enum status ledger_compact(const char *store, uint64_t *ret_bytes, struct error *err)
{
    sqlite3 *db = NULL;
    enum status status = need_file(store, "VACUUM is done by its server", err);
    if (status != OK)
        return status;
    uint64_t before = size_of(store);
    status = open_db(store, SQLITE_OPEN_READWRITE, &db, err);
    if (status == OK &&
        sqlite3_exec(db, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) != SQLITE_OK)
        status = fail(db, store, err);
    sqlite3_close(db);
    if (status != OK)
        return status;
    uint64_t after = size_of(store);
    *ret_bytes = after < before ? before - after : 0;
    return OK;
}
