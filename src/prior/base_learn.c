/* Learning the base model. All data sets become one table with a single made-up expert, "everybody", whose score is
 * the mean score of those who were asked; what train_run learns of it is the difficulty. It is learnt once for each
 * fold, to tell every text by learners that never saw it; on these the models' parameters are fitted (family_fit.h);
 * and once on everything, for the file. One thread; half a minute for tens of thousands of texts. */
#include "prior/base_learn.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/rng.h"
#include "data/split.h"
#include "data/subset.h"
#include "prior/domains.h"
#include "prior/family_fit.h"
#include "prior/folded.h"
#include "prior/names.h"
#include "train/groups.h"
#include "train/train.h"

#define BUCKETS_USUAL  32768
#define FOLDS          4
#define KNOWN_ROWS_MIN 100 /* fewer say little of a model */
#define SCORES_MIN     3   /* of a text, or its mean is one model's luck */
#define TOKENS_MIN     5   /* answers of one letter say nothing of how long answers are */
#define SAMPLE         1024
/* How far a text moves the length that is expected of a newcomer's answers, of how far it moves those of the known:
 * what a text costs decides more than it should where qualities are told from afar (bench/quality.md). */
#define LENGTH_SHARE 0.2f

struct learning {
    const struct base_learning *in;
    struct arena *keep, *scratch;
    struct base *out;
    size_t rows, capacity;
    struct query *queries;          /* [rows] */
    float *scores;                  /* [rows × known] */
    struct outcome *everybody;      /* [rows] */
    float *said;                    /* [rows × base_sample_width] */
    double *longer, *longer_counts; /* [known] mean log ratio of output tokens */
    const struct encoder *encoder;
    size_t order
        [LINEAR_GROUPS_MAX]; /* [groups] where training put the groups, in the order of domains.h */
};

/* The known models */

static bool is_left_out(const struct learning *l, struct str canonical)
{
    for (size_t i = 0; i < l->in->without_count; i++)
        if (name_agreement(canonical, name_canonical(l->scratch, l->in->without[i])) >= 2)
            return true;
    return false;
}

static size_t known_index(const struct base *b, struct str name)
{
    for (size_t j = 0; j < b->known_count; j++)
        if (str_equal(b->known[j].name, name))
            return j;
    return SIZE_MAX;
}

static enum status list_known(struct learning *l, struct error *err)
{
    l->out->known = ARENA_ARRAY(l->keep, BASE_KNOWN_MAX, struct base_known);
    if (!l->out->known)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t s = 0; s < l->in->set_count; s++)
        for (size_t e = 0; e < l->in->sets[s]->expert_count; e++) {
            const struct dataset_expert *x = &l->in->sets[s]->experts[e];
            struct str name = name_canonical(l->keep, x->name);
            if (!name.ptr)
                return error_set(err, ERR_MEMORY, "out of memory");
            if (is_left_out(l, name) || known_index(l->out, name) != SIZE_MAX)
                continue;
            if (l->out->known_count == BASE_KNOWN_MAX)
                return error_set(err, ERR_INPUT, "more than %d models", BASE_KNOWN_MAX);
            l->out->known[l->out->known_count++] =
                (struct base_known){.name = name, .price = x->price};
        }
    return OK;
}

/* The table */

static enum status allocate(struct learning *l, struct error *err)
{
    for (size_t s = 0; s < l->in->set_count; s++)
        l->capacity += l->in->sets[s]->query_count;
    l->queries = ARENA_ARRAY(l->scratch, l->capacity, struct query);
    l->scores = ARENA_ARRAY(l->scratch, l->capacity * l->out->known_count, float);
    l->everybody = ARENA_ARRAY(l->scratch, l->capacity, struct outcome);
    l->longer = ARENA_ARRAY(l->scratch, 2 * l->out->known_count, double);
    if (!l->queries || !l->scores || !l->everybody || !l->longer)
        return error_set(err, ERR_MEMORY, "out of memory");
    l->longer_counts = l->longer + l->out->known_count;
    return OK;
}

