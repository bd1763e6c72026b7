/* A ring of copies. */
#include "watch/last_errors.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct last_errors {
    pthread_mutex_t lock;
    struct last_error ring[LAST_ERRORS_MAX];
    size_t count, at;
};

struct last_errors *last_errors_create(void)
{
    struct last_errors *e = calloc(1, sizeof(*e));
    if (e)
        pthread_mutex_init(&e->lock, NULL);
    return e;
}

void last_errors_free(struct last_errors *e)
{
    if (!e)
        return;
    pthread_mutex_destroy(&e->lock);
    free(e);
}

static bool is_error(const struct record *r)
{
    return r->outcome == REQUEST_FAILED && (r->expert.len > 0 || r->http_status >= 500);
}

static void copy_text(char *into, size_t size, struct str text)
{
    snprintf(into, size, "%.*s", STR_FMT(utf8_cut(text, size - 1)));
}

void last_errors_note(struct last_errors *e, const struct record *r)
{
    if (!is_error(r))
        return;
    pthread_mutex_lock(&e->lock);
    struct last_error *to = &e->ring[e->at];
    to->at_ms = r->begin_wall_ms + (int64_t)r->total_ms;
    to->http_status = r->http_status;
    copy_text(to->id, sizeof(to->id), str_from(r->id));
    copy_text(to->expert, sizeof(to->expert), r->expert);
    copy_text(to->message, sizeof(to->message), str_from(r->problem));
    e->at = (e->at + 1) % LAST_ERRORS_MAX;
    if (e->count < LAST_ERRORS_MAX)
        e->count++;
    pthread_mutex_unlock(&e->lock);
}

size_t last_errors_read(struct last_errors *e, struct last_error into[LAST_ERRORS_MAX])
{
    pthread_mutex_lock(&e->lock);
    size_t count = e->count;
    for (size_t i = 0; i < count; i++)
        into[i] = e->ring[(e->at + LAST_ERRORS_MAX - 1 - i) % LAST_ERRORS_MAX];
    pthread_mutex_unlock(&e->lock);
    return count;
}
