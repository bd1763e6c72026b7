/* The words for a generator: see generator_prompt.h. One request names what is wanted in a few lines and shows the
 * form of the reply once. The same arguments give the same bytes, because a request is told apart by its text where it
 * is remembered.
 *
 * Pure functions of their arguments, any thread. */
#include "pose/generator_prompt.h"

#include "base/check.h"
#include "judge/answer_text.h"

#define SEED_BYTES_MAX 600 /* shown of an example */

/* Asking for questions */

void generator_prompt_system(struct buf *out)
{
    buf_add_c(out, "You write examination questions that tell strong language models from weak "
                   "ones. Every question "
                   "stands by itself, has exactly one right answer that does not change with time, "
                   "and can be answered "
                   "without looking anything up. You work each answer out before you write it "
                   "down. You reply with JSON "
                   "and nothing else.");
}

static void add_level(struct buf *out, unsigned level)
{
    static const char *const levels[POSED_LEVELS + 1] = {
        "mixed, from 1 (anybody can answer) to 5 (only an expert of the field can)",
        "1 of 5: anybody can answer",
        "2 of 5: for somebody who has finished school",
        "3 of 5: for a student of the field",
        "4 of 5: for a graduate of the field; two or three steps of thought",
        "5 of 5: for an expert of the field; several steps of thought, with a trap",
    };
    CHECK(level <= POSED_LEVELS);
    buf_addf(out, "Difficulty: %s\n", levels[level]);
}

static void add_kinds(struct buf *out, unsigned kinds)
{
    static const char *const words[POSED_KINDS] = {
        [POSED_CHOICE] =
            "\"choice\": 4 to 10 choices, one of them right; the reference is its letter",
        [POSED_NUMBER] =
            "\"number\": the reference is the number alone; the question names its unit",
        [POSED_SHORT] =
            "\"short\": the reference is one to five words that can be said in one way only",
        [POSED_OPEN] = "\"open\": the reference is a model answer of a few sentences",
    };
    CHECK(kinds != 0);
    buf_add_c(out, "Kinds of answer:\n");
    for (size_t k = 0; k < POSED_KINDS; k++)
        if (kinds & 1u << k)
            buf_addf(out, "- %s\n", words[k]);
}

static void add_seeds(struct buf *out, const struct generator_want *want)
{
    size_t count = want->seed_count < GENERATOR_SEEDS_MAX ? want->seed_count : GENERATOR_SEEDS_MAX;
    if (count == 0)
        return;
    buf_add_c(out,
              "Questions of this kind, to show what is meant. Ask other things than they do:\n");
    for (size_t i = 0; i < count; i++) {
        buf_add_c(out, "<example>\n");
        buf_add(out, utf8_cut(want->seeds[i]->prompt, SEED_BYTES_MAX));
        buf_add_c(out, "\n</example>\n");
    }
}

/* What the questions of one request shall be about, so that many requests do not all bring the best-known fact. */
static const char *angle(uint64_t variation)
{
    static const char *const angles[] = {
        "a calculation or a derivation",
        "a common mistake",
        "a comparison of two things that are often confused",
        "an exception to a rule",
        "a consequence in practice",
        "a little-known but settled fact",
        "what follows from a short story or case",
        "a definition and where it ends",
        "an order of events or steps",
        "cause and effect",
    };
    return angles[variation % (sizeof(angles) / sizeof(angles[0]))];
}

void generator_prompt(const struct generator_want *want, struct buf *out)
{
    CHECK(want->items >= 1 && want->items <= GENERATOR_ITEMS_MAX);
    buf_addf(out, "Write %zu new question%s.\n", want->items, want->items == 1 ? "" : "s");
    if (want->domain.len > 0)
        buf_addf(out, "Domain: %.*s\n", STR_FMT(want->domain));
    add_level(out, want->level);
    add_kinds(out, want->kinds);
    buf_addf(out, "At least half of them: %s. Set number %llu.\n", angle(want->variation),
             (unsigned long long)want->variation + 1);
    add_seeds(out, want);
    buf_add_c(
        out,
        "Do not give the answer away in the question. In JSON a backslash is written twice.\n"
        "Reply with a JSON array of objects like this, \"choices\" only where the kind is "
        "\"choice\":\n"
        "[{\"question\": \"...\", \"kind\": \"choice\", \"choices\": [\"...\", \"...\"], "
        "\"rationale\": \"the steps to the answer\", \"reference\": \"B\", \"domain\": \"...\", "
        "\"difficulty\": 3}]");
}

/* Asking again */

struct str generator_repeat_system(enum posed_kind kind)
{
    static const struct str systems[POSED_KINDS] = {
        [POSED_CHOICE] = STR_INIT(
            "Think step by step. If no choice is right, or more than one is, say so. Else end "
            "with \"The answer is X.\", X being the letter of the right choice."),
        [POSED_NUMBER] = STR_INIT(
            "Think step by step. If the question cannot be answered, say so. Else end with "
            "\"The answer is X.\", X being the number alone."),
        [POSED_SHORT] = STR_INIT(
            "Think step by step. If the question cannot be answered, say so. Else end with "
            "\"The answer is X.\", X being as few words as will do."),
        [POSED_OPEN] = STR_INIT("Answer in a few sentences."),
    };
    CHECK(kind < POSED_KINDS);
    return systems[kind];
}

bool generator_repeat_agrees(const struct posed *p, struct str response)
{
    struct str answer;
    return posed_answer_read(&p->query, response, &answer) &&
           judge_answers_agree(answer, p->query.answer);
}
