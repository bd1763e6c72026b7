/* Seeded failures: see faults.h. */
#include "rehearse/faults.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/rng.h"

/* Attempts are counted by hash; two prompts in one counter only shift each other's attempts. */
#define ATTEMPT_COUNTERS (1u << 20)

struct faults {
    uint64_t seed;
    bool any;
    size_t expert_count;
    double *rates;              /* [expert_count × FAULT_COUNT] */
    _Atomic uint32_t *attempts; /* [ATTEMPT_COUNTERS]; untouched pages cost nothing */
};

const char *fault_name(enum fault_kind kind)
{
    static const char *const names[] = {"429", "500", "stall", "cut", "none"};
    CHECK(kind <= FAULT_NONE);
    return names[kind];
}

/* As the options of `leeroo replay` are called, for messages. */
static const char *const options[] = {"--fail-429", "--fail-500", "--stall", "--cut"};

static size_t expert_by_name(const struct rehearse_source *source, struct str name)
{
    size_t count = source->ops->expert_count(source->self);
    for (size_t i = 0; i < count; i++)
        if (str_equal(source->ops->expert_name(source->self, i), name))
            return i;
    return SIZE_MAX;
}

/* One item of a list: "P" or "NAME=P". */
static enum status apply_item(struct faults *f, const struct rehearse_source *source,
                              enum fault_kind kind, struct str item, struct error *err)
{
    double rate;
    size_t equals = item.len;
    while (equals > 0 && item.ptr[equals - 1] != '=')
        equals--;
    struct str name = str_slice(item, 0, equals > 0 ? equals - 1 : 0);
    struct str number = str_trim(str_slice(item, equals, item.len));
    if (str_to_double(number, &rate) != OK || !(rate >= 0 && rate <= 1))
        return error_set(err, ERR_USAGE,
                         "%s '%.*s': expected a probability P from 0 to 1, or NAME=P",
                         options[kind], STR_FMT(item));
    if (equals == 0) {
        for (size_t i = 0; i < f->expert_count; i++)
            f->rates[i * FAULT_COUNT + kind] = rate;
    } else {
        size_t expert = expert_by_name(source, str_trim(name));
        if (expert == SIZE_MAX)
            return error_set(err, ERR_NOT_FOUND,
                             "%s: the data set has no recorded answers of an expert '%.*s'",
                             options[kind], STR_FMT(name));
        f->rates[expert * FAULT_COUNT + kind] = rate;
    }
    f->any = f->any || rate > 0;
    return OK;
}

static enum status apply_spec(struct faults *f, const struct rehearse_source *source,
                              enum fault_kind kind, const char *spec, struct error *err)
{
    struct str rest = str_from(spec);
    enum status status = OK;
    if (!spec)
        return OK;
    do {
        status = apply_item(f, source, kind, str_trim(str_split(&rest, ',')), err);
    } while (status == OK && rest.len > 0);
    return status;
}

enum status faults_create(const struct rehearse_source *source,
                          const char *const specs[FAULT_COUNT], uint64_t seed, struct faults **ret,
                          struct error *err)
{
    struct faults *f = calloc(1, sizeof(*f));
    if (!f)
        return error_set(err, ERR_MEMORY, "out of memory");
    f->seed = seed;
    f->expert_count = source->ops->expert_count(source->self);
    f->rates = calloc(f->expert_count * FAULT_COUNT + 1, sizeof(*f->rates));
    f->attempts = calloc(ATTEMPT_COUNTERS, sizeof(*f->attempts));
    enum status status = f->rates && f->attempts ? OK : error_set(err, ERR_MEMORY, "out of memory");
    for (size_t kind = 0; kind < FAULT_COUNT && status == OK; kind++)
        status = apply_spec(f, source, (enum fault_kind)kind, specs[kind], err);
    if (status != OK) {
        faults_free(f);
        return status;
    }
    *ret = f;
    return OK;
}

void faults_free(struct faults *f)
{
    if (!f)
        return;
    free(f->rates);
    free((void *)f->attempts);
    free(f);
}

bool faults_any(const struct faults *f)
{
    return f->any;
}

struct fault faults_draw(struct faults *f, size_t expert, uint64_t prompt_hash)
{
    struct fault fault = {FAULT_NONE, false, 0};
    if (!f->any)
        return fault;
    CHECK(expert < f->expert_count);
    uint64_t key = hash64_mix(hash64_mix(f->seed, expert), prompt_hash);
    uint32_t attempt = atomic_fetch_add(&f->attempts[key % ATTEMPT_COUNTERS], 1);
    struct rng rng;
    rng_seed(&rng, hash64_mix(key, attempt));
    for (size_t kind = 0; kind < FAULT_COUNT; kind++) {
        bool hit = rng_uniform(&rng) < f->rates[expert * FAULT_COUNT + kind];
        if (hit && fault.kind == FAULT_NONE)
            fault.kind = (enum fault_kind)kind;
    }
    fault.at_once = rng_below(&rng, 2) == 0;
    fault.at = rng_uniform(&rng);
    return fault;
}
