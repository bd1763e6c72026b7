/* Kept prompts, feedback and earlier scores become questions and outcomes: see from_ledger.h. Prompts are read first,
 * and equal texts become one question; then feedback is looked up by the id of its request, and scores by the text.
 *
 * It belongs to one thread and waits for two databases. What it gives hangs on what is in them alone. */
#include "pose/from_ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/map.h"
#include "store/kept.h"
#include "store/reader.h"

struct asked { /* one kept request */
    size_t question;
    int64_t at_ms;
};

struct found { /* one question */
    struct posed posed;
    int64_t at_ms; /* when it was asked last */
    bool recheck;
    size_t first; /* of its outcomes, the index and one more; 0: none */
};

struct scored { /* an outcome on the chain of its question */
    struct traffic_outcome traffic;
    size_t next; /* as `first` */
};

struct reading {
    const struct from_ledger_options *o;
    struct arena *arena;
    struct map *requests;   /* id → index in `asked` */
    struct map *texts;      /* text_hash as bytes → index in `found` */
    struct buf asked;       /* of struct asked */
    struct buf found;       /* of struct found */
    struct buf outcomes;    /* of struct scored */
    struct traffic traffic; /* its counts */
};

static enum status no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory for kept prompts");
}

static struct found *found_at(const struct reading *r, size_t i)
{
    return (struct found *)(void *)r->found.ptr + i;
}

static size_t found_count(const struct reading *r)
{
    return r->found.len / sizeof(struct found);
}

static struct scored *outcome_at(const struct reading *r, size_t i)
{
    return (struct scored *)(void *)r->outcomes.ptr + i;
}

static size_t outcome_count(const struct reading *r)
{
    return r->outcomes.len / sizeof(struct scored);
}

static bool add(struct buf *list, const void *item, size_t size)
{
    buf_add(list, (struct str){item, size});
    return list->status == OK;
}

/* The map keeps no copies, so the hash stands in the arena. */
static struct str hash_key(struct arena *a, const uint64_t *hash)
{
    struct str bytes = {(const char *)hash, sizeof(*hash)};
    return a ? arena_copy(a, bytes) : bytes;
}

/* Prompts */

static enum status question_add(struct reading *r, const struct kept_row *row, uint64_t hash,
                                size_t *ret, struct error *err)
{
    struct found f = {.posed = {.source = POSED_TRAFFIC}, .at_ms = row->at_ms};
    size_t index = found_count(r);
    struct str key = hash_key(r->arena, &hash);
    f.posed.query.id = arena_copy(r->arena, row->request_id);
    f.posed.query.text = arena_copy(r->arena, row->text);
    if (!f.posed.query.id.ptr || !f.posed.query.text.ptr || !key.ptr)
        return no_memory(err);
    enum status status = posed_finish(&f.posed.query, r->arena, err);
    if (status != OK)
        return status;
    f.posed.kind = posed_kind_of(&f.posed.query);
    if (!add(&r->found, &f, sizeof(f)) || map_put(r->texts, key, (uint32_t)index) != OK)
        return no_memory(err);
    *ret = index;
    return OK;
}

static enum status take_prompt(const struct kept_row *row, void *arg, struct error *err)
{
    struct reading *r = arg;
    uint64_t hash = text_hash(row->text);
    uint32_t known;
    struct asked asked = {.at_ms = row->at_ms};
    enum status status = OK;
    if (map_get(r->texts, hash_key(NULL, &hash), &known))
        asked.question = known;
    else
        status = question_add(r, row, hash, &asked.question, err);
    if (status != OK)
        return status;
    found_at(r, asked.question)->at_ms = row->at_ms; /* they come in order of time */
    struct str id = arena_copy(r->arena, row->request_id);
    size_t index = r->asked.len / sizeof(asked);
    if (!id.ptr || !add(&r->asked, &asked, sizeof(asked)) ||
        map_put(r->requests, id, (uint32_t)index) != OK)
        return no_memory(err);
    return OK;
}

