/* Engines: those that are open, and the thread of each. A list holds all, under a lock that is never kept while a
 * file is read, because loops look engines up in it. Opening is one at a time, so that two who open the same file at
 * once read it once. The thread takes from a line of calls that the worker's lock guards; its slots (infer_slot.c)
 * are its own. An engine is closed by whoever opened it, never by its own thread, for which closing waits. */
#include "infer/infer_engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/check.h"
#include "infer/infer_slot.h"
#include "lm/lm_share.h"

#define NAMES_BYTES_MAX 4096

struct stamp { /* which writing of a file is there */
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec written;
};

struct infer_engine {
    struct infer_engine *older;
    size_t holders; /* guarded by list_lock */
    char *url;
    char *key; /* of all options */
    struct stamp stamps[INFER_LORAS_MAX + 1];
    struct lm *lm;
    char *template_name;
    struct infer_desk desk;
    struct worker_thread worker;      /* its lock guards the rest */
    struct infer_call *first, **last; /* held; in line */
    size_t waiting;
};

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER, open_lock = PTHREAD_MUTEX_INITIALIZER;
static struct infer_engine *engines;
static unsigned long engines_made; /* guarded by open_lock */

/* Its thread */

static bool has_free_slot(const struct infer_desk *d)
{
    for (size_t i = 0; i < d->slot_count; i++)
        if (infer_slot_is_free(&d->slots[i]))
            return true;
    return false;
}

static bool has_work(void *arg)
{
    const struct infer_engine *e = arg;
    for (size_t i = 0; i < e->desk.slot_count; i++)
        if (infer_slot_goes_on(&e->desk.slots[i]))
            return true;
    return e->first && has_free_slot(&e->desk);
}

static struct infer_call *next_in_line(struct infer_engine *e)
{
    worker_lock(&e->worker);
    struct infer_call *c = e->first;
    if (c) {
        e->first = c->next;
        e->waiting--;
        if (!e->first)
            e->last = &e->first;
    }
    worker_unlock(&e->worker);
    return c;
}

static void run(void *arg)
{
    struct infer_engine *e = arg;
    struct infer_call *c;
    while (worker_wait(&e->worker, has_work, WORKER_FOREVER_MS) == WORKER_READY) {
        infer_slots_clear(&e->desk);
        while (has_free_slot(&e->desk) && (c = next_in_line(e)))
            infer_slot_take(&e->desk, c);
        infer_slots_step(&e->desk);
    }
}

enum status infer_submit(struct infer_call *c, struct error *err)
{
    struct infer_engine *e = c->engine;
    worker_lock(&e->worker);
    bool full = e->waiting >= INFER_QUEUE_MAX;
    if (!full) {
        c->next = NULL;
        *e->last = infer_call_hold(c);
        e->last = &c->next;
        e->waiting++;
    }
    worker_unlock_and_wake(&e->worker);
    return full ? error_set(err, ERR_OVERLOAD, "%d calls wait for this model already",
                            INFER_QUEUE_MAX)
                : OK;
}

void infer_wake(struct infer_engine *e)
{
    worker_wake(&e->worker);
}

/* Opening */

/* Two engines of the same key are made the same way. */
static enum status write_key(const struct infer_options *o, char **ret, struct error *err)
{
    struct buf key;
    buf_init(&key, 1u << 16);
    buf_addf(&key, "%s\n%zu\n%zu\n%u\n%u\n%s", o->path, o->slots, o->context, o->threads,
             o->gpu_layers, o->chat_template ? o->chat_template : "");
    for (size_t i = 0; i < o->lora_count; i++)
        buf_addf(&key, "\n%s", o->loras[i]);
    enum status status = buf_status(&key, err);
    if (status == OK)
        *ret = buf_take(&key);
    buf_done(&key);
    return status;
}

