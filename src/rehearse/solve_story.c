/* Questions that need two skills or a little reading: facts inside arithmetic ("multiply the number of letters in
 * "banana" by 13") and short stories about boxes, gifts and prices.
 *
 * Pure functions on the stack, any thread. A fact is rewritten to its number and the rest is solved as arithmetic, so
 * solve() must ask this file before the plain skills. */
#include <stdio.h>
#include <string.h>

#include "rehearse/solve.h"

#define REWRITE_BYTES 1024
#define NUMBERS_MAX   8

/* A fact starts here and ends behind its last token; its question form is solved on its own. */
struct fact {
    const char *head;
    bool (*solve)(const struct tokens *, struct solution *);
};

static const struct fact FACTS[] = {
    {"the number of letters in", solve_words},    {"the number of vowels in", solve_words},
    {"the number of consonants in", solve_words}, {"the number of minutes in", solve_units},
    {"the number of hours in", solve_units},      {"the number of seconds in", solve_units},
    {"the number of days in", solve_units},
};

/* Index behind the thing a fact is about: a quoted word, or NUMBER UNIT. */
static size_t fact_end(const struct tokens *t, size_t at)
{
    if (at < t->count && t->items[at].type == TOKEN_QUOTED)
        return at + 1;
    if (at + 1 < t->count && t->items[at].type == TOKEN_NUMBER &&
        t->items[at + 1].type == TOKEN_WORD)
        return at + 2;
    return 0;
}

/* Tokens [from, to) as a question of their own. */
static bool solve_fact(const struct tokens *t, size_t from, size_t to, const struct fact *fact,
                       struct solution *ret)
{
    struct tokens part;
    part.count = 0;
    for (size_t at = from; at < to; at++)
        part.items[part.count++] = t->items[at];
    /* "the number of LETTERS in X" becomes "how many LETTERS LETTERS in X", which reads the same to a solver. */
    part.items[0] = (struct token){TOKEN_WORD, STR("how"), 0, 1};
    part.items[1] = (struct token){TOKEN_WORD, STR("many"), 0, 1};
    part.items[2] = t->items[from + 3];
    return fact->solve(&part, ret);
}

struct rewrite {
    char text[REWRITE_BYTES];
    size_t len;
    size_t facts;
    char because[SOLUTION_BECAUSE_BYTES / 2];
    bool failed;
};

static void rewrite_add(struct rewrite *r, struct str s)
{
    if (r->len + s.len + 2 > sizeof(r->text)) {
        r->failed = true;
        return;
    }
    memcpy(r->text + r->len, s.ptr, s.len);
    r->len += s.len;
    r->text[r->len++] = ' ';
}

/* Replaces a fact at `at` by its number; returns the index behind it, or 0 when there is none. */
static size_t rewrite_fact(struct rewrite *r, const struct tokens *t, size_t at)
{
    for (size_t f = 0; f < sizeof(FACTS) / sizeof(FACTS[0]); f++) {
        struct solution fact = {0};
        size_t end = tokens_match(t, at, FACTS[f].head);
        end = end > 0 ? fact_end(t, end) : 0;
        if (end == 0 || !solve_fact(t, at, end, &FACTS[f], &fact))
            continue;
        rewrite_add(r, str_from(fact.answer));
        if (r->facts++ == 0)
            snprintf(r->because, sizeof(r->because), "%.*s", (int)sizeof(r->because) - 1,
                     fact.because);
        return end;
    }
    return 0;
}

/* Facts become numbers; what is left must be arithmetic. */
static bool solve_with_facts(const struct tokens *t, struct solution *ret)
{
    struct rewrite r = {.len = 0};
    for (size_t at = 0; at < t->count && !r.failed;) {
        size_t end = rewrite_fact(&r, t, at);
        if (end == 0)
            rewrite_add(&r, t->items[at].text);
        at = end > 0 ? end : at + 1;
    }
    struct tokens rewritten;
    struct solution sum = {0};
    if (r.failed || r.facts == 0 || !tokens_cut((struct str){r.text, r.len}, &rewritten) ||
        !solve_arithmetic(&rewritten, &sum))
        return false;
    *ret = sum;
    ret->skill = SKILL_MIXED;
    snprintf(ret->because, sizeof(ret->because), "%s, and %.*s", r.because,
             (int)(SOLUTION_BECAUSE_BYTES / 2 - 8), sum.because);
    return true;
}

static size_t whole_numbers(const struct tokens *t, int64_t numbers[NUMBERS_MAX])
{
    size_t count = 0;
    for (size_t at = 0; at < t->count && count < NUMBERS_MAX; at++)
        if (token_is_whole(&t->items[at]) && t->items[at].value < 1000000)
            numbers[count++] = t->items[at].value;
    return count;
}

static bool answer_story(int64_t value, const char *working, struct solution *ret)
{
    ret->skill = SKILL_MIXED;
    ret->form = FORM_NUMBER;
    snprintf(ret->answer, sizeof(ret->answer), "%lld", (long long)value);
    ret->size = (unsigned)strlen(ret->answer);
    snprintf(ret->because, sizeof(ret->because), "%s = %s", working, ret->answer);
    return true;
}

/* "... 12 boxes with 24 pencils in each ... gives 37 away ... left?" and "... buys 9 more ... in all?" */
static bool solve_boxes(const struct tokens *t, struct solution *ret)
{
    int64_t n[NUMBERS_MAX];
    char working[96];
    bool takes = tokens_have(t, "gives") || tokens_have(t, "sells") || tokens_have(t, "loses");
    bool adds = tokens_have(t, "finds") || tokens_have(t, "gets");
    if (!tokens_have(t, "each") || takes == adds || whole_numbers(t, n) != 3)
        return false;
    snprintf(working, sizeof(working), "%lld * %lld %c %lld", (long long)n[0], (long long)n[1],
             takes ? '-' : '+', (long long)n[2]);
    return answer_story(n[0] * n[1] + (takes ? -n[2] : n[2]), working, ret);
}

/* "A notebook costs 3 dollars and a pen costs 2 dollars. How much do 4 notebooks and 5 pens cost?" */
static bool solve_shop(const struct tokens *t, struct solution *ret)
{
    int64_t n[NUMBERS_MAX];
    char working[96];
    if (!tokens_have(t, "costs") || !tokens_have_phrase(t, "how much") || whole_numbers(t, n) != 4)
        return false;
    snprintf(working, sizeof(working), "%lld * %lld + %lld * %lld", (long long)n[0],
             (long long)n[2], (long long)n[1], (long long)n[3]);
    return answer_story(n[0] * n[2] + n[1] * n[3], working, ret);
}

bool solve_story(const struct tokens *t, struct solution *ret)
{
    return solve_with_facts(t, ret) || solve_boxes(t, ret) || solve_shop(t, ret);
}
