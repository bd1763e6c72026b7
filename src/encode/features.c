/* Features of a text: asking encoders, one after the other or all at once. Everything here runs on the thread that
 * owns the features, and so does what is called back; an encoder that works elsewhere comes back to that thread
 * first. `done` is never called from inside begin: whoever begins need not expect to be called before it is told
 * that it has to wait. Two texts at once need two features. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "encode/encode.h"

enum status features_init(struct features *f, struct error *err)
{
    (void)err;
    *f = (struct features){0};
    return OK;
}

static void drop(struct features *f, size_t i)
{
    if (f->work[i])
        f->encoders[i]->work_free(f->work[i]);
    f->work[i] = NULL;
    f->encoders[i] = NULL;
}

void features_done(struct features *f)
{
    for (size_t i = 0; i < ENCODERS_MAX; i++)
        drop(f, i);
    *f = (struct features){0};
}

static void count_characters(struct features *f, struct str text)
{
    f->scripts = (struct script_counts){0};
    uint64_t count = script_count(text, &f->scripts);
    f->characters = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

/* Place `i` is the encoder's; what another left there goes. */
static enum status prepare(struct features *f, size_t i, const struct encoder *e, struct error *err)
{
    if (f->work[i] && f->encoders[i] == e)
        return OK;
    drop(f, i);
    void *work = e->work_create(e);
    if (!work)
        return error_set(err, ERR_MEMORY, "out of memory");
    f->work[i] = work;
    f->encoders[i] = e;
    return OK;
}

enum status features_encode(struct features *f, const struct encoder *const *encoders, size_t count,
                            struct str text, struct error *err)
{
    CHECK(count <= ENCODERS_MAX);
    memset(f->said, 0, sizeof(f->said)); /* of another model it may have been more */
    for (size_t i = 0; i < count; i++) {
        enum status status = prepare(f, i, encoders[i], err);
        if (status == OK)
            status = encoders[i]->encode(encoders[i], f->work[i], text, &f->said[i], err);
        if (status != OK)
            return status;
    }
    count_characters(f, text);
    return OK;
}

/* Waiting */

struct part {
    struct features_task *task;
    const struct encoder *encoder;
    struct encode_task *running; /* NULL: it has answered */
};

struct features_task {
    struct part parts[ENCODERS_MAX];
    size_t count, waiting;
    encode_done *done;
    void *arg;
};

static void cancel_parts(struct features_task *t)
{
    for (size_t i = 0; i < t->count; i++) {
        struct part *p = &t->parts[i];
        if (p->running)
            p->encoder->cancel(p->running);
        p->running = NULL;
    }
}

/* The last answer ends the task; the first failure does so too, and calls the others off. */
static void part_done(enum status status, const struct error *err, void *arg)
{
    struct part *p = arg;
    struct features_task *t = p->task;
    CHECK(p->running && t->waiting > 0);
    CHECK(status != AGAIN);
    p->running = NULL;
    t->waiting--;
    if (status == OK && t->waiting > 0)
        return;
    cancel_parts(t);
    encode_done *done = t->done;
    void *to = t->arg;
    free(t);
    done(status, err, to);
}

static enum status begin_part(struct features *f, struct features_task *t, size_t i,
                              struct str text, struct error *err)
{
    const struct encoder *e = t->parts[i].encoder;
    CHECK(!e->begin == !e->cancel);
    enum status status = prepare(f, i, e, err);
    if (status != OK)
        return status;
    if (!e->begin)
        return e->encode(e, f->work[i], text, &f->said[i], err);
    const struct encode_listener listener = {f->on, part_done, &t->parts[i]};
    status = e->begin(e, f->work[i], text, &f->said[i], &listener, &t->parts[i].running, err);
    CHECK((status == AGAIN) == !!t->parts[i].running);
    t->waiting += status == AGAIN;
    return status == AGAIN ? OK : status;
}

/* One piece: what waits and what was begun must be undone where the next one fails. */
enum status features_begin(struct features *f, const struct encoder *const *encoders, size_t count,
                           struct str text, encode_done *done, void *arg,
                           struct features_task **ret_task, struct error *err)
{
    CHECK(count <= ENCODERS_MAX && done && ret_task);
    bool waits = false;
    for (size_t i = 0; i < count; i++)
        waits = waits || encoders[i]->begin;
    if (!waits)
        return features_encode(f, encoders, count, text, err);
    struct features_task *t = calloc(1, sizeof(*t));
    if (!t)
        return error_set(err, ERR_MEMORY, "out of memory");
    *t = (struct features_task){.count = count, .done = done, .arg = arg};
    memset(f->said, 0, sizeof(f->said));
    enum status status = OK;
    for (size_t i = 0; i < count && status == OK; i++) {
        t->parts[i] = (struct part){.task = t, .encoder = encoders[i]};
        status = begin_part(f, t, i, text, err);
    }
    count_characters(f, text);
    if (status == OK && t->waiting > 0) {
        *ret_task = t;
        return AGAIN;
    }
    cancel_parts(t);
    free(t);
    return status;
}

void features_cancel(struct features_task *t)
{
    if (!t)
        return;
    cancel_parts(t);
    free(t);
}
