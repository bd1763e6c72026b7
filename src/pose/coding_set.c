/* Drawn tasks as a data set: see coding_set.h. Two tasks of one family and parameter are different as soon as their
 * tests are, so there is no lack of them. */
#include "pose/coding_set.h"

#include "base/map.h"
#include "pose/coding_task.h"
#include "rehearse/coders.h"

#define CODING_SET_BYTES (UINT64_C(1) << 30)
#define DRAWS_PER_TASK   100 /* before giving up on finding another text */

struct maker {
    struct coding_set set;
    struct map *texts; /* hash of a text → 1 */
    struct rng rng;
};

static struct str key(const uint64_t *hash)
{
    return (struct str){(const char *)hash, sizeof(*hash)};
}

static struct str text_of(const struct coding_task *t, size_t from, size_t to, struct arena *a)
{
    struct buf b;
    buf_init(&b, CODING_TEXT_BYTES);
    coding_task_text(t, from, to, &b);
    struct str text = {NULL, 0};
    if (buf_status(&b, NULL) == OK)
        text = arena_copy(a, buf_str(&b));
    buf_done(&b);
    return text;
}

/* False: no memory. A text that is there already is passed over. */
static bool keep(struct maker *m, const struct coding_task *t)
{
    struct dataset *d = m->set.data;
    uint32_t ignored;
    struct query *into = &d->queries[d->query_count];
    const struct str text = text_of(t, 0, t->shown, d->arena);
    const struct str hidden = text_of(t, t->shown, t->count, d->arena);
    const char *id = arena_printf(d->arena, "t%zu", d->query_count + 1);
    if (!text.ptr || !hidden.ptr || !id)
        return false;
    into->id = str_from(id);
    into->text = into->prompt = text;
    into->task = STR("demo");
    into->domain = str_from(t->ask.family->name);
    into->text_hash = text_hash(text);
    if (map_get(m->texts, key(&into->text_hash), &ignored))
        return true;
    m->set.hidden[d->query_count++] = hidden;
    return map_put(m->texts, key(&into->text_hash), 1) == OK;
}

static enum status draw_tasks(struct maker *m, size_t count, struct error *err)
{
    struct coding_task task;
    for (size_t draws = 0; m->set.data->query_count < count; draws++) {
        if (draws == DRAWS_PER_TASK * count)
            return error_set(err, ERR_TOO_LARGE, "there are no %zu different tasks", count);
        coding_task_draw(&m->rng, &task);
        if (!keep(m, &task))
            return error_set(err, ERR_MEMORY, "out of memory for tasks");
    }
    return OK;
}

static enum status begin(struct maker *m, size_t count, const struct dataset *avoid,
                         struct error *err)
{
    struct arena *a = arena_create(CODING_SET_BYTES);
    struct dataset *d = a ? ARENA_NEW(a, struct dataset) : NULL;
    m->texts = map_create(2 * count);
    if (d)
        *d = (struct dataset){.arena = a,
                              .path = STR(""),
                              .queries = ARENA_ARRAY(a, count + 1, struct query),
                              .experts = ARENA_ARRAY(a, CODER_COUNT, struct dataset_expert)};
    else
        arena_free(a);
    m->set.data = d;
    m->set.hidden = d ? ARENA_ARRAY(a, count + 1, struct str) : NULL;
    if (!m->set.hidden || !d->queries || !d->experts || !m->texts)
        return error_set(err, ERR_MEMORY, "out of memory for tasks");
    for (size_t i = 0; i < CODER_COUNT; i++)
        d->experts[d->expert_count++] =
            (struct dataset_expert){str_from(coder_at(i)->name), coder_at(i)->price};
    for (size_t i = 0; avoid && i < avoid->query_count; i++)
        if (map_put(m->texts, key(&avoid->queries[i].text_hash), 1) != OK)
            return error_set(err, ERR_MEMORY, "out of memory for tasks");
    return OK;
}

enum status coding_set_make(uint64_t seed, size_t count, const struct dataset *avoid,
                            struct coding_set *ret, struct error *err)
{
    struct maker m = {.texts = NULL};
    rng_seed(&m.rng, seed);
    enum status status = begin(&m, count, avoid, err);
    if (status == OK)
        status = draw_tasks(&m, count, err);
    map_free(m.texts);
    if (status == OK)
        *ret = m.set;
    else
        dataset_free(m.set.data);
    return status;
}
