/* A run's questions: see questions.h. Files and traffic are read and sieved once; a round then takes from each source
 * what its share asks for, and what a source lacks from the others.
 *
 * Whatever passed the sieve stays in it for good, and what a round dropped after the sieve is put into it when the next
 * round begins, out of the log: so a process that begins at round K knows what one that came from round K - 1 knows.
 * It blocks, on the thread that plays. */
#include "play/questions.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/rng.h"
#include "play/questions_int.h"
#include "pose/sandbox_pose.h"

/* Sources */

static bool has_source(const struct questions *q, enum posed_source source)
{
    switch (source) {
    case POSED_FILE:
    case POSED_TRAFFIC:
        return q->listed[source].count > 0;
    case POSED_GENERATED:
        return q->o.generator_count > 0;
    default:
        return q->o.sandbox;
    }
}

static bool is_asked_for(const struct questions *q, enum posed_source source)
{
    double sum = 0;
    for (size_t s = 0; s < POSED_SOURCES; s++)
        sum += q->o.shares[s];
    return has_source(q, source) && (sum <= 0 || q->o.shares[source] > 0);
}

/* What is listed */

struct listing {
    struct questions *q;
    struct question_source_sum *sum;
    struct buf items; /* of struct posed */
    struct error failure;
};

static void on_dropped(void *self, struct str id, enum drop_reason reason, struct str text,
                       struct str why)
{
    struct listing *l = self;
    const struct query q = {.id = id, .text = text};
    if (l->failure.status == OK)
        (void)!question_log_drop(&l->q->log, &q, reason, why, &l->failure);
}

/* One question through the sieve, and into it. */
static enum status list_one(struct listing *l, const struct posed *item, struct error *err)
{
    struct sieve_verdict v;
    const struct drop_sink sink = {l, on_dropped};
    enum status status = sieve_look(l->q->sieve, &item->query, SIEVE_LIKE, &v, err);
    if (status != OK)
        return status;
    if (v.held) {
        drop_tell(&sink, &l->sum->dropped, item->query.id, v.reason, item->query.text,
                  str_from(v.why));
        return OK;
    }
    status = sieve_add(l->q->sieve, &item->query, err);
    buf_add(&l->items, (struct str){(const char *)item, sizeof(*item)});
    return status == OK ? buf_status(&l->items, err) : status;
}

static enum status list_all(struct listing *l, const struct posed *items, size_t count,
                            struct error *err)
{
    struct progress progress;
    enum status status = OK;
    progress_begin(&progress, "comparing questions", count);
    for (size_t i = 0; i < count && status == OK; i++) {
        status = list_one(l, &items[i], err);
        progress_update(&progress, i + 1);
    }
    progress_end(&progress);
    if (status == OK && l->failure.status != OK) {
        if (err)
            *err = l->failure;
        status = l->failure.status;
    }
    return status;
}

static enum status list_file(struct listing *l, size_t file, struct error *err)
{
    struct question_list list;
    struct question_file_result result;
    const struct drop_sink sink = {l, on_dropped};
    struct arena *a = l->q->arena;
    char *prefix = arena_printf(a, "f%zu", file + 1);
    if (!prefix)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    enum status status =
        question_file_read(l->q->o.files[file], prefix, a, &sink, &list, &result, err);
    if (status != OK)
        return status;
    drop_counts_add(&l->sum->dropped, &result.dropped);
    if (l->sum->first.status == OK)
        l->sum->first = result.first;
    return list_all(l, list.items, list.count, err);
}

/* The gathered items, and a drawn order in which rounds take them. */
static enum status list_end(struct listing *l, enum posed_source source, struct error *err)
{
    struct rng rng;
    size_t count = l->items.len / sizeof(struct posed);
    struct posed *items = ARENA_ARRAY(l->q->arena, count, struct posed);
    uint32_t *order = ARENA_ARRAY(l->q->arena, count, uint32_t);
    if (!items || !order)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    if (count > 0)
        memcpy(items, l->items.ptr, l->items.len);
    for (size_t i = 0; i < count; i++) {
        items[i].source = source;
        order[i] = (uint32_t)i;
    }
    rng_seed(&rng, hash64_mix(l->q->o.seed, source));
    rng_shuffle_u32(&rng, order, count);
    l->sum->items = items;
    l->sum->count = count;
    l->q->orders[source] = order;
    return OK;
}

