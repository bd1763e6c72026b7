/* Questions made up by experts: see questions.h. A round asks for what it wants in requests of a few questions, each
 * for one domain and difficulty of the mix; reads and sieves what comes back in the order of the requests, whenever it
 * came; has it checked; and asks again for what is still missing, a few times.
 *
 * On the thread that plays, which waits for the answers. */
#include <string.h>

#include "base/check.h"
#include "base/rng.h"
#include "play/questions_int.h"
#include "pose/generator_prompt.h"
#include "pose/generator_reply.h"

#define PROMPT_BYTES_MAX    (64u << 10)
#define REPLY_OUTPUT_TOKENS 6000 /* five questions with their reasons, and some thought */
#define GUESS_INPUT         900  /* tokens of a request ... */
#define GUESS_OUTPUT        1500
#define GUESS_ASKED         150 /* ... and of a question */
#define GUESS_ANSWERED      400
#define EXAMPLES            3
#define EXAMPLE_TRIES       40

/* One request. */
struct request {
    struct generator_want want;
    size_t generator; /* the expert */
    struct str key, system, user;
};

struct generating {
    struct posing *p;
    struct arena *arena; /* of this source in this round, for prompts */
    size_t requests;     /* so far, which numbers them */
    size_t ids;          /* given so far */
    struct str system;
    struct candidate *candidates;
    size_t count;
    struct str key; /* of the reply that is being read */
    struct error failure;
};

/* Requests */

/* Some questions of the domain, out of the files and of what the run asks. */
static void draw_examples(struct generating *g, struct rng *rng, struct request *r,
                          const struct query **into)
{
    const struct question_source_sum *files = &g->p->q->listed[POSED_FILE];
    const struct dataset *d = g->p->wanted->known;
    size_t all = files->count + d->query_count;
    r->want.seeds = into;
    for (size_t i = 0; all > 0 && i < EXAMPLE_TRIES && r->want.seed_count < EXAMPLES; i++) {
        size_t at = (size_t)rng_below(rng, all);
        const struct query *q =
            at < files->count ? &files->items[at].query : &d->queries[at - files->count];
        bool fits = r->want.domain.len == 0 || str_equal(q->domain, r->want.domain);
        for (size_t s = 0; s < r->want.seed_count; s++)
            fits = fits && into[s]->text_hash != q->text_hash;
        if (fits)
            into[r->want.seed_count++] = q;
    }
}

static enum status prompt_write(struct generating *g, struct request *r, struct error *err)
{
    struct buf b;
    buf_init(&b, PROMPT_BYTES_MAX);
    generator_prompt(&r->want, &b);
    enum status status = buf_status(&b, err);
    if (status == OK) {
        r->user = arena_copy(g->arena, buf_str(&b));
        if (!r->user.ptr)
            status = error_set(err, ERR_MEMORY, "out of memory for prompts");
    }
    buf_done(&b);
    return status;
}

static enum status request_make(struct generating *g, const struct mix_cell *cell,
                                struct request *r, struct error *err)
{
    const struct questions_options *o = &g->p->q->o;
    size_t number = g->requests++;
    struct rng rng;
    const struct query **examples = ARENA_ARRAY(g->arena, EXAMPLES, const struct query *);
    char *key = arena_printf(g->arena, "generate/%zu/%zu", g->p->wanted->round, number);
    if (!examples || !key)
        return error_set(err, ERR_MEMORY, "out of memory for prompts");
    *r = (struct request){.generator = o->generators[number % o->generator_count],
                          .key = str_from(key),
                          .system = g->system,
                          .want = {.domain = cell->domain,
                                   .level = cell->level,
                                   .kinds = o->kinds ? o->kinds : POSED_COMPARABLE,
                                   .items = QUESTIONS_PER_REQUEST,
                                   .variation = 1000 * (g->p->wanted->round - 1) + number}};
    rng_seed(&rng, posing_seed(g->p, "examples", number));
    draw_examples(g, &rng, r, examples);
    return prompt_write(g, r, err);
}

