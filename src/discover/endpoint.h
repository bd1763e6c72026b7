/* Where experts may be found: keys in the environment, and ports on which local servers usually listen. Finding
 * endpoints asks nobody; endpoint_ask asks those that its caller has agreed to. Everything lives in the arena; keys are
 * the environment's own bytes, secret, and never printed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/provider.h"
#include "dialect/dialect.h"
#include "discover/model_list.h"

#define ENDPOINTS_MAX        64
#define ENDPOINT_LOCAL_MS    2000 /* what is on this machine answers soon, or is not there */
#define ENDPOINT_REMOTE_MS   10000
#define ENDPOINT_LOCAL_PORTS "127.0.0.1:11434,127.0.0.1:8080,127.0.0.1:8000,127.0.0.1:1234"

enum endpoint_state {
    ENDPOINT_NOT_ASKED,
    ENDPOINT_LISTED,  /* `list` is what it has */
    ENDPOINT_NO_LIST, /* it answers, and has no list */
    ENDPOINT_REFUSED, /* 401, 402, 403 */
    ENDPOINT_LOADING, /* 503: not yet, or not now */
    ENDPOINT_BROKEN,  /* 5xx, no HTTP, no answer in time, or not what was asked for */
    ENDPOINT_NOBODY,  /* no connection */
    ENDPOINT_GATEWAY, /* a Leeroo, whose experts are not to be asked through it */
};

struct endpoint {
    struct str title; /* for people: "OpenAI", "127.0.0.1:8080", or "Ollama at ..." */
    const struct provider *provider; /* whose prices hold; NULL: nobody's who is known */
    const struct dialect *dialect;
    struct str url, list_url; /* the base of its API; where its list is */
    struct str api_version;   /* Azure's; else empty */
    const char *key_name;     /* the variable; NULL: none */
    struct str key;           /* secret */
    bool remote;              /* beyond this machine: only with consent */
    bool own;                 /* a server named by its port: what it runs costs nothing */
    bool asked;               /* by the caller: endpoint_ask may ask it */
    enum endpoint_state state;
    int http_status;
    char text[400]; /* why, where it is broken or not there */
    struct model_list list;
    bool from_catalogue; /* it has no list: `list` is what the catalogue has of this provider */
};

struct endpoint_list {
    struct arena *arena;
    struct endpoint items[ENDPOINTS_MAX];
    size_t count;
};

/* Keys of known providers, and Azure's deployments. `get` is getenv. ERR_INPUT: a variable holds no URL. */
NODISCARD enum status endpoints_of_environment(struct endpoint_list *s,
                                               const char *(*get)(const char *name, void *arg),
                                               void *arg, struct error *err);
/* "HOST:PORT,..." or base URLs; what is among the endpoints already is left as it is. ERR_INPUT: one is neither. */
NODISCARD enum status endpoints_of_ports(struct endpoint_list *s, struct str ports,
                                         struct error *err);

/* Asks all whose `asked` is set, at once, each within its time. Fails for want of memory or an event loop only; what
 * went wrong at an endpoint is its state. */
NODISCARD enum status endpoint_ask(struct endpoint_list *s, struct error *err);
/* What the catalogue has of its provider becomes its list, where that makes models and has no list. ERR_MEMORY. */
NODISCARD enum status endpoint_take_catalogue(struct endpoint *s, struct arena *a,
                                              struct error *err);
