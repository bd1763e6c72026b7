/* Sources: whatever gives each expert a logit of a good answer to a text. A linear head over n-grams is one, what is
 * known of a text's group of domains another, a head over embeddings a third, a language model's own opinion a fourth.
 * The base stage weighs them by two slopes each (predict/predictor.h). *Late* ones, whose encoders may be silent, come
 * in behind calibration instead (predict/blend.h), so that without them the model is what it would be if there were
 * none.
 *
 * A kind of source is a `struct source_ops`: a file, and a row in model_sources.c. How a kind learns is
 * train/source_kind.h. A source of a model says `columns` numbers of a text: first one logit for each expert, then what
 * other sources may read; and `facts` that the trees see. It is immutable and shared by threads. */
#pragma once

#include <stddef.h>

#include "encode/encode.h"
#include "predict/linear.h"
#include "predict/safetensors.h"

#define EXPERTS_MAX        256
#define SOURCES_MAX        8
#define SOURCE_COLUMNS_MAX 288 /* of one: the experts' logits and what else it says */
#define SOURCE_FACTS_MAX   4
#define NOWHERE            SIZE_MAX
#define SOURCE_SILENT      (-1.0f) /* its encoder said nothing */

struct source;

/* What is known of a text when a source is asked: all encoders have spoken, and the sources before it. */
struct source_view {
    const struct encoding *said;       /* [encoders of the model] */
    const float *columns[SOURCES_MAX]; /* of each source before this one */
};

/* Where a source reads its tensors and finds what it refers to. */
struct source_file {
    const struct safetensors *file;
    struct json_value item; /* its own entry in the list of sources */
    struct arena *arena;    /* for its state */
    const struct encoder *const *encoders;
    const struct source *before; /* [the source's index] */
};

struct source_ops {
    const char *kind; /* in model files */
    bool
        late; /* it comes in behind calibration; it has no facts, and columns for the experts alone */
    size_t facts; /* at most SOURCE_FACTS_MAX */
    size_t
        entropy_fact; /* which of them says how unsure it is of the kind of text; NOWHERE: none */
    /* Sets columns, length_at and state of a source whose other fields are set. ERR_CORRUPT, ERR_MEMORY. */
    enum status (*read)(struct source *s, const struct source_file *in, struct error *err);
    /* columns [s->columns], facts [facts]. Returns how much of the text is new to it, 0 to 1, or, where it is late,
     * SOURCE_SILENT: it says nothing. No failure; a forged model may make it say anything, but no more than there is
     * room for. */
    float (*run)(const struct source *s, const struct source_view *v, float *columns, float *facts);
};

struct source {
    const struct source_ops *ops;
    struct str name; /* its tensors are source.NAME.… */
    size_t encoder;  /* whose words it reads, an index; NOWHERE: nobody's */
    size_t of;       /* the source before it that it reads; NOWHERE: none */
    size_t experts;
    size_t columns; /* experts … SOURCE_COLUMNS_MAX */
    size_t
        length_at; /* the column that says how long answers are, in standard deviations; NOWHERE: none */
    const void *state;
};

/* The kind of that name; NULL: there is none. */
const struct source_ops *source_ops_named(struct str kind);
/* One more, for a program that brings its own; it must stay. Before the first model is loaded and before there are
 * threads. ERR_INPUT: the name is taken, or there is no room. */
NODISCARD enum status source_ops_register(const struct source_ops *ops, struct error *err);

/* "source.NAME.SUFFIX" in the arena; NULL: out of memory. */
const char *source_tensor_name(const struct source *s, const char *suffix, struct arena *a);

/* Kinds */

/* A row of weights for each bucket of an encoder's sparse half (predict/linear.h): the experts' logits, log-odds of the
 * text's group, the length of answers. */
extern const struct source_ops linear_source;
struct linear_head {
    size_t groups, width;    /* of linear_width() */
    const uint16_t *weights; /* bfloat16 [buckets × width] */
    const float *bias;       /* [width] */
};

/* What is known of the groups of domains, mixed by the log-odds of the linear source that it is `of`. Facts: the
 * largest posterior, the entropy. */