static enum status list_source(struct questions *q, enum posed_source source, struct error *err)
{
    struct listing l = {.q = q, .sum = &q->listed[source]};
    enum status status = OK;
    buf_init(&l.items, (size_t)QUESTION_FILE_MAX * QUESTIONS_FILES_MAX * sizeof(struct posed));
    if (source == POSED_FILE)
        for (size_t f = 0; f < q->o.file_count && status == OK; f++)
            status = list_file(&l, f, err);
    else
        status = list_all(&l, q->o.traffic, q->o.traffic_count, err);
    if (status == OK)
        status = list_end(&l, source, err);
    buf_done(&l.items);
    return status;
}

/* Domains */

static bool has_domain(const struct questions *q, struct str domain)
{
    for (size_t i = 0; i < q->domain_count; i++)
        if (str_equal(q->domains[i], domain))
            return true;
    return false;
}

static void use_domain(struct questions *q, struct str domain)
{
    if (q->domain_count < QUESTIONS_DOMAINS_MAX && !has_domain(q, domain))
        q->domains[q->domain_count++] = domain;
}

/* Those given, else those of the files; of files without any, no domain but their questions as examples; else what
 * people ask about. */
static enum status find_domains(struct questions *q, struct error *err)
{
    static const char *const common[] = {
        "mathematics", "physics", "chemistry", "biology",     "medicine",
        "computing",   "law",     "economics", "history",     "geography",
        "philosophy",  "logic",   "language",  "engineering", "everyday life",
    };
    const struct question_source_sum *files = &q->listed[POSED_FILE];
    q->domains = ARENA_ARRAY(q->arena, QUESTIONS_DOMAINS_MAX, struct str);
    if (!q->domains)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    for (size_t i = 0; i < q->o.domain_count; i++)
        use_domain(q, q->o.domains[i]);
    for (size_t i = 0; q->o.domain_count == 0 && i < files->count; i++) {
        struct str domain = files->items[i].query.domain;
        if (domain.len > 0 && domain.len <= POSED_DOMAIN_BYTES_MAX)
            use_domain(q, domain);
    }
    if (q->domain_count == 0 && files->count > 0)
        use_domain(q, STR(""));
    for (size_t i = 0;
         files->count == 0 && q->o.domain_count == 0 && i < sizeof(common) / sizeof(common[0]); i++)
        use_domain(q, str_from(common[i]));
    return OK;
}

/* The questions' life */

static enum status fill(struct questions *q, struct error *err)
{
    enum status status = question_log_open(&q->log, q->o.folder, err);
    if (status == OK)
        status = sieve_create(hash64_mix(q->o.seed, 7), &q->sieve, err);
    for (size_t i = 0; i < q->o.protect_count && status == OK; i++)
        status = sieve_protect(q->sieve, q->o.protect[i], err);
    if (status == OK)
        status = list_source(q, POSED_FILE, err);
    if (status == OK)
        status = list_source(q, POSED_TRAFFIC, err);
    if (status == OK)
        status = find_domains(q, err);
    return status == OK ? question_log_read(&q->log, err) : status;
}

static enum status check_sources(const struct questions *q, struct error *err)
{
    for (size_t s = 0; s < POSED_SOURCES; s++)
        if (is_asked_for(q, (enum posed_source)s))
            return OK;
    return error_set(err, ERR_INPUT,
                     "there is nothing to ask: no file, kept traffic, generator or sandbox");
}

