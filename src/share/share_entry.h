/* What the machines of a run tell each other: entries of Redis streams, names and values by turns. A call goes from the
 * run's leader to whoever takes it, a result comes back. Whoever reads them trusts nobody. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/certainty.h"
#include "base/error.h"
#include "base/str.h"
#include "expert/cost.h"

#define SHARE_FIELDS_MAX 40 /* names and values of an entry */
#define SHARE_NAME_BYTES 1024
#define SHARE_TEXT_BYTES (16u << 20)
#define SHARE_ID_BYTES   48 /* of an entry, "1764518400000-0", and of a payment */
#define SHARE_NO_LIMIT   INT64_MAX

struct share_call {
    struct str key, expert;
    uint64_t asked; /* a hash of the texts */
    struct str system, user;
    int64_t output_tokens; /* of the answer at most; SHARE_NO_LIMIT: any number */
    int64_t most_nano_usd; /* that its tries may cost together; SHARE_NO_LIMIT: any sum */
};

enum share_end {
    SHARE_ANSWERED,
    SHARE_BROKEN,  /* the expert failed */
    SHARE_TOO_DEAR /* another try would pass over most_nano_usd */
};

struct share_result {
    struct str key, expert;
    uint64_t asked;
    struct str paid; /* of this payment alone, so that it is booked once */
    enum share_end end;
    struct str text; /* the answer, or what is wrong */
    int http_status;
    enum cost_basis basis;
    int64_t input_tokens, output_tokens, cost_nano_usd, latency_ms;
    struct certainty certainty;
};

/* Numbers as texts: what the words of an entry point into. */
struct share_words {
    struct str words[SHARE_FIELDS_MAX];
    size_t count;
    char numbers[10][24];
    size_t number_count;
    char certainty[80];
};
void share_call_write(const struct share_call *c, struct share_words *w);
void share_result_write(const struct share_result *r, struct share_words *w);

/* Out of `count` names and values; what comes back points into them. Unknown names are passed over. ERR_INPUT. */
NODISCARD enum status share_call_parse(const struct str *words, size_t count,
                                       struct share_call *ret, struct error *err);
NODISCARD enum status share_result_parse(const struct str *words, size_t count,
                                         struct share_result *ret, struct error *err);

/* A run's name: letters, digits, and . _ - between; at most 100 bytes. */
bool share_run_valid(struct str run);
