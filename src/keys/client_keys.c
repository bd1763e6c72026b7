/* Tables of keys, each immutable, counted and swapped whole, and the accounts behind them, which stay for the life of
 * the process.
 *
 * A thread of its own reads the file and builds tables, or whoever has just written it, one at a time; every other
 * one only holds a table. The worker's lock guards the pointer to it and is held for an instant, never while a file
 * is read. Each account has a lock of its own. keys_open, keys_close and keys_refresh touch the disk and must not be
 * called on an event loop that serves. */
#include "keys/client_keys.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/money.h"
#include "base/worker.h"

#define ARENA_BYTES_MAX (64u << 20)
#define PREFIX_BYTES    16 /* of a digest, to look it up by */
#define REFUSED_LOG_MS  1000

struct account { /* what a key has taken and spent; lives as long as the keys */
    char id[KEY_ID_BYTES];
    uint32_t slot;
    pthread_mutex_t lock;
    struct key_meter meter; /* guarded by lock */
};

struct client_key {
    struct table *table;
    const struct key_row *row;
    struct account *account;
};

struct table {
    atomic_size_t holders;
    struct arena *arena;
    struct key_file file;
    struct client_key *keys;
    struct map *by_digest; /* the first bytes of a digest → index */
    struct key_spend *spend;
};

struct stamp { /* of the file, to see that it has changed */
    struct timespec modified, changed;
    off_t bytes;
    ino_t inode;
    bool is_regular; /* a pipe would be waited for */
};

struct keys {
    enum config_auth auth;
    bool remote;
    bool strict; /* about damaged entries of what was spent */
    atomic_size_t damaged;
    char *path, *spend_path, *folder; /* each may be NULL */
    atomic_bool any;                  /* there are keys, or were since the start */
    atomic_uint without, wrong;       /* turned away since the log said so */
    struct worker_thread worker;      /* reads the file again */
    struct table *table;              /* held; guarded by the worker's lock */
    /* These belong to the reader of the file: keys_open first, then whoever holds this lock. */
    pthread_mutex_t reading;
    struct key_spend *spend; /* NULL until there are keys */
    struct account *accounts[KEY_COUNT_MAX];
    size_t account_count;
    struct map *by_id; /* accounts */
    struct stamp seen;
    /* The thread's. */
    char said[sizeof(((struct error *)0)->text)]; /* the last complaint */
    uint64_t refused_said_ms;
};

/* Tables */

static void table_free(struct table *t)
{
    map_free(t->by_digest);
    arena_free(t->arena);
    free(t);
}

static void table_release(struct table *t)
{
    if (!t)
        return;
    size_t holders = atomic_fetch_sub(&t->holders, 1);
    CHECK(holders > 0);
    if (holders == 1)
        table_free(t);
}

static struct table *table_hold(struct keys *k)
{
    worker_lock(&k->worker);
    struct table *t = k->table;
    if (t)
        atomic_fetch_add_explicit(&t->holders, 1, memory_order_relaxed);
    worker_unlock(&k->worker);
    return t;
}

static bool has_account(void *arg, struct str id)
{
    const struct keys *k = arg;
    uint32_t index;
    return map_get(k->by_id, id, &index);
}

static enum status make_account(struct keys *k, const struct key_row *row, struct account **ret,
                                struct error *err)
{
    struct str id = row->id;
    CHECK(k->spend);
    bool lost = key_spend_may_be_lost(k->spend, id, row->created_ms);
    struct account *a = k->account_count < KEY_COUNT_MAX ? calloc(1, sizeof(*a)) : NULL;
    if (!a)
        return error_set(err, ERR_MEMORY, "no room for another key; a restart forgets old ones");
    enum status status = key_spend_slot(k->spend, id, has_account, k, &a->slot, err);
    memcpy(a->id, id.ptr, id.len);
    if (status == OK && map_put(k->by_id, str_from(a->id), (uint32_t)k->account_count) != OK)
        status = error_set(err, ERR_MEMORY, "out of memory for keys");
    if (status != OK) {
        free(a);
        return status;
    }
    if (lost) {
        const struct key_spent spent = key_spent_lost(clock_wall_ms());
        key_spend_put(k->spend, a->slot, &spent);
    }
    key_spend_get(k->spend, a->slot, &a->meter.spent);
    pthread_mutex_init(&a->lock, NULL); /* on Linux it cannot fail */
    k->accounts[k->account_count++] = a;
    *ret = a;
    return OK;
}

