/* What the journal says of each key, in memory: what was answered and at what cost, what is out, what was lost with its
 * process, what has been told.
 *
 * The journal's lines come here when it is read (calls_on_entry) and the ends of calls as they are written
 * (calls_remember), so that a run that goes on knows what the one before it knew. All on the thread of calls_run. */
#include "calls/calls_int.h"

#include <string.h>

#include "base/hash.h"

static struct call_known *known_at(const struct calls *c, uint32_t index)
{
    return (struct call_known *)(void *)c->known.ptr + index;
}

struct call_known *calls_known(const struct calls *c, struct str key)
{
    uint32_t index;
    return map_get(c->keys, key, &index) ? known_at(c, index) : NULL;
}

/* The key's entry, a new one where there is none; `key` lives as long as the calls. NULL: no memory. */
static struct call_known *known_of(struct calls *c, struct str key)
{
    struct call_known *known = calls_known(c, key);
    if (known)
        return known;
    known = (struct call_known *)(void *)buf_reserve(&c->known, sizeof(*known));
    if (!known || map_put(c->keys, key, (uint32_t)(c->known.len / sizeof(*known))) != OK)
        return NULL;
    c->known.len += sizeof(*known);
    *known = (struct call_known){.open_nano_usd = -1, .expert = UINT32_MAX};
    return known;
}

uint64_t calls_asked(const struct call_job *job)
{
    return hash64_mix(hash64(job->system, 1), hash64(job->user, 2));
}

static void note_spent(struct calls *c, size_t expert, int64_t nano_usd)
{
    if (expert < c->o.expert_count) {
        struct calls_sum *sum = &c->by_expert[expert].sum;
        sum->cost_nano_usd = add_saturated(sum->cost_nano_usd, nano_usd);
    }
}

static void note_cost(struct calls *c, struct call_known *known, size_t expert, int64_t nano_usd)
{
    c->ended++;
    known->ends++;
    known->nano_usd = add_saturated(known->nano_usd, nano_usd);
    note_spent(c, expert, nano_usd);
}

void calls_mark_told(struct call_known *known)
{
    known->told_nano_usd = known->nano_usd;
    known->told_ends = known->ends;
}

/* How far an expert goes beyond what it was told. Nobody knows before it has been asked once. */
void calls_note_end(struct call_expert *e, int64_t limit_nano_usd, int64_t reserved_nano_usd,
                    int64_t paid_nano_usd)
{
    e->heard = true;
    if (limit_nano_usd <= 0 || reserved_nano_usd <= 0 || paid_nano_usd <= reserved_nano_usd)
        return;
    int64_t permille = times_saturated(paid_nano_usd, 1000) / limit_nano_usd;
    if (permille > e->worst_permille)
        e->worst_permille = permille;
}

/* The intent that stands is one that its process has not lived to see the end of. */
static void lose(struct calls *c, struct call_known *known)
{
    if (known->open_nano_usd < 0)
        return;
    c->lost_nano_usd = add_saturated(c->lost_nano_usd, known->open_nano_usd);
    purse_book(&c->purse, known->open_nano_usd);
    known->open_nano_usd = -1;
}

static void keep_answer(struct call_known *known, size_t expert, const struct call_entry *e)
{
    known->expert = expert < UINT32_MAX ? (uint32_t)expert : UINT32_MAX;
    known->text = e->text;
    known->asked = e->asked;
    known->basis = e->basis;
    known->input_tokens = e->input_tokens;
    known->output_tokens = e->output_tokens;
    known->latency_ms = e->latency_ms;
    known->certainty = e->certainty;
}

