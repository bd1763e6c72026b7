/* What holds questions back: those that were asked already, in these or in like words, and those that a protected set
 * (an examination that must stay unseen) has.
 *
 *   duplicate      the same normalised text; or a like one: made-up questions that are as like as MINHASH_NEAR, because
 *                  generators go on repeating a story with other numbers; others that are as like as SIEVE_SAME and
 *                  have the same numbers, because what somebody has may well be two questions on one stem
 *   contaminated   the same normalised text as a protected question, one as like as MINHASH_NEAR, or
 *                  SIEVE_WORDS words in a row that a protected question has, too (as GPT-3's authors looked for it,
 *                  arXiv 2005.14165, appendix C)
 *
 * Likeness is that of texts with their choices. Everything that is looked at is copied or hashed; the texts need not
 * stay. Belongs to one thread. */
#pragma once

#include "pose/drop.h"
#include "pose/posed.h"

#define SIEVE_WORDS 13
#define SIEVE_SAME  0.9
/* Of the words in a row, how many protected runs there may be in all. */
#define SIEVE_RUNS_MAX (UINT32_C(1) << 27)

struct sieve;

NODISCARD enum status sieve_create(uint64_t seed, struct sieve **ret, struct error *err);
void sieve_free(struct sieve *s); /* NULL is fine */
/* Every question of a data set is protected from now on. */
NODISCARD enum status sieve_protect(struct sieve *s, const struct dataset *d, struct error *err);
NODISCARD enum status sieve_protect_query(struct sieve *s, const struct query *q,
                                          struct error *err);
size_t sieve_protected(const struct sieve *s); /* questions */

enum sieve_rule {
    SIEVE_LIKE,   /* as above: questions that are there */
    SIEVE_STRICT, /* as above: questions that are made up */
    SIEVE_EXACT, /* only equal texts: for questions that are drawn from templates and alike by design */
};

struct sieve_verdict {
    bool held; /* back */
    enum drop_reason reason;
    char why[96]; /* "like 'q17' (.84)" */
};

/* Whether the question may pass; it is not remembered as asked. */
NODISCARD enum status sieve_look(struct sieve *s, const struct query *q, enum sieve_rule rule,
                                 struct sieve_verdict *ret, struct error *err);
/* This question has been asked, or will be. */
NODISCARD enum status sieve_add(struct sieve *s, const struct query *q, struct error *err);
/* Whether the very text has been added: by its hash, without looking for like ones. */
bool sieve_has(const struct sieve *s, uint64_t text_hash);
