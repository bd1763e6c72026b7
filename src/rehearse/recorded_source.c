/* Recorded answers by prompt: see recorded_source.h.
 *
 * Opening reads a whole data set and its texts and may take seconds: it is for commands, before any loop runs.
 * Afterwards nothing changes, so any number of loops ask the same source without a lock; recorded_free must wait until
 * the last of them has stopped. */
#include "rehearse/recorded_source.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/map.h"
#include "base/progress.h"
#include "data/dataset.h"
#include "rehearse/text_store.h"

#define CHARACTERS_PER_TOKEN 4
#define AMBIGUOUS            UINT32_MAX /* several queries share this bare text and differ in choices */
#define NONE                 UINT32_MAX

struct response {
    uint64_t offset; /* in the text store */
    uint32_t len;
    bool there;
};

struct recorded {
    struct dataset *data;
    struct text_store *texts;
    size_t experts[DATASET_EXPERTS_MAX]; /* indices into data->experts */
    size_t expert_count;
    struct response *responses; /* [expert_count × query_count], row-major by expert */
    size_t response_count;
    uint64_t *prompt_hashes; /* [query_count]; the keys of by_prompt */
    struct map *by_prompt;   /* 8-byte hash → query, or AMBIGUOUS */
    uint32_t *twins;         /* [query_count]: the next query with the same prompt, or NONE */
};

struct reading { /* of one expert's responses */
    struct recorded *recorded;
    const struct map *by_id;
    struct response *row;
    struct progress *progress;
    size_t done, found;
};

void recorded_free(struct recorded *r)
{
    if (!r)
        return;
    map_free(r->by_prompt);
    free(r->prompt_hashes);
    free(r->twins);
    free(r->responses);
    text_store_free(r->texts);
    dataset_free(r->data);
    free(r);
}

static struct str hash_key(const uint64_t *hash)
{
    return (struct str){(const char *)hash, sizeof(*hash)};
}

/* Every prompt, then every bare text that is not a prompt itself. */
static enum status index_prompts(struct recorded *r, struct error *err)
{
    size_t count = r->data->query_count;
    r->prompt_hashes = malloc((count + 1) * sizeof(*r->prompt_hashes));
    r->twins = malloc((count + 1) * sizeof(*r->twins));
    r->by_prompt = map_create(2 * count);
    bool fits = r->prompt_hashes && r->twins && r->by_prompt;
    for (size_t i = count; fits && i-- > 0;) { /* backwards, so that the first twin is found */
        uint32_t twin = NONE;
        r->prompt_hashes[i] = text_hash(r->data->queries[i].prompt);
        (void)map_get(r->by_prompt, hash_key(&r->prompt_hashes[i]), &twin);
        r->twins[i] = twin;
        fits = map_put(r->by_prompt, hash_key(&r->prompt_hashes[i]), (uint32_t)i) == OK;
    }
    for (size_t i = 0; fits && i < count; i++) {
        const struct query *q = &r->data->queries[i];
        uint32_t there;
        if (!map_get(r->by_prompt, hash_key(&q->text_hash), &there))
            fits = map_put(r->by_prompt, hash_key(&q->text_hash), (uint32_t)i) == OK;
        else if (there != AMBIGUOUS && r->prompt_hashes[there] != q->text_hash &&
                 r->prompt_hashes[there] != r->prompt_hashes[i])
            fits = map_put(r->by_prompt, hash_key(&q->text_hash), AMBIGUOUS) == OK;
    }
    return fits ? OK : error_set(err, ERR_MEMORY, "out of memory for the index of prompts");
}

static enum status keep_response(const struct response_line *said, void *arg, struct error *err)
{
    struct reading *reading = arg;
    uint32_t query;
    if (!map_get(reading->by_id, said->id, &query))
        return OK; /* a response to a query that this data set does not hold */
    struct response *response = &reading->row[query];
    enum status status =
        text_store_add(reading->recorded->texts, said->text, &response->offset, err);
    if (status != OK)
        return status;
    response->len = (uint32_t)said->text.len;
    response->there = true;
    reading->found++;
    progress_update(reading->progress, ++reading->done);
    return OK;
}

/* ERR_NOT_FOUND when the expert has no responses file. */
static enum status read_expert(struct reading *reading, size_t expert, struct error *err)
{
    struct recorded *r = reading->recorded;
    const struct dataset *d = r->data;
    size_t count = d->query_count;
    reading->row = &r->responses[r->expert_count * count];
    reading->found = 0;
    enum status status =
        responses_read(d->path.ptr, d->experts[expert].name, keep_response, reading, err);
    if (status != OK)
        return status;
    r->experts[r->expert_count++] = expert;
    r->response_count += reading->found;
    return OK;
}