static size_t generator_cells(struct posing *p)
{
    size_t count = 0;
    for (size_t d = 0; d < p->q->domain_count; d++)
        for (unsigned level = 1; level <= POSED_LEVELS; level++) {
            CHECK(count < MIX_CELLS_MAX);
            p->q->cells[count++] = (struct mix_cell){.domain = p->q->domains[d], .level = level};
        }
    return count;
}

/* As many requests as the mix has them for each domain and level, one after the other. */
static enum status requests_make(struct generating *g, size_t count, struct request *requests,
                                 struct error *err)
{
    struct posing *p = g->p;
    size_t cells = generator_cells(p), made = 0;
    enum status status = posing_mix(p, cells, count, posing_seed(p, "requests", g->requests), err);
    for (size_t c = 0; c < cells && status == OK; c++)
        for (size_t i = 0; i < p->q->quotas[c] && status == OK; i++) {
            CHECK(made < count);
            status = request_make(g, &p->q->cells[c], &requests[made++], err);
        }
    return status;
}

/* Replies */

static void on_dropped(void *self, struct str id, enum drop_reason reason, struct str text,
                       struct str why)
{
    struct generating *g = self;
    const struct query q = {.id = g->key, .text = text};
    (void)id;
    if (g->failure.status == OK)
        (void)!question_log_drop(&g->p->q->log, &q, reason, why, &g->failure);
}

/* A valid question gets its id and goes through the sieve. */
static enum status sieve_one(struct generating *g, const struct posed *item, size_t generator,
                             struct error *err)
{
    struct sieve_verdict v;
    struct candidate *c = &g->candidates[g->count];
    struct questions *q = g->p->q;
    char *id = arena_printf(q->arena, "g%zu-%zu", g->p->wanted->round, ++g->ids);
    if (!id)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    *c = (struct candidate){*item, generator};
    c->posed.query.id = str_from(id);
    c->posed.query.task = STR("generated");
    g->p->sums.generated++;
    enum status status = sieve_look(q->sieve, &c->posed.query, SIEVE_STRICT, &v, err);
    if (status != OK)
        return status;
    if (v.held)
        return posing_drop(g->p, &c->posed.query, v.reason, str_from(v.why), err);
    g->count++;
    return sieve_add(q->sieve, &c->posed.query, err);
}

static enum status reply_read(struct generating *g, const struct request *r, struct str text,
                              struct error *err)
{
    struct question_list list;
    const struct drop_sink sink = {g, on_dropped};
    g->key = r->key;
    enum status status = generator_reply_read(text, &r->want, g->p->q->arena, &sink, &list,
                                              &g->p->sums.dropped, err);
    if (status == OK && g->failure.status != OK) {
        if (err)
            *err = g->failure;
        return g->failure.status;
    }
    size_t most = 2 * QUESTIONS_PER_REQUEST; /* some bring more than they were asked for */
    for (size_t i = 0; status == OK && i < list.count && i < most; i++)
        status = sieve_one(g, &list.items[i], r->generator, err);
    return status;
}

/* Asks, and reads what came in the order of the requests. */
static enum status requests_run(struct generating *g, const struct request *requests, size_t count,
                                struct error *err)
{
    struct call_batch b;
    enum status status = call_batch_create(g->arena, count, &b, err);
    for (size_t i = 0; status == OK && i < count; i++)
        b.jobs[i] = (struct call_job){.key = requests[i].key,
                                      .expert = requests[i].generator,
                                      .system = requests[i].system,
                                      .user = requests[i].user,
                                      .output_tokens = REPLY_OUTPUT_TOKENS};
    if (status == OK)
        status = call_batch_run(&b, g->p, "making questions", err);
    for (size_t i = 0; status == OK && i < count; i++) {
        g->p->sums.requests++;
        g->p->sums.failed += b.results[i].end != CALL_DONE;
        if (b.results[i].end == CALL_DONE)
            status = reply_read(g, &requests[i], b.results[i].text, err);
    }
    return status;
}

