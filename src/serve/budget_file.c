/* What the policies with a budget have spent outlives the process, and what checks have said: each is written to a
 * file, and taken up at the start.
 *
 * One thread writes; it alone touches what is kept. A newer configuration is laid beside it by the thread that reloads,
 * and taken up by this one. budget_file_start reads and writes before the thread is there, budget_file_stop writes when
 * it has gone; no event loop may call any of them. */
#include "serve/budget_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/worker.h"

#define PATH_BYTES_MAX 4096
#define CHECKS_NAME    "checks.json" /* beside budgets.json */

struct kept { /* the budgets of one configuration */
    struct snapshot *snapshot;
    struct budget_named *saved;  /* [count], of the last save */
    struct budget_named *latest; /* [count], scratch */
    size_t count;
    uint64_t checks; /* pool_checks_heard at the last save */
};

struct budget_file {
    char path[PATH_BYTES_MAX], checks_path[PATH_BYTES_MAX];
    struct kept now;
    struct worker_thread worker;
    struct kept next; /* guarded by the worker's lock; no snapshot: none */
};

static void kept_done(struct kept *k)
{
    snapshot_release(k->snapshot);
    free(k->saved);
    free(k->latest);
    *k = (struct kept){0};
}

static enum status kept_init(struct kept *k, struct snapshot *s, struct error *err)
{
    size_t count = pool_budgets(s->pool, NULL);
    *k = (struct kept){.saved = calloc(count + 1, sizeof(*k->saved)),
                       .latest = calloc(count + 1, sizeof(*k->latest)),
                       .count = count,
                       .snapshot = snapshot_hold(s)};
    if (k->saved && k->latest)
        return OK;
    kept_done(k);
    return error_set(err, ERR_MEMORY, "out of memory for budgets");
}

static bool has_changed(struct kept *k)
{
    if (pool_checks_heard(k->snapshot->pool) != k->checks)
        return true;
    pool_budgets(k->snapshot->pool, k->latest);
    for (size_t i = 0; i < k->count; i++)
        if (k->latest[i].state.queries != k->saved[i].state.queries)
            return true;
    return false;
}

static enum status save_checks(struct budget_file *k, struct error *err)
{
    struct kept *now = &k->now;
    struct buf text;
    uint64_t heard = pool_checks_heard(now->snapshot->pool);
    if (heard == now->checks)
        return OK;
    buf_init(&text, POOL_CHECKS_BYTES_MAX);
    pool_checks_write(now->snapshot->pool, &text);
    enum status status = file_write(k->checks_path, &text, err);
    buf_done(&text);
    if (status == OK)
        now->checks = heard;
    return status;
}

static enum status save(struct budget_file *k, struct error *err)
{
    struct kept *now = &k->now;
    enum status checks = save_checks(k, err);
    if (checks != OK || now->count == 0)
        return checks;
    pool_budgets(now->snapshot->pool, now->latest);
    enum status status = budget_state_save(k->path, now->latest, now->count, err);
    if (status == OK)
        memcpy(now->saved, now->latest, now->count * sizeof(*now->saved));
    return status;
}

static void save_or_say(struct budget_file *k)
{
    struct error err;
    char quoted[320];
    if (!has_changed(&k->now) || save(k, &err) == OK)
        return;
    log_quote(quoted, sizeof(quoted), str_from(err.text));
    log_event(LOG_ERROR, "budget state not saved", "err=%s", quoted);
}

static void take_next(struct budget_file *k)
{
    worker_lock(&k->worker);
    struct kept next = k->next;
    k->next = (struct kept){0};
    worker_unlock(&k->worker);
    if (!next.snapshot)
        return;
    kept_done(&k->now);
    k->now = next; /* nothing of it is saved yet, so whatever has had a query is saved now */
}

static bool has_next(void *arg)
{
    const struct budget_file *k = arg;
    return k->next.snapshot;
}

/* What is left at the end is budget_file_stop's. */
static void run(void *arg)
{
    struct budget_file *k = arg;
    while (worker_wait(&k->worker, has_next, BUDGET_FILE_PERIOD_MS) != WORKER_STOP) {
        take_next(k);
        save_or_say(k);
    }
}

/* A damaged file must not keep the gateway from starting, nor be buried by the next save. */
static enum status set_aside(const char *path, const char *what, const struct error *why,
                             struct error *err)
{
    char quoted[320];
    enum status status = budget_state_set_aside(path, err);
    if (status != OK)
        return status;
    log_quote(quoted, sizeof(quoted), str_from(why->text));
    log_event(LOG_WARN, what, "kept=%s.damaged err=%s", path, quoted);
    return OK;
}