static enum status read_stamp(const char *path, struct stamp *ret, struct error *err)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return error_set_errno(err, ERR_IO, errno, "%s: cannot be read", path);
    *ret = (struct stamp){s.st_dev, s.st_ino, s.st_size, s.st_mtim};
    return OK;
}

static enum status read_stamps(const struct infer_options *o, struct stamp *into, struct error *err)
{
    enum status status = read_stamp(o->path, &into[0], err);
    for (size_t i = 0; status == OK && i < o->lora_count; i++)
        status = read_stamp(o->loras[i], &into[i + 1], err);
    return status;
}

static bool stamps_same(const struct stamp *a, const struct stamp *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (a[i].device != b[i].device || a[i].inode != b[i].inode || a[i].bytes != b[i].bytes ||
            a[i].written.tv_sec != b[i].written.tv_sec ||
            a[i].written.tv_nsec != b[i].written.tv_nsec)
            return false;
    return true;
}

static enum status pick_template(struct infer_engine *e, const struct infer_options *o,
                                 struct error *err)
{
    const char *own = lm_info(e->lm)->chat_template;
    struct buf names;
    if (o->chat_template) {
        e->template_name = strdup(o->chat_template);
        e->desk.chat_template = e->template_name;
    } else {
        e->desk.chat_template = own;
    }
    if (lm_chat_knows(e->desk.chat_template))
        return OK;
    buf_init(&names, NAMES_BYTES_MAX);
    lm_chat_list(&names);
    enum status status =
        error_set(err, ERR_UNSUPPORTED,
                  "%s: %s; say chat_template: chatml, or another of these that it was "
                  "taught: %.*s",
                  o->path,
                  o->chat_template ? "chat_template names none that is known"
                  : own            ? "its chat template is not known"
                                   : "it has no chat template",
                  STR_FMT(buf_str(&names)));
    buf_done(&names);
    return status;
}

static enum status make_slots(struct infer_engine *e, const struct infer_options *o,
                              struct error *err)
{
    struct infer_desk *d = &e->desk;
    const struct lm_state_options s = {.sequences = o->slots ? o->slots : INFER_SLOTS_USUAL,
                                       .context = o->context,
                                       .threads = o->threads};
    enum status status = lm_state_create(e->lm, &s, &d->state, err);
    if (status != OK)
        return status;
    d->lm = e->lm;
    d->slots = calloc(s.sequences, sizeof(*d->slots));
    if (!d->slots)
        return error_set(err, ERR_MEMORY, "out of memory for a model");
    d->slot_count = s.sequences;
    for (size_t i = 0; i < d->slot_count; i++) {
        d->slots[i].read = calloc(lm_state_context(d->state) + 1, sizeof(int32_t));
        if (!d->slots[i].read)
            return error_set(err, ERR_MEMORY, "out of memory for a model");
    }
    const char *hex = lm_info(e->lm)->fingerprint;
    snprintf(d->fingerprint, sizeof(d->fingerprint), "fp_%.12s", hex[0] ? hex : "gguf");
    return OK;
}

static void engine_free(struct infer_engine *e)
{
    struct infer_call *c;
    if (e->desk.state)
        lm_state_cancel(e->desk.state); /* a long prompt would be waited for */
    worker_stop(&e->worker);
    infer_slots_fail(&e->desk, "the model was closed");
    while ((c = next_in_line(e)))
        infer_call_release(c);
    worker_done(&e->worker);
    for (size_t i = 0; i < e->desk.slot_count; i++)
        free(e->desk.slots[i].read);
    free(e->desk.slots);
    lm_state_free(e->desk.state);
    lm_release(e->lm);
    free(e->template_name);
    free(e->key);
    free(e->url);
    free(e);
}

