/* Models written again: byte for byte, with experts fewer, with experts more. */
#include "train/model_edit.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "plan/plan_set.h"

#define MOST 16

static struct plan_set_fixture fixture;
static struct model *model;
static struct arena *arena;
static char path[160];

static void begin(void)
{
    fixture = plan_set_make();
    plan_set_train(&fixture, "cascade(a->c);panel(a,b->c);cascade(b->c)");
    model = fixture.model;
    arena = arena_create((size_t)1 << 30);
    snprintf(path, sizeof(path), "%s/again", fixture.path);
    cr_assert_gt(model_arm_count(model), 6);
}

static void end(void)
{
    arena_free(arena);
    plan_set_done(&fixture);
}

TestSuite(model_edit, .init = begin, .fini = end);

static struct model *rewrite(const struct model *m, const struct model_edit *edit)
{
    struct model *n = NULL;
    struct error err = {0};
    cr_assert_eq(model_rewrite(m, edit, path, &err), OK, "%s", err.text);
    cr_assert_eq(model_load(path, &n, &err), OK, "%s", err.text);
    return n;
}

static struct estimate *estimates_of(const struct model *m, size_t row)
{
    struct features f = {0};
    struct estimate *e = ARENA_ARRAY(arena, MODEL_ARMS_MAX, struct estimate);
    cr_assert_eq(model_estimate_text(m, fixture.data->queries[row].prompt, &f, e, NULL), OK);
    features_done(&f);
    return e;
}

/* Arm `name` of both models is estimated alike, to the last bit, on some texts. */
static void expect_same_arm(const struct model *m, size_t arm, const struct model *n, size_t other)
{
    for (size_t row = 0; row < MOST; row++)
        cr_assert_eq(memcmp(&estimates_of(m, row)[arm], &estimates_of(n, row)[other],
                            sizeof(struct estimate)),
                     0, "arm %zu of row %zu", arm, row);
}

static size_t arm_named(const struct model *m, struct str name)
{
    for (size_t i = 0; i < model_arm_count(m); i++)
        if (str_equal(model_arm_at(m, i)->name, name))
            return i;
    return SIZE_MAX;
}

static bool asks(const struct model *m, size_t arm, struct str name)
{
    const struct plan *p = model_arm_at(m, arm);
    for (size_t i = 0; i < p->member_count; i++)
        if (str_equal(model_expert_at(m, p->members[i])->name, name))
            return true;
    return false;
}

static void expect_same_sample(const struct model *m, size_t arm, const struct model *n,
                               size_t other)
{
    struct model_sample a = model_sample(m), b = model_sample(n);
    cr_assert_eq(a.rows, b.rows);
    for (size_t i = 0; i < a.rows; i++) {
        cr_assert_eq(a.quality[i * a.arms + arm], b.quality[i * b.arms + other]);
        cr_assert_eq(a.cost_usd[i * a.arms + arm], b.cost_usd[i * b.arms + other]);
    }
}

static void expect_same_verdicts(const struct model *m, size_t arm, const struct model *n,
                                 size_t other, const struct estimate *e)
{
    const struct plan *p = model_arm_at(m, arm);
    struct plan_state s = {.characters = 50, .choice_count = 4};
    for (size_t i = 0; i < p->member_count; i++) {
        s.members[i] = &e[p->members[i]];
        s.answers[i] = (struct plan_answer){.asked = i + 1 < p->member_count,
                                            .answer_class = (uint16_t)(1 + i % 2)};
    }
    struct plan_verdict v, w;
    model_plan_verdict(m, arm, &s, &v);
    model_plan_verdict(n, other, &s, &w);
    cr_assert_eq(v.ask, w.ask);
    cr_assert_eq(v.winner, w.winner);
    cr_assert_eq(memcmp(v.trust, w.trust, p->member_count * sizeof(*v.trust)), 0);
}

/* Every arm of `m` that does not ask `without` is in `n`, and says the same there. */
static void expect_the_rest_unchanged(const struct model *m, const struct model *n,
                                      struct str without)
{
    for (size_t arm = 0; arm < model_arm_count(m); arm++) {
        size_t other = arm_named(n, model_arm_at(m, arm)->name);
        cr_assert_eq(other == SIZE_MAX, asks(m, arm, without));
        if (other == SIZE_MAX)
            continue;
        expect_same_arm(m, arm, n, other);
        expect_same_sample(m, arm, n, other);
        if (arm >= model_expert_count(m))
            expect_same_verdicts(m, arm, n, other, estimates_of(m, 0));
    }
}

