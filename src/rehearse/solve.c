/* Tries the skills in an order in which none takes a question that another understands better: stories contain facts of
 * the other skills, and arithmetic would find something to add in nearly everything. */
#include "rehearse/solve.h"

#include "base/check.h"

const char *skill_name(enum skill skill)
{
    static const char *const names[SKILL_COUNT] = {"arithmetic", "calendar", "units", "words",
                                                   "mixed"};
    CHECK(skill < SKILL_COUNT);
    return names[skill];
}

bool solve(struct str question, struct solution *ret)
{
    struct tokens tokens;
    ret->decoy[0] = '\0';
    return tokens_cut(question, &tokens) &&
           (solve_story(&tokens, ret) || solve_calendar(&tokens, ret) ||
            solve_words(&tokens, ret) || solve_units(&tokens, ret) ||
            solve_arithmetic(&tokens, ret));
}
