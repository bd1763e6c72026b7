/* Plans run on recorded answers: see plan_columns.h. */
#include "eval/plan_columns.h"

#include <string.h>

#include "base/check.h"

static void note_answer(struct plan_state *s, size_t i, const struct outcome *o,
                        const struct answer_cell *cell)
{
    s->answers[i].asked = true;
    s->answers[i].answer_class = o->answer_class;
    s->answers[i].certainty = cell->certainty;
    memcpy(s->answers[i].stats, cell->stats, sizeof(cell->stats));
}

static int32_t add_tokens(int32_t a, int32_t b)
{
    int32_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT32_MAX : sum;
}

void plan_column_add(struct outcome *total, const struct outcome *call)
{
    total->cost_nano_usd += call->cost_nano_usd;
    total->input_tokens = add_tokens(total->input_tokens, call->input_tokens);
    total->output_tokens = add_tokens(total->output_tokens, call->output_tokens);
    total->tokens_known = total->tokens_known && call->tokens_known;
}

/* Runs one plan on one query, in the order in which the gateway does: a verdict, the calls that it wants, the next
 * verdict, until it wants none; then adds up what was asked. It must stay in step with ask/plan_run.c. */
void plan_column_run(const struct model *m, const struct plan_column *c, float characters,
                     uint32_t choice_count, const struct estimate *estimates,
                     const struct outcome *outcomes, const struct answer_cell *const *cells,
                     struct outcome *ret, struct eval_run *ret_run)
{
    const struct plan *p = model_arm_at(m, c->arm);
    struct plan_state state = {.characters = characters, .choice_count = choice_count};
    struct plan_verdict verdict;
    *ret_run = (struct eval_run){.calls = 0};
    for (size_t i = 0; i < p->member_count; i++)
        state.members[i] = &estimates[c->members[i]];
    for (;;) {
        model_plan_verdict(m, c->arm, &state, &verdict);
        if (!verdict.ask)
            break;
        CHECK(!(verdict.ask & ret_run->calls) && verdict.ask >> p->member_count == 0);
        for (size_t i = 0; i < p->member_count; i++)
            if (verdict.ask >> i & 1)
                note_answer(&state, i, &outcomes[c->members[i]], cells[c->members[i]]);
        ret_run->calls |= verdict.ask;
    }
    CHECK(verdict.winner < p->member_count);
    const struct outcome *winner = &outcomes[c->members[verdict.winner]];
    *ret = (struct outcome){.present = true,
                            .known = true,
                            .cost_known = true,
                            .tokens_known = true,
                            .score = winner->score,
                            .answer = winner->answer,
                            .answer_class = winner->answer_class};
    ret_run->winner = (uint8_t)verdict.winner;
    for (size_t i = 0; i < p->member_count; i++)
        if (ret_run->calls >> i & 1)
            plan_column_add(ret, &outcomes[c->members[i]]);
}
