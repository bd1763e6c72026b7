/* Learning the sources of a model, fold by fold, so that every row is predicted by learners that never saw it. On
 * one thread, in the order of the sources: a source may read what those before it say. What is random is drawn in
 * that order from one generator, so the order is part of what a seed means. Learners are called as source_kind.h
 * says and by nobody else; they are freed when training ends, whether it succeeded or not. */
#include <string.h>

#include "base/check.h"
#include "train/source_kind.h"

/* What a data set of outcomes alone can teach. */
static const struct train_source usual[] = {
    {.name = "words", .kind = "linear", .encoder = "ngram"},
    {.name = "groups", .kind = "groups", .of = "words"},
};

static enum status find_encoder(struct train_work *w, const struct train_source *from, size_t *ret,
                                struct error *err)
{
    struct predictor *p = w->predictor;
    const char *name = from->instance ? from->instance->name : from->encoder;
    *ret = NOWHERE;
    if (!name)
        return OK;
    for (size_t i = 0; i < p->encoder_count; i++)
        if (!strcmp(p->encoders[i]->name, name)) {
            *ret = i;
            return OK;
        }
    const struct encoder *e = from->instance ? from->instance : encoder_named(str_from(name));
    if (!e || p->encoder_count == ENCODERS_MAX)
        return error_set(err, ERR_INPUT, e ? "one encoder too many: '%s'" : "no encoder '%s'",
                         name);
    w->table.encoded[p->encoder_count].encoder = e;
    p->encoders[ *ret = p->encoder_count++] = e;
    w->table.encoder_count = p->encoder_count;
    return OK;
}

static size_t find_source(const struct predictor *p, const char *name)
{
    for (size_t i = 0; name && i < p->source_count + p->late_count; i++)
        if (str_equal(p->sources[i].name, str_from(name)))
            return i;
    return NOWHERE;
}

/* One piece: a source is refused before anything of it is kept. */
static enum status choose(struct train_work *w, const struct train_source *from, struct error *err)
{
    struct predictor *p = w->predictor;
    const struct source_kind *kind = source_kind_named(str_from(from->kind));
    size_t of = find_source(p, from->of), encoder;
    size_t place = p->source_count + p->late_count;
    bool in_place = kind && (kind->ops->late || !p->late_count);
    if (!in_place || place == SOURCES_MAX || p->late_count == TRAIN_LATE_MAX ||
        (from->of && of == NOWHERE) || find_source(p, from->name) != NOWHERE)
        return error_set(err, ERR_INPUT,
                         "source '%s': an unknown kind, a name that is taken, of no source before "
                         "it, or one too many",
                         from->name);
    enum status status = find_encoder(w, from, &encoder, err);
    if (status != OK)
        return status;
    struct str name = arena_copy(w->out->arena, str_from(from->name));
    if (!name.ptr)
        return error_set(err, ERR_MEMORY, "out of memory");
    w->kinds[place] = kind;
    *(kind->ops->late ? &p->late_count : &p->source_count) += 1;
    p->sources[place] = (struct source){.ops = kind->ops,
                                        .name = name,
                                        .encoder = encoder,
                                        .of = of,
                                        .experts = w->table.experts,
                                        .length_at = NOWHERE};
    return OK;
}

enum status train_sources_choose(struct train_work *w, struct error *err)
{
    const struct train_source *sources = w->options->sources;
    size_t count = w->options->source_count;
    if (!sources) {
        sources = usual;
        count = sizeof(usual) / sizeof(usual[0]);
    }
    enum status status = OK;
    for (size_t i = 0; i < count && status == OK; i++)
        status = choose(w, &sources[i], err);
    for (size_t i = 0; i < w->options->late_count && status == OK; i++)
        status = choose(w, &w->options->late[i], err);
    return status;
}

