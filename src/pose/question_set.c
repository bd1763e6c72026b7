/* Generated questions as a data set: see question_set.h. */
#include "pose/question_set.h"

#include "base/map.h"
#include "rehearse/sandbox.h"

#define QUESTION_SET_BYTES (UINT64_C(1) << 30)
#define DRAWS_PER_QUESTION 100 /* before giving up on finding another text */

struct maker {
    struct dataset *d;
    struct map *texts; /* hash of a text → 1 */
    uint64_t *hashes;  /* [count]; the keys */
    struct rng rng;
};

static struct str key(const uint64_t *hash)
{
    return (struct str){(const char *)hash, sizeof(*hash)};
}

static bool is_known(const struct maker *m, uint64_t hash)
{
    uint32_t ignored;
    return map_get(m->texts, key(&hash), &ignored);
}

static bool keep(struct maker *m, const struct question *q)
{
    struct arena *a = m->d->arena;
    size_t index = m->d->query_count;
    struct query *into = &m->d->queries[index];
    char *id = arena_printf(a, "q%zu", index + 1);
    into->id = str_from(id);
    into->text = arena_copy(a, str_from(q->text));
    into->answer = arena_copy(a, str_from(q->answer));
    into->task = STR("demo");
    into->domain = str_from(skill_name(q->skill));
    into->prompt = into->text;
    into->text_hash = text_hash(into->text);
    m->hashes[index] = into->text_hash;
    m->d->query_count++;
    return id && into->text.ptr && into->answer.ptr &&
           map_put(m->texts, key(&m->hashes[index]), 1) == OK;
}

static enum status draw_questions(struct maker *m, size_t count, struct error *err)
{
    size_t draws = 0;
    while (m->d->query_count < count) {
        struct question q;
        question_draw(&m->rng, &q);
        if (++draws > DRAWS_PER_QUESTION * count)
            return error_set(err, ERR_TOO_LARGE, "there are no %zu different questions", count);
        if (!is_known(m, text_hash(str_from(q.text))) && !keep(m, &q))
            return error_set(err, ERR_MEMORY, "out of memory for questions");
    }
    return OK;
}

static void add_experts(struct dataset *d)
{
    for (size_t i = 0; i < SANDBOX_EXPERT_COUNT; i++)
        d->experts[i] = (struct dataset_expert){str_from(sandbox_expert_at(i)->name),
                                                sandbox_expert_at(i)->price};
    d->expert_count = SANDBOX_EXPERT_COUNT;
}

static enum status avoid_texts(struct maker *m, const struct dataset *avoid, struct error *err)
{
    for (size_t i = 0; avoid && i < avoid->query_count; i++)
        if (map_put(m->texts, key(&avoid->queries[i].text_hash), 1) != OK)
            return error_set(err, ERR_MEMORY, "out of memory for questions");
    return OK;
}

/* One piece: all that can run out of memory is asked for before questions are drawn, and freed in one place. */
enum status question_set_make(uint64_t seed, size_t count, const struct dataset *avoid,
                              struct dataset **ret, struct error *err)
{
    struct arena *a = arena_create(QUESTION_SET_BYTES);
    struct maker m = {.d = a ? ARENA_NEW(a, struct dataset) : NULL, .texts = map_create(2 * count)};
    enum status status = m.d && m.texts ? OK : ERR_MEMORY;
    if (status == OK) {
        *m.d = (struct dataset){.arena = a,
                                .path = STR(""),
                                .queries = ARENA_ARRAY(a, count + 1, struct query),
                                .experts =
                                    ARENA_ARRAY(a, SANDBOX_EXPERT_COUNT, struct dataset_expert)};
        m.hashes = ARENA_ARRAY(a, count + 1, uint64_t);
        status = m.d->queries && m.d->experts && m.hashes ? OK : ERR_MEMORY;
    }
    if (status == OK) {
        rng_seed(&m.rng, seed);
        add_experts(m.d);
        status = avoid_texts(&m, avoid, err);
        status = status == OK ? draw_questions(&m, count, err) : status;
    } else {
        error_set(err, status, "out of memory for questions");
    }
    map_free(m.texts);
    if (status == OK)
        *ret = m.d;
    else
        arena_free(a);
    return status;
}
