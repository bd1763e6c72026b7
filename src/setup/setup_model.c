/* Which model serves a configuration. Four cases, told apart by whether `model:` is given, whether its file is there,
 * and whether it knows every expert. Outcomes that the configuration names move the experts that have to be placed,
 * and them only: a trained model knows its own better. Strings that outlive the call are copied into the
 * configuration's arena, for the data set that they come from is closed here. */
#include "setup/setup_model.h"

#include <unistd.h>

#include "data/dataset.h"
#include "prior/prior.h"
#include "setup/setup_encoders.h"

#define SETUP_SCRATCH_BYTES_MAX (256u << 20)

/* What is to be placed, and which experts of the configuration these are. */
struct placing {
    struct prior_expert *experts;
    struct prior_place *places;
    size_t *index; /* [count] of the configuration */
    size_t count;
};

static enum status no_memory(struct error *err)
{
    return error_set(err, ERR_MEMORY, "out of memory for a model");
}

static size_t count_outcomes(const struct dataset *d, size_t expert)
{
    size_t n = 0;
    for (size_t i = 0; i < d->query_count && n < PRIOR_OUTCOMES_MAX; i++)
        n += dataset_outcome(d, i, expert)->known;
    return n;
}

/* The first outcomes of an expert, as many as count. Texts are the data set's. */
static enum status take_outcomes(const struct dataset *d, struct arena *a, struct prior_expert *p,
                                 struct error *err)
{
    size_t expert = dataset_expert_index(d, p->name), n = 0;
    size_t count = expert == SIZE_MAX ? 0 : count_outcomes(d, expert);
    struct prior_outcome *list = ARENA_ARRAY(a, count + 1, struct prior_outcome);
    if (!list)
        return no_memory(err);
    for (size_t i = 0; n < count; i++) {
        const struct outcome *o = dataset_outcome(d, i, expert);
        if (o->known)
            list[n++] =
                (struct prior_outcome){.text = d->queries[i].prompt,
                                       .text_hash = d->queries[i].text_hash,
                                       .score = o->score,
                                       .confidence = outcome_confidence(o),
                                       .output_tokens = o->tokens_known ? o->output_tokens : 0};
    }
    p->outcomes = list;
    p->outcome_count = n;
    return OK;
}

static enum status add_outcomes(const struct config *c, const struct placing *p, struct arena *a,
                                struct dataset **ret, struct error *err)
{
    enum status status = OK;
    if (!c->outcomes_path)
        return OK;
    status = dataset_load(c->outcomes_path, DATASET_ALL, ret, err);
    if (status != OK)
        error_prefix(err, "%s: outcomes", c->place);
    for (size_t i = 0; i < p->count && status == OK; i++)
        status = take_outcomes(*ret, a, &p->experts[i], err);
    return status;
}

/* All experts for `m` NULL, else those that it does not know. */
static enum status list_placing(const struct config *c, const struct model *m, struct arena *a,
                                struct placing *ret, struct error *err)
{
    size_t n = c->expert_count;
    *ret = (struct placing){.experts = ARENA_ARRAY(a, n, struct prior_expert),
                            .places = ARENA_ARRAY(a, n, struct prior_place),
                            .index = ARENA_ARRAY(a, n, size_t)};
    if (!ret->experts || !ret->places || !ret->index)
        return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        const struct expert *e = &c->experts[i];
        if (m && model_expert_index(m, e->name) != SIZE_MAX)
            continue;
        ret->index[ret->count] = i;
        ret->experts[ret->count++] = (struct prior_expert){.name = e->name,
                                                           .upstream = e->upstream_model,
                                                           .like = c->origins[i].like,
                                                           .price = e->price};
    }
    return OK;
}

/* What is said of each expert that was placed. */
static enum status note_places(struct config *c, const struct placing *p, struct error *err)
{
    const char **placed = ARENA_ARRAY(c->arena, c->expert_count, const char *);
    if (!placed)
        return no_memory(err);
    for (size_t i = 0; i < c->expert_count; i++)
        placed[i] = NULL;
    for (size_t i = 0; i < p->count; i++) {
        placed[p->index[i]] = arena_printf(c->arena, "%s", p->places[i].words);
        if (!placed[p->index[i]])
            return no_memory(err);
    }
    c->placed = placed;
    return OK;
}

/* With `m` the newcomers join it; without, the prior is all there is. */
static enum status place(const struct config *c, const struct model *m, const struct placing *p,
                         struct model **ret, struct error *err)
{
    enum status status = m ? prior_extend(m, p->experts, p->count, ret, p->places, err)
                           : prior_model(p->experts, p->count, ret, p->places, err);
    if (status != OK)
        error_prefix(err, "%s: experts", c->place);
    return status;
}

static enum status place_in(struct config *c, struct arena *a, struct model **m, struct error *err)
{
    struct placing p;
    struct dataset *outcomes = NULL;
    struct model *placed = NULL;
    enum status status = list_placing(c, *m, a, &p, err);
    if (status != OK || p.count == 0)
        return status;
    status = add_outcomes(c, &p, a, &outcomes, err);
    if (status == OK)
        status = place(c, *m, &p, &placed, err);
    dataset_free(outcomes);
    if (status == OK)
        status = note_places(c, &p, err);
    if (status != OK) {
        model_free(placed);
        return status;
    }
    model_free(*m);
    *m = placed;
    return OK;
}

/* One piece: each step needs the one before, and there is one way out. */
enum status setup_model(struct config *config, struct model **ret, struct error *err)
{
    struct model *m = NULL;
    enum status status = setup_encoders(config, true, err);
    if (status != OK)
        return status;
    if (config->model_given || access(config->model_path, F_OK) == 0) {
        status = model_load(config->model_path, &m, err);
        if (status != OK) {
            error_prefix(err, "%s: model", config->place);
            return status;
        }
    }
    status = config_price(config, m, err);
    if (status != OK) {
        model_free(m);
        return status;
    }
    struct arena *scratch = arena_create(SETUP_SCRATCH_BYTES_MAX);
    status = scratch ? place_in(config, scratch, &m, err) : no_memory(err);
    arena_free(scratch);
    if (status == OK)
        *ret = m;
    else
        model_free(m);
    return status;
}
