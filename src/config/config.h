/* leeroo.yaml → one immutable struct config, or one sentence that names file, line, column, key and the mend.
 *
 * config_load reads the file, config_parse its text (fuzzing, tests); both resolve `env:` keys from the
 * environment. What needs the model (its experts and prices) is checked afterwards by config_bind. Everything
 * lives in the config's own arena. API keys in here are secret: never print a struct expert. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/problems.h"
#include "catalogue/catalogue.h"
#include "expert/expert.h"
#include "plan/decide.h"
#include "predict/model.h"
#include "reader/encoder_open.h"
#include "route/pool_settings.h"
#include "verify/verify.h"

#define CONFIG_BYTES_MAX    (1u << 20)
#define CONFIG_EXPERTS_MAX  MODEL_EXPERTS_MAX
#define CONFIG_POLICIES_MAX 256
#define CONFIG_THREADS_MAX  64
#define CONFIG_ALIASES_MAX  256
#define CONFIG_MODEL_FILE   "leeroo-model.safetensors"

struct config_place {
    size_t line, column;
};

enum config_price_source {
    CONFIG_PRICE_UNKNOWN, /* so far: config_price looks for one */
    CONFIG_PRICE_CONFIGURED,
    CONFIG_PRICE_OF_MODEL,
    CONFIG_PRICE_OF_CATALOGUE,
};

struct config_origin { /* of one expert, for messages made later */
    size_t line, column;
    enum config_price_source price_from;
    const struct catalogue_entry *known; /* what the catalogue has on it; NULL: nothing */
    struct str
        like; /* whose strengths it has until there are outcomes of its own; empty: not said */
};

struct config_limits {
    size_t body_bytes, header_bytes, answer_bytes;
    size_t bodies_bytes;   /* of all requests' bodies together */
    uint32_t body_time_ms; /* for a whole body */
    size_t body_rate;      /* bytes a second that a body must bring on average */
    uint32_t connections;
};

struct config_drain {
    uint32_t delay_ms;   /* still listening, not ready: kept connections end, balancers notice */
    uint32_t timeout_ms; /* running answers are cut after it */
};

struct config_upstream {
    struct str ca_file;   /* empty: the system's */
    bool proxy;           /* honour http_proxy and the like */
    bool deny_private;    /* experts at private addresses are not connected to */
    uint32_t connections; /* per host and thread */
};

enum config_auth {
    AUTH_AUTO,     /* keys are asked for once there are any, and always beyond loopback */
    AUTH_REQUIRED, /* always */
    AUTH_OFF,      /* never: a proxy in front does it */
};

enum config_page {            /* and the admin API behind it */
                   PAGE_AUTO, /* there; where nobody is asked for a key, for this machine alone */
                   PAGE_OFF,  /* not there */
                   PAGE_ON, /* there; where nobody is asked for a key, for whoever reaches the gateway */
};

struct config_texts {
    const struct str *list;
    size_t count;
};

struct config_cors { /* web pages that may call */
    struct config_texts origins;
    uint32_t max_age_ms; /* how long a browser need not ask again */
};

struct config_tls { /* of the listener; paths of PEM files, or both NULL: plain HTTP */
    const char *certificate, *key;
};

#define CONFIG_TRACE_HEADERS_MAX 16

struct config_header {
    struct str name, value; /* the value is secret */
};

struct config_traces {   /* where spans go (traces.h); no endpoint: nowhere */
    struct str endpoint; /* NUL-terminated */
    double sample;       /* share of the requests that are traced */
    struct str service_name;
    struct config_header headers[CONFIG_TRACE_HEADERS_MAX];
    size_t header_count;
};

struct config_cache { /* of answers */
    size_t bytes;     /* 0: none */
    size_t entry_bytes;
    uint32_t ttl_ms;
};

struct config_sessions { /* turns that stay with the expert that began them */
    uint32_t ttl_ms;     /* how long it is known who began; 0: nothing is held */
};

struct config_ledger {
    /* NULL: none. A path, or the URL of a PostgreSQL database: secret, never printed. */
    const char *store;
    const char *journal_path;
    size_t journal_bytes; /* 0: store/ledger.h's */
    int64_t keep_ms;      /* how old requests become in it; 0: they stay for ever */
};

#define KEEP_DAYS 30

struct config_keep {   /* of prompts, for learning */
    bool on;           /* share > 0 */
    double share;      /* of the requests */
    uint32_t days;     /* then they are erased */
    const char *given; /* the file as it was named; NULL: it was not */
    const char *file;  /* NULL: nowhere */
};

