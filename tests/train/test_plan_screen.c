/* Candidates: who is combined with whom, and in which order. */
#include "train/plan_screen.h"

#include "plan_world.h"

#define ROWS 200
#define MAX  64

static size_t screen(struct plan_world *w, struct plan *candidates, size_t max)
{
    struct plan_value v;
    cr_assert_eq(plan_value_singles(&w->rows, w->arena, &v, NULL), OK);
    return plan_screen(&w->rows, &v, candidates, max);
}

static double accuracy(const struct plan_world *w, size_t e)
{
    double sum = 0;
    for (size_t row = 0; row < ROWS; row++)
        sum += (double)plan_world_outcome(w, row, e)->score;
    return sum;
}

Test(plan_screen, three_experts_give_three_pairs_and_a_panel)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 1);
    struct plan found[MAX];
    size_t n = screen(w, found, MAX), cascades = 0, panels = 0;
    for (size_t i = 0; i < n; i++) {
        const struct plan *p = &found[i];
        cascades += p->kind == PLAN_CASCADE && p->member_count == 2;
        panels += p->kind == PLAN_PANEL && p->member_count == 3;
        for (size_t k = 0; k + 1 < p->member_count; k++)
            cr_expect_leq(accuracy(w, p->members[k]), accuracy(w, p->members[p->member_count - 1]),
                          "the most accurate is asked last");
    }
    cr_expect_eq(cascades, 3);
    cr_expect_eq(panels, 1);
    cr_expect_eq(n, 4);
    plan_world_free(w);
}

/* Routing has no use for an expert that is estimated below another at the same price; a panel may. */
Test(plan_screen, an_expert_that_routing_passes_over_is_tried)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 2);
    struct plan found[MAX];
    for (size_t row = 0; row < ROWS; row++) {
        struct estimate *e = &w->estimates[row * PLAN_WORLD_EXPERTS];
        e[1] = e[0];
        e[1].quality -= 0.1f;
    }
    bool used = false;
    size_t n = screen(w, found, MAX);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < found[i].member_count; k++)
            used |= found[i].members[k] == 1;
    cr_expect(used);
    plan_world_free(w);
}

Test(plan_screen, no_more_than_there_is_room_for)
{
    struct plan_world *w = plan_world_make(PLAN_WORLD_AGREE, ROWS, 10, 3);
    struct plan found[MAX];
    for (size_t max = 0; max <= 4; max++)
        cr_expect_eq(screen(w, found, max), max);
    plan_world_free(w);
}
