/* Paid calls by key: see calls.h.
 *
 * What the purse allows and which job is made next are decided here. What the journal says is calls_known.c's, the
 * calls themselves are calls_slot.c's. Everything runs on the thread of calls_run. Jobs are taken by pump(), from the
 * loop, and never from inside the end of a call, because an asking ends in its own callback. */
#include "calls/calls_int.h"

#include <string.h>

#include "base/check.h"

#define MESSAGE_TOKENS 64 /* that a message costs beside its bytes, at most; a chat template's */
#define KNOWN_MAX      (UINT64_C(1) << 31)

/* Money */

/* INT64_MAX: no limit. */
static int64_t output_tokens_of(const struct expert *expert, const struct call_job *job,
                                int64_t usual)
{
    int64_t tokens = job->output_tokens ? job->output_tokens : usual;
    int64_t most = expert->output_limit;
    if (tokens == 0)
        tokens = CALLS_OUTPUT_TOKENS;
    if (tokens < 0)
        return INT64_MAX;
    return most > 0 && most < tokens ? most : tokens;
}

/* A token is a byte at least, whatever the tokenizer. */
static int64_t input_bound(const struct call_job *job)
{
    return (int64_t)(job->system.len + job->user.len) + 2 * MESSAGE_TOKENS;
}

int64_t calls_job_bound_nano_usd(const struct expert *expert, const struct call_job *job,
                                 int64_t output_tokens)
{
    int64_t output = output_tokens_of(expert, job, output_tokens);
    return output == INT64_MAX
               ? INT64_MAX
               : price_worst_nano_usd(&expert->price, input_bound(job), output, false);
}

int64_t calls_bound_nano_usd(const struct calls *c, const struct call_job *job)
{
    int64_t bound = calls_job_bound_nano_usd(&c->experts[job->expert], job, c->o.output_tokens);
    int64_t worst = c->by_expert[job->expert].worst_permille;
    if (bound == INT64_MAX || worst <= 1000)
        return bound;
    return add_saturated(times_saturated(bound / 1000 + 1, worst), bound);
}

bool calls_append(struct calls *c, const struct call_entry *e)
{
    struct error err;
    enum status status = call_journal_append(&c->journal, e, loop_now_ms(c->loop), &err);
    if (status != OK && c->failure->status == OK)
        *c->failure = err;
    return status == OK;
}

bool calls_intend(struct calls *c, struct call_slot *s, int64_t reserved_nano_usd)
{
    const struct call_entry e = {.kind = ENTRY_INTENT,
                                 .key = s->job.key,
                                 .nano_usd = reserved_nano_usd,
                                 .limit_nano_usd = s->limit_nano_usd};
    s->reserved_nano_usd = reserved_nano_usd;
    return calls_append(c, &e);
}

bool calls_take_entry(struct calls *c, const struct call_entry *e)
{
    struct call_entry own = *e;
    own.key = arena_copy(c->arena, e->key);
    own.text = arena_copy(c->arena, e->text);
    if (e->paid.ptr)
        own.paid = arena_copy(c->arena, e->paid);
    if (!own.key.ptr || !own.text.ptr || (e->paid.ptr && !own.paid.ptr)) {
        error_set(c->failure, ERR_MEMORY, "out of memory for answers");
        return false;
    }
    return calls_append(c, &own) && calls_on_entry(c, &own, c->failure) == OK;
}

bool calls_cover(struct calls *c, struct call_slot *s, int64_t failed_nano_usd)
{
    int64_t more = add_saturated(failed_nano_usd, s->bound_nano_usd) - s->reserved_nano_usd;
    if (c->joined)
        return more <= 0; /* the purse is another machine's */
    if (more <= 0 || c->purse.cap_nano_usd == PURSE_NO_CAP)
        return true;
    if (!purse_reserve(&c->purse, more))
        return false;
    s->reserved_nano_usd += more;
    const struct call_entry e = {.kind = ENTRY_MORE, .key = s->job.key, .nano_usd = more};
    return calls_append(c, &e);
}

