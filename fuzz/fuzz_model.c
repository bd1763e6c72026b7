/* A model file: refused, or it gives sound estimates. */
#include "base/check.h"
#include "model_file.h"
#include "predict/model.h"
#include "predict/predictor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every plan, with every pattern of answers of three members at all stages. */
static void check_plan(const struct model *m, size_t arm, const struct estimate *estimates)
{
    const struct plan *p = model_arm_at(m, arm);
    for (unsigned pattern = 0; pattern < 64; pattern++) {
        struct plan_state s = {.characters = 100, .choice_count = pattern % 5};
        struct plan_verdict v;
        uint8_t asked = 0;
        bool pending = pattern & 1;
        for (size_t i = 0; i < p->member_count; i++) {
            unsigned class = pattern >> 2 * (i % 3) & 3; /* 3: not asked */
            s.members[i] = &estimates[p->members[i]];
            s.answers[i] = (struct plan_answer){.asked = class < 3,
                                                .pending = class == 3 && pending,
                                                .answer_class = (uint16_t)(class % 3)};
            asked |= (uint8_t)((class < 3 || pending) << i);
        }
        model_plan_verdict(m, arm, &s, &v);
        CHECK(v.winner < p->member_count);
        CHECK(!(v.ask & asked) && v.ask >> p->member_count == 0);
        CHECK(!v.wait || (pending && !v.ask));
        for (size_t i = 0; i < p->member_count; i++)
            CHECK(v.trust[i] >= 0 && v.trust[i] <= 1);
    }
}

static void check_plans(const struct model *m, const struct estimate *estimates)
{
    for (size_t arm = model_expert_count(m); arm < model_arm_count(m); arm++) {
        const struct estimate *e = &estimates[arm];
        CHECK(e->quality >= 0 && e->quality <= 1 && e->escalation >= 0 && e->escalation <= 1);
        CHECK(e->cost_nano_usd >= 0 && e->cost_nano_usd <= e->cost_max_nano_usd);
        check_plan(m, arm, estimates);
    }
}

static void check_estimates(const struct model *m, struct str text, struct features *f)
{
    struct estimate estimates[MODEL_ARMS_MAX];
    if (model_encode(m, text, f, NULL) != OK)
        return;
    model_estimate(m, f, estimates);
    for (size_t e = 0; e < model_expert_count(m); e++) {
        CHECK(estimates[e].quality >= 0 && estimates[e].quality <= 1);
        CHECK(estimates[e].input_tokens >= 0 && estimates[e].input_tokens <= TOKENS_MAX);
        CHECK(estimates[e].output_tokens >= 0 && estimates[e].output_tokens <= TOKENS_MAX);
        CHECK(estimates[e].cost_nano_usd >= 0);
        CHECK(model_expert_index(m, model_expert_at(m, e)->name) <= e);
    }
    check_plans(m, estimates);
}

/* What is only shown, and the sample at other prices. */
static void check_told(const struct model *m)
{
    static const struct price other = {.input_nano_usd_per_m = 1000, .output_nano_usd_per_m = 7};
    struct price prices[MODEL_EXPERTS_MAX];
    struct model_sample s = model_sample(m);
    float *cost = s.rows ? calloc(s.rows * s.arms, sizeof(*cost)) : NULL;
    for (size_t e = 0; e < model_expert_count(m); e++)
        prices[e] = e ? other : model_expert_at(m, 0)->price;
    if (cost)
        model_sample_price(m, prices, cost);
    for (size_t i = 0; cost && i < s.rows * s.arms; i++)
        CHECK(cost[i] >= 0);
    free(cost);
    for (size_t g = 0; g < model_group_count(m); g++) {
        (void)model_group_name(m, g);
        for (size_t e = 0; e < model_expert_count(m); e++)
            (void)model_group_quality(m, g, e);
    }
}

static void use(const struct model *m)
{
    struct features f;
    if (features_init(&f, NULL) != OK)
        return;
    check_estimates(m, STR(""), &f);
    check_estimates(m, STR("What is 2 + 2?\nA. 3\nB. 4"), &f);
    features_done(&f);
    CHECK(model_lambda_for_budget(m, NULL, 1) >= model_lambda_for_budget(m, NULL, 2));
    (void)model_trained_on(m, 1);
    check_told(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t total;
    struct model *m = NULL;
    struct error err = {0};
    char *bytes = model_file_make(data, size, &total);
    if (!bytes)
        return 0;
    enum status status = model_load_bytes(bytes, total, &m, &err);
    CHECK((status == OK) == (m != NULL));
    CHECK((status == OK) == (err.text[0] == '\0'));
    if (m)
        use(m);
    model_free(m);
    free(bytes);
    return 0;
}
