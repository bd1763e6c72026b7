/* What was found, as experts that a configuration may take: each with a name of its own, what it costs and can do, and
 * whether it is one of the few to begin with. Pure; everything lives in the arena of the endpoints. */
#pragma once

#include "catalogue/catalogue.h"
#include "discover/endpoint.h"

#define OFFER_MARKS_MAX       8 /* beyond this machine */
#define OFFER_MARKS_LOCAL_MAX 4
#define OFFER_EXPERTS_MAX     256 /* as many as a configuration takes */

enum offer_price {
    OFFER_UNPRICED,        /* nobody says what it costs: it cannot be taken as it is */
    OFFER_PRICE_GIVEN,     /* by the user */
    OFFER_PRICE_LISTED,    /* by its endpoint */
    OFFER_PRICE_CATALOGUE, /* `known` */
    OFFER_PRICE_OWN,       /* 0: it runs on a machine of one's own */
};

struct offer {
    const struct endpoint *endpoint;
    const struct listed_model *model;
    const struct catalogue_entry *known; /* NULL: the catalogue does not have it */
    struct str name;                     /* as an expert: valid, and no other's */
    struct str url;                      /* of the expert */
    struct price price;
    enum offer_price price_from;
    uint32_t context_tokens, output_tokens; /* 0: unknown */
    unsigned abilities;                     /* of enum catalogue_ability, if abilities_known */
    bool abilities_known;
    bool marked; /* to begin with */
};

struct offer_list {
    struct offer *items; /* endpoint by endpoint, in the order of their lists */
    size_t count;
    size_t responses_only; /* left out: their provider has no chat for them */
    size_t unnamed;        /* left out: too many are called alike */
};

/* Of all endpoints that were listed. */
NODISCARD enum status offers_make(const struct endpoint_list *s, struct offer_list *ret,
                                  struct error *err);
/* Marks a few, when all prices are there: what has its price from the user, of each provider the newest at each of
 * three levels of price, and of each server on this machine the first two. */
void offers_mark(struct offer_list *offers);
/* By the name of the expert, or by the model's at its endpoint; NULL: none. */
struct offer *offer_find(const struct offer_list *offers, struct str name);

/* The experts section of leeroo.yaml and what stands around it: what is marked. `date` is today's, "2026-11-30". */
void offers_write_config(const struct offer_list *offers, struct str date, struct buf *out);

/* The same as a file; "-" is standard output. */
NODISCARD enum status offers_write_file(const struct offer_list *offers, const char *path,
                                        int64_t now_s, struct error *err);
/* The complaint where `path` is taken: ERR_INPUT. */
enum status offers_file_is_there(const char *path, struct error *err);

/* Marks what `words` name, and nothing else: names of experts or of models, and with `numbers` also places in the list
 * from 1 on, "3" and "2-5"; between commas or blanks. ERR_INPUT, and nothing changes: one is not there, or none is
 * named. */
NODISCARD enum status offers_choose(struct offer_list *offers, struct str words, bool numbers,
                                    struct error *err);
/* "NAME=INPUT/OUTPUT,...": USD per million tokens. ERR_INPUT, and prices may have been set, where one cannot be read or
 * is not there. */
NODISCARD enum status offers_set_prices(struct offer_list *offers, struct str prices,
                                        struct error *err);
/* ERR_INPUT: nothing is marked, more than OFFER_EXPERTS_MAX, or one of which no price is known. */
NODISCARD enum status offers_check_marks(const struct offer_list *offers, struct error *err);