enum status questions_create(const struct questions_options *o, struct questions **ret,
                             struct error *err)
{
    struct questions *q = calloc(1, sizeof(*q));
    CHECK(o->file_count <= QUESTIONS_FILES_MAX);
    CHECK(o->generator_count <= QUESTIONS_GENERATORS_MAX);
    CHECK(o->cheap_count <= QUESTIONS_SPLIT_MAX);
    if (!q)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    q->o = *o;
    q->arena = arena_create(QUESTIONS_BYTES_MAX);
    q->cells = q->arena ? ARENA_ARRAY(q->arena, MIX_CELLS_MAX, struct mix_cell) : NULL;
    q->quotas = q->arena ? ARENA_ARRAY(q->arena, MIX_CELLS_MAX, size_t) : NULL;
    enum status status = q->cells && q->quotas
                             ? fill(q, err)
                             : error_set(err, ERR_MEMORY, "out of memory for questions");
    if (status == OK)
        status = check_sources(q, err);
    if (status == OK)
        *ret = q;
    else
        questions_free(q);
    return status;
}

void questions_free(struct questions *q)
{
    if (!q)
        return;
    question_log_close(&q->log);
    run_set_done(&q->known);
    sieve_free(q->sieve);
    arena_free(q->arena);
    free(q);
}

const struct question_source_sum *questions_listed(const struct questions *q,
                                                   enum posed_source source)
{
    CHECK(source < POSED_SOURCES);
    return &q->listed[source];
}

unsigned questions_level(const struct questions *q, struct str id)
{
    return question_log_level(&q->log, id);
}

const struct drop_counts *questions_dropped(const struct questions *q)
{
    return &q->log.sum;
}

/* What the parts of a round share */

uint64_t posing_seed(const struct posing *p, const char *purpose, uint64_t number)
{
    uint64_t seed = hash64_mix(p->q->o.seed, hash64(str_from(purpose), p->wanted->round));
    return hash64_mix(seed, number);
}

enum status posing_add(struct posing *p, const struct posed *item, struct error *err)
{
    enum status status = question_log_pose(&p->q->log, item, err);
    if (status == OK && run_set_add(&p->q->known, item->query.text_hash) != OK)
        status = error_set(err, ERR_MEMORY, "out of memory for questions");
    if (status != OK)
        return status;
    buf_add(&p->items, (struct str){(const char *)item, sizeof(*item)});
    p->sums.from[item->source]++;
    return buf_status(&p->items, err);
}

enum status posing_drop(struct posing *p, const struct query *q, enum drop_reason reason,
                        struct str why, struct error *err)
{
    p->sums.dropped.of[reason]++;
    return question_log_drop(&p->q->log, q, reason, why, err);
}

enum status posing_mix(struct posing *p, size_t count, size_t total, uint64_t seed,
                       struct error *err)
{
    struct mix_cell *cells = p->q->cells;
    for (size_t i = 0; i < count; i++) {
        const struct mix_cell *f =
            mix_find(p->wanted->figures, p->wanted->figure_count, cells[i].domain, cells[i].level);
        cells[i].doubt = f ? f->doubt : 0;
        cells[i].value = f ? f->value : 0;
        cells[i].count = f ? f->count : 0;
    }
    return mix_plan(cells, count, total, MIX_FLOOR, seed, p->q->quotas, err);
}

/* Rounds */

static bool was_sieved(enum drop_reason reason)
{
    return reason == DROP_DISAGREES || reason == DROP_UNANIMOUS || reason == DROP_UNCHECKED;
}

/* What the run asks, and what earlier rounds found to be no good: neither comes again. */
static enum status learn_known(struct posing *p, struct error *err)
{
    struct questions *q = p->q;
    enum status status = OK;
    for (size_t i = 0; i < p->wanted->known->query_count && status == OK; i++) {
        const struct query *known = &p->wanted->known->queries[i];
        if (run_set_add(&q->known, known->text_hash) != OK)
            return error_set(err, ERR_MEMORY, "out of memory for questions");
        if (!sieve_has(q->sieve, known->text_hash))
            status = sieve_add(q->sieve, known, err);
    }
    for (size_t i = 0; i < q->log.drop_count && status == OK; i++) {
        const struct question_drop *d = &q->log.drops[i];
        if (was_sieved(d->reason) && !sieve_has(q->sieve, d->query.text_hash))
            status = sieve_add(q->sieve, &d->query, err);
    }
    return status;
}

