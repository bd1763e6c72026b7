/* The ledger in a SQLite file: write-ahead log, so that readers and the writer do not wait for each other, and
 * synchronous=NORMAL: a commit survives the death of the process, the last ones may not survive a power failure.
 *
 * A backend belongs to the thread that uses it, the ledger's writer or a reader; it waits for the disk and for other
 * processes' locks, so none of these functions may be called on an event loop. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "store/backend.h"
#include "store/sql.h"

#define WRITER_BUSY_MS 200 /* the writer tries again by itself */
#define READER_BUSY_MS 2000
#define LATE_STEPS     100000
#define APPLICATION_ID 0x4c656572 /* "Leer" */

struct sqlite_backend {
    struct backend base;
    char *path;
    bool writes;
    int held_fd; /* O_PATH, of the file that is open: closing it takes no lock away; -1: none */
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_STATEMENTS];
    uint64_t deadline_ms; /* of the query that runs; 0: none */
};

static struct sqlite_backend *self(struct backend *b)
{
    return (struct sqlite_backend *)b;
}

static enum status fail(struct sqlite_backend *s, struct error *err)
{
    enum status status = ERR_IO;
    int code = s->db ? sqlite3_errcode(s->db) : SQLITE_NOMEM;
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
        status = ERR_INPUT;
        break;
    case SQLITE_INTERRUPT: /* is_late */
        status = ERR_TIMEOUT;
        break;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        status = ERR_CORRUPT;
        break;
    default:
        break;
    }
    return error_set(err, status, "ledger %s: %s", s->path,
                     s->db ? sqlite3_errmsg(s->db) : "out of memory");
}

static enum status run(struct sqlite_backend *s, const char *sql, struct error *err)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : fail(s, err);
}

static void disconnect(struct sqlite_backend *s)
{
    for (size_t i = 0; i < SQL_STATEMENTS; i++) {
        sqlite3_finalize(s->statements[i]);
        s->statements[i] = NULL;
    }
    sqlite3_close(s->db);
    if (s->held_fd >= 0)
        close(s->held_fd);
    s->held_fd = -1;
    s->db = NULL;
    s->base.connected = false;
}

/* Values */

static bool bind(sqlite3_stmt *stmt, const struct value *values, size_t count)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        const struct value *v = &values[i];
        int at = (int)i + 1;
        switch (v->type) {
        case VALUE_NULL:
            rc = sqlite3_bind_null(stmt, at);
            break;
        case VALUE_INT:
            rc = sqlite3_bind_int64(stmt, at, v->integer);
            break;
        case VALUE_REAL:
            rc = sqlite3_bind_double(stmt, at, v->real);
            break;
        case VALUE_TEXT:
            rc = sqlite3_bind_text(stmt, at, v->text.ptr ? v->text.ptr : "", (int)v->text.len,
                                   SQLITE_STATIC);
            break;
        }
    }
    return rc == SQLITE_OK;
}

static struct value column(sqlite3_stmt *stmt, int i)
{
    switch (sqlite3_column_type(stmt, i)) {
    case SQLITE_INTEGER:
        return (struct value){.type = VALUE_INT, .integer = sqlite3_column_int64(stmt, i)};
    case SQLITE_FLOAT:
        return (struct value){.type = VALUE_REAL, .real = sqlite3_column_double(stmt, i)};
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_column_text(stmt, i);
        return (struct value){.type = VALUE_TEXT,
                              .text = {text, (size_t)sqlite3_column_bytes(stmt, i)}};
    }
    default:
        return (struct value){.type = VALUE_NULL};
    }
}

/* SQLite asks every LATE_STEPS of its virtual machine; 1 ends the query as interrupted. */
static int is_late(void *arg)
{
    const struct sqlite_backend *s = arg;
    return s->deadline_ms && clock_now_ms() >= s->deadline_ms;
}

static enum status query(struct backend *b, const char *sql, const struct value *values,
                         size_t count, backend_row_fn *on_row, void *arg, struct error *err)
{
    struct sqlite_backend *s = self(b);
    s->deadline_ms = b->answer_ms ? clock_now_ms() + b->answer_ms : 0;
    sqlite3_stmt *stmt = NULL;
    struct value row[BACKEND_COLUMNS_MAX];
    enum status status = OK;
    int rc = SQLITE_ERROR;
    if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK ||
        !bind(stmt, values, count)) {
        status = fail(s, err);
        sqlite3_finalize(stmt);
        return status;
    }
    int columns = sqlite3_column_count(stmt);
    CHECK(columns <= BACKEND_COLUMNS_MAX);
    while (status == OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < columns; i++)
            row[i] = column(stmt, i);
        status = on_row(row, (size_t)columns, arg, err);
    }
    if (status == OK && rc != SQLITE_DONE)
        status = fail(s, err);
    sqlite3_finalize(stmt);
    return status;
}

