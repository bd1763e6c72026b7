/* Connects as a reader does and asks the database what a writer would be allowed. A file is judged by its rights, since
 * SQLite says so only when it writes. On the thread of a command. */
#include "store/ledger_probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/backend.h"

#define FOLDER_BYTES_MAX 4096

/* Whether tables may be made, or written where they are; their size, and how many rows the server counts. */
static const char may_make[] = "SELECT CAST(CASE WHEN to_regnamespace('leeroo') IS NULL "
                               "THEN has_database_privilege(current_database(), 'CREATE') "
                               "ELSE has_schema_privilege('leeroo', 'CREATE') END AS INT)";
static const char may_write[] =
    "SELECT CAST(has_table_privilege('leeroo.requests', 'INSERT') AND "
    "has_table_privilege('leeroo.requests', 'UPDATE') AND "
    "has_table_privilege('leeroo.feedback', 'INSERT') AND "
    "has_table_privilege('leeroo.losses', 'INSERT') AS INT), "
    "pg_total_relation_size('leeroo.requests') + pg_total_relation_size('leeroo.feedback'), "
    "CAST(reltuples AS BIGINT) FROM pg_class WHERE oid = 'leeroo.requests'::regclass";
/* Exact, and read off one index. */
static const char count_rows[] = "SELECT 1, 0, COUNT(*) FROM requests";

struct facts {
    int64_t allowed, bytes, rows;
};

static enum status take(const struct value *values, size_t count, void *arg, struct error *err)
{
    struct facts *f = arg;
    int64_t *into[] = {&f->allowed, &f->bytes, &f->rows};
    (void)err;
    for (size_t i = 0; i < count && i < 3; i++)
        *into[i] = values[i].type == VALUE_INT ? values[i].integer : 0;
    return OK;
}

static enum status probe_server(struct backend *b, struct ledger_probe *p, struct error *err)
{
    struct facts f = {.rows = -1};
    p->is_server = true;
    p->there = !b->empty;
    enum status status = b->ops->query(b, p->there ? may_write : may_make, NULL, 0, take, &f, err);
    if (status != OK)
        return status;
    if (!f.allowed)
        return error_set(err, ERR_FORBIDDEN,
                         p->there
                             ? "ledger: PostgreSQL: the role may not write the tables of schema "
                               "leeroo; GRANT INSERT, UPDATE, DELETE, SELECT on them to it"
                             : "ledger: PostgreSQL: the role may not make a schema; `GRANT "
                               "CREATE ON DATABASE ... TO ...`, or make it an empty schema "
                               "leeroo of its own");
    p->bytes = (uint64_t)f.bytes;
    p->requests = p->there ? f.rows : -1;
    return OK;
}

/* Files */

static const char *whose(const struct stat *st)
{
    return st->st_uid == geteuid() ? "" : "; it belongs to another user";
}

/* SQLite makes files beside it, so its folder must let it. */
static enum status check_folder(const char *path, struct error *err)
{
    char folder[FOLDER_BYTES_MAX];
    struct stat st;
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 1;
    snprintf(folder, sizeof(folder), "%.*s", slash && len == 0 ? 1 : (int)len, slash ? path : ".");
    if (stat(folder, &st) != 0)
        return error_set_errno(err, ERR_IO, errno, "ledger %s: its folder", path);
    if (access(folder, W_OK | X_OK) != 0)
        return error_set_errno(err, ERR_FORBIDDEN, errno,
                               "ledger %s: its folder cannot be written%s", path, whose(&st));
    return OK;
}

static enum status check_file(const char *path, struct error *err)
{
    struct stat st;
    if (stat(path, &st) == 0 && access(path, R_OK | W_OK) != 0)
        return error_set_errno(err, ERR_FORBIDDEN, errno, "ledger %s: it cannot be written%s", path,
                               whose(&st));
    return check_folder(path, err);
}

static uint64_t bytes_of(const char *path)
{
    char log[FOLDER_BYTES_MAX];
    struct stat st;
    uint64_t bytes = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    snprintf(log, sizeof(log), "%s-wal", path);
    return bytes + (stat(log, &st) == 0 ? (uint64_t)st.st_size : 0);
}

static enum status probe_file(struct backend *b, const char *path, struct ledger_probe *p,
                              struct error *err)
{
    struct facts f = {.rows = -1};
    p->there = !b->empty;
    if (p->there && b->ops->query(b, count_rows, NULL, 0, take, &f, NULL) != OK)
        f.rows = -1; /* it takes too long to count them */
    p->requests = f.rows;
    p->bytes = bytes_of(path);
    return check_file(path, err);
}

enum status ledger_probe(const char *store, struct ledger_probe *ret, struct error *err)
{
    struct backend *b = NULL;
    struct ledger_probe p = {.requests = -1};
    struct error why = {0};
    bool is_server = strstr(store, "://") != NULL;
    enum status status = is_server ? OK : check_file(store, err);
    if (status == OK)
        status = backend_create(store, &b, err);
    if (status != OK)
        return status;
    b->takes_empty = true;
    status = backend_connect(b, false, &why);
    if (status == OK)
        status = is_server ? probe_server(b, &p, &why) : probe_file(b, store, &p, &why);
    backend_free(b);
    if (status == ERR_NOT_FOUND && !is_server)
        status = OK; /* it is made at the start */
    if (status != OK)
        return error_set(err, status, "%s", why.text);
    *ret = p;
    return OK;
}
