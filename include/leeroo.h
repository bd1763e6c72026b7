/* libleeroo: which language model a text should go to, decided in your own process. It loads a model that `leeroo
 * train` has written, estimates how well each expert would answer and what that would cost, and chooses under a policy.
 * It opens no socket, starts no thread, calls no expert, and prints nothing.
 *
 *   model     a file, loaded: its experts (language models with a price) and its arms. An arm is a way to answer: an
 *             expert by itself, or a plan over two or three of them ("cascade(a→b)", "panel(a,b→c)").
 *   router    experts of a model that you can ask, at the prices that you pay
 *   policy    how a router trades quality for money: lambda, a budget, a least quality, a cap on cost
 *   estimates what the arms of a router are worth for one text
 *   decision  the arm that a policy chose, with every number that led to it
 *
 * Quality is the predicted probability of a good answer, 0 to 1. Costs are integers of 1e-9 USD (nano-USD), prices
 * integers of nano-USD per million tokens: 0.15 USD per million tokens are 150000000. lambda is quality per USD: the
 * arm with the highest quality - lambda * cost is chosen.
 *
 * Ownership. Whatever a function gives you by a pointer to a pointer is yours: free it with the function named after
 * it. Handles hold what they are made of, so they may be freed in any order. A `const char *` that is returned belongs
 * to the handle that it came from and lives as long; leeroo_string_free is for the `char *` alone. Nothing keeps a
 * pointer into what you pass.
 *
 * Threads. Models, routers, estimates and decisions do not change, and a policy guards its budget with a lock: all
 * functions may be called on the same handles from any number of threads, but for the *_free, which must be the last to
 * touch a handle.
 *
 * Errors. A function that can fail returns a code, LEEROO_OK or else why not, and leaves its outputs as they were. The
 * last argument takes the code and a sentence for a person; it may be NULL. A handle that is NULL is LEEROO_ERR_INPUT;
 * all *_free take NULL.
 *
 * Versions. LEEROO_ABI is the number in the name of the shared library, libleeroo.so.0; it changes when programs must
 * be compiled again. Until then functions, codes and members of structs are added, never moved or taken away. Structs
 * that may grow begin with their `size`: begin with their _INIT, which sets it, and all other members to the default.
 * What the library fills in and does not know is 0. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LEEROO_VERSION       "0.1.0"
#define LEEROO_VERSION_MAJOR 0
#define LEEROO_VERSION_MINOR 1
#define LEEROO_VERSION_PATCH 0
#define LEEROO_ABI           0

#if defined(__GNUC__)
#define LEEROO_API     __attribute__((visibility("default")))
#define LEEROO_CHECKED __attribute__((visibility("default"), warn_unused_result))
#else
#define LEEROO_API
#define LEEROO_CHECKED
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that runs, as LEEROO_VERSION is that of the header; and its LEEROO_ABI. */
LEEROO_API const char *leeroo_version(void);
LEEROO_API int leeroo_abi(void);

/* Errors */

enum leeroo_code {
    LEEROO_OK = 0,
    LEEROO_ERR_INPUT = 1,       /* an argument is malformed, or out of its bounds */
    LEEROO_ERR_NOT_FOUND = 2,   /* no such file, expert or plan; no expert left to choose from */
    LEEROO_ERR_IO = 3,          /* the operating system refused */
    LEEROO_ERR_CORRUPT = 4,     /* the model or the state is damaged, or of something else */
    LEEROO_ERR_UNSUPPORTED = 5, /* a model of another version; a struct with members unknown here */
    LEEROO_ERR_MEMORY = 6,      /* out of memory */
    LEEROO_ERR_TOO_LARGE = 7,   /* a text of over LEEROO_TEXT_BYTES_MAX, or too many choices */
    LEEROO_ERR_BUDGET = 8,      /* everybody is predicted to cost more than max_cost_nano_usd */
    LEEROO_ERR_ENCODER = 9,     /* an encoder outside of this process failed or was late */
    LEEROO_ERR_INTERNAL = 10    /* a fault of the library */
};

/* Never grows. */
struct leeroo_error {
    int code;       /* enum leeroo_code */
    char text[508]; /* one sentence, UTF-8, NUL-terminated */
};

/* "not_found": stable, for logs; never NULL. */
LEEROO_API const char *leeroo_code_name(int code);

