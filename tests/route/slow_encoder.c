/* See slow_encoder.h. */
#include "route/slow_encoder.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "encode/ngram_encoder.h"

#define TASKS_MAX 64

struct encode_task {
    void *work;
    struct str text;
    struct encoding *into;
    encode_done *done;
    void *arg;
};

sem_t slow_encoder_begun, slow_encoder_cancelled;

static struct encoder slow;
static struct encode_task *tasks[TASKS_MAX]; /* the oldest first */
static size_t task_count;

static enum status slow_begin(const struct encoder *e, void *work, struct str text,
                              struct encoding *ret, const struct encode_listener *l,
                              struct encode_task **ret_task, struct error *err)
{
    (void)err;
    cr_assert(e == &slow && task_count < TASKS_MAX);
    struct encode_task *t = malloc(sizeof(*t));
    cr_assert(t);
    *t = (struct encode_task){work, text, ret, l->done, l->arg};
    tasks[task_count++] = t;
    *ret_task = t;
    sem_post(&slow_encoder_begun);
    return AGAIN;
}

static void forget(size_t at)
{
    cr_assert_lt(at, task_count);
    task_count--;
    for (size_t i = at; i < task_count; i++)
        tasks[i] = tasks[i + 1];
}

static void slow_cancel(struct encode_task *t)
{
    size_t at = 0;
    while (at < task_count && tasks[at] != t)
        at++;
    forget(at);
    free(t);
    sem_post(&slow_encoder_cancelled);
}

void slow_encoder_put(struct model *m)
{
    const struct encoder *const *encoders;
    cr_assert_eq(model_encoders(m, &encoders), 1);
    slow = ngram_encoder;
    slow.begin = slow_begin;
    slow.cancel = slow_cancel;
    sem_init(&slow_encoder_begun, 0, 0);
    sem_init(&slow_encoder_cancelled, 0, 0);
    /* The table is inside the model, which is memory of the heap and nobody else's yet. */
    *(const struct encoder **)(uintptr_t)encoders = &slow;
}

size_t slow_encoder_pending(void)
{
    return task_count;
}

void slow_encoder_answer(enum status status)
{
    struct error err = {0};
    struct encode_task t = *tasks[0];
    free(tasks[0]);
    forget(0);
    if (status == OK)
        status = slow.encode(&slow, t.work, t.text, t.into, &err);
    else
        error_set(&err, status, "the encoder is away");
    t.done(status, &err, t.arg);
}