enum status train_sources_create(struct train_work *w, struct error *err)
{
    struct predictor *p = w->predictor;
    const struct source_training in = {&w->table, w->options, p->sources, w->out->arena,
                                       w->scratch};
    for (size_t s = 0; s < p->source_count + p->late_count; s++) {
        struct source *source = &p->sources[s];
        enum status status = w->kinds[s]->create(&in, source, &w->learners[s], err);
        if (status != OK)
            return status;
        CHECK(source->columns >= p->experts && source->columns <= SOURCE_COLUMNS_MAX);
        if (w->kinds[s]->ops->late)
            continue; /* blend_fit.c keeps what it says */
        w->columns[s] = ARENA_ARRAY(w->scratch, w->table.rows * source->columns, float);
        if (!w->columns[s])
            return error_set(err, ERR_MEMORY, "out of memory");
    }
    if (!predictor_layout(p))
        return error_set(err, ERR_INPUT, "trees cannot look at more than %d numbers", FEATURES_MAX);
    w->features = ARENA_ARRAY(w->scratch, w->table.rows * p->features, float);
    return w->features ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

static void predict_row(struct train_work *w, size_t row)
{
    const struct predictor *p = w->predictor;
    struct encoding said[ENCODERS_MAX];
    struct source_view v = {.said = said};
    float *features = w->features + row * p->features, *facts = predictor_facts(p, 0, features);
    train_table_said(&w->table, row, said);
    for (size_t s = 0; s < p->source_count; s++) {
        float *columns = w->columns[s] + row * p->sources[s].columns;
        w->kinds[s]->predict(w->learners[s], row, &v, columns, facts);
        v.columns[s] = columns;
        facts += p->sources[s].ops->facts;
    }
    predictor_stack(p, &v, features);
}

enum status train_sources_learn(struct train_work *w, struct rng *rng, struct error *err)
{
    (void)err;
    CHECK(w->features && w->predictor->contrast);
    for (unsigned fold = 0; fold < TRAIN_FOLDS; fold++) {
        for (size_t s = 0; s < w->predictor->source_count; s++) {
            size_t count = train_table_rows(&w->table, fold, false, w->order);
            w->kinds[s]->learn(w->learners[s], w->order, count, 1.0f / TRAIN_FOLDS, rng);
        }
        size_t held_out = train_table_rows(&w->table, fold, true, w->inside);
        for (size_t k = 0; k < held_out; k++)
            predict_row(w, w->inside[k]);
        train_report(w);
    }
    return OK;
}

static enum status finish(struct train_work *w, size_t first, size_t count, struct error *err)
{
    size_t all = train_table_rows(&w->table, TRAIN_FOLDS, false, w->order);
    enum status status = OK;
    CHECK(all == w->table.rows);
    for (size_t s = first; s < first + count && status == OK; s++)
        status = w->kinds[s]->finish(w->learners[s], w->order, all, &w->predictor->sources[s], err);
    return status;
}

enum status train_sources_finish(struct train_work *w, struct error *err)
{
    return finish(w, 0, w->predictor->source_count, err);
}

enum status train_sources_finish_late(struct train_work *w, struct error *err)
{
    return finish(w, w->predictor->source_count, w->predictor->late_count, err);
}

enum status train_sources_novelty(const struct train_work *w, float *novelty, float *scratch,
                                  struct error *err)
{
    enum status status = OK;
    memset(novelty, 0, w->table.rows * sizeof(*novelty));
    for (size_t s = 0; s < w->predictor->source_count && status == OK; s++) {
        if (!w->kinds[s]->novelty)
            continue;
        status = w->kinds[s]->novelty(w->learners[s], scratch, err);
        for (size_t i = 0; i < w->table.rows && status == OK; i++)
            novelty[i] = scratch[i] > novelty[i] ? scratch[i] : novelty[i];
    }
    return status;
}

void train_sources_free(struct train_work *w)
{
    for (size_t s = 0; s < w->predictor->source_count + w->predictor->late_count; s++)
        w->kinds[s]->free(w->learners[s]);
}