/* Models */

struct leeroo_model;

/* Of a file, which is mapped: replace it by renaming, never by writing into it. LEEROO_ERR_NOT_FOUND, _IO, _CORRUPT,
 * _UNSUPPORTED, _MEMORY. */
LEEROO_CHECKED int leeroo_model_load(const char *path, struct leeroo_model **ret,
                                     struct leeroo_error *err);
/* Of the bytes of such a file, which are copied. Any bytes are fine: what is no model is refused. */
LEEROO_CHECKED int leeroo_model_load_bytes(const void *bytes, size_t byte_count,
                                           struct leeroo_model **ret, struct leeroo_error *err);
LEEROO_API void leeroo_model_free(struct leeroo_model *model);

/* Identifies the file. */
LEEROO_API uint64_t leeroo_model_checksum(const struct leeroo_model *model);
/* At most 256 experts. Arms come in this order: every expert by itself, with the expert's index, then the plans. */
LEEROO_API size_t leeroo_model_expert_count(const struct leeroo_model *model);
LEEROO_API size_t leeroo_model_arm_count(const struct leeroo_model *model);
/* The expert's or plan's name, UTF-8; NULL: there is no such arm. */
LEEROO_API const char *leeroo_model_arm_name(const struct leeroo_model *model, size_t arm);
/* SIZE_MAX: there is none of that name. */
LEEROO_API size_t leeroo_model_arm_index(const struct leeroo_model *model, const char *name);

enum leeroo_arm_kind {
    LEEROO_SINGLE = 0,
    LEEROO_CASCADE = 1,
    LEEROO_PANEL = 2,
    LEEROO_SEQUENTIAL = 3
};

struct leeroo_arm {
    size_t size;
    int kind; /* enum leeroo_arm_kind */
    /* Of a plan: 1: what was learnt says whether another member is asked, 0: the others' disagreement. */
    int learnt_rule;
    size_t
        member_count; /* 1 for a single, 2 for a cascade, 3 for a panel, 2 to 8 for a sequential plan */
    /* Experts. Of a cascade and a panel all but the last are asked at once, first; of a sequential plan one after the
     * other, in an order that is found on the way. */
    size_t members[8];
};
/* clang-format off */
#define LEEROO_ARM_INIT {sizeof(struct leeroo_arm), 0, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}}
/* clang-format on */

/* Fills *into. LEEROO_ERR_INPUT: there is no such arm, or it has more members than the caller's struct has room for. */
LEEROO_CHECKED int leeroo_model_arm(const struct leeroo_model *model, size_t arm,
                                    struct leeroo_arm *into, struct leeroo_error *err);

struct leeroo_expert {
    size_t size;
    int64_t input_nano_usd_per_m; /* the price that it was trained at */
    int64_t output_nano_usd_per_m;
    double accuracy;             /* mean score of the training queries, 0 to 1 */
    double mean_cost_usd;        /* mean cost of the training queries */
    double tokens_per_character; /* how many input tokens a character more of a prompt is to it */
};
/* clang-format off */
#define LEEROO_EXPERT_INIT {sizeof(struct leeroo_expert), 0, 0, 0, 0, 0}
/* clang-format on */

/* Fills *into. LEEROO_ERR_INPUT: there is no such expert. */
LEEROO_CHECKED int leeroo_model_expert(const struct leeroo_model *model, size_t expert,
                                       struct leeroo_expert *into, struct leeroo_error *err);

/* Routers */

struct leeroo_router;

/* One expert that you can ask. */
struct leeroo_offer {
    size_t size;
    const char *expert; /* by its name in the model */
    int priced;         /* 1: at the prices below; 0 (default): at those that it was trained at */
    int64_t input_nano_usd_per_m; /* 0 to 1e18 */
    int64_t output_nano_usd_per_m;
};
/* clang-format off */
#define LEEROO_OFFER_INIT {sizeof(struct leeroo_offer), NULL, 0, 0, 0}
/* clang-format on */

/* offers[offer_count], each of offers[0].size bytes; NULL: all experts of the model at the prices they were trained at.
 * A plan is an arm of the router when all its members are offered. LEEROO_ERR_NOT_FOUND: the model has no such expert,
 * and the text lists those that it has; LEEROO_ERR_INPUT: offered twice, or a price out of bounds. */