static struct str prefix_of(const struct digest *d)
{
    return (struct str){(const char *)d->bytes, PREFIX_BYTES};
}

static enum status add_key(struct keys *k, struct table *t, size_t i, struct error *err)
{
    const struct key_row *row = &t->file.rows[i];
    uint32_t index = 0;
    t->keys[i] = (struct client_key){.table = t, .row = row};
    if (map_put(t->by_digest, prefix_of(&row->sha256), (uint32_t)i) != OK)
        return error_set(err, ERR_MEMORY, "out of memory for keys");
    if (!map_get(k->by_id, row->id, &index))
        return make_account(k, row, &t->keys[i].account, err);
    CHECK(index < k->account_count);
    t->keys[i].account = k->accounts[index];
    return OK;
}

/* An operator has said that what was lost of a key's spending is to count no longer. */
static void forgive(struct keys *k, const struct client_key *key)
{
    int64_t since_ms = 0;
    struct account *a = key->account;
    pthread_mutex_lock(&a->lock);
    bool lost = key_spent_is_lost(&a->meter.spent, &since_ms);
    if (lost && key->row->spent_anew_ms > since_ms) {
        a->meter.spent = (struct key_spent){0};
        key_spend_put(k->spend, a->slot, &a->meter.spent);
        lost = false;
    }
    pthread_mutex_unlock(&a->lock);
    if (lost && key_limits_have_budget(&key->row->limits))
        log_event(LOG_WARN, "what a key has spent is lost, so its budget counts as spent",
                  "key=%.*s mend=\"leeroo keys change %.*s --spent-anew\"", STR_FMT(key->row->id),
                  STR_FMT(key->row->id));
}

static void log_damage(struct keys *k)
{
    const struct key_spend_damage d = key_spend_damage(k->spend);
    atomic_store(&k->damaged, d.entries);
    if (d.entries > 0 || d.copies > 0)
        log_event(LOG_WARN, "the file of what keys have spent was damaged",
                  "entries=%zu unnamed=%zu copies=%zu strict=%d", d.entries, d.unnamed, d.copies,
                  k->strict);
    if (k->strict && d.entries > 0)
        key_spend_condemn(k->spend, clock_wall_ms());
}

static void log_killed(int64_t nano_usd)
{
    struct buf usd;
    buf_init(&usd, 64);
    money_format_usd(&usd, nano_usd);
    if (nano_usd > 0)
        log_event(LOG_WARN, "requests in flight were cut off, their keys are charged as predicted",
                  "usd=%s", usd.ptr ? usd.ptr : "");
    buf_done(&usd);
}

/* The file of what was spent is not made before there are keys. */
static enum status open_spend(struct keys *k, struct error *err)
{
    int64_t killed = 0;
    if (k->spend)
        return OK;
    if (k->spend_path && k->folder && mkdir(k->folder, 0700) != 0 && errno != EEXIST)
        return error_set_errno(err, ERR_IO, errno, "state_dir: cannot make %s", k->folder);
    enum status status = key_spend_open(k->spend_path, &k->spend, &killed, err);
    if (status == OK) {
        log_killed(killed);
        log_damage(k);
    }
    return status;
}

static enum status fill_table(struct keys *k, struct table *t, struct error *err)
{
    enum status status = key_file_load(k->path, t->arena, &t->file, err);
    if (status != OK)
        return status;
    t->keys = ARENA_ARRAY(t->arena, t->file.count + 1, struct client_key);
    t->by_digest = map_create(t->file.count);
    if (!t->keys || !t->by_digest)
        return error_set(err, ERR_MEMORY, "out of memory for keys");
    if (t->file.count > 0)
        status = open_spend(k, err);
    for (size_t i = 0; status == OK && i < t->file.count; i++)
        status = add_key(k, t, i, err);
    for (size_t i = 0; status == OK && i < t->file.count; i++)
        forgive(k, &t->keys[i]);
    t->spend = k->spend;
    return status;
}

static size_t count_live(const struct key_file *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++)
        n += !key_row_refused(&f->rows[i], clock_wall_ms());
    return n;
}

