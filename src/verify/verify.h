/* A check that is not learnt: it is asked whether an answer may stand. Four kinds, told apart by who decides: a command
 * of the owner's, shut in (judge/confined.h); an HTTP service; the JSON schemas that the request itself brings; another
 * expert by a rubric. What they are given and say is described in docs/verify.md.
 *
 *     verifier_begin ─▶ command ─▶ in line ─▶ a worker's thread ─▶ its exit code ─┐
 *                 ├───▶ http ────▶ a call of the thread's transport ─▶ its reply ─┼─▶ done, on the thread that began
 *                 └───▶ schema ──▶ at once ───────────────────────────────────────┘
 *
 * An expert is asked by the caller, which knows how to ask experts; here is what it is asked and how its reply is read.
 *
 * A check passes or rejects an answer, or is down: then nothing is known of the answer, and that is never taken for a
 * no. One verifier is shared by all event loops. Nothing here logs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/scheduler.h"
#include "expert/transport.h"

#define VERIFY_TIMEOUT_MS_USUAL 10000
#define VERIFY_TIMEOUT_MS_MAX   600000
#define VERIFY_CPU_S_USUAL      10
#define VERIFY_MEMORY_USUAL     ((size_t)512 << 20)
#define VERIFY_WORKERS_USUAL    2
#define VERIFY_WORKERS_MAX      64
#define VERIFY_QUEUE_USUAL      32
#define VERIFY_QUEUE_MAX        10000
#define VERIFY_ERRORS_USUAL     0.02 /* false passes, false alarms */
#define VERIFY_NAME_BYTES_MAX   64
#define VERIFY_WORDS_MAX        63 /* of a command, and files that it may read */
#define VERIFY_WHY_BYTES_MAX    200
#define VERIFY_DOCUMENT_BYTES   ((size_t)64 << 20) /* of what a check is given; more is down */
#define VERIFY_REPLY_BYTES      ((size_t)64 << 10) /* of what an HTTP check says; more is down */

enum verify_kind { VERIFY_NONE, VERIFY_COMMAND, VERIFY_HTTP, VERIFY_SCHEMA, VERIFY_EXPERT };

/* Of one policy; stays as long as its verifier. Zeros are not "as usual": whoever fills it sets all that its kind
 * needs, by verify_settings_usual() and from there. */
struct verify_settings {
    enum verify_kind kind;
    struct str
        name; /* in headers and ledger: "command:check.py", "http:HOST", "schema", "expert:NAME", or as given;
                      * ASCII without blanks, at most VERIFY_NAME_BYTES_MAX */
    const char *const *command; /* NULL-terminated */
    const char *const *files;   /* it may read them, NULL-terminated; NULL: none (confined.h) */
    const char *url;
    struct str key; /* sent as a bearer token; secret: never printed; empty: none */
    struct str expert;
    size_t expert_index; /* of it, in the configuration */
    struct str rubric;   /* empty: is the answer right? */
    uint32_t timeout_ms; /* of one check once it runs; it waits in line no longer than that */
    uint32_t cpu_s;      /* of each process of a command */
    size_t memory_bytes; /* likewise */
    uint32_t workers;    /* commands that run at once */
    uint32_t queue;      /* those that wait for that */
    int64_t
        price_nano_usd; /* of one check that says something; an expert's calls are paid as such instead */
    double false_pass;  /* believed before there is feedback: P(it passes | the answer is wrong) */
    double false_alarm; /* P(it rejects | the answer is right) */
    bool strict;        /* an answer that no check has passed is never given: an error is */
};

/* The usual limits and beliefs of a kind. */
struct verify_settings verify_settings_usual(enum verify_kind kind);
const char *
verify_kind_name(enum verify_kind kind); /* "none", "command", "http", "schema", "expert" */

/* What a check is given. Read in verifier_begin alone. */
struct verify_input {
    struct json_value request;    /* the client's chat completion request, whole */
    struct str question;          /* the last user turn */
    struct str answer;            /* its text; empty: none */
    struct json_value tool_calls; /* choices[0].message.tool_calls; JSON_NONE: none */
};

enum verify_verdict {
    VERIFY_PASS,
    VERIFY_REJECT,
    VERIFY_DOWN, /* it could not say */
};

struct verify_end {
    enum verify_verdict verdict;
    /* One printable line of what it said, or what went wrong; may be empty. */
    char why[VERIFY_WHY_BYTES_MAX + 1];
    uint64_t elapsed_ms;   /* since verifier_begin */
    int64_t cost_nano_usd; /* down: 0 */
    /* VERIFY_DOWN, and a command ran and said so by its exit code: it has nothing to say of this answer. */
    bool abstains;
};

const char *verify_verdict_name(enum verify_verdict verdict); /* "pass", "reject", "down" */

/* Whether this check has something to say of answers to such a request; else *ret_why (may be NULL) tells why not. Only
 * schemas are choosy: they want a response_format or tools. */
bool verify_applies(const struct verify_settings *s, struct json_value request,
                    const char **ret_why);

struct verifier;
struct verify_task;

/* What a check needs of the thread that begins it. Both outlive the task. */
struct verify_thread {
    struct scheduler *scheduler;
    struct transport *
        transport; /* of HTTP checks alone: experts' own, so that no private address is reached where
                                  * those are denied. NULL: such a check is down */
};

/* `end` until it returns; the task is gone by then. */
typedef void verify_done(void *user, const struct verify_end *end);

/* A command's threads start here. `settings` is not copied. ERR_MEMORY, ERR_IO: there is no thread. */
NODISCARD enum status verifier_create(const struct verify_settings *settings, struct verifier **ret,
                                      struct error *err);
/* Every task has been told or cancelled; commands that still run for cancelled ones are killed and waited for. NULL is
 * fine. */
void verifier_free(struct verifier *v);
const struct verify_settings *verifier_settings(const struct verifier *v);

/* Begins a check, not of kind VERIFY_EXPERT. `done` is called once, on this thread, never from inside of this call, and
 * not after verifier_cancel; whatever can go wrong but ERR_MEMORY is told by it as VERIFY_DOWN. */
NODISCARD enum status verifier_begin(struct verifier *v, const struct verify_thread *on,
                                     const struct verify_input *input, verify_done *done,
                                     void *user, struct verify_task **ret, struct error *err);
/* On the thread that began it, before `done`. A command that runs is killed soon, a call is cut off. */
void verifier_cancel(struct verify_task *t);

struct verifier_reading { /* of commands, now */
    size_t running, waiting;
};
void verifier_read(struct verifier *v, struct verifier_reading *ret);

/* A question with an answer that harms nobody, to try a check by: then VERIFY_DOWN says what is to be mended, and both
 * others are fine. */
struct verify_input verify_sample(void);

/* An expert that judges: both texts of the messages go into bufs. `nonce` makes marks that no answer can know. */
void verify_expert_ask(const struct verify_settings *s, const struct verify_input *input,
                       uint64_t nonce, struct buf *system, struct buf *user);
/* Its reply's verdict and, where it gives one, its reason; no times, no costs. A reply that cannot be read is
 * VERIFY_DOWN. */
void verify_expert_read(struct str reply, struct verify_end *ret);