/* Money */

static int64_t price_of(const struct questions_options *o, size_t expert, int64_t input,
                        int64_t output)
{
    return price_cost_nano_usd(&o->experts[expert].price, input, output);
}

int64_t questions_request_guess(const struct questions *q)
{
    const struct questions_options *o = &q->o;
    int64_t dearest = 0, split = 0;
    for (size_t i = 0; i < o->generator_count; i++) {
        int64_t cost =
            price_of(o, o->generators[i], GUESS_INPUT, GUESS_OUTPUT) +
            QUESTIONS_PER_REQUEST * price_of(o, o->generators[i], GUESS_ASKED, GUESS_ANSWERED);
        dearest = cost > dearest ? cost : dearest;
    }
    for (size_t i = 0; i < o->cheap_count; i++)
        split += QUESTIONS_PER_REQUEST * price_of(o, o->cheap[i], GUESS_ASKED, GUESS_ANSWERED);
    return dearest + split;
}

/* Of so many requests, those that the round's money for questions is expected to pay. */
static size_t afford(const struct generating *g, size_t requests)
{
    const struct posing *p = g->p;
    int64_t left = p->wanted->spend_nano_usd - p->sums.cost_nano_usd;
    if (p->wanted->spend_nano_usd == 0)
        return requests;
    int64_t one = p->sums.requests > 0 ? p->sums.cost_nano_usd / (int64_t)p->sums.requests
                                       : questions_request_guess(p->q);
    int64_t most = left <= 0 ? 0 : one <= 0 ? INT64_MAX : left / one;
    return most < (int64_t)requests ? (size_t)most : requests;
}

/* Batches */

/* One turn: requests for what is missing, their replies, both checks. */
static enum status batch_run(struct generating *g, size_t missing, size_t *ret_kept,
                             struct error *err)
{
    size_t count = afford(g, (missing + QUESTIONS_PER_REQUEST - 1) / QUESTIONS_PER_REQUEST);
    struct request *requests = ARENA_ARRAY(g->arena, count, struct request);
    g->candidates = ARENA_ARRAY(g->arena, 2 * QUESTIONS_PER_REQUEST * count, struct candidate);
    g->count = 0;
    if (!requests || !g->candidates)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    enum status status = requests_make(g, count, requests, err);
    if (status == OK)
        status = requests_run(g, requests, count, err);
    if (status == OK)
        status = posing_repeat(g->p, g->candidates, &g->count, err);
    if (status == OK)
        status = posing_split(g->p, g->candidates, &g->count, err);
    for (size_t i = 0; i < g->count && status == OK; i++)
        status = posing_add(g->p, &g->candidates[i].posed, err);
    if (status == OK)
        *ret_kept = g->count;
    return status;
}

static enum status system_write(struct generating *g, struct error *err)
{
    struct buf b;
    buf_init(&b, PROMPT_BYTES_MAX);
    generator_prompt_system(&b);
    enum status status = buf_status(&b, err);
    g->system = status == OK ? arena_copy(g->arena, buf_str(&b)) : STR("");
    buf_done(&b);
    return status != OK || g->system.ptr ? status
                                         : error_set(err, ERR_MEMORY, "out of memory for prompts");
}

enum status posing_generated(struct posing *p, size_t wanted, size_t *ret_taken, struct error *err)
{
    struct generating g = {.p = p, .arena = arena_create(QUESTIONS_BYTES_MAX)};
    size_t taken = 0, kept = 0;
    enum status status =
        g.arena ? system_write(&g, err) : error_set(err, ERR_MEMORY, "out of memory for prompts");
    for (size_t b = 0; b < QUESTIONS_BATCHES_MAX && status == OK && taken < wanted; b++) {
        status = batch_run(&g, wanted - taken, &kept, err);
        taken += status == OK ? kept : 0;
        if (kept == 0) /* no money, no answers, or nothing new: more requests would not help */
            break;
    }
    arena_free(g.arena);
    if (status == OK)
        *ret_taken = taken;
    return status;
}
