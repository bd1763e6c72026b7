/* Placing experts by what is known of others: see place.h. */
#include "prior/place.h"

#include <math.h>

#include "catalogue/catalogue.h"
#include "prior/names.h"

#define KNOWN_SD                                                                                   \
    0.2 /* strength of a known model where it serves others than those it was known by */
/* Who was asked one kind of question alone is known by that. */
#define NARROW_SD       0.5
#define NARROW_OUTCOMES 2000
#define LIKE_SD         0.4 /* of one that is said to be like it */
#define NAME_SHARE      0.5 /* of the deviations: how far its other parameters may be off */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static const struct base_known *find(const struct base *b, struct str name, struct arena *a,
                                     int *ret_agreed)
{
    const struct base_known *best = NULL;
    struct str canonical = name_canonical(a, name);
    *ret_agreed = 0;
    if (!canonical.ptr || !canonical.len)
        return NULL;
    for (size_t j = 0; j < b->known_count; j++) {
        int agrees = name_agreement(canonical, b->known[j].name);
        if (agrees > *ret_agreed ||
            (agrees > 0 && agrees == *ret_agreed && b->known[j].outcomes > best->outcomes)) {
            best = &b->known[j];
            *ret_agreed = agrees;
        }
    }
    return best;
}

/* As it is called, and as the catalogue calls it, which knows what servers make of names. */
const struct base_known *place_find(const struct base *b, struct str name, struct arena *a)
{
    int agreed, listed_agreed = 0;
    const struct base_known *known = find(b, name, a, &agreed), *listed = NULL;
    const struct catalogue_entry *entry = catalogue_find((struct str){"", 0}, name);
    if (entry)
        listed = find(b, entry->model, a, &listed_agreed);
    return listed_agreed > agreed ? listed : known;
}

static void place_as(const struct base *b, const struct base_known *known, enum prior_basis basis,
                     struct placed *ret)
{
    double sd = known->outcomes < NARROW_OUTCOMES ? NARROW_SD : KNOWN_SD;
    *ret = (struct placed){.basis = basis,
                           .known = known,
                           .strength_sd = basis == PRIOR_LIKE ? hypot(sd, LIKE_SD) : sd,
                           .shrink = NAME_SHARE,
                           .output_ratio = known->output_ratio};
    for (size_t k = 0; k < base_parameters(b); k++)
        ret->parameters[k] = known->parameters[k];
}

static void place_by_price(const struct base *b, const struct price *price, struct placed *ret)
{
    *ret = (struct placed){
        .basis = PRIOR_PRICE, .strength_sd = b->strength_sd, .shrink = 1, .output_ratio = 1};
    base_family(b, base_strength_by_price(b, price), ret->parameters);
}

static enum status unknown_like(const struct base *b, const struct prior_expert *x,
                                struct error *err)
{
    struct buf names;
    buf_init(&names, 512);
    for (size_t j = 0; j < b->known_count && names.len < 200; j++) {
        buf_add_c(&names, j ? ", " : "");
        buf_add(&names, b->known[j].name);
    }
    struct str list = buf_str(&names);
    enum status status =
        error_set(err, ERR_NOT_FOUND,
                  "expert '%.*s' is to be like '%.*s', which the base model does not know; it "
                  "knows %.*s and others",
                  STR_FMT(x->name), STR_FMT(x->like), STR_FMT(list));
    buf_done(&names);
    return status;
}

enum status place_first(const struct base *b, const struct prior_expert *x, struct arena *a,
                        struct placed *ret, struct error *err)
{
    const struct base_known *known;
    if (x->like.len) {
        if (!(known = place_find(b, x->like, a)))
            return unknown_like(b, x, err);
        place_as(b, known, PRIOR_LIKE, ret);
        return OK;
    }
    known = x->upstream.len ? place_find(b, x->upstream, a) : NULL;
    if (!known)
        known = place_find(b, x->name, a);
    if (known)
        place_as(b, known, PRIOR_NAME, ret);
    else
        place_by_price(b, &x->price, ret);
    return OK;
}

static double mean_quality(const struct base *b, const double *parameters, double more)
{
    double sum = 0;
    size_t width = base_sample_width(b);
    for (size_t i = 0; i < b->sample_rows; i++)
        sum += sigmoid(base_logit(b, parameters, b->sample + i * width) + more);
    return b->sample_rows ? sum / (double)b->sample_rows : sigmoid(parameters[0] + more);
}

void place_accuracy(const struct base *b, const struct placed *p, double *ret, double *ret_sd)
{
    *ret = mean_quality(b, p->parameters, 0);
    *ret_sd = (mean_quality(b, p->parameters, p->strength_sd) -
               mean_quality(b, p->parameters, -p->strength_sd)) /
              2;
}