static void read_file(const char *name, struct buf *b)
{
    buf_init(b, 64u << 20);
    cr_assert_eq(file_read(name, 64u << 20, b, NULL), OK);
}

static void expect_same_files(const char *one, const char *other)
{
    struct buf a, b;
    read_file(one, &a);
    read_file(other, &b);
    cr_assert(str_equal(buf_str(&a), buf_str(&b)));
    buf_done(&a);
    buf_done(&b);
}

Test(model_edit, unchanged_is_the_same_file)
{
    char first[160];
    snprintf(first, sizeof(first), "%s/model", fixture.path);
    model_free(rewrite(model, NULL));
    expect_same_files(first, path);
    model_free(rewrite(model, &(struct model_edit){.add_count = 0}));
    expect_same_files(first, path);
}

Test(model_edit, who_is_taken_out_leaves_the_others_as_they_were)
{
    for (size_t expert = 0; expert < PLAN_SET_EXPERTS; expert++) {
        struct str name = model_expert_at(model, expert)->name;
        struct model *n =
            rewrite(model, &(struct model_edit){.remove = &expert, .remove_count = 1});
        cr_assert_eq(model_expert_count(n), PLAN_SET_EXPERTS - 1);
        cr_assert_eq(model_expert_index(n, name), SIZE_MAX);
        expect_the_rest_unchanged(model, n, name);
        cr_assert(model_lambda_for_budget(n, NULL, 1) >= 0);
        model_free(n);
    }
}

/* And what is left can be written again: unchanged, and with one more taken out. */
Test(model_edit, a_written_model_is_a_model)
{
    const size_t first = 1, second = 0;
    char twice[160];
    struct model *n = rewrite(model, &(struct model_edit){.remove = &first, .remove_count = 1});
    snprintf(twice, sizeof(twice), "%s/twice", fixture.path);
    cr_assert_eq(model_rewrite(n, NULL, twice, NULL), OK);
    expect_same_files(path, twice);
    struct model *o = rewrite(n, &(struct model_edit){.remove = &second, .remove_count = 1});
    expect_the_rest_unchanged(n, o, STR("a"));
    cr_assert_eq(model_arm_count(o), 2); /* c and d; no plan is left */
    model_free(n);
    model_free(o);
}

Test(model_edit, a_copy_is_estimated_as_its_original)
{
    for (size_t expert = 0; expert < PLAN_SET_EXPERTS; expert++) {
        struct expert_parameters copy;
        cr_assert_eq(expert_parameters_take(model, expert, arena, &copy, NULL), OK);
        copy.expert.name = STR("copy");
        struct model *n = rewrite(model, &(struct model_edit){.add = &copy, .add_count = 1});
        cr_assert_eq(model_expert_count(n), PLAN_SET_EXPERTS + 1);
        size_t at = model_expert_index(n, STR("copy"));
        cr_assert_eq(at, PLAN_SET_EXPERTS);
        expect_same_arm(model, expert, n, at);
        expect_same_sample(model, expert, n, at);
        expect_the_rest_unchanged(model, n, STR("copy"));
        cr_assert_eq(model_expert_at(n, at)->accuracy, model_expert_at(model, expert)->accuracy);
        model_free(n);
    }
}

/* Taken out, kept, put back: as if nothing had happened. */
Test(model_edit, parameters_go_back_where_they_came_from)
{
    const size_t expert = 2;
    struct expert_parameters kept;
    cr_assert_eq(expert_parameters_take(model, expert, arena, &kept, NULL), OK);
    struct model *n = rewrite(model, &(struct model_edit){&expert, 1, &kept, 1, {0}, {0}});
    cr_assert_eq(model_expert_count(n), PLAN_SET_EXPERTS);
    expect_same_arm(model, expert, n, model_expert_index(n, STR("c")));
    model_free(n);
}