static enum status read_prompts(struct reading *r, struct error *err)
{
    struct kept *file = NULL;
    enum status status = kept_open(r->o->kept, KEPT_READ, &file, err);
    if (status == OK)
        status = kept_each(file, r->o->since_ms, take_prompt, r, err);
    kept_close(file);
    return status;
}

/* Feedback */

static struct traffic_outcome *outcome_of(const struct reading *r, size_t question,
                                          struct str expert)
{
    for (size_t i = found_at(r, question)->first; i; i = outcome_at(r, i - 1)->next)
        if (str_equal(outcome_at(r, i - 1)->traffic.expert, expert))
            return &outcome_at(r, i - 1)->traffic;
    return NULL;
}

static enum status outcome_add(struct reading *r, const struct traffic_outcome *t,
                               struct error *err)
{
    struct found *question = found_at(r, t->question);
    const struct scored s = {*t, question->first};
    if (!t->expert.ptr || !add(&r->outcomes, &s, sizeof(s)))
        return no_memory(err);
    question->first = outcome_count(r);
    return OK;
}

static enum status praise_add(struct reading *r, size_t question, const struct ledger_opinion *o,
                              struct error *err)
{
    struct traffic_outcome t = {.question = question, .expert = arena_copy(r->arena, o->expert)};
    t.outcome = (struct outcome){.present = true,
                                 .known = true,
                                 .score = (float)o->score,
                                 .confidence = FEEDBACK_CONFIDENCE,
                                 .method = STR("feedback")};
    if (o->is_single) {
        t.outcome.cost_known = true;
        t.outcome.cost_nano_usd = o->cost_nano_usd;
        t.outcome.tokens_known = o->input_tokens <= INT32_MAX && o->output_tokens <= INT32_MAX;
        t.outcome.input_tokens = t.outcome.tokens_known ? (int32_t)o->input_tokens : 0;
        t.outcome.output_tokens = t.outcome.tokens_known ? (int32_t)o->output_tokens : 0;
    }
    return outcome_add(r, &t, err);
}

/* Opinions of several people: the mean of what they say, and the doubt of each multiplied. */
static void praise_more(struct outcome *o, double score)
{
    float doubt = (1 - o->confidence) * (1 - FEEDBACK_CONFIDENCE);
    o->score = (o->score * o->confidence + (float)score * FEEDBACK_CONFIDENCE) /
               (o->confidence + FEEDBACK_CONFIDENCE);
    o->confidence = 1 - doubt < FEEDBACK_CONFIDENCE_MAX ? 1 - doubt : FEEDBACK_CONFIDENCE_MAX;
}

static enum status take_opinion(const struct ledger_opinion *o, void *arg, struct error *err)
{
    struct reading *r = arg;
    uint32_t index;
    if (!map_get(r->requests, o->id, &index))
        return OK;
    size_t question = ((const struct asked *)(const void *)r->asked.ptr)[index].question;
    if (!(o->score > 0.5)) {
        r->traffic.blamed++;
        found_at(r, question)->recheck = true;
        return OK;
    }
    r->traffic.praised++;
    struct traffic_outcome *known = outcome_of(r, question, o->expert);
    if (!known)
        return praise_add(r, question, o, err);
    praise_more(&known->outcome, o->score);
    return OK;
}

static enum status read_opinions(struct reading *r, struct error *err)
{
    struct ledger_reader *reader = NULL;
    if (!r->o->ledger)
        return OK;
    enum status status = ledger_reader_create(r->o->ledger, &reader, err);
    if (status == OK)
        status = ledger_read_opinions(reader, r->o->since_ms, take_opinion, r, err);
    ledger_reader_free(reader);
    return status;
}

/* Scores of an earlier run */