extern const struct source_ops groups_source;
struct groups_head {
    size_t groups;
    const float *quality; /* [groups × experts] mean score in the group */
    /* [groups] of its domains, "math, physics"; NULL: a file of an earlier build. Nothing is reckoned by them. */
    const struct str *names;
};
/* How sure log-odds z[groups] are of the group: the posterior itself, the largest of it, its entropy. */
void groups_posterior(const float *z, size_t groups, float *posterior, float *ret_top,
                      float *ret_entropy);

/* One difficulty of the text for all experts, and what each makes of it: the source of experts without outcomes
 * (docs/prior.md). Its weights are few, a row for buckets that agree in their low bits, and no more for more experts:
 *
 *   difficulty = level · (1, column 0, logit of the mean score in the text's groups)
 *   logit of expert e = experts[0][e] + experts[1][e] · difficulty + Σ posterior of group g · experts[2 + g][e]
 *
 * Columns of the weights: the difficulty, a logit per group, the length of answers. Facts: column 0, the logit of the
 * groups' mean, the largest posterior, the entropy. */
#define DIFFICULTY_LEVELS 3 /* intercept and two slopes; behind them the groups' mean scores */
#define DIFFICULTY_PARAMETERS                                                                      \
    2 /* of an expert: intercept and slope; behind them the groups' offsets */
extern const struct source_ops difficulty_source;
struct difficulty_head {
    size_t groups, buckets;  /* buckets: a power of two, at most the encoder's */
    const uint16_t *weights; /* bfloat16 [buckets × difficulty_width()] */
    const float *bias;       /* [width] */
    const float *level;      /* [DIFFICULTY_LEVELS + groups] */
    const float *experts;    /* [DIFFICULTY_PARAMETERS + groups][experts] */
};
static inline size_t difficulty_width(size_t groups)
{
    return 1 + groups + 1;
}
/* What the head says of a text, for any number of experts: posterior [groups], facts as above. */
struct difficulty_said {
    float difficulty, length, novelty;
    float posterior[LINEAR_GROUPS_MAX];
    float facts[SOURCE_FACTS_MAX];
};
void difficulty_say(const struct difficulty_head *h, const struct encoding *said,
                    struct difficulty_said *ret);

/* Logistic regression on the first principal components of an encoder's dense half (fit/dense_fit.h):
 *
 *   component k = Σ_i (x_i − mean_i) · directions[i][k]
 *   logit of expert e = weights[0][e] + Σ_k weights[1 + k][e] · component k
 *
 * The directions are divided by one number, so that components are near 1 and keep their proportions. Late. */
#define DENSE_COMPONENTS_MAX 64
extern const struct source_ops dense_source;
struct dense_head {
    size_t dims, components;
    const float *mean;       /* [dims] */
    const float *directions; /* [dims × components] */
    const float *weights;    /* [1 + components][experts] */
};
/* components [h->components] of x [h->dims]. */
void dense_components(const struct dense_head *h, const float *x, float *components);
/* logits [experts] */
void dense_logits(const struct dense_head *h, const float *components, size_t experts,
                  float *logits);

/* What a language model that was asked whom to ask says (the encoder of opinions, reader/opinion_gguf.h), calibrated on
 * outcomes. An encoding is a log-probability for each of L labels, then C numbers that tell how certain the model is:
 *
 *   logit of expert e = w[0][e] + w[1][e] · (log-probability of its label − their mean)
 *                     + Σ_k w[2 + k][e] · (certainty k − shift[k]) · scale[k]
 *
 * An expert that joined later has no label, and NAN is said of it (predict/blend.h). Late. */
extern const struct source_ops opinion_source;
struct opinion_head {
    size_t labels, certainties;
    const float *label;         /* [experts] 1 + the index of its label; 0: none */
    const float *shift, *scale; /* [certainties] */
    const float *weights;       /* [2 + certainties][experts] */
};
/* logits [experts] of an encoding's dense [labels + certainties]; NAN: nothing is said. */
void opinion_logits(const struct opinion_head *h, const float *dense, size_t experts,
                    float *logits);
/* Of a label, 1 + its index: its log-probability less the mean of all; 0 where there is none. */
float opinion_centred(const float *dense, size_t labels, float label);
