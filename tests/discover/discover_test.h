/* Sources without a network: an environment as a list, and lists as texts. */
#pragma once

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discover/offer.h"

struct variable {
    const char *name, *value; /* the last has no name */
};

static inline const char *look_up(const char *name, void *arg)
{
    for (const struct variable *v = arg; v->name; v++)
        if (!strcmp(v->name, name))
            return v->value;
    return NULL;
}

/* A list in an arena of its own, which the caller frees. */
static inline struct endpoint_list *endpoints_of(const struct variable *environment,
                                                 const char *ports)
{
    struct arena *a = arena_create(64 << 20);
    struct endpoint_list *s = ARENA_NEW(a, struct endpoint_list);
    struct error err = {0};
    s->arena = a;
    cr_assert_eq(endpoints_of_environment(s, look_up, (void *)(uintptr_t)environment, &err), OK,
                 "%s", err.text);
    cr_assert_eq(endpoints_of_ports(s, str_from(ports), &err), OK, "%s", err.text);
    return s;
}

static inline void answers(struct endpoint_list *s, size_t i, const char *body)
{
    struct error err = {0};
    cr_assert_lt(i, s->count);
    cr_assert_eq(model_list_parse(str_from(body), s->arena, &s->items[i].list, &err), OK, "%s",
                 err.text);
    s->items[i].state = ENDPOINT_LISTED;
}

static inline struct offer_list offers_of(const struct endpoint_list *s)
{
    struct offer_list list = {0};
    struct error err = {0};
    cr_assert_eq(offers_make(s, &list, &err), OK, "%s", err.text);
    return list;
}