static enum status score_put(struct reading *r, size_t question, struct str expert,
                             const struct outcome *o, struct error *err)
{
    struct traffic_outcome *known = outcome_of(r, question, expert);
    struct traffic_outcome t = {.question = question, .expert = expert, .outcome = *o};
    t.outcome.confidence = outcome_confidence(o);
    if (found_at(r, question)->recheck && o->score > 0.5f)
        t.outcome.confidence /= 2;
    if (!known)
        return outcome_add(r, &t, err);
    *known = t;
    return OK;
}

static enum status read_scores(struct reading *r, struct error *err)
{
    const struct dataset *d = r->o->scores;
    enum status status = OK;
    for (size_t q = 0; d && q < d->query_count && status == OK; q++) {
        uint32_t question;
        if (!map_get(r->texts, hash_key(NULL, &d->queries[q].text_hash), &question))
            continue;
        for (size_t e = 0; e < d->expert_count && status == OK; e++) {
            const struct outcome *o = dataset_outcome(d, q, e);
            if (o->known)
                status = score_put(r, question, d->experts[e].name, o, err);
        }
    }
    return status;
}

/* The result */

struct place {
    size_t index;
    const struct found *found;
};

/* Those to look at again first, then the newest; of equals the one that was found first. */
static int compare(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->found->recheck != y->found->recheck)
        return x->found->recheck ? -1 : 1;
    if (x->found->at_ms != y->found->at_ms)
        return x->found->at_ms > y->found->at_ms ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* One piece: the order decides who is left when there are too many, and outcomes follow their questions. */
static enum status finish(struct reading *r, struct traffic *ret, struct error *err)
{
    size_t all = found_count(r), count = all < FROM_LEDGER_MAX ? all : FROM_LEDGER_MAX;
    struct place *order = ARENA_ARRAY(r->arena, all + 1, struct place);
    size_t *moved = ARENA_ARRAY(r->arena, all + 1, size_t);
    struct traffic t = r->traffic;
    t.questions = ARENA_ARRAY(r->arena, count + 1, struct posed);
    t.recheck = ARENA_ARRAY(r->arena, count + 1, bool);
    t.outcomes = ARENA_ARRAY(r->arena, outcome_count(r) + 1, struct traffic_outcome);
    if (!order || !moved || !t.questions || !t.recheck || !t.outcomes)
        return no_memory(err);
    for (size_t i = 0; i < all; i++) {
        order[i] = (struct place){i, found_at(r, i)};
        moved[i] = SIZE_MAX;
    }
    qsort(order, all, sizeof(*order), compare);
    for (; t.count < count; t.count++) {
        moved[order[t.count].index] = t.count;
        t.questions[t.count] = order[t.count].found->posed;
        t.recheck[t.count] = order[t.count].found->recheck;
    }
    for (size_t i = 0; i < outcome_count(r); i++) {
        struct traffic_outcome o = outcome_at(r, i)->traffic;
        o.question = moved[o.question];
        if (o.question != SIZE_MAX)
            t.outcomes[t.outcome_count++] = o;
    }
    *ret = t;
    return OK;
}

enum status from_ledger_read(const struct from_ledger_options *options, struct arena *a,
                             struct traffic *ret, struct error *err)
{
    struct reading r = {
        .o = options, .arena = a, .requests = map_create(1024), .texts = map_create(1024)};
    buf_init(&r.asked, KEPT_ROWS_MAX * sizeof(struct asked));
    buf_init(&r.found, KEPT_ROWS_MAX * sizeof(struct found));
    buf_init(&r.outcomes, KEPT_ROWS_MAX * sizeof(struct scored));
    enum status status = r.requests && r.texts ? read_prompts(&r, err) : no_memory(err);
    if (status == OK)
        status = read_opinions(&r, err);
    if (status == OK)
        status = read_scores(&r, err);
    if (status == OK)
        status = finish(&r, ret, err);
    buf_done(&r.outcomes);
    buf_done(&r.found);
    buf_done(&r.asked);
    map_free(r.texts);
    map_free(r.requests);
    return status;
}