/* Ends */

static const struct str purposes[CALL_OTHER] = {STR_INIT("cell"),   STR_INIT("generate"),
                                                STR_INIT("repeat"), STR_INIT("teacher"),
                                                STR_INIT("judge"),  STR_INIT("canary")};

const char *call_purpose_name(enum call_purpose purpose)
{
    return purpose < CALL_OTHER ? purposes[purpose].ptr : "other";
}

static enum call_purpose purpose_of(struct str key)
{
    const struct str first = str_split(&key, '/');
    enum call_purpose purpose = CALL_CELL;
    while (purpose < CALL_OTHER && !str_equal(first, purposes[purpose]))
        purpose++;
    return purpose;
}

/* A job may be told more than once: a judge's tests are asked again in every round, and the journal answers. */
static void note_told(struct calls *c, const struct call_job *job)
{
    struct calls_told *told = &c->by_expert[job->expert].told[purpose_of(job->key)];
    struct call_known *known = calls_known(c, job->key);
    if (!known)
        return; /* it was not made */
    int64_t fresh = known->nano_usd - known->told_nano_usd;
    c->told_nano_usd = add_saturated(c->told_nano_usd, fresh);
    told->cost_nano_usd = add_saturated(told->cost_nano_usd, fresh);
    told->calls += known->ends - known->told_ends;
    calls_mark_told(known);
}

static void tell(struct calls *c, const struct call_job *job, const struct call_result *result)
{
    struct calls_sum *sum = &c->by_expert[job->expert].sum;
    sum->made += result->end == CALL_DONE && !result->remembered;
    sum->remembered += result->remembered;
    sum->broken += result->end == CALL_BROKEN;
    sum->unpaid += result->end == CALL_UNPAID;
    sum->left_out += result->end == CALL_LEFT_OUT;
    c->cap_reached |= result->end == CALL_UNPAID;
    note_told(c, job);
    progress_update(&c->progress, ++c->done);
    c->source->done(c->source->self, job, result);
}

/* An expert that refuses our key, or everything, is not asked again in this round. */
static void note_health(struct calls *c, size_t expert, const struct call_ending *ending)
{
    struct call_expert *e = &c->by_expert[expert];
    if (ending->text.ptr) {
        e->failures = 0;
        return;
    }
    e->failures++;
    if (e->failures >= CALLS_FAILURES_MAX || ending->http_status == 401 ||
        ending->http_status == 403)
        e->left_out = true;
}

static struct call_entry entry_of(const struct calls *c, const struct call_slot *s,
                                  const struct call_ending *ending)
{
    const struct cost *cost = ending->cost;
    bool answered = ending->text.ptr;
    return (struct call_entry){.kind = answered ? ENTRY_ANSWER : ENTRY_FAILURE,
                               .key = s->job.key,
                               .expert = c->experts[s->job.expert].name,
                               .text = answered ? ending->text : str_from(ending->failure->text),
                               .paid = ending->paid,
                               .asked = calls_asked(&s->job),
                               .nano_usd = cost->nano_usd,
                               .basis = cost->basis,
                               .input_tokens = cost->tokens.input,
                               .output_tokens = cost->tokens.output,
                               .latency_ms = ending->latency_ms,
                               .certainty = ending->certainty};
}

static void on_pump(void *arg);

void calls_pump_soon(struct calls *c)
{
    if (c->posted || c->pumping)
        return;
    c->posted = loop_post(c->loop, on_pump, c) == OK;
    if (!c->posted)
        error_set(c->failure, ERR_MEMORY, "out of memory for a message");
}

void calls_leave(struct calls *c, struct call_slot *s)
{
    CHECK(s->busy && c->busy > 0);
    s->busy = false;
    c->busy--;
    c->by_expert[s->job.expert].in_flight--;
}