/* Warns when a key has a budget, but what it has spent is kept in memory only. */
static void warn_of_memory(const struct keys *k, const struct key_file *f)
{
    for (size_t i = 0; !k->spend_path && i < f->count; i++)
        for (size_t p = 0; p < KEY_PERIODS; p++)
            if (f->rows[i].limits.budget_nano_usd[p] != KEY_UNLIMITED) {
                log_event(LOG_WARN, "what keys have spent is forgotten at every start",
                          "mend=\"give a state_dir in the configuration\"");
                return;
            }
}

/* Whoever has asked for keys goes on asking, or a file that lost them would open the door. */
static void note_whether_any(struct keys *k, const struct key_file *f)
{
    if (f->count > 0)
        atomic_store(&k->any, true);
    else if (atomic_load(&k->any))
        log_event(LOG_ERROR, "the file of keys has none any more, so nobody is let in",
                  "mend=\"put the keys back, or restart where nobody is to be asked\"");
    else if (!k->remote && k->auth != AUTH_REQUIRED)
        log_event(LOG_WARN, "the file of keys has none, so nobody is asked for one",
                  "mend=\"say auth: required where the file may lose its keys\"");
}

static enum status read_table(struct keys *k, struct error *err)
{
    struct table *t = calloc(1, sizeof(*t)), *before;
    if (t)
        t->arena = arena_create(ARENA_BYTES_MAX);
    if (!t || !t->arena) {
        free(t);
        return error_set(err, ERR_MEMORY, "out of memory for keys");
    }
    enum status status = fill_table(k, t, err);
    if (status != OK) {
        table_free(t);
        return status;
    }
    atomic_store(&t->holders, 1);
    log_event(LOG_INFO, "keys read", "keys=%zu live=%zu", t->file.count, count_live(&t->file));
    warn_of_memory(k, &t->file);
    note_whether_any(k, &t->file);
    worker_lock(&k->worker);
    before = k->table;
    k->table = t;
    worker_unlock(&k->worker);
    table_release(before);
    return OK;
}

/* The file */

static bool look(const char *path, struct stamp *ret)
{
    struct stat st;
    *ret = (struct stamp){0};
    if (stat(path, &st) != 0)
        return false;
    *ret = (struct stamp){st.st_mtim, st.st_ctim, st.st_size, st.st_ino, S_ISREG(st.st_mode)};
    return true;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return same_time(a->modified, b->modified) && same_time(a->changed, b->changed) &&
           a->bytes == b->bytes && a->inode == b->inode;
}

/* Logs a complaint, but not the same one again. */
static void complain(struct keys *k, const struct error *err)
{
    char quoted[sizeof(err->text) * 2];
    if (!strcmp(k->said, err->text))
        return;
    snprintf(k->said, sizeof(k->said), "%s", err->text);
    log_quote(quoted, sizeof(quoted), str_from(err->text));
    log_event(LOG_ERROR, "keys not read, those before stay", "err=%s", quoted);
}

/* Under the lock. After a failure the next look tries again: the cause may lie outside the file. */
static enum status look_again(struct keys *k, struct error *err)
{
    struct stamp now;
    bool there = look(k->path, &now);
    if ((!there && !k->table) || (there && same_stamp(&now, &k->seen)))
        return OK;
    enum status status = there && !now.is_regular
                             ? error_set(err, ERR_IO, "%s: not a regular file", k->path)
                             : read_table(k, err);
    if (status == OK)
        k->seen = now;
    return status;
}

enum status keys_refresh(struct keys *k, struct error *err)
{
    if (!k->path || k->auth == AUTH_OFF)
        return OK;
    pthread_mutex_lock(&k->reading);
    enum status status = look_again(k, err);
    pthread_mutex_unlock(&k->reading);
    return status;
}

static void say_refused(struct keys *k)
{
    uint64_t now_ms = clock_now_ms();
    if (now_ms - k->refused_said_ms < REFUSED_LOG_MS ||
        (atomic_load(&k->without) == 0 && atomic_load(&k->wrong) == 0))
        return;
    k->refused_said_ms = now_ms;
    log_event(LOG_WARN, "turned away", "without_key=%u wrong_key=%u",
              atomic_exchange(&k->without, 0), atomic_exchange(&k->wrong, 0));
}