/* column[experts]: a data set's expert among the known, SIZE_MAX where it is left out; means[experts] of its scores. */
static void set_columns(const struct learning *l, const struct dataset *d, size_t *column,
                        double *means)
{
    for (size_t e = 0; e < d->expert_count; e++) {
        double sum = 0, n = 0;
        column[e] = known_index(l->out, name_canonical(l->scratch, d->experts[e].name));
        for (size_t i = 0; i < d->query_count; i++) {
            const struct outcome *o = dataset_outcome(d, i, e);
            if (o->known && (!l->in->uses || l->in->uses(&d->queries[i], l->in->arg))) {
                sum += (double)o->score;
                n++;
            }
        }
        means[e] = n > 0 ? sum / n : 0.5;
    }
}

/* The outcome of everybody: as if all experts of the set had been asked, by how much better than usual those did who
 * were. Returns false where too few were. */
static bool ask_everybody(struct learning *l, const struct dataset *d, size_t i,
                          const size_t *column, const double *means, float *scores)
{
    double level = 0, better = 0, n = 0, all = 0, tokens = 0, input = 0, counted = 0;
    for (size_t e = 0; e < d->expert_count; e++) {
        const struct outcome *o = dataset_outcome(d, i, e);
        if (column[e] == SIZE_MAX)
            continue;
        level += means[e];
        all++;
        if (!o->known)
            continue;
        scores[column[e]] = o->score;
        better += (double)o->score - means[e];
        n++;
        if (o->tokens_known && o->output_tokens >= TOKENS_MIN) {
            tokens += log1p(o->output_tokens);
            input += o->input_tokens;
            counted++;
        }
    }
    if (n < SCORES_MIN)
        return false;
    double score = fmax(0, fmin(1, level / all + better / n));
    struct outcome *o = &l->everybody[l->rows];
    *o = (struct outcome){.present = true, .known = true, .score = (float)score, .confidence = 1};
    if (counted < SCORES_MIN)
        return true;
    o->tokens_known = true;
    o->output_tokens = (int32_t)(expm1(tokens / counted) + 0.5);
    o->input_tokens = (int32_t)(input / counted + 0.5);
    for (size_t e = 0; e < d->expert_count; e++) {
        const struct outcome *x = dataset_outcome(d, i, e);
        if (column[e] == SIZE_MAX || !x->known || !x->tokens_known || x->output_tokens < TOKENS_MIN)
            continue;
        l->longer[column[e]] += log1p(x->output_tokens) - tokens / counted;
        l->longer_counts[column[e]]++;
    }
    return true;
}

static void gather_set(struct learning *l, const struct dataset *d)
{
    size_t column[DATASET_EXPERTS_MAX];
    double means[DATASET_EXPERTS_MAX];
    set_columns(l, d, column, means);
    for (size_t i = 0; i < d->query_count; i++) {
        float *scores = l->scores + l->rows * l->out->known_count;
        if (l->in->uses && !l->in->uses(&d->queries[i], l->in->arg))
            continue;
        for (size_t j = 0; j < l->out->known_count; j++)
            scores[j] = -1;
        if (!ask_everybody(l, d, i, column, means, scores))
            continue;
        size_t group = domain_group(d->queries[i].task, d->queries[i].domain);
        l->queries[l->rows] = d->queries[i];
        l->queries[l->rows].domain =
            group == SIZE_MAX ? (struct str){NULL, 0} : str_from(domain_group_names[group]);
        l->rows++;
    }
}