/* What was not asked, or not again, may be asked in a later round. */
static enum call_end end_of(const struct call_ending *ending)
{
    if (ending->text.ptr)
        return CALL_DONE;
    if (ending->failure->status == ERR_BUDGET)
        return CALL_UNPAID;
    return ending->unasked ? CALL_LEFT_OUT : CALL_BROKEN;
}

/* In this order: the money is settled whatever happens, nothing is told that the journal does not hold, and the slot is
 * free before the source hears of it. */
void calls_end(struct calls *c, struct call_slot *s, const struct call_ending *ending)
{
    struct call_job job = s->job;
    if (c->joined) {
        calls_join_end(c, s, ending);
        return;
    }
    struct call_entry e = entry_of(c, s, ending);
    struct call_result result = {
        .end = end_of(ending), .cost_nano_usd = e.nano_usd, .basis = e.basis};
    const bool unpaid = result.end == CALL_UNPAID;
    calls_note_end(&c->by_expert[job.expert], s->limit_nano_usd, s->reserved_nano_usd, e.nano_usd);
    purse_settle(&c->purse, s->reserved_nano_usd, e.nano_usd);
    c->cap_reached |= unpaid;
    enum status status = calls_append(c, &e) ? OK : ERR_IO;
    if (status == OK)
        status = calls_remember(c, s, &e, &result);
    if (status == OK && c->share)
        calls_share_settle(c, job.key, ending->id);
    calls_leave(c, s);
    if (!unpaid)
        note_health(c, job.expert, ending);
    calls_pump_soon(c);
    if (status != OK)
        return;
    result.problem = ending->text.ptr ? NULL : ending->failure->text;
    tell(c, &job, &result);
}

static void refuse(struct calls *c, const struct call_job *job, enum call_end end,
                   const char *problem)
{
    const struct call_result result = {.end = end, .problem = problem};
    tell(c, job, &result);
}

void calls_give_up(struct calls *c, struct call_slot *s, enum call_end end, const char *problem)
{
    struct call_job job = s->job;
    calls_leave(c, s);
    calls_pump_soon(c);
    refuse(c, &job, end, problem);
}

/* Jobs */

static struct call_slot *free_slot(struct calls *c)
{
    size_t count = c->share ? CALLS_CONCURRENCY_MAX : c->o.concurrency;
    for (size_t i = 0; i < count; i++)
        if (!c->slots[i].busy)
            return &c->slots[i];
    return NULL;
}

void calls_fill(struct calls *c, struct call_slot *s, const struct call_job *job)
{
    const struct expert *expert = &c->experts[job->expert];
    *s = (struct call_slot){.calls = c,
                            .busy = true,
                            .job = *job,
                            .limit_nano_usd =
                                calls_job_bound_nano_usd(expert, job, c->o.output_tokens),
                            .bound_nano_usd = calls_bound_nano_usd(c, job),
                            .output_tokens = output_tokens_of(expert, job, c->o.output_tokens),
                            .arena = s->arena};
    c->busy++;
    c->by_expert[job->expert].in_flight++;
}

static void start(struct calls *c, struct call_slot *s, const struct call_job *job,
                  int64_t reserved_nano_usd)
{
    static const struct cost nothing = {.basis = COST_USAGE};
    struct error err;
    calls_fill(c, s, job);
    if (!calls_intend(c, s, reserved_nano_usd))
        return;
    if (c->share) {
        calls_share_put(c, s);
        return;
    }
    if (call_slot_begin(s, &err) == OK)
        return;
    const struct call_ending ending = {.cost = &nothing, .failure = &err};
    calls_end(c, s, &ending);
}

enum taken { TAKEN, WAITS };

/* Its first call has not ended yet: were it to pass over its limits, as many at once as there are places would. */
static bool is_on_trial(const struct call_expert *e, int64_t bound_nano_usd)
{
    return !e->heard && e->in_flight > 0 && bound_nano_usd > 0;
}

/* One job: out of the journal, refused, or made. WAITS: for money in flight, or for the end of the expert's first call.
 */