static enum status take_int(const struct value *values, size_t count, void *arg, struct error *err)
{
    (void)err;
    if (count > 0 && values[0].type == VALUE_INT)
        *(int64_t *)arg = values[0].integer;
    return OK;
}

static enum status read_int(struct sqlite_backend *s, const char *sql, int64_t *ret,
                            struct error *err)
{
    *ret = 0;
    return query(&s->base, sql, NULL, 0, take_int, ret, err);
}

/* Connecting */

static enum status make_schema(struct sqlite_backend *s, struct error *err)
{
    char text[80];
    enum status status = run(s, "BEGIN IMMEDIATE", err);
    for (size_t i = 0; i < SQL_SCHEMA_COUNT && status == OK; i++)
        status = run(s, sql_schema[i], err);
    snprintf(text, sizeof(text), "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, SQL_SCHEMA_VERSION);
    if (status == OK)
        status = run(s, text, err);
    return status == OK ? run(s, "COMMIT", err) : status;
}

static enum status check_schema(struct sqlite_backend *s, bool write, struct error *err)
{
    int64_t version = 0, application = 0, tables = 0;
    enum status status = read_int(s, "PRAGMA user_version", &version, err);
    if (status == OK)
        status = read_int(s, "PRAGMA application_id", &application, err);
    if (status == OK)
        status = read_int(s, "SELECT COUNT(*) FROM sqlite_master", &tables, err);
    if (status != OK)
        return status;
    if (tables > 0 && application != APPLICATION_ID)
        return error_set(err, ERR_CORRUPT, "%s is another program's database, not a ledger",
                         s->path);
    if (version > SQL_SCHEMA_VERSION)
        return error_set(err, ERR_CORRUPT,
                         "ledger %s was made by a newer Leeroo (version %lld, known is %d)",
                         s->path, (long long)version, SQL_SCHEMA_VERSION);
    if (version == SQL_SCHEMA_VERSION)
        return OK;
    s->base.empty = !write;
    if (!write && s->base.takes_empty)
        return OK;
    if (!write)
        return error_set(err, ERR_CORRUPT, "ledger %s holds nothing yet", s->path);
    return make_schema(s, err);
}

/* Only its owner may read it. SQLite gives the log's files the same rights. */
static enum status make_file(struct sqlite_backend *s, struct error *err)
{
    int fd = open(s->path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && errno != EEXIST)
        return error_set_errno(err, ERR_IO, errno, "ledger: cannot make %s", s->path);
    if (fd >= 0)
        close(fd); /* nobody can have locked it yet, so this takes nobody's lock away */
    return OK;
}

static enum status prepare(struct sqlite_backend *s, struct error *err)
{
    for (size_t i = 0; i < SQL_STATEMENTS; i++)
        if (sqlite3_prepare_v3(s->db, sql_statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &s->statements[i], NULL) != SQLITE_OK)
            return fail(s, err);
    return OK;
}

/* One piece: what a writer and a reader want of a connection, in the order in which it must be said. */
static enum status connect_now(struct sqlite_backend *s, bool write, struct error *err)
{
    int flags = SQLITE_OPEN_NOMUTEX | (write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    enum status status = write ? make_file(s, err) : OK;
    if (status != OK)
        return status;
    if (!write && access(s->path, F_OK) != 0 && errno == ENOENT)
        return error_set(err, ERR_NOT_FOUND,
                         "ledger %s: No such file or directory; `leeroo serve` makes it", s->path);
    if (sqlite3_open_v2(s->path, &s->db, flags, NULL) != SQLITE_OK)
        return fail(s, err);
    s->held_fd = open(s->path, O_PATH | O_CLOEXEC);
    if (!write)
        sqlite3_progress_handler(s->db, LATE_STEPS, is_late, s);
    sqlite3_busy_timeout(s->db, write ? WRITER_BUSY_MS : READER_BUSY_MS);
    if (write)
        status = run(s,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
                     "PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 67108864; "
                     "PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY",
                     err);
    if (status == OK)
        status = check_schema(s, write, err);
    if (status == OK && write)
        status = prepare(s, err);
    return status;
}

static enum status connect_backend(struct backend *b, bool write, struct error *err)
{
    self(b)->writes = write;
    enum status status = connect_now(self(b), write, err);
    if (status != OK)
        disconnect(self(b));
    return status;
}

/* A file that is gone */

/* What the log beside it holds belongs into the file that was moved away, wherever that is now. Where nothing has taken
 * its place, the log's own files go, too: SQLite would read them as those of the next file of that name. */
static void leave_moved(struct sqlite_backend *s)
{
    static const char *const beside[] = {"-wal", "-shm"};
    struct stat st;
    char path[PATH_MAX];
    (void)sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    disconnect(s);
    for (size_t i = 0; i < 2 && stat(s->path, &st) != 0 && errno == ENOENT; i++)
        if (snprintf(path, sizeof(path), "%s%s", s->path, beside[i]) < (int)sizeof(path))
            (void)unlink(path);
}

static bool is_deleted(const struct sqlite_backend *s)
{
    struct stat st;
    return fstat(s->held_fd, &st) == 0 && st.st_nlink == 0;
}

/* Rows of requests that are open are written again when those end. */
static void count_deleted(struct sqlite_backend *s)
{
    int64_t rows = 0, nano_usd = 0, sum;
    if (read_int(s, "SELECT COUNT(*) FROM requests WHERE outcome <> 'open'", &rows, NULL) != OK ||
        read_int(s, "SELECT COALESCE(SUM(cost_nano_usd), 0) FROM requests WHERE outcome <> 'open'",
                 &nano_usd, NULL) != OK)
        return;
    struct backend_gone *gone = &s->base.gone;
    gone->rows += (uint64_t)rows;
    gone->nano_usd = __builtin_add_overflow(gone->nano_usd, nano_usd, &sum) ? INT64_MAX : sum;
}

/* Compares the inode behind the name with the one that is open. */
static void look(struct backend *b)
{
    struct sqlite_backend *s = self(b);
    int moved = 0;
    if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK || !moved)
        return;
    if (!s->writes) {
        disconnect(s);
        return;
    }
    b->gone.files++;
    if (is_deleted(s))
        count_deleted(s);
    leave_moved(s);
}

/* Writing */

static enum status begin(struct backend *b, struct error *err)
{
    return run(self(b), "BEGIN IMMEDIATE", err);
}

static enum status put(struct backend *b, size_t statement, const struct value *values,
                       size_t count, struct error *err)
{
    struct sqlite_backend *s = self(b);
    sqlite3_stmt *stmt = s->statements[statement];
    enum status status = OK;
    if (!bind(stmt, values, count) || sqlite3_step(stmt) != SQLITE_DONE)
        status = fail(s, err);
    sqlite3_reset(stmt);
    return status;
}

static enum status commit(struct backend *b, struct error *err)
{
    return run(self(b), "COMMIT", err);
}

/* A connection that saw an I/O error is not trusted any more; one that had to wait is. */
static void rollback(struct backend *b)
{
    struct sqlite_backend *s = self(b);
    int code = sqlite3_errcode(s->db) & 0xff;
    bool healthy = code == SQLITE_BUSY || code == SQLITE_FULL || code == SQLITE_CONSTRAINT;
    int rc = sqlite3_get_autocommit(s->db) ? SQLITE_OK
                                           : sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    if (!healthy || rc != SQLITE_OK)
        disconnect(s);
}

static void free_backend(struct backend *b)
{
    struct sqlite_backend *s = self(b);
    disconnect(s);
    free(s->path);
    free(s);
}

static const struct backend_ops ops = {
    .look = look,
    .connect = connect_backend,
    .begin = begin,
    .put = put,
    .commit = commit,
    .rollback = rollback,
    .query = query,
    .free = free_backend,
    .each_call = "json_each(requests.calls)",
    .call_text = "json_extract(value, '$.%s')",
    .call_integer = "CAST(json_extract(value, '$.%s') AS BIGINT)",
};

enum status sqlite_backend_create(const char *path, struct backend **ret, struct error *err)
{
    struct sqlite_backend *s = calloc(1, sizeof(*s));
    if (s)
        s->path = strdup(path);
    if (!s || !s->path) {
        free(s);
        return error_set(err, ERR_MEMORY, "out of memory for the ledger");
    }
    s->held_fd = -1;
    s->base.ops = &ops;
    *ret = &s->base;
    return OK;
}
