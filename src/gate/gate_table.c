/* Gates by name: made when a configuration first names an expert, gone with the last that does.
 *
 * The table's lock guards who is in it and who holds what; each gate has a lock of its own, which is taken after the
 * table's and never before it. Any thread may bind, release, read and lift; nothing here calls back, and no gate may be
 * freed while somebody else still holds it. */
#include "gate/gate_int.h"

#include <stdlib.h>

#include "base/log.h"

struct gates {
    pthread_mutex_t lock; /* taken before a gate's */
    struct gate *first;
};

enum status gates_create(struct gates **ret, struct error *err)
{
    struct gates *t = calloc(1, sizeof(*t));
    if (!t || pthread_mutex_init(&t->lock, NULL)) {
        free(t);
        return error_set(err, ERR_MEMORY, "out of memory for the gates of experts");
    }
    *ret = t;
    return OK;
}

static void gate_free(struct gate *g)
{
    pthread_mutex_destroy(&g->lock);
    free(g->name);
    free(g);
}

void gates_free(struct gates *t)
{
    if (!t)
        return;
    while (t->first) {
        struct gate *next = t->first->next;
        gate_free(t->first);
        t->first = next;
    }
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static struct gate *find(struct gates *t, enum gate_kind kind, struct str name)
{
    struct gate *g = t->first;
    while (g && !(g->kind == kind && str_equal(str_from(g->name), name)))
        g = g->next;
    return g;
}

static struct gate *add(struct gates *t, enum gate_kind kind, const struct expert *e)
{
    struct gate *g = calloc(1, sizeof(*g));
    char *name = calloc(1, e->name.len + 1);
    if (!g || !name || pthread_mutex_init(&g->lock, NULL)) {
        free(g);
        free(name);
        return NULL;
    }
    for (size_t i = 0; i < e->name.len; i++)
        name[i] = e->name.ptr[i];
    g->name = name;
    g->kind = kind;
    health_init(&g->health, &e->breaker);
    g->next = t->first;
    t->first = g;
    return g;
}

static void configure(struct gate *g, const struct expert *e, uint64_t now)
{
    pthread_mutex_lock(&g->lock);
    health_configure(&g->health, &e->breaker);
    g->limits = e->limits;
    atomic_store(&g->configured_ms, e->latency_ms);
    gate_bucket_configure(&g->requests, e->limits.requests_per_minute, now);
    gate_bucket_configure(&g->tokens, e->limits.tokens_per_minute, now);
    gate_poll(g, now);
    gate_set_troubled(g, now);
    pthread_mutex_unlock(&g->lock);
}

static void release(struct gates *t, struct gate *g)
{
    struct gate **at = &t->first;
    if (--g->holders > 0)
        return;
    while (*at != g)
        at = &(*at)->next;
    *at = g->next;
    gate_free(g);
}

enum status gates_bind(struct gates *t, enum gate_kind kind, const struct expert *experts,
                       size_t count, uint64_t now_ms, struct gate **ret, struct error *err)
{
    size_t bound = 0;
    pthread_mutex_lock(&t->lock);
    for (; bound < count; bound++) {
        struct gate *g = find(t, kind, experts[bound].name);
        g = g ? g : add(t, kind, &experts[bound]);
        if (!g)
            break;
        g->holders++;
        ret[bound] = g;
    }
    for (size_t i = 0; bound == count && i < count; i++)
        configure(ret[i], &experts[i], now_ms);
    for (size_t i = 0; bound < count && i < bound; i++)
        release(t, ret[i]);
    pthread_mutex_unlock(&t->lock);
    return bound == count ? OK : error_set(err, ERR_MEMORY, "out of memory for an expert's gate");
}

void gates_release(struct gates *t, struct gate *const *gates, size_t count)
{
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < count; i++)
        release(t, gates[i]);
    pthread_mutex_unlock(&t->lock);
}

void gates_lift(struct gates *t, uint64_t now_ms)
{
    pthread_mutex_lock(&t->lock);
    for (struct gate *g = t->first; g; g = g->next) {
        pthread_mutex_lock(&g->lock);
        bool lifted = health_lift(&g->health, now_ms);
        gate_poll(g, now_ms);
        gate_set_troubled(g, now_ms);
        pthread_mutex_unlock(&g->lock);
        if (lifted)
            log_event(LOG_INFO, "cooldown lifted", "expert=%s by=reload", g->name);
    }
    pthread_mutex_unlock(&t->lock);
}

const char *gate_name(const struct gate *g)
{
    return g->name;
}

void gate_read(struct gate *g, uint64_t now_ms, struct gate_reading *ret)
{
    uint64_t until = 0;
    pthread_mutex_lock(&g->lock);
    struct gate_reading r = {.state = health_state_at(&g->health, now_ms),
                             .why = health_barred(&g->health, now_ms, &until),
                             .cool_status =
                                 now_ms < g->health.cooldown_ms ? g->health.cool_status : 0,
                             .failures = g->health.failures,
                             .opened = g->health.opened,
                             .in_flight = g->in_flight,
                             .waiting = g->waiting,
                             .turned_away = g->turned_away,
                             .latency_ms = gate_latency_ms(g, now_ms)};
    pthread_mutex_unlock(&g->lock);
    r.wait_ms = r.why && until > now_ms ? until - now_ms : 0;
    *ret = r;
}