static enum taken take(struct calls *c, struct call_slot *s, const struct call_job *job)
{
    struct call_result result;
    CHECK(job->expert < c->o.expert_count && job->key.len <= CALLS_KEY_BYTES_MAX);
    if (calls_find(c, job, &result)) {
        tell(c, job, &result);
        return TAKEN;
    }
    if (c->share && calls_share_resume(c, s, job))
        return TAKEN;
    if (c->by_expert[job->expert].left_out) {
        refuse(c, job, CALL_LEFT_OUT, "its expert has failed too often");
        return TAKEN;
    }
    bool capped = c->purse.cap_nano_usd != PURSE_NO_CAP;
    int64_t bound = calls_bound_nano_usd(c, job);
    int64_t reserved = bound == INT64_MAX && !capped ? 0 : bound;
    if (capped && is_on_trial(&c->by_expert[job->expert], bound))
        return WAITS;
    if (purse_reserve(&c->purse, reserved)) {
        start(c, s, job, reserved);
        return TAKEN;
    }
    if (c->busy > 0 && bound <= purse_left_nano_usd(&c->purse) + c->purse.reserved_nano_usd)
        return WAITS;
    refuse(c, job, CALL_UNPAID, "the cap is reached");
    return TAKEN;
}

static bool next_job(struct calls *c, struct call_job *ret)
{
    if (c->has_held) {
        *ret = c->held;
        c->has_held = false;
        return true;
    }
    return c->source->next(c->source->self, ret);
}

static bool is_stopped(const struct calls *c)
{
    return c->o.stop && *c->o.stop;
}

static bool asks_here(const struct calls *c)
{
    for (size_t i = 0; i < CALLS_CONCURRENCY_MAX; i++)
        if (c->slots[i].busy && !c->slots[i].out)
            return true;
    return false;
}

/* Takes jobs while there are places; stops the loop when nothing more can come. */
static void pump(struct calls *c)
{
    struct call_slot *s;
    struct call_job job;
    c->pumping = true;
    while (c->failure->status == OK && !is_stopped(c) && (s = free_slot(c)) && next_job(c, &job))
        if (take(c, s, &job) == WAITS) {
            c->held = job;
            c->has_held = true;
            break;
        }
    c->pumping = false;
    bool is_over = c->busy == 0 || (is_stopped(c) && !asks_here(c)); /* what is out stays out */
    if (is_over || c->failure->status != OK)
        loop_stop(c->loop);
}

static void on_pump(void *arg)
{
    struct calls *c = arg;
    c->posted = false;
    if (c->source)
        pump(c);
}

static void begin_run(struct calls *c, const struct call_source *source, struct error *failure)
{
    c->source = source;
    c->failure = failure;
    c->done = 0;
    c->has_held = false;
}

/* Drops also those that still ask, when something has failed: they stay intents. */
static void end_run(struct calls *c)
{
    for (size_t i = 0; i < CALLS_CONCURRENCY_MAX; i++) {
        call_slot_drop(&c->slots[i]);
        if (c->slots[i].busy)
            calls_leave(c, &c->slots[i]);
    }
    c->source = NULL;
    c->failure = NULL;
}

enum status calls_run(struct calls *c, const struct call_source *source, const char *what,
                      size_t total, struct error *err)
{
    struct error failure = {0}, later = {0};
    begin_run(c, source, &failure);
    progress_begin(&c->progress, what, total);
    calls_pump_soon(c);
    if (failure.status == OK && loop_run(c->loop, &later) != OK)
        failure = later;
    if (failure.status == OK && is_stopped(c))
        error_set(&failure, ERR_CANCELLED, "stopped; what was in flight has been waited for");
    progress_end(&c->progress);
    end_run(c);
    if (call_journal_sync(&c->journal, &later) != OK && failure.status == OK)
        failure = later;
    if (failure.status != OK && err)
        *err = failure;
    return failure.status;
}

/* Making and ending */