/* Models of too few outcomes go, and their columns with them. */
static void drop_few(struct learning *l)
{
    struct base *b = l->out;
    size_t kept = 0, column[BASE_KNOWN_MAX], known = b->known_count;
    for (size_t j = 0; j < known; j++) {
        double sum = 0;
        size_t n = 0;
        for (size_t i = 0; i < l->rows; i++) {
            float score = l->scores[i * known + j];
            sum += score >= 0 ? (double)score : 0;
            n += score >= 0;
        }
        if (n < KNOWN_ROWS_MIN)
            continue;
        b->known[j].outcomes = n;
        b->known[j].accuracy = sum / (double)n;
        b->known[j].output_ratio =
            l->longer_counts[j] > 0 ? exp(l->longer[j] / l->longer_counts[j]) : 1;
        b->known[kept] = b->known[j];
        column[kept++] = j;
    }
    for (size_t i = 0; i < l->rows; i++)
        for (size_t j = 0; j < kept; j++)
            l->scores[i * kept + j] = l->scores[i * known + column[j]];
    b->known_count = kept;
}

/* The difficulty */

/* Training numbers groups as it likes, by the rows that it sees; a fold's must be those of the file. Fills l->order.
 * ERR_INPUT: two of domains.h are one group, or one is not there. */
static enum status find_order(struct learning *l, const struct dataset *part, struct error *err)
{
    float *scores = ARENA_ARRAY(l->scratch, part->query_count + 1, float);
    float *weights = ARENA_ARRAY(l->scratch, part->query_count + 1, float);
    uint8_t *groups = ARENA_ARRAY(l->scratch, part->query_count + 1, uint8_t);
    size_t count = 0, found = 0;
    bool seen[LINEAR_GROUPS_MAX] = {false};
    if (!scores || !weights || !groups)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < part->query_count; i++) {
        scores[i] = part->outcomes[i].score;
        weights[i] = part->outcomes[i].confidence;
    }
    enum status status = groups_find(part, scores, weights, 1, groups, &count, err);
    for (size_t g = 0; g < DOMAIN_GROUPS && status == OK; g++)
        for (size_t i = 0; i < part->query_count; i++)
            if (groups[i] < count && !seen[groups[i]] &&
                str_equal(part->queries[i].domain, str_from(domain_group_names[g]))) {
                seen[groups[i]] = true;
                l->order[found++] = groups[i];
                break;
            }
    if (status == OK && found != count)
        return error_set(err, ERR_INPUT, "%zu groups of domains where there should be %zu", count,
                         found);
    return status;
}

/* One piece: a data set of one expert, and how it is trained on. */
static enum status learn_everybody(struct learning *l, uint64_t seed, const uint32_t *rows,
                                   size_t count, struct trained **ret, struct error *err)
{
    struct dataset_expert expert = {.name = STR("everybody")};
    struct dataset all = {.arena = l->scratch,
                          .path = STR("the base model's texts"),
                          .queries = l->queries,
                          .query_count = l->rows,
                          .experts = &expert,
                          .expert_count = 1,
                          .outcomes = l->everybody};
    const struct train_source sources[] = {
        {.name = "words", .kind = "linear", .encoder = l->encoder->name},
        {.name = "groups", .kind = "groups", .of = "words"},
    };
    struct train_options options;
    struct dataset *part = NULL;
    train_options_default(&options);
    options.seed = seed;
    options.sources = sources;
    options.source_count = 2;
    enum status status = dataset_subset(&all, rows, count, &part, err);
    if (status == OK)
        status = find_order(l, part, err);
    if (status == OK)
        status = train_run(part, &options, ret, err);
    dataset_free(part);
    return status;
}

/* What the forest of training looks at behind the statistics (the sources' means, the groups' facts) stands elsewhere
 * once the difficulty is one source with four facts: its mean comes first. */
static void move_features(struct forest *f, size_t statistics)
{
    for (size_t t = 0; t < f->tree_count; t++)
        for (size_t n = 0; n < f->trees[t].nodes; n++)
            f->trees[t].features[n] =
                (uint8_t)(f->trees[t].features[n] + (f->trees[t].features[n] >= statistics));
}

