/* Who serves models to the public: where, in which dialect, and in which environment variables keys are usually kept.
 * Immutable, for all threads. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define PROVIDER_KEYS_MAX 2

struct provider {
    struct str name;                     /* as in catalogue_entry */
    struct str title;                    /* for people: "xAI" */
    struct str host;                     /* of its API; with a dot in front: any below it */
    struct str url;                      /* base of its API; empty: each customer has an own one */
    struct str dialect;                  /* that an expert there is asked in */
    const char *keys[PROVIDER_KEYS_MAX]; /* environment variables, the usual one first; or NULL */
    bool makes_models;                   /* and is no mere host of others' */
};

/* NULL: nobody who is known. */
const struct provider *provider_of_url(struct str url);
const struct provider *provider_find(struct str name);

size_t provider_count(void);
const struct provider *provider_at(size_t index);

/* The host of "https://HOST:PORT/...", without brackets; empty where there is none. */
struct str provider_host(struct str url);
/* 127.0.0.0/8, ::1 and localhost: this machine. */
bool provider_is_loopback(struct str url);
