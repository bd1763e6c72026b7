/* The built-in experts: which there are, and how often each is right. See sandbox.h. */
#include "rehearse/sandbox.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/rng.h"
#include "rehearse/slip.h"

#define CHARACTERS_PER_TOKEN 4

static const struct sandbox_expert EXPERTS[SANDBOX_EXPERT_COUNT] = {
    {"abacus",
     "whole-number arithmetic, up to eight digits",
     NULL,
     {.input_nano_usd_per_m = 100000000, .output_nano_usd_per_m = 300000000},
     {[SKILL_ARITHMETIC] = {8, .99f, .30f}, [SKILL_UNITS] = {3, .45f, .10f}}},
    {"almanac",
     "the calendar and units of measure",
     NULL,
     {.input_nano_usd_per_m = 200000000, .output_nano_usd_per_m = 600000000},
     {[SKILL_CALENDAR] = {150, .98f, .75f},
      [SKILL_UNITS] = {7, .98f, .80f},
      [SKILL_ARITHMETIC] = {2, .90f, .10f}}},
    {"lexicon",
     "words and letters",
     NULL,
     {.input_nano_usd_per_m = 150000000, .output_nano_usd_per_m = 450000000},
     {[SKILL_WORDS] = {11, .98f, .85f}, [SKILL_ARITHMETIC] = {2, .60f, .05f}}},
    {"sage",
     "nearly everything, at a price",
     "Let me work through this carefully, one step at a time. First I restate what is asked, then "
     "I "
     "compute it and check the result. ",
     {.input_nano_usd_per_m = 5000000000, .output_nano_usd_per_m = 15000000000},
     {[SKILL_ARITHMETIC] = {9, .99f, .85f},
      [SKILL_CALENDAR] = {100, .98f, .90f},
      [SKILL_UNITS] = {8, .99f, .95f},
      [SKILL_WORDS] = {8, .97f, .85f},
      [SKILL_MIXED] = {6, .97f, .90f}}},
};

/* How often a guess outside every skill is right, by the form of the answer. */
static const float LUCK[] = {
    [FORM_NUMBER] = .06f, [FORM_WEEKDAY] = .15f, [FORM_DATE] = .03f,
    [FORM_TIME] = .08f,   [FORM_YES_NO] = .50f,  [FORM_WORD] = .05f,
};

const struct sandbox_expert *sandbox_expert_at(size_t expert)
{
    CHECK(expert < SANDBOX_EXPERT_COUNT);
    return &EXPERTS[expert];
}

static size_t count_experts(const void *self)
{
    (void)self;
    return SANDBOX_EXPERT_COUNT;
}

static struct str name_expert(const void *self, size_t expert)
{
    (void)self;
    return str_from(sandbox_expert_at(expert)->name);
}

static float chance(const struct sandbox_expert *e, const struct solution *s)
{
    const struct sandbox_ability *ability = &e->abilities[s->skill];
    float skilled = s->size <= ability->size_sure ? ability->within : ability->beyond;
    return skilled > LUCK[s->form] ? skilled : LUCK[s->form];
}

static char *say_unknown(const struct sandbox_expert *e, struct arena *a)
{
    return arena_printf(a,
                        "%sI am a sandbox expert (%s) and could not make sense of this question. "
                        "The answer is unknown.",
                        e->opening ? e->opening : "", e->summary);
}

static char *say_right(const struct sandbox_expert *e, const struct solution *s, struct arena *a)
{
    char first = s->because[0];
    if (first >= 'a' && first <= 'z')
        first = (char)(first - 'a' + 'A');
    return arena_printf(a, "%s%c%s. The answer is %s.", e->opening ? e->opening : "", first,
                        s->because + 1, s->answer);
}

static char *say_wrong(const struct sandbox_expert *e, const struct solution *s, struct rng *rng,
                       struct arena *a)
{
    static const char *const reasons[] = {"By my reckoning it comes to", "Working it out gives",
                                          "I make it"};
    char wrong[SOLUTION_ANSWER_BYTES];
    slip_answer(s, rng, wrong);
    return arena_printf(a, "%s%s %s. The answer is %s.", e->opening ? e->opening : "",
                        reasons[rng_below(rng, 3)], wrong, wrong);
}

static int64_t tokens_of(size_t bytes)
{
    return (int64_t)((bytes + CHARACTERS_PER_TOKEN - 1) / CHARACTERS_PER_TOKEN);
}

static enum status answer(const void *self, size_t expert, struct str prompt, struct arena *a,
                          struct rehearse_answer *ret, struct error *err)
{
    const struct sandbox *sandbox = self;
    const struct sandbox_expert *e = sandbox_expert_at(expert);
    struct solution s;
    struct rng rng;
    struct str question = str_trim(prompt);
    rng_seed(&rng, hash64(question, hash64(str_from(e->name), sandbox->seed)));
    char *text = NULL;
    if (!solve(question, &s))
        text = say_unknown(e, a);
    else if (rng_uniform(&rng) < (double)chance(e, &s))
        text = say_right(e, &s, a);
    else
        text = say_wrong(e, &s, &rng, a);
    if (!text)
        return error_set(err, ERR_MEMORY, "out of memory for an answer");
    *ret = (struct rehearse_answer){str_from(text), tokens_of(prompt.len),
                                    tokens_of(str_from(text).len)};
    return OK;
}

struct rehearse_source sandbox_source(const struct sandbox *s)
{
    static const struct rehearse_source_ops ops = {count_experts, name_expert, answer};
    return (struct rehearse_source){&ops, s};
}