static void watch(void *arg)
{
    struct keys *k = arg;
    struct error err;
    while (worker_wait(&k->worker, NULL, KEYS_LOOK_MS) == WORKER_DUE) {
        if (keys_refresh(k, &err) == OK)
            k->said[0] = '\0';
        else
            complain(k, &err);
        say_refused(k);
    }
}

/* Life */

static enum status no_keys(const struct config *c, struct error *err)
{
    if (!c->keys_path)
        return error_set(
            err, ERR_INPUT,
            "%s: others can reach '%.*s', so there must be keys: add `state_dir: "
            "state`, and make one with `leeroo keys create --name NAME`; or say `auth: "
            "off` where something in front asks for them",
            c->place, STR_FMT(c->listen));
    return error_set(err, ERR_INPUT,
                     "%s: others can reach '%.*s' and there are no keys in %s; make one with "
                     "`leeroo keys create --name NAME -c %s`, or say `auth: off` where something "
                     "in front asks for them",
                     c->place, STR_FMT(c->listen), c->keys_path, c->place);
}

static bool needs_keys(const struct config *c)
{
    return c->auth == AUTH_AUTO && c->remote;
}

enum status keys_check(const struct config *c, struct error *err)
{
    struct key_file f = {0};
    if (c->auth == AUTH_OFF)
        return OK;
    struct arena *arena = arena_create(ARENA_BYTES_MAX);
    enum status status = arena ? OK : error_set(err, ERR_MEMORY, "out of memory for keys");
    if (status == OK && c->keys_path)
        status = key_file_load(c->keys_path, arena, &f, err);
    if (status == ERR_NOT_FOUND)
        status = OK;
    if (status == OK && f.count == 0 && needs_keys(c))
        status = no_keys(c, err);
    arena_free(arena);
    return status;
}

static bool copy_path(const char *from, char **into)
{
    *into = from ? strdup(from) : NULL;
    return !from || *into;
}

static enum status create(const struct config *c, struct keys **ret, struct error *err)
{
    struct keys *k = calloc(1, sizeof(*k));
    if (!k)
        return error_set(err, ERR_MEMORY, "out of memory for keys");
    k->auth = c->auth;
    k->remote = c->remote;
    k->strict = c->strict_budgets;
    worker_init(&k->worker);
    pthread_mutex_init(&k->reading, NULL); /* on Linux it cannot fail */
    k->by_id = map_create(16);
    bool copied = copy_path(c->keys_path, &k->path) && copy_path(c->state_dir, &k->folder) &&
                  copy_path(c->spend_path, &k->spend_path);
    *ret = k;
    return k->by_id && copied ? OK : error_set(err, ERR_MEMORY, "out of memory for keys");
}

static enum status read_first(struct keys *k, const struct config *c, struct error *err)
{
    enum status status = OK;
    if (k->path && look(k->path, &k->seen))
        status = read_table(k, err);
    if (status == OK && needs_keys(c) && !atomic_load(&k->any))
        status = no_keys(c, err);
    return status;
}

enum status keys_open(const struct config *c, struct keys **ret, struct error *err)
{
    struct keys *k = NULL;
    enum status status = create(c, &k, err);
    if (status == OK && k->auth == AUTH_OFF && k->remote)
        log_event(LOG_WARN, "nobody is asked for a key",
                  "mend=\"let nobody reach it but the proxy in front\"");
    if (status == OK && k->auth != AUTH_OFF)
        status = read_first(k, c, err);
    if (status == OK && k->auth != AUTH_OFF)
        status = worker_start(&k->worker, watch, k, err);
    if (status != OK) {
        keys_close(k);
        return status;
    }
    *ret = k;
    return OK;
}

void keys_close(struct keys *k)
{
    if (!k)
        return;
    worker_done(&k->worker);
    table_release(k->table);
    for (size_t i = 0; i < k->account_count; i++) {
        pthread_mutex_destroy(&k->accounts[i]->lock);
        free(k->accounts[i]);
    }
    pthread_mutex_destroy(&k->reading);
    map_free(k->by_id);
    key_spend_close(k->spend);
    free(k->path);
    free(k->spend_path);
    free(k->folder);
    free(k);
}

/* Callers */

size_t keys_damaged(const struct keys *k)
{
    return k ? atomic_load(&k->damaged) : 0;
}

bool keys_wanted(const struct keys *k)
{
    return k->auth != AUTH_OFF && (k->auth == AUTH_REQUIRED || k->remote || atomic_load(&k->any));
}