/* One piece: a line of the journal, by its kind; what it costs is booked in one place. */
enum status calls_on_entry(void *arg, const struct call_entry *e, struct error *err)
{
    struct calls *c = arg;
    size_t expert = expert_index(c->experts, c->o.expert_count, e->expert);
    struct call_known *known = e->kind == ENTRY_AGAIN ? NULL : known_of(c, e->key);
    if (!known && e->kind != ENTRY_AGAIN)
        return error_set(err, ERR_MEMORY, "out of memory for the journal of calls");
    switch (e->kind) {
    case ENTRY_INTENT:
        lose(c, known);
        known->open_nano_usd = e->nano_usd;
        known->open_limit_nano_usd = e->limit_nano_usd;
        return OK;
    case ENTRY_MORE:
        known->open_nano_usd =
            add_saturated(known->open_nano_usd > 0 ? known->open_nano_usd : 0, e->nano_usd);
        return OK;
    case ENTRY_ANSWER:
        keep_answer(known, expert, e);
        break;
    case ENTRY_FAILURE:
    case ENTRY_AGAIN:
        break;
    }
    if (e->paid.ptr && map_put(c->paid, e->paid, 1) != OK)
        return error_set(err, ERR_MEMORY, "out of memory for the journal of calls");
    purse_book(&c->purse, e->nano_usd);
    if (e->kind == ENTRY_AGAIN) { /* nothing is known by it: nobody may have asked for it */
        note_spent(c, expert, e->nano_usd);
        return OK;
    }
    if (expert < c->o.expert_count)
        calls_note_end(&c->by_expert[expert], known->open_limit_nano_usd, known->open_nano_usd,
                       e->nano_usd);
    known->open_nano_usd = -1;
    note_cost(c, known, expert, e->nano_usd);
    if (c->ended <= c->o.settled)
        calls_mark_told(known);
    return OK;
}

void calls_lose_all(struct calls *c)
{
    for (size_t i = 0; i < c->known.len / sizeof(struct call_known); i++) {
        struct call_known *known = known_at(c, (uint32_t)i);
        if (known->open_asked == 0)
            lose(c, known);
    }
}

/* A journal that somebody has lost, or a part of it, gives no money back. */
void calls_lose_rest(struct calls *c)
{
    int64_t missing = c->o.booked_nano_usd - c->purse.spent_nano_usd;
    if (missing <= 0)
        return;
    c->lost_nano_usd = add_saturated(c->lost_nano_usd, missing);
    purse_book(&c->purse, missing);
}

static struct call_result result_of(const struct call_known *known)
{
    return (struct call_result){.end = CALL_DONE,
                                .text = known->text,
                                .input_tokens = known->input_tokens,
                                .output_tokens = known->output_tokens,
                                .cost_nano_usd = known->nano_usd,
                                .basis = known->basis,
                                .latency_ms = known->latency_ms,
                                .certainty = known->certainty};
}

bool calls_find(const struct calls *c, const struct call_job *job, struct call_result *ret)
{
    const struct call_known *known = calls_known(c, job->key);
    if (!known || !known->text.ptr || known->expert != job->expert ||
        known->asked != calls_asked(job))
        return false;
    *ret = result_of(known);
    ret->remembered = true;
    return true;
}

static bool note_paid(struct calls *c, struct str id)
{
    struct str paid = arena_copy(c->arena, id);
    return paid.ptr && map_put(c->paid, paid, 1) == OK;
}

/* The journal's entry in memory. */
enum status calls_remember(struct calls *c, const struct call_slot *s, struct call_entry *e,
                           struct call_result *ret)
{
    struct str key = arena_copy(c->arena, e->key);
    struct str text = arena_copy(c->arena, e->text);
    struct call_known *known = key.ptr && text.ptr ? known_of(c, key) : NULL;
    if (known && e->paid.ptr && !note_paid(c, e->paid))
        known = NULL;
    if (!known)
        return error_set(c->failure, ERR_MEMORY, "out of memory for answers");
    e->text = text;
    note_cost(c, known, s->job.expert, e->nano_usd);
    if (e->kind == ENTRY_ANSWER) {
        keep_answer(known, s->job.expert, e);
        *ret = result_of(known);
    }
    return OK;
}