static enum status take(struct posing *p, enum posed_source source, size_t wanted,
                        size_t *ret_taken, struct error *err)
{
    *ret_taken = 0;
    if (wanted == 0)
        return OK;
    switch (source) {
    case POSED_FILE:
    case POSED_TRAFFIC:
        return posing_listed(p, source, wanted, ret_taken, err);
    case POSED_GENERATED:
        return posing_generated(p, wanted, ret_taken, err);
    default:
        return posing_sandbox(p, wanted, ret_taken, err);
    }
}

/* Each source's part of the round, by the shares alone. */
static enum status shares_plan(struct posing *p, size_t quotas[POSED_SOURCES], struct error *err)
{
    struct mix_cell sources[POSED_SOURCES];
    size_t which[POSED_SOURCES], parts[POSED_SOURCES], count = 0;
    memset(quotas, 0, POSED_SOURCES * sizeof(*quotas));
    for (size_t s = 0; s < POSED_SOURCES; s++)
        if (is_asked_for(p->q, (enum posed_source)s)) {
            sources[count] = (struct mix_cell){.mass = p->q->o.shares[s]};
            which[count++] = s;
        }
    enum status status =
        mix_plan(sources, count, p->wanted->count, 1, posing_seed(p, "shares", 0), parts, err);
    for (size_t i = 0; i < count && status == OK; i++)
        quotas[which[i]] = parts[i];
    return status;
}

/* The shares first, then whoever can fills up what others lacked. A generator is not asked for more than its share. */
static enum status take_all(struct posing *p, struct error *err)
{
    size_t quotas[POSED_SOURCES], taken, sum = 0;
    enum status status = shares_plan(p, quotas, err);
    for (size_t s = 0; s < POSED_SOURCES && status == OK; s++) {
        status = take(p, (enum posed_source)s, quotas[s], &taken, err);
        sum += status == OK ? taken : 0;
    }
    for (size_t s = 0; s < POSED_SOURCES && status == OK && sum < p->wanted->count; s++) {
        if (s == POSED_GENERATED || !is_asked_for(p->q, (enum posed_source)s))
            continue;
        status = take(p, (enum posed_source)s, p->wanted->count - sum, &taken, err);
        sum += status == OK ? taken : 0;
    }
    return status;
}

static enum status finish(struct posing *p, struct question_round *ret, struct error *err)
{
    size_t count = p->items.len / sizeof(struct posed);
    struct posed *items = ARENA_ARRAY(p->q->arena, count, struct posed);
    if (!items)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    if (count > 0)
        memcpy(items, p->items.ptr, p->items.len);
    enum status status = question_log_commit(&p->q->log, err);
    if (status != OK)
        return status;
    p->sums.items = items;
    p->sums.count = count;
    *ret = p->sums;
    return OK;
}

enum status questions_round(struct questions *q, struct calls *calls,
                            const struct questions_wanted *wanted, struct question_round *ret,
                            struct error *err)
{
    struct posing p = {.q = q, .calls = calls, .wanted = wanted};
    CHECK(wanted->round >= 1);
    if (wanted->count > QUESTIONS_ROUND_MAX)
        return error_set(err, ERR_TOO_LARGE, "%zu questions a round are too many: at most %d",
                         wanted->count, QUESTIONS_ROUND_MAX);
    buf_init(&p.items, 2 * QUESTIONS_ROUND_MAX * sizeof(struct posed));
    question_log_begin(&q->log, wanted->round);
    enum status status = learn_known(&p, err);
    if (status == OK)
        status = take_all(&p, err);
    if (status == OK)
        status = finish(&p, ret, err);
    buf_done(&p.items);
    return status;
}