LEEROO_CHECKED int leeroo_router_create(const struct leeroo_model *model,
                                        const struct leeroo_offer *offers, size_t offer_count,
                                        struct leeroo_router **ret, struct leeroo_error *err);
LEEROO_API void leeroo_router_free(struct leeroo_router *router);

/* Policies */

struct leeroo_policy;

/* Of lambda, budget and min_quality no more than one may be given. The default is lambda 0: the best predicted quality,
 * whatever it costs. */
struct leeroo_policy_options {
    size_t size;
    /* Quality per USD, at least 0. */
    double lambda;
    /* > 0: mean cost of the stream in USD per 1,000 texts. It sets lambda, corrected by leeroo_observe. */
    double budget_usd_per_1k;
    /* > 0, at most 1: the cheapest arm that is good enough for a mean of this, else the best. */
    double min_quality;
    /* > 0: nobody predicted to cost more, all calls of a plan made. */
    int64_t max_cost_nano_usd;
    /* "all" (default), "none", "cascade", "panel", "sequential", a plan's name; several between ';'. */
    const char *plans;
    /* [expert_count] names of those of the router that may be chosen; NULL: all. */
    const char *const *experts;
    size_t expert_count;
};
/* clang-format off */
#define LEEROO_POLICY_OPTIONS_INIT {sizeof(struct leeroo_policy_options), 0, 0, 0, 0, NULL, NULL, 0}
/* clang-format on */

/* options NULL: the default. Budgets and min_quality are calibrated on the training queries at the router's prices,
 * which takes milliseconds; other policies are cheap to make. LEEROO_ERR_NOT_FOUND: the model has no such plan, or the
 * router no such expert; LEEROO_ERR_INPUT: a number out of its bounds, or two that exclude each other. */
LEEROO_CHECKED int leeroo_policy_create(const struct leeroo_router *router,
                                        const struct leeroo_policy_options *options,
                                        struct leeroo_policy **ret, struct leeroo_error *err);
LEEROO_API void leeroo_policy_free(struct leeroo_policy *policy);
/* In force now, in quality per USD: of a budget it moves. */
LEEROO_API double leeroo_policy_lambda(const struct leeroo_policy *policy);

/* Where a budget stands, as JSON text, so that a restart goes on where it was. LEEROO_ERR_INPUT: the policy has no
 * budget. */
LEEROO_CHECKED int leeroo_policy_state(const struct leeroo_policy *policy, char **ret,
                                       struct leeroo_error *err);
/* Takes up such a text; before the first decision. LEEROO_ERR_NOT_FOUND: it is of another budget; LEEROO_ERR_CORRUPT,
 * _UNSUPPORTED, _INPUT: it is damaged, of another version, no such text. */
LEEROO_CHECKED int leeroo_policy_resume(struct leeroo_policy *policy, const char *state,
                                        struct leeroo_error *err);

/* Estimates */

#define LEEROO_TEXT_BYTES_MAX (64u << 20)
#define LEEROO_CHOICES_MAX    26
#define LEEROO_NUL_TERMINATED ((size_t)-1)

/* What is asked: the last message of a conversation, as its writer wrote it. */
struct leeroo_query {
    size_t size;
    const char *text;  /* UTF-8; any bytes are fine */
    size_t text_bytes; /* or LEEROO_NUL_TERMINATED */
    /* [choice_count] NUL-terminated: what may be answered, put below the text as lines "A. ...", "B. ...". A text that
     * has such lines already needs none. */
    const char *const *choices;
    size_t choice_count; /* at most LEEROO_CHOICES_MAX */
};
/* clang-format off */
#define LEEROO_QUERY_INIT {sizeof(struct leeroo_query), NULL, LEEROO_NUL_TERMINATED, NULL, 0}
/* clang-format on */

struct leeroo_estimates;

/* Takes some microseconds for each kilobyte of text. LEEROO_ERR_INPUT: no text; LEEROO_ERR_TOO_LARGE, _MEMORY,
 * _ENCODER. */
LEEROO_CHECKED int leeroo_estimate(const struct leeroo_router *router,
                                   const struct leeroo_query *query, struct leeroo_estimates **ret,
                                   struct leeroo_error *err);