/* A trained everybody as a difficulty: the stages of its one expert fold into a few numbers. */
static enum status adopt(const struct learning *l, const struct trained *t, struct arena *a,
                         struct base *ret, struct error *err)
{
    const struct predictor *p = &t->parts.predictor;
    const struct linear_head *words = p->sources[0].state;
    const struct groups_head *groups = p->sources[1].state;
    size_t g = words->groups, width = difficulty_width(g), buckets = l->encoder->bucket_count;
    uint16_t *weights = ARENA_ARRAY(a, buckets * width, uint16_t);
    float *bias = ARENA_ARRAY(a, width, float),
          *level = ARENA_ARRAY(a, DIFFICULTY_LEVELS + g, float);
    float *tokens = ARENA_ARRAY(a, TOKEN_PARAMETERS, float);
    size_t trees = p->forest.tree_count;
    ret->forest = (struct forest){.tree_count = trees,
                                  .experts = 1,
                                  .trees = ARENA_ARRAY(a, trees, struct tree),
                                  .leaves = ARENA_ARRAY(a, trees * TREE_LEAVES_MAX, float)};
    if (!weights || !bias || !level || !tokens || !ret->forest.trees || !ret->forest.leaves)
        return error_set(err, ERR_MEMORY, "out of memory");
    if (g > BASE_GROUPS_MAX)
        return error_set(err, ERR_INPUT, "%zu groups of domains; at most %d", g, BASE_GROUPS_MAX);
    for (size_t j = 0; j < width; j++) {
        size_t from = j >= 1 && j <= g ? 1 + l->order[j - 1] : j;
        bias[j] = words->bias[from];
        for (size_t b = 0; b < buckets; b++)
            weights[b * width + j] = words->weights[b * words->width + from];
    }
    const float *base = p->base, *c = p->calibration;
    float scale = c[CALIBRATION_SLOPES], offset = c[CALIBRATION_SLOPES + 1];
    level[0] = scale * c[0] * base[0] + offset;
    level[1] = scale * c[0] * base[1];
    level[2] = scale * c[0] * base[1 + LEVEL_SLOPES];
    for (size_t j = 0; j < g; j++)
        level[DIFFICULTY_LEVELS + j] = groups->quality[l->order[j]];
    memcpy(ret->forest.trees, p->forest.trees, trees * sizeof(struct tree));
    move_features(&ret->forest, p->statistics);
    for (size_t i = 0; i < trees * TREE_LEAVES_MAX; i++)
        ret->forest.leaves[i] = scale * c[LEVEL_SLOPES] * p->forest.leaves[i];
    memcpy(tokens, p->tokens, TOKEN_PARAMETERS * sizeof(*tokens));
    ret->tokens = tokens;
    ret->head = (struct difficulty_head){
        .groups = g, .buckets = buckets, .weights = weights, .bias = bias, .level = level};
    return OK;
}

/* Tells the rows of a fold by a base that never saw them. */
static enum status tell_rows(struct learning *l, const struct base *b, const uint32_t *rows,
                             size_t count, struct error *err)
{
    struct features f;
    enum status status = features_init(&f, err);
    size_t width = base_sample_width(b);
    for (size_t i = 0; i < count && status == OK; i++)
        status = base_say(b, l->queries[rows[i]].prompt, &f, l->said + rows[i] * width, err);
    features_done(&f);
    return status;
}

static size_t rows_of(const struct learning *l, size_t fold, bool inside, uint32_t *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < l->rows; i++)
        if ((split_fold(l->queries[i].text_hash, hash64_mix(l->in->seed, 3), FOLDS) == fold) ==
            inside)
            rows[n++] = (uint32_t)i;
    return n;
}