Test(model_edit, what_is_changed_in_the_parameters_changes_the_expert_alone)
{
    struct expert_parameters better;
    size_t count = 0;
    cr_assert_eq(expert_parameters_take(model, 0, arena, &better, NULL), OK);
    float *intercept = expert_parameters_floats(&better, "stack.base", &count);
    cr_assert(intercept && count == 1);
    *intercept += 2;
    cr_assert_not_null(expert_parameters_floats(&better, "stack.calibration", &count));
    cr_assert_eq(count, 2);
    cr_assert_null(expert_parameters_floats(&better, "source.words.weights", &count));
    cr_assert_null(expert_parameters_floats(&better, "stack.spread", &count));
    cr_assert_null(expert_parameters_floats(&better, "nothing", &count));
    better.expert.name = STR("better");
    struct model *n = rewrite(model, &(struct model_edit){.add = &better, .add_count = 1});
    expect_the_rest_unchanged(model, n, STR("better"));
    for (size_t row = 0; row < MOST; row++)
        cr_assert_gt((double)estimates_of(n, row)[PLAN_SET_EXPERTS].quality,
                     (double)estimates_of(model, row)[0].quality);
    model_free(n);
}

/* A model whose experts have slopes of their own for Han. */
static struct model *with_scripts(void)
{
    static float learnt[PLAN_SET_EXPERTS * SCRIPTS];
    struct model *m = NULL;
    for (size_t e = 0; e < PLAN_SET_EXPERTS; e++)
        learnt[e * SCRIPTS + SCRIPT_HAN] = 0.5f + 0.25f * (float)e;
    fixture.trained->parts.predictor.scripts = learnt;
    cr_assert_eq(model_write(fixture.trained, path, NULL), OK);
    cr_assert_eq(model_load(path, &m, NULL), OK);
    return m;
}

static double han(const struct model *m, const char *name)
{
    const double characters[SCRIPTS] = {[SCRIPT_HAN] = 100};
    return model_input_tokens(m, model_expert_index(m, str_from(name)), 400, characters);
}

Test(model_edit, slopes_of_scripts_go_with_their_experts)
{
    const size_t first = 0;
    struct model *m = with_scripts();
    struct expert_parameters copy;
    size_t count = 0;
    cr_assert_eq(expert_parameters_take(m, 2, arena, &copy, NULL), OK);
    const float *slopes = expert_parameters_floats(&copy, "tokens.scripts", &count);
    cr_assert(slopes && count == SCRIPTS && slopes[SCRIPT_HAN] == 1);
    copy.expert.name = STR("copy");
    struct model *n = rewrite(m, &(struct model_edit){&first, 1, &copy, 1, {0}, {0}});
    cr_assert_float_eq(han(m, "a"), 50, 1e-9);
    cr_assert_float_eq(han(n, "b"), 75, 1e-9);
    cr_assert_float_eq(han(n, "d"), 125, 1e-9);
    cr_assert_float_eq(han(n, "copy"), 100, 1e-9);
    model_free(m);
    model_free(n);
}

/* Who joined and who left when; training knows no day, and what an edit has noted of it another does not change. */
Test(model_edit, days_are_kept_in_the_file)
{
    const size_t first = 0, last = PLAN_SET_EXPERTS - 1;
    struct expert_parameters copy;
    cr_assert_eq(model_parts(model)->trained_by.len, 0);
    cr_assert_eq(expert_parameters_take(model, 0, arena, &copy, NULL), OK);
    copy.expert.name = STR("copy");
    struct model_edit edit = {
        &first, 1, &copy, 1, STR("2026-11-30"), STR("2026-10-01"),
    };
    struct model *n = rewrite(model, &edit);
    edit = (struct model_edit){.remove = &last,
                               .remove_count = 1,
                               .today = STR("2026-12-02"),
                               .trained_by = STR("2026-12-01")};
    struct model *o = rewrite(n, &edit);
    const struct model_parts *p = model_parts(o);
    cr_assert(str_equal(p->trained_by, STR("2026-10-01")));
    cr_assert(str_equal(p->experts[0].until, STR("2026-11-30")));
    cr_assert(str_equal(p->experts[PLAN_SET_EXPERTS].since, STR("2026-11-30")));
    cr_assert(str_equal(p->experts[PLAN_SET_EXPERTS].until, STR("2026-12-02")));
    cr_assert_eq(p->experts[1].since.len, 0);
    cr_assert_eq(p->experts[1].until.len, 0);
    model_free(n);
    model_free(o);
}