LEEROO_API void leeroo_estimates_free(struct leeroo_estimates *estimates);

/* Of one arm for one text. */
struct leeroo_estimate {
    size_t size;
    double quality;            /* probability of a good answer, 0 to 1 */
    double quality_sd;         /* how far the text's own probability may lie from it */
    double input_tokens;       /* expected; of a plan 0 */
    double output_tokens;      /* expected; of a plan 0 */
    double escalation;         /* probability that a plan asks its last member; of a single 0 */
    int64_t cost_nano_usd;     /* expected, at the router's prices; of a plan with all its calls */
    int64_t cost_max_nano_usd; /* of a plan if every member is asked; else the same */
};
/* clang-format off */
#define LEEROO_ESTIMATE_INIT {sizeof(struct leeroo_estimate), 0, 0, 0, 0, 0, 0, 0}
/* clang-format on */

/* Fills *into. LEEROO_ERR_INPUT: the router has no such arm. */
LEEROO_CHECKED int leeroo_estimates_get(const struct leeroo_estimates *estimates, size_t arm,
                                        struct leeroo_estimate *into, struct leeroo_error *err);

/* Decisions */

struct leeroo_decision;

/* Estimates must be of the policy's router, else LEEROO_ERR_INPUT. LEEROO_ERR_BUDGET: nobody is within
 * max_cost_nano_usd. */
LEEROO_CHECKED int leeroo_decide(const struct leeroo_policy *policy,
                                 const struct leeroo_estimates *estimates,
                                 struct leeroo_decision **ret, struct leeroo_error *err);
/* leeroo_estimate and leeroo_decide in one. */
LEEROO_CHECKED int leeroo_route(const struct leeroo_policy *policy,
                                const struct leeroo_query *query, struct leeroo_decision **ret,
                                struct leeroo_error *err);
LEEROO_API void leeroo_decision_free(struct leeroo_decision *decision);

/* The arm that was chosen. */
LEEROO_API size_t leeroo_decision_arm(const struct leeroo_decision *decision);
/* The name of the expert to ask first. */
LEEROO_API const char *leeroo_decision_expert(const struct leeroo_decision *decision);
/* Predicted, of the arm. */
LEEROO_API double leeroo_decision_quality(const struct leeroo_decision *decision);
LEEROO_API int64_t leeroo_decision_cost_nano_usd(const struct leeroo_decision *decision);
/* In force when it was made. */
LEEROO_API double leeroo_decision_lambda(const struct leeroo_decision *decision);
/* 1: the policy could have chosen the arm. */
LEEROO_API int leeroo_decision_considers(const struct leeroo_decision *decision, size_t arm);
/* Fills *into. LEEROO_ERR_INPUT: the router has no such arm. */
LEEROO_CHECKED int leeroo_decision_estimate(const struct leeroo_decision *decision, size_t arm,
                                            struct leeroo_estimate *into, struct leeroo_error *err);
/* Other experts, for when those of the chosen arm fail: best first, into experts[capacity]; returns how many there
 * are. */
LEEROO_API size_t leeroo_decision_fallbacks(const struct leeroo_decision *decision, size_t *experts,
                                            size_t capacity);

/* A JSON object in one line, byte for byte what `leeroo route` prints for the query with that id. `id` NULL: without
 * one. */
LEEROO_CHECKED int leeroo_decision_json(const struct leeroo_decision *decision, const char *id,
                                        char **ret, struct leeroo_error *err);
/* The same with the further members of the gateway's POST /v1/route: members, plans, fallbacks, ruled_out, floor,
 * max_cost_usd, model_checksum. */
LEEROO_CHECKED int leeroo_decision_explain(const struct leeroo_decision *decision, char **ret,
                                           struct leeroo_error *err);
LEEROO_API void leeroo_string_free(char *string);

/* What a decision of this policy really cost, all its calls together, so that the budget holds; < 0: unknown, what was
 * predicted counts. Each decision once, in any order. Nothing happens without a budget. LEEROO_ERR_INPUT: a decision of
 * another policy. */
LEEROO_CHECKED int leeroo_observe(struct leeroo_policy *policy,
                                  const struct leeroo_decision *decision, int64_t cost_nano_usd,
                                  struct leeroo_error *err);

#ifdef __cplusplus
}
#endif