static enum status tell_fold(struct learning *l, size_t fold, uint32_t *rows, size_t groups,
                             struct error *err)
{
    struct trained *t = NULL;
    struct base b = {0};
    struct arena *a = arena_create((size_t)1 << 30);
    enum status status = a ? OK : error_set(err, ERR_MEMORY, "out of memory");
    if (status == OK)
        status = learn_everybody(l, l->in->seed + 1 + fold, rows, rows_of(l, fold, false, rows), &t,
                                 err);
    if (status == OK)
        status = adopt(l, t, a, &b, err);
    if (status == OK && b.head.groups != groups)
        status = error_set(err, ERR_INPUT, "a fold lacks a group of domains");
    if (status == OK)
        status = tell_rows(l, &b, rows, rows_of(l, fold, true, rows), err);
    trained_free(t);
    arena_free(a);
    return status;
}

static enum status learn_difficulty(struct learning *l, struct error *err)
{
    struct trained *t = NULL;
    uint32_t *rows = ARENA_ARRAY(l->scratch, l->rows + 1, uint32_t);
    if (!rows)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < l->rows; i++)
        rows[i] = (uint32_t)i;
    enum status status = learn_everybody(l, l->in->seed, rows, l->rows, &t, err);
    if (status == OK)
        status = adopt(l, t, l->keep, l->out, err);
    trained_free(t);
    if (status != OK)
        return status;
    l->said = ARENA_ARRAY(l->scratch, l->rows * base_sample_width(l->out), float);
    if (!l->said)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t fold = 0; fold < FOLDS && status == OK; fold++)
        status = tell_fold(l, fold, rows, l->out->head.groups, err);
    return status;
}

/* The rest */

static enum status keep_sample(struct learning *l, struct error *err)
{
    size_t width = base_sample_width(l->out), n = l->rows < SAMPLE ? l->rows : SAMPLE;
    uint32_t *order = ARENA_ARRAY(l->scratch, l->rows, uint32_t);
    float *sample = ARENA_ARRAY(l->keep, n * width, float);
    struct rng rng;
    if (!order || !sample)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < l->rows; i++)
        order[i] = (uint32_t)i;
    rng_seed(&rng, hash64_mix(l->in->seed, 4));
    rng_shuffle_u32(&rng, order, l->rows);
    for (size_t i = 0; i < n; i++)
        memcpy(sample + i * width, l->said + order[i] * width, width * sizeof(*sample));
    l->out->sample = sample;
    l->out->sample_rows = n;
    return OK;
}

/* Lengths vary less by the text, around the same mean of their logarithms over the sample. */
static enum status calm_lengths(struct learning *l, struct error *err)
{
    size_t width = base_sample_width(l->out), n = l->out->sample_rows;
    float *tokens = ARENA_ARRAY(l->keep, TOKEN_PARAMETERS, float);
    double mean = 0;
    if (!tokens)
        return error_set(err, ERR_MEMORY, "out of memory");
    memcpy(tokens, l->out->tokens, TOKEN_PARAMETERS * sizeof(*tokens));
    for (size_t i = 0; i < n; i++) {
        const float *end = l->out->sample + (i + 1) * width;
        mean += (double)(tokens[TOKENS_OUT_LENGTH] * end[-1] +
                         tokens[TOKENS_OUT_LOG_CHARACTERS] * log1pf(end[-2])) /
                (double)n;
    }
    tokens[TOKENS_OUT_BASE] += (1 - LENGTH_SHARE) * (float)mean;
    tokens[TOKENS_OUT_LENGTH] *= LENGTH_SHARE;
    tokens[TOKENS_OUT_LOG_CHARACTERS] *= LENGTH_SHARE;
    l->out->tokens = tokens;
    return OK;
}