/* Reads the experts in list[count]; when not `named`, those without a file are left out. */
static enum status read_experts(struct recorded *r, const struct map *by_id, const size_t *list,
                                size_t count, bool named, struct error *err)
{
    struct progress progress;
    struct reading reading = {.recorded = r, .by_id = by_id, .progress = &progress};
    enum status status = OK;
    r->responses = calloc(count * r->data->query_count + 1, sizeof(*r->responses));
    if (!r->responses)
        return error_set(err, ERR_MEMORY, "out of memory for the index of responses");
    progress_begin(&progress, "reading responses", count * r->data->query_count);
    for (size_t i = 0; i < count && status == OK; i++) {
        status = read_expert(&reading, list[i], err);
        if (status == ERR_NOT_FOUND && !named)
            status = OK;
        else if (status == ERR_NOT_FOUND)
            error_set(err, status, "%.*s has no responses/%.*s.jsonl(.gz) to replay",
                      STR_FMT(r->data->path), STR_FMT(r->data->experts[list[i]].name));
        reading.done = (i + 1) * r->data->query_count;
    }
    progress_end(&progress);
    if (status == OK && r->expert_count == 0)
        return error_set(err, ERR_NOT_FOUND,
                         "%.*s has no responses/ of any of its experts: there is nothing to replay",
                         STR_FMT(r->data->path));
    return status;
}

static enum status read_responses(struct recorded *r, const char *experts, struct error *err)
{
    size_t list[DATASET_EXPERTS_MAX], count = r->data->expert_count;
    enum status status = OK;
    for (size_t i = 0; i < count; i++)
        list[i] = i;
    if (experts)
        status = dataset_expert_list(r->data, experts, list, &count, err);
    if (status != OK)
        return status;
    struct map *by_id = map_create(r->data->query_count);
    bool fits = by_id;
    for (size_t i = 0; fits && i < r->data->query_count; i++)
        fits = map_put(by_id, r->data->queries[i].id, (uint32_t)i) == OK;
    status = fits ? read_experts(r, by_id, list, count, experts, err)
                  : error_set(err, ERR_MEMORY, "out of memory for the index of queries");
    map_free(by_id);
    return status;
}

enum status recorded_open(const char *path, const char *experts, struct recorded **ret,
                          struct error *err)
{
    struct recorded *r = calloc(1, sizeof(*r));
    if (!r)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = dataset_load(path, DATASET_ALL, &r->data, err);
    if (status == OK)
        status = text_store_create(&r->texts, err);
    if (status == OK)
        status = index_prompts(r, err);
    if (status == OK)
        status = read_responses(r, experts, err);
    if (status == OK)
        status = text_store_seal(r->texts, err);
    if (status != OK) {
        recorded_free(r);
        return status;
    }
    *ret = r;
    return OK;
}

static size_t count_experts(const void *self)
{
    const struct recorded *r = self;
    return r->expert_count;
}

static struct str name_expert(const void *self, size_t expert)
{
    const struct recorded *r = self;
    CHECK(expert < r->expert_count);
    return r->data->experts[r->experts[expert]].name;
}

static int64_t tokens_of(struct str text)
{
    size_t characters = 0;
    for (size_t i = 0; i < text.len; i++)
        characters += ((unsigned char)text.ptr[i] & 0xc0) != 0x80 ? 1 : 0;
    return (int64_t)((characters + CHARACTERS_PER_TOKEN - 1) / CHARACTERS_PER_TOKEN);
}

static void fill_answer(const struct recorded *r, size_t expert, uint32_t query,
                        struct rehearse_answer *ret)
{
    const struct response *response = &r->responses[expert * r->data->query_count + query];
    const struct outcome *outcome = dataset_outcome(r->data, query, r->experts[expert]);
    ret->text = text_store_get(r->texts, response->offset, response->len);
    if (outcome->tokens_known) {
        ret->input_tokens = outcome->input_tokens;
        ret->output_tokens = outcome->output_tokens;
    } else {
        ret->input_tokens = tokens_of(r->data->queries[query].prompt);
        ret->output_tokens = tokens_of(ret->text);
    }
}

static enum status answer(const void *self, size_t expert, struct str prompt, struct arena *a,
                          struct rehearse_answer *ret, struct error *err)
{
    const struct recorded *r = self;
    uint64_t hash = text_hash(prompt);
    uint32_t query;
    (void)a;
    CHECK(expert < r->expert_count);
    if (!map_get(r->by_prompt, hash_key(&hash), &query))
        return error_set(err, ERR_NOT_FOUND,
                         "this prompt is none of the %zu recorded queries (the last user message "
                         "must be a query's text, followed by its choices one a line)",
                         r->data->query_count);
    if (query == AMBIGUOUS)
        return error_set(
            err, ERR_NOT_FOUND,
            "several recorded queries share this text and differ in their choices: send the "
            "choices too, one a line, as \"A. ...\"");
    for (; query != NONE; query = r->twins[query]) {
        if (r->responses[expert * r->data->query_count + query].there) {
            fill_answer(r, expert, query, ret);
            return OK;
        }
    }
    return error_set(err, ERR_NOT_FOUND, "the prompt is recorded, but %.*s has no answer to it",
                     STR_FMT(name_expert(r, expert)));
}

struct rehearse_source recorded_source(const struct recorded *r)
{
    static const struct rehearse_source_ops ops = {count_experts, name_expert, answer};
    return (struct rehearse_source){&ops, r};
}

size_t recorded_query_count(const struct recorded *r)
{
    return r->data->query_count;
}

size_t recorded_response_count(const struct recorded *r)
{
    return r->response_count;
}

uint64_t recorded_text_bytes(const struct recorded *r)
{
    return text_store_bytes(r->texts);
}
