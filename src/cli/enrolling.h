/* What the files of `leeroo enroll` share. */
#pragma once

#include "data/dataset.h"
#include "enroll/enroll.h"
#include "prior/prior.h"
#include "setup/model_change.h"

struct enroll_command {
    const char *path, *dataset, *from, *output; /* NULL: not given */
    const char *name, *price, *like;
    bool replace, json, quiet;
    size_t suggest;
    struct arena *arena;
    struct model *model;   /* as it is */
    struct model *without; /* in its place where the expert is known and --replace is given; NULL */
    size_t replaced;       /* SIZE_MAX: nobody */
    struct dataset *d, *questions;
    struct enroll_newcomer newcomer;
    struct prior_place place;
};

/* The model that the newcomer joins. */
static inline const struct model *enroll_into(const struct enroll_command *c)
{
    return c->without ? c->without : c->model;
}

/* Which questions to ask, written to -o or to standard output. */
NODISCARD enum status enroll_suggest_write(struct enroll_command *c, struct error *err);
