/* A lock and a count around struct check_record. A file is written and read with the locks of all its cells held, in
 * their order; that takes microseconds. What is learnt is shared by all threads; what is believed is copied out for
 * each request. */
#include "route/check_cell.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct check_cell {
    atomic_size_t holders;
    struct verified_check owner; /* what its owner believes */
    struct str *names;
    char *texts;
    pthread_mutex_t lock;
    struct check_record record; /* guarded by lock */
};

static void free_cell(struct check_cell *c)
{
    free(c->record.experts);
    free(c->names);
    free(c->texts);
    free(c);
}

/* One piece: three arrays, and the names copied into one of them. */
struct check_cell *check_cell_create(const struct str *names, size_t count,
                                     const struct verified_check *owner)
{
    size_t bytes = 1, at = 0;
    struct check_cell *c = calloc(1, sizeof(*c));
    for (size_t i = 0; i < count; i++)
        bytes += names[i].len;
    if (!c)
        return NULL;
    c->names = calloc(count + 1, sizeof(*c->names));
    c->texts = malloc(bytes);
    c->record.experts = calloc(count + 1, sizeof(*c->record.experts));
    if (!c->names || !c->texts || !c->record.experts) {
        free_cell(c);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (names[i].len)
            memcpy(c->texts + at, names[i].ptr, names[i].len);
        c->names[i] = (struct str){c->texts + at, names[i].len};
        at += names[i].len;
    }
    c->record.names = c->names;
    c->record.count = count;
    c->owner = *owner;
    atomic_store(&c->holders, 1);
    pthread_mutex_init(&c->lock, NULL); /* on Linux it cannot fail */
    return c;
}

struct check_cell *check_cell_hold(struct check_cell *c)
{
    atomic_fetch_add_explicit(&c->holders, 1, memory_order_relaxed);
    return c;
}

void check_cell_release(struct check_cell *c)
{
    if (!c || atomic_fetch_sub(&c->holders, 1) != 1)
        return;
    pthread_mutex_destroy(&c->lock);
    free_cell(c);
}

void check_cell_terms(struct check_cell *c, float *shift, struct verified_check *ret)
{
    pthread_mutex_lock(&c->lock);
    check_record_believe(&c->record, &c->owner, ret, shift);
    pthread_mutex_unlock(&c->lock);
}

void check_cell_observe(struct check_cell *c, size_t expert, bool passed, double right)
{
    pthread_mutex_lock(&c->lock);
    check_record_observe(&c->record, expert, passed, right);
    pthread_mutex_unlock(&c->lock);
}

void check_cell_feedback(struct check_cell *c, bool passed, double score)
{
    pthread_mutex_lock(&c->lock);
    check_record_feedback(&c->record, passed, score);
    pthread_mutex_unlock(&c->lock);
}

void check_cell_adopt(struct check_cell *c, struct check_cell *from)
{
    pthread_mutex_lock(&from->lock);
    check_record_adopt(&c->record, &from->record);
    pthread_mutex_unlock(&from->lock);
}

uint64_t check_cell_answers(struct check_cell *c)
{
    pthread_mutex_lock(&c->lock);
    uint64_t answers = c->record.answers;
    pthread_mutex_unlock(&c->lock);
    return answers;
}

void check_cells_write(struct check_cell *const *cells, const struct str *policies, size_t count,
                       struct buf *out)
{
    struct check_named *all = calloc(count + 1, sizeof(*all));
    if (!all) {
        out->status = ERR_MEMORY;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&cells[i]->lock);
        all[i] = (struct check_named){policies[i], &cells[i]->record};
    }
    check_state_write(out, all, count);
    for (size_t i = count; i-- > 0;)
        pthread_mutex_unlock(&cells[i]->lock);
    free(all);
}

enum status check_cells_resume(struct check_cell *const *cells, const struct str *policies,
                               size_t count, struct str text, const char *place, struct error *err)
{
    struct check_named *all = calloc(count + 1, sizeof(*all));
    if (!all)
        return error_set(err, ERR_MEMORY, "out of memory for what checks have said");
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&cells[i]->lock);
        all[i] = (struct check_named){policies[i], &cells[i]->record};
    }
    enum status status = check_state_parse(text, place, all, count, err);
    for (size_t i = count; i-- > 0;)
        pthread_mutex_unlock(&cells[i]->lock);
    free(all);
    return status;
}
