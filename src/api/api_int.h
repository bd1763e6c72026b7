/* What stands behind the handles of leeroo.h, shared by the files of this folder. A handle counts who holds it: the
 * caller, and the handles that are made of it. All but a policy's budget is immutable once made. */
#pragma once

#include <leeroo.h>
#include <locale.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "route/text_router.h"

#define SPARE_FEATURES_MAX 16 /* that a router keeps for its next texts */

struct leeroo_model {
    atomic_size_t holders;
    struct model *model;
    char *names[MODEL_ARMS_MAX]; /* NUL-terminated, which the model's need not be */
};

struct leeroo_router {
    atomic_size_t holders;
    struct leeroo_model *model;
    struct text_router *texts;
    pthread_mutex_t lock; /* guards the spare ones */
    struct features *spare[SPARE_FEATURES_MAX];
    size_t spare_count;
};

struct leeroo_policy {
    atomic_size_t holders;
    struct leeroo_router *router;
    struct text_policy *policy; /* safe for many threads */
    double budget_usd_per_1k;   /* 0: none */
};

struct leeroo_estimates {
    atomic_size_t holders;
    struct leeroo_router *router;
    size_t count;
    struct estimate arms[]; /* [count] */
};

struct leeroo_decision {
    atomic_size_t holders;
    struct leeroo_policy *policy;
    struct leeroo_estimates *estimates;
    struct text_decision made;
};

/* Errors and structs of the caller */

/* Fills *out, which may be NULL, unless it is OK; returns the code. */
int api_result(struct leeroo_error *out, enum status status, const struct error *err);
/* LEEROO_ERR_INPUT. */
int api_refuse(struct leeroo_error *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int api_no_memory(struct leeroo_error *out);
/* Into own[size], a struct of ours that begins with its size, what the caller's has of it; the rest is 0. False: the
 * caller's is from a later version and says something that is unknown here, or has no size. */
bool api_struct_take(void *own, size_t size, const void *theirs, size_t theirs_size);
/* The other way round: as much as the caller has room for. False: it has no size. */
bool api_struct_give(void *theirs, const void *own, size_t size);

/* Whoever loaded this library may have set a locale where 0.5 is "0,5". Numbers are read and written between these two;
 * only the calling thread's locale changes. */
locale_t api_locale_enter(void);
void api_locale_leave(locale_t before);

/* Takes `model`. Where loading failed it is NULL, and `status` and `why` say so. */
int api_model_wrap(struct model *model, enum status status, const struct error *why,
                   struct leeroo_model **ret, struct leeroo_error *err);

/* Holding: each returns its argument, or lets it go; NULL is fine to let go. */

struct leeroo_model *api_model_hold(const struct leeroo_model *m);
struct leeroo_router *api_router_hold(const struct leeroo_router *r);
struct leeroo_policy *api_policy_hold(const struct leeroo_policy *p);
struct leeroo_estimates *api_estimates_hold(const struct leeroo_estimates *e);
/* True: that was the last one. */
bool api_release(atomic_size_t *holders);
