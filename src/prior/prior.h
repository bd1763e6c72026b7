/* Models over experts that have no outcomes yet, or few: where each is placed says what is expected of it, by what is
 * known of others (docs/prior.md). What is known ships with the program: the base model, compiled in, says how hard a
 * text is and which known model is how strong at what. An expert is placed
 *
 *   as another        where `like` names a model that the base model knows: whoever configured it knows better
 *   by its name       else, where the base model knows that
 *   by its price      else: dearer models are stronger, with wide doubt
 *
 * and whatever outcomes of its own there are move it from there. What comes back is a model like one that was trained,
 * with one arm for each expert and no plans, so whoever routes, plans or serves need not know. */
#pragma once

#include "base/arena.h"
#include "base/money.h"
#include "base/str.h"
#include "enroll/enroll.h"
#include "predict/model.h"

#define PRIOR_OUTCOMES_MAX 512 /* of an expert that count; with more, train */
#define PRIOR_WORDS_MAX    192
#define PRIOR_NAME_MAX     128

/* One outcome of an expert. Where several experts have outcomes of one question, their texts are equal. */
struct prior_outcome {
    struct str text;       /* the prompt */
    float score;           /* 0..1 */
    int32_t output_tokens; /* 0: unknown */
    float
        confidence; /* how far the score is to be believed, up to 1; 0: not said, and counts as 1 */
    uint64_t text_hash; /* of the query, as a data set has it; 0: unknown */
};

struct prior_expert {
    struct str name;     /* in the model */
    struct str upstream; /* what its endpoint calls it, for finding it by name; empty: as `name` */
    struct str like;     /* name of a known model; empty: none */
    struct price price;
    const struct prior_outcome *outcomes; /* [outcome_count]; NULL: none */
    size_t outcome_count;
};

enum prior_basis { PRIOR_NAME, PRIOR_LIKE, PRIOR_PRICE };

/* On what an expert was placed. */
struct prior_place {
    enum prior_basis basis;
    char known[PRIOR_NAME_MAX];  /* the known model that it was placed as; empty by price */
    size_t outcomes;             /* of its own that moved it from there */
    double accuracy;             /* expected on the questions that the base model was made from */
    double accuracy_sd;          /* doubt of that */
    char words[PRIOR_WORDS_MAX]; /* "no outcomes yet: placed by price" */
};

/* "name", "like", "price" */
const char *prior_basis_name(enum prior_basis basis);

/* A model over experts[count], in their order; places[count]. ERR_INPUT: two experts of one name, none or too many, a
 * `like` that the base model does not know, with what it does know that is near. The caller frees with model_free. */
NODISCARD enum status prior_model(const struct prior_expert *experts, size_t count,
                                  struct model **ret, struct prior_place *places,
                                  struct error *err);

/* A trained model with newcomers[count] added behind its experts, each apart (train/model_edit.h): the others are
 * estimated as before, to the last bit. A newcomer is placed as above, relative to where the base model has the experts
 * that the model knows: its numbers are a mean of theirs, those most alike first, moved until its accuracy is the
 * expected one. `like` may also name an expert of the model, which the newcomer then is estimated as. ERR_INPUT also: a
 * newcomer that the model knows already. */
NODISCARD enum status prior_extend(const struct model *m, const struct prior_expert *newcomers,
                                   size_t count, struct model **ret, struct prior_place *places,
                                   struct error *err);

/* The first half of that: what is believed of each newcomer before its outcomes count, for enroll_fit; places[count]
 * says the same for a person. Errors as above. */
NODISCARD enum status prior_believe(const struct model *m, const struct prior_expert *newcomers,
                                    size_t count, struct enroll_belief *beliefs,
                                    struct prior_place *places, struct error *err);

/* Whether the base model knows a model of that name. */
bool prior_knows(struct str name);
/* Where the base model is from: a JSON object with version, date, data sets and their fingerprints, in the arena.
 * ERR_CORRUPT: what is compiled in is damaged. */
NODISCARD enum status prior_provenance(struct arena *a, struct str *ret, struct error *err);