static enum status prepare(struct calls *c, struct error *err)
{
    size_t count = c->o.expert_count;
    buf_init(&c->known, KNOWN_MAX * sizeof(struct call_known));
    c->keys = map_create(1024);
    c->paid = map_create(64);
    c->experts = ARENA_ARRAY(c->arena, count + 1, struct expert);
    c->by_expert = ARENA_ARRAY(c->arena, count + 1, struct call_expert);
    if (!c->keys || !c->paid || !c->experts || !c->by_expert)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < count; e++)
        c->experts[e] = c->o.experts[e];
    c->purse.cap_nano_usd = c->o.cap_nano_usd;
    enum status status = calls_wire(c, err);
    if (status == OK)
        status = call_journal_open(&c->journal, c->o.journal, c->arena, calls_on_entry, c, err);
    if (status == OK && c->o.share)
        status = calls_share_open(c, err);
    if (status == OK)
        calls_lose_all(c);
    if (status == OK)
        calls_lose_rest(c);
    return status;
}

enum status calls_create(const struct calls_options *o, struct calls **ret, struct error *err)
{
    struct arena *a = arena_create(CALLS_JOURNAL_BYTES_MAX);
    struct calls *c = a ? ARENA_NEW(a, struct calls) : NULL;
    CHECK(o->concurrency <= CALLS_CONCURRENCY_MAX && (o->share || o->concurrency >= 1));
    if (!c) {
        arena_free(a);
        return error_set(err, ERR_MEMORY, "out of memory");
    }
    c->arena = a;
    c->o = *o;
    c->journal.fd = -1;
    enum status status = prepare(c, err);
    if (status != OK) {
        calls_free(c);
        return status;
    }
    *ret = c;
    return OK;
}

void calls_free(struct calls *c)
{
    if (!c)
        return;
    share_close(c->share, c->finished);
    loop_timer_free(c->tick);
    calls_unwire(c);
    call_journal_close(&c->journal);
    map_free(c->keys);
    map_free(c->paid);
    buf_done(&c->known);
    arena_free(c->arena);
}

void calls_finish(struct calls *c)
{
    c->finished = true;
}

/* Asking what it knows */

void calls_readmit(struct calls *c)
{
    for (size_t e = 0; e < c->o.expert_count; e++) {
        c->by_expert[e].failures = 0;
        c->by_expert[e].left_out = false;
        memset(c->by_expert[e].told, 0, sizeof(c->by_expert[e].told));
    }
}

const struct purse *calls_purse(const struct calls *c)
{
    return &c->purse;
}

int64_t calls_told_nano_usd(const struct calls *c)
{
    return c->told_nano_usd;
}

struct calls_told calls_told(const struct calls *c, enum call_purpose purpose, size_t expert)
{
    CHECK(purpose < CALL_PURPOSES && expert < c->o.expert_count);
    return c->by_expert[expert].told[purpose];
}

size_t calls_ended(const struct calls *c)
{
    return c->ended;
}

int64_t calls_lost_nano_usd(const struct calls *c)
{
    return c->lost_nano_usd;
}

static void sum_add(struct calls_sum *sum, const struct calls_sum *more)
{
    sum->made += more->made;
    sum->remembered += more->remembered;
    sum->broken += more->broken;
    sum->unpaid += more->unpaid;
    sum->left_out += more->left_out;
    sum->cost_nano_usd = add_saturated(sum->cost_nano_usd, more->cost_nano_usd);
}

struct calls_sum calls_sum(const struct calls *c, size_t expert)
{
    struct calls_sum sum = {0};
    for (size_t e = 0; e < c->o.expert_count; e++)
        if (expert == SIZE_MAX || expert == e)
            sum_add(&sum, &c->by_expert[e].sum);
    return sum;
}

bool calls_cap_reached(const struct calls *c)
{
    return c->cap_reached;
}

bool calls_left_out(const struct calls *c, size_t expert)
{
    return c->by_expert[expert].left_out;
}