static void say_resumed(const struct kept *now, const bool *found)
{
    for (size_t i = 0; i < now->count; i++)
        if (found[i])
            log_event(LOG_INFO, "budget resumed", "policy=%.*s queries=%llu spent_usd=%.6f",
                      STR_FMT(now->saved[i].name), (unsigned long long)now->saved[i].state.queries,
                      now->saved[i].state.spent_usd);
}

static enum status resume_checks(struct budget_file *k, struct error *err)
{
    struct error why;
    struct buf text;
    buf_init(&text, POOL_CHECKS_BYTES_MAX);
    enum status status = file_read(k->checks_path, POOL_CHECKS_BYTES_MAX, &text, &why);
    if (status == OK)
        status = pool_checks_resume(k->now.snapshot->pool, buf_str(&text), k->checks_path, &why);
    buf_done(&text);
    if (status == ERR_NOT_FOUND)
        return OK;
    k->now.checks = pool_checks_heard(k->now.snapshot->pool);
    if (status == OK)
        return OK;
    if (status == ERR_IO || status == ERR_MEMORY)
        return error_set(err, status, "%s", why.text);
    return set_aside(k->checks_path, "what checks have said begins anew", &why, err);
}

static enum status resume(struct budget_file *k, struct error *err)
{
    struct error why;
    struct kept *now = &k->now;
    bool *found = calloc(now->count + 1, sizeof(*found));
    if (!found)
        return error_set(err, ERR_MEMORY, "out of memory for budgets");
    pool_budgets(now->snapshot->pool, now->saved);
    enum status status = budget_state_load(k->path, now->saved, found, now->count, &why);
    if (status == OK) {
        say_resumed(now, found);
        pool_budgets_resume(now->snapshot->pool, now->saved, found);
    } else if (status == ERR_IO || status == ERR_MEMORY) {
        error_set(err, status, "%s", why.text);
    } else {
        status = set_aside(k->path, "budget state damaged, budgets begin anew", &why, err);
    }
    free(found);
    return status;
}

static enum status make_folder(struct budget_file *k, const char *folder, struct error *err)
{
    int n = snprintf(k->path, sizeof(k->path), "%s/budgets.json", folder);
    int m = snprintf(k->checks_path, sizeof(k->checks_path), "%s/" CHECKS_NAME, folder);
    if (n < 0 || (size_t)n >= sizeof(k->path) || m < 0 || (size_t)m >= sizeof(k->checks_path))
        return error_set(err, ERR_TOO_LARGE, "state_dir: the name is too long");
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return error_set_errno(err, ERR_IO, errno, "state_dir: cannot make %s", folder);
    return OK;
}

static enum status create(struct snapshot *s, struct budget_file **ret, struct error *err)
{
    struct budget_file *k = calloc(1, sizeof(*k));
    if (!k)
        return error_set(err, ERR_MEMORY, "out of memory for budgets");
    worker_init(&k->worker);
    *ret = k;
    return kept_init(&k->now, s, err);
}

enum status budget_file_start(struct snapshot *s, const char *folder, struct budget_file **ret,
                              struct error *err)
{
    struct budget_file *k = NULL;
    enum status status = create(s, &k, err);
    if (status == OK)
        status = make_folder(k, folder, err);
    if (status == OK && k->now.count > 0)
        status = resume(k, err);
    if (status == OK && pool_verifies(k->now.snapshot->pool))
        status = resume_checks(k, err);
    if (status == OK && k->now.count > 0)
        status = save(k, err);
    if (status == OK)
        status = worker_start(&k->worker, run, k, err);
    if (status != OK) {
        budget_file_stop(k);
        return status;
    }
    *ret = k;
    return OK;
}

enum status budget_file_follow(struct budget_file *k, struct snapshot *s, struct error *err)
{
    struct kept next, passed_over;
    enum status status = kept_init(&next, s, err);
    if (status != OK)
        return status;
    worker_lock(&k->worker);
    passed_over = k->next;
    k->next = next;
    worker_unlock_and_wake(&k->worker);
    kept_done(&passed_over);
    return OK;
}

void budget_file_stop(struct budget_file *k)
{
    if (!k)
        return;
    if (worker_stop(&k->worker)) {
        take_next(k);
        save_or_say(k);
    }
    worker_done(&k->worker);
    kept_done(&k->now);
    kept_done(&k->next);
    free(k);
}
