/* What to do next while a plan runs: see model_plan_check. */
#include "predict/check.h"

#include "base/check.h"

/* The first member asked whose answer can be told, the cheapest first; member 0 when none can. */
static size_t first_told(const struct plan *p, const struct plan_state *s)
{
    for (size_t i = 0; i < p->member_count; i++)
        if (s->answers[i].asked && s->answers[i].answer_class)
            return i;
    return 0;
}

void check_agreement(const struct plan *p, const struct plan_state *s, struct plan_verdict *ret)
{
    size_t first = plan_first_count(p), last = p->member_count - 1;
    *ret = (struct plan_verdict){.winner = first_told(p, s)};
    for (size_t i = 0; i < p->member_count; i++)
        ret->trust[i] = s->members[i]->quality;
    if (p->member_count == 1)
        return;
    if (s->answers[last].asked) {
        if (s->answers[last].answer_class)
            ret->winner = last;
        return;
    }
    for (size_t i = 0; i < first; i++)
        ret->escalate |=
            !s->answers[i].answer_class || s->answers[i].answer_class != s->answers[0].answer_class;
}