static enum status fit_models(struct learning *l, struct error *err)
{
    struct base *b = l->out;
    double share;
    const struct family_rows rows = {.rows = l->said,
                                     .scores = l->scores,
                                     .count = l->rows,
                                     .width = base_sample_width(b),
                                     .known = b->known_count,
                                     .parameters = base_parameters(b)};
    float *spread = ARENA_ARRAY(l->keep, SPREAD_TERMS, float);
    if (!spread)
        return error_set(err, ERR_MEMORY, "out of memory");
    family_fit(&rows, b);
    family_fit_price(b);
    family_fit_question(&rows, b, &b->question_sd, &share);
    spread[0] = (float)share;
    b->spread = spread;
    return OK;
}

/* What it was made from: names, texts, scores. */
static uint64_t fingerprint(const struct dataset *d)
{
    uint64_t h = 0;
    for (size_t i = 0; i < d->query_count; i++) {
        h = hash64_mix(h, hash64(d->queries[i].prompt, 0));
        for (size_t e = 0; e < d->expert_count; e++) {
            const struct outcome *o = dataset_outcome(d, i, e);
            h = hash64_mix(h, o->known ? (uint64_t)(o->score * 1e6f) + 1 : 0);
        }
    }
    return h;
}

/* One piece, for it is one object. */
static enum status describe(struct learning *l, struct error *err)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    buf_addf(&b, "{\"version\":\"%s\",\"date\":", BASE_VERSION);
    json_write_string(&b, str_from(l->in->date ? l->in->date : ""));
    buf_addf(&b, ",\"leeroo\":\"%s\",\"seed\":%" PRIu64 ",\"texts\":%zu,\"models\":%zu,\"sets\":[",
             LEEROO_VERSION, l->in->seed, l->rows, l->out->known_count);
    for (size_t s = 0; s < l->in->set_count; s++) {
        const struct dataset *d = l->in->sets[s];
        struct str path = d->path;
        for (size_t i = path.len; i > 0; i--)
            if (path.ptr[i - 1] == '/') {
                path = str_slice(path, i, path.len);
                break;
            }
        buf_add_c(&b, s ? ",{\"name\":" : "{\"name\":");
        json_write_string(&b, path);
        buf_addf(&b, ",\"queries\":%zu,\"experts\":%zu,\"fingerprint\":\"%016" PRIx64 "\"}",
                 d->query_count, d->expert_count, fingerprint(d));
    }
    buf_add_c(&b, "]}");
    enum status status = buf_status(&b, err);
    if (status == OK) {
        l->out->provenance = arena_copy(l->keep, buf_str(&b));
        if (!l->out->provenance.ptr)
            status = error_set(err, ERR_MEMORY, "out of memory");
    }
    buf_done(&b);
    return status;
}

static enum status run(struct learning *l, struct error *err)
{
    enum status status =
        folded_encoder(l->in->buckets ? l->in->buckets : BUCKETS_USUAL, &l->encoder, err);
    if (status == OK)
        status = list_known(l, err);
    if (status == OK)
        status = allocate(l, err);
    if (status != OK)
        return status;
    for (size_t s = 0; s < l->in->set_count; s++)
        gather_set(l, l->in->sets[s]);
    drop_few(l);
    if (l->rows < TRAIN_ROWS_MIN || l->out->known_count < 2)
        return error_set(err, ERR_INPUT, "%zu texts of %zu models are too few for a base model",
                         l->rows, l->out->known_count);
    status = learn_difficulty(l, err);
    if (status == OK)
        status = fit_models(l, err);
    if (status == OK)
        status = keep_sample(l, err);
    if (status == OK)
        status = calm_lengths(l, err);
    return status == OK ? describe(l, err) : status;
}

enum status base_learn(const struct base_learning *in, struct arena *a, struct base *ret,
                       struct error *err)
{
    struct base made = {0};
    struct arena *scratch = arena_create((size_t)8 << 30);
    if (!scratch)
        return error_set(err, ERR_MEMORY, "out of memory");
    struct learning l = {.in = in, .keep = a, .scratch = scratch, .out = &made};
    enum status status = run(&l, err);
    arena_free(scratch);
    if (status == OK)
        *ret = made;
    return status;
}