enum status keys_find(struct keys *k, struct str secret, int64_t wall_ms, struct client_key **ret)
{
    struct digest d;
    enum status status = digest_sha256(secret, &d, NULL);
    return status == OK ? keys_find_digest(k, &d, wall_ms, ret) : status;
}

enum status keys_find_digest(struct keys *k, const struct digest *d, int64_t wall_ms,
                             struct client_key **ret)
{
    uint32_t i = 0;
    struct table *t = table_hold(k);
    if (t && map_get(t->by_digest, prefix_of(d), &i) && digest_equal(d, &t->file.rows[i].sha256) &&
        !key_row_refused(&t->file.rows[i], wall_ms)) {
        *ret = &t->keys[i]; /* held through its table */
        return OK;
    }
    table_release(t);
    return ERR_AUTH;
}

bool keys_desk(const struct keys *k, struct arena *a, int64_t now_ms, struct key_desk *ret)
{
    if (!k->path || k->auth == AUTH_OFF)
        return false;
    *ret = key_desk_at(a, k->path, k->folder, now_ms);
    return true;
}

void keys_each(struct keys *k, int64_t wall_ms,
               void (*fn)(void *arg, const struct key_row *row, const struct key_spent *spent),
               void *arg)
{
    struct table *t = table_hold(k);
    for (size_t i = 0; t && i < t->file.count; i++) {
        struct account *a = t->keys[i].account;
        pthread_mutex_lock(&a->lock);
        struct key_spent spent = a->meter.spent;
        pthread_mutex_unlock(&a->lock);
        key_spent_roll(&spent, wall_ms);
        fn(arg, t->keys[i].row, &spent);
    }
    table_release(t);
}

void keys_note_refused(struct keys *k, bool had_one)
{
    atomic_fetch_add_explicit(had_one ? &k->wrong : &k->without, 1, memory_order_relaxed);
}

struct client_key *client_key_hold(struct client_key *key)
{
    size_t holders = atomic_fetch_add_explicit(&key->table->holders, 1, memory_order_relaxed);
    CHECK(holders > 0);
    return key;
}

void client_key_release(struct client_key *key)
{
    if (key)
        table_release(key->table);
}

struct str client_key_id(const struct client_key *key)
{
    return key ? key->row->id : STR("");
}

struct str client_key_name(const struct client_key *key)
{
    return key->row->name;
}

const struct digest *client_key_digest(const struct client_key *key)
{
    return &key->row->sha256;
}

const struct key_limits *client_key_limits(const struct client_key *key)
{
    return &key->row->limits;
}

enum key_role client_key_role(const struct client_key *key)
{
    return key->row->role;
}

static struct key_clock now(void)
{
    return (struct key_clock){clock_now_ms(), clock_wall_ms()};
}

bool client_key_admit(struct client_key *key, struct key_refusal *ret)
{
    struct account *a = key->account;
    pthread_mutex_lock(&a->lock);
    bool good = key_meter_admit(&a->meter, &key->row->limits, now(), ret);
    pthread_mutex_unlock(&a->lock);
    return good;
}

bool client_key_reserve(struct client_key *key, struct key_reserved *reserved,
                        struct key_reserved want, struct key_refusal *ret)
{
    struct account *a = key->account;
    pthread_mutex_lock(&a->lock);
    bool good = key_meter_reserve(&a->meter, &key->row->limits, now(), reserved, want, ret);
    if (good)
        key_spend_put(key->table->spend, a->slot, &a->meter.spent);
    pthread_mutex_unlock(&a->lock);
    return good;
}

void client_key_settle(struct client_key *key, struct key_reserved *reserved,
                       struct key_reserved cost)
{
    struct account *a = key->account;
    pthread_mutex_lock(&a->lock);
    key_meter_settle(&a->meter, &key->row->limits, now(), reserved, cost);
    key_spend_put(key->table->spend, a->slot, &a->meter.spent);
    pthread_mutex_unlock(&a->lock);
}

void client_key_rates(struct client_key *key, struct key_rate *requests, struct key_rate *tokens)
{
    struct account *a = key->account;
    pthread_mutex_lock(&a->lock);
    key_meter_rates(&a->meter, &key->row->limits, clock_now_ms(), requests, tokens);
    pthread_mutex_unlock(&a->lock);
}
