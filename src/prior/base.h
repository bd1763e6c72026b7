/* The base model in memory: how hard a text is, and how strong the models are that it was made from. Made by
 * base_learn, written and read by base_file, used by place. Everything lives in one arena and is read-only.
 *
 * An expert is a vector of parameters[base_parameters]: intercept a, slope b, an offset of each group; its logit of a
 * good answer to a text of difficulty d and posterior p over the groups is a + b·d + Σ p_g·offset_g. Models of unlike
 * strength s differ in a regular way, the family:
 *
 *   parameters = family[0] + family[1]·s, each with a deviation of its own, sd deviation[k]
 *   s          = price[0] + price[1]·log(USD per million tokens), with sd strength_sd
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/money.h"
#include "predict/predictor.h"

#define BASE_GROUPS_MAX     14
#define BASE_PARAMETERS_MAX (DIFFICULTY_PARAMETERS + BASE_GROUPS_MAX)
#define BASE_KNOWN_MAX      512
#define BASE_SAMPLE_MAX     4096
#define BASE_BYTES_MAX      2000000
#define BASE_VERSION        "1"

struct base_known {
    struct str name; /* canonical (names.h) */
    struct price price;
    double strength;
    double accuracy; /* mean score, of what it was asked */
    size_t outcomes;
    double parameters[BASE_PARAMETERS_MAX];
    double output_ratio; /* its output tokens, as a multiple of what base.tokens expects */
};

struct base {
    struct difficulty_head head; /* without experts */
    struct forest forest;        /* one output: the difficulty's correction */
    const float *tokens;         /* [TOKEN_PARAMETERS] */
    const float *spread;         /* [SPREAD_TERMS] */
    const float *sample;         /* [sample_rows][base_sample_width]: see below */
    size_t sample_rows;
    double family[2][BASE_PARAMETERS_MAX], deviation[BASE_PARAMETERS_MAX];
    double price[2], strength_sd;
    double question_sd; /* of what questions of one text have in common beside it, in logits */
    struct base_known *known;
    size_t known_count;
    struct str provenance; /* JSON object */
};

static inline size_t base_parameters(const struct base *b)
{
    return DIFFICULTY_PARAMETERS + b->head.groups;
}

/* A row of the sample, of a text the base model was made from, held out: difficulty (with the trees' correction),
 * posterior of the groups, characters, predicted length. */
static inline size_t base_sample_width(const struct base *b)
{
    return 1 + b->head.groups + 2;
}

/* A price as one number: USD per million tokens, three of input to one of output. */
double base_blend_usd(const struct price *p);
/* The same, from which strength is told: at least BASE_PRICE_MIN, for what costs nothing runs on somebody's own
 * machine. */
#define BASE_PRICE_MIN 0.02
double base_price_usd(const struct price *p);
/* What a price alone says of strength. */
double base_strength_by_price(const struct base *b, const struct price *p);
/* parameters[base_parameters] of the family at a strength. */
void base_family(const struct base *b, double strength, double *parameters);
/* The logit at a row of the sample, or of any difficulty and posterior in its layout. */
double base_logit(const struct base *b, const double *parameters, const float *row);
/* row[base_sample_width] of a text. Fails only for want of memory. */
NODISCARD enum status base_say(const struct base *b, struct str text, struct features *f,
                               float *row, struct error *err);