/* One piece: each part stands on those before it; engine_free undoes whatever there is. */
static enum status make(const struct infer_options *o, char *key, const struct stamp *stamps,
                        struct infer_engine **ret, struct error *err)
{
    const struct lm_options lm = {
        .loras = o->loras, .lora_count = o->lora_count, .gpu_layers = (int)o->gpu_layers};
    struct infer_engine *e = calloc(1, sizeof(*e));
    if (!e) {
        free(key);
        return error_set(err, ERR_MEMORY, "out of memory for a model");
    }
    worker_init(&e->worker);
    e->key = key;
    e->last = &e->first;
    e->holders = 1;
    memcpy(e->stamps, stamps, sizeof(e->stamps));
    enum status status = lm_share(o->path, &lm, &e->lm, err);
    if (status == OK)
        status = pick_template(e, o, err);
    if (status == OK)
        status = make_slots(e, o, err);
    if (status == OK && asprintf(&e->url, INFER_URL_SCHEME "%s#%lu", o->path, ++engines_made) < 0) {
        e->url = NULL;
        status = error_set(err, ERR_MEMORY, "out of memory for a model");
    }
    if (status == OK)
        status = worker_start(&e->worker, run, e, err);
    if (status != OK) {
        engine_free(e);
        return status;
    }
    *ret = e;
    return OK;
}

/* Held once more; NULL: there is none like it. */
static struct infer_engine *hold_same(const char *key, const struct stamp *stamps, size_t count)
{
    pthread_mutex_lock(&list_lock);
    struct infer_engine *e = engines;
    while (e && (strcmp(e->key, key) != 0 || !stamps_same(e->stamps, stamps, count)))
        e = e->older;
    if (e)
        e->holders++;
    pthread_mutex_unlock(&list_lock);
    return e;
}

static enum status open_or_make(const struct infer_options *o, struct infer_engine **ret,
                                struct error *err)
{
    struct stamp stamps[INFER_LORAS_MAX + 1] = {0};
    char *key = NULL;
    enum status status = read_stamps(o, stamps, err);
    if (status == OK)
        status = write_key(o, &key, err);
    if (status != OK)
        return status;
    struct infer_engine *e = hold_same(key, stamps, o->lora_count + 1);
    if (e) {
        free(key);
        *ret = e;
        return OK;
    }
    status = make(o, key, stamps, &e, err);
    if (status != OK)
        return status;
    pthread_mutex_lock(&list_lock);
    e->older = engines;
    engines = e;
    pthread_mutex_unlock(&list_lock);
    *ret = e;
    return OK;
}

enum status infer_open(const struct infer_options *o, struct infer_engine **ret, struct error *err)
{
    if (o->lora_count > INFER_LORAS_MAX)
        return error_set(err, ERR_TOO_LARGE, "%zu adapters; at most %d", o->lora_count,
                         INFER_LORAS_MAX);
    if (o->slots > INFER_SLOTS_MAX)
        return error_set(err, ERR_TOO_LARGE, "%zu slots; at most %d", o->slots, INFER_SLOTS_MAX);
    pthread_mutex_lock(&open_lock);
    enum status status = open_or_make(o, ret, err);
    pthread_mutex_unlock(&open_lock);
    return status;
}

void infer_close(struct infer_engine *e)
{
    if (!e)
        return;
    pthread_mutex_lock(&list_lock);
    bool last = --e->holders == 0;
    struct infer_engine **at = &engines;
    while (last && *at != e)
        at = &(*at)->older;
    if (last)
        *at = e->older;
    pthread_mutex_unlock(&list_lock);
    if (last)
        engine_free(e);
}

struct infer_engine *infer_find(struct str url)
{
    pthread_mutex_lock(&list_lock);
    struct infer_engine *e = engines;
    while (e && !str_equal(str_from(e->url), url))
        e = e->older;
    pthread_mutex_unlock(&list_lock);
    return e;
}

struct infer_facts infer_facts_of(const struct infer_engine *e)
{
    return (struct infer_facts){.lm = lm_info(e->lm),
                                .url = e->url,
                                .chat_template = e->desk.chat_template,
                                .slots = e->desk.slot_count,
                                .context = lm_state_context(e->desk.state)};
}