struct config {
    struct arena *arena;
    const char *place; /* the file's name as given */
    /* While it is made: where all that is wrong is noted (config_gather); NULL: the first mistake ends it. */
    struct problems *problems;
    bool
        names_unread; /* an expert was read without its name: nothing that names experts can be judged */
    struct str listen; /* "127.0.0.1:8080" */
    bool allow_remote;
    bool remote; /* listen is not a loopback address */
    enum config_auth auth;
    enum config_page page;
    bool strict_budgets;    /* a key whose spending is lost has none left */
    const char *keys_file;  /* as given; NULL: not */
    const char *keys_path;  /* of the file of client keys (key_file.h); NULL: nowhere to have any */
    const char *spend_path; /* of what they have spent (key_spend.h); NULL: in memory only */
    uint32_t threads;       /* 0: one per core, at most four */
    const char *state_dir;  /* NULL: budgets are kept in memory only */
    /* Relative paths are resolved against the file's folder. Not given: CONFIG_MODEL_FILE there, which need not exist
     * before `leeroo play` has published a model (setup/setup.h). */
    const char *model_path;
    bool model_given;
    const char *
        outcomes_path; /* a data set by which experts are placed that the model does not know; NULL: none */
    const char *runs_path; /* a folder of runs of self-play, for the admin API; NULL: none */
    struct config_limits limits;
    struct config_texts hosts; /* names of this gateway, beside those of loopback */
    struct config_cors cors;
    struct config_drain drain;
    struct config_tls tls;
    struct config_cache cache;
    struct config_sessions sessions;
    struct config_upstream upstream;
    struct config_ledger ledger;
    struct config_keep keep;
    struct config_traces traces;
    enum log_format log_format; /* of the gateway's log */
    struct expert *experts;
    struct config_origin *origins;
    size_t expert_count;
    const char *const *placed; /* of struct pool_settings; whoever made the model sets it */
    struct expert *embedders;  /* of POST /v1/embeddings, by name; nothing is routed among them */
    size_t embedder_count;
    struct encoder_spec *
        encoders; /* that read what is asked, beside the n-grams, and last the orchestrator; their keys are secret */
    struct pool_reader readers[ENCODERS_NAMED_MAX]; /* [encoder_count] what each is paid */
    size_t encoder_count;
    struct route_policy *policies;
    /* [policy_count] where each of a policy's plans stands, for messages made later; NULL: it names none */
    const struct config_place **plan_places;
    /* [policy_count] to which check its answers are held; of kind VERIFY_NONE: to none. Their keys are secret. */
    struct verify_settings *verify;
    size_t policy_count;
    bool policies_given;         /* else there is one, which takes the best predicted expert */
    struct model_alias *aliases; /* other names for them and for experts */
    size_t alias_count;
    size_t default_policy;
    /* The expert that savings are measured against; config_bind sets it where the file does not. */
    size_t reference;
};

/* ERR_NOT_FOUND, with the mend. */
enum status config_not_found(const char *path, struct error *err);
NODISCARD enum status config_load(const char *path, struct config **ret, struct error *err);
/* The same, but what is wrong is gathered: all that can be told at once goes into *all, in the order of lines, and *err
 * is the first of it. On success `config->problems` is `all`, so that config_price and config_bind add to it; whoever
 * is done sets it to NULL. */
NODISCARD enum status config_gather(const char *path, struct problems *all, struct config **ret,
                                    struct error *err);
/* For commands that call no expert: the variables that `env:NAME` names need not exist, and such values stay empty. */
NODISCARD enum status config_load_without_secrets(const char *path, struct config **ret,
                                                  struct error *err);
NODISCARD enum status config_parse(struct str text, const char *place, struct config **ret,
                                   struct error *err);
NODISCARD enum status config_parse_gathering(struct str text, const char *place,
                                             struct problems *all, struct config **ret,
                                             struct error *err);
void config_free(struct config *c); /* NULL is fine; wipes the keys */

/* Experts without prices get the model's where it knows them, else the catalogue's. ERR_INPUT, with the place and the
 * mend, where neither has any. `m` may be NULL. Done again it changes nothing. */
NODISCARD enum status config_price(struct config *c, const struct model *m, struct error *err);
const char *
config_price_source_name(enum config_price_source source); /* "config", "model", "catalogue" */
/* Every expert must be one that the model can estimate; then config_price. Plans that a policy
 * names must be plans of the model, and their members experts of the policy. */
NODISCARD enum status config_bind(struct config *c, const struct model *m, struct error *err);
/* Whether every expert was placed by a prior: there is no model of them yet. */
bool config_all_placed(const struct config *c);
/* What the pool of such experts and policies is made of; points into c. config_bind must have succeeded. */
struct pool_settings config_pool_settings(const struct config *c);
/* Adds a policy (or replaces one of that name) and makes it the default; for `ask`. */
NODISCARD enum status config_override_policy(struct config *c, const char *name,
                                             const struct policy *policy, struct error *err);