/* Whoever is enrolled anew each month does not fill the file; one more that stands apart behind it says the same. */
Test(model_edit, who_comes_again_takes_its_own_place)
{
    struct expert_parameters two[2];
    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(expert_parameters_take(model, i, arena, &two[i], NULL), OK);
    two[0].expert.name = STR("copy");
    two[1].expert.name = STR("other");
    struct model *first = rewrite(model, &(struct model_edit){.add = two, .add_count = 2}), *m;
    for (size_t again = 0; again < 3; again++) {
        const size_t at = model_expert_index(first, STR("copy"));
        m = rewrite(first, &(struct model_edit){&at, 1, &two[0], 1, {0}, {0}});
        cr_assert_eq(model_parts(m)->predictor.experts, model_parts(first)->predictor.experts);
        cr_assert_eq(model_expert_count(m), model_expert_count(first));
        for (size_t i = 0; i < model_arm_count(first); i++) {
            size_t now = arm_named(m, model_arm_at(first, i)->name);
            expect_same_arm(first, i, m, now);
            expect_same_sample(first, i, m, now);
        }
        model_free(first);
        first = m;
    }
    const size_t at = model_expert_index(first, STR("copy")), trained = 0;
    m = rewrite(first, &(struct model_edit){.remove = &at, .remove_count = 1});
    cr_assert_eq(model_parts(m)->predictor.experts, model_parts(first)->predictor.experts,
                 "it is known who was there");
    struct model *n = rewrite(m, &(struct model_edit){.add = two, .add_count = 1});
    cr_assert_eq(model_parts(n)->predictor.experts, model_parts(first)->predictor.experts);
    two[0].expert.name = model_expert_at(model, trained)->name;
    struct model *o = rewrite(n, &(struct model_edit){&trained, 1, two, 1, {0}, {0}});
    cr_assert_eq(model_parts(o)->predictor.experts, 1 + model_parts(n)->predictor.experts,
                 "one that was trained has a part in the others' level");
    expect_same_arm(n, 1, o, arm_named(o, model_arm_at(n, 1)->name));
    model_free(first);
    model_free(m);
    model_free(n);
    model_free(o);
}

/* A file may be forged, and days are shown in a terminal. */
Test(model_edit, what_has_not_the_form_of_a_day_is_none)
{
    static const char *const forged[] = {"\033[2J\033[1;1H", "2026-11-3\n", "2026/11/30"};
    const size_t first = 0;
    for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        cr_assert_eq(strlen(forged[i]), strlen("2026-11-30"));
        struct model *m = rewrite(model, &(struct model_edit){.remove = &first,
                                                              .remove_count = 1,
                                                              .today = str_from(forged[i]),
                                                              .trained_by = str_from(forged[i])});
        cr_expect_eq(model_parts(m)->trained_by.len, 0);
        cr_expect_eq(model_parts(m)->experts[0].until.len, 0);
        model_free(m);
    }
}

static void expect_refusal(const struct model *m, const struct model_edit *edit, const char *words)
{
    struct error err = {0};
    cr_assert_eq(model_rewrite(m, edit, path, &err), ERR_INPUT);
    cr_assert_not_null(strstr(err.text, words), "%s", err.text);
    cr_assert_neq(access(path, F_OK), 0, "something was written");
}

Test(model_edit, what_makes_no_model_is_refused)
{
    const size_t all[] = {0, 1, 2, 3};
    struct expert_parameters x;
    cr_assert_eq(expert_parameters_take(model, 0, arena, &x, NULL), OK);
    expect_refusal(model, &(struct model_edit){.remove = all, .remove_count = 4},
                   "without experts");
    expect_refusal(model, &(struct model_edit){.add = &x, .add_count = 1}, "'a' already");
    x.expert.name = STR("x");
    const struct expert_parameters twice[] = {x, x};
    expect_refusal(model, &(struct model_edit){.add = twice, .add_count = 2}, "'x' already");
    x.skeleton++;
    expect_refusal(model, &(struct model_edit){.add = &x, .add_count = 1}, "another model");
    struct error err = {0};
    cr_assert_eq(model_rewrite(model, NULL, "/nonexistent/model", &err), err.status);
    cr_assert_neq(err.status, OK);
}
