/* Models over experts without outcomes, out of the base model that ships. */
#include "prior/prior.h"

#include <criterion/criterion.h>
#include <math.h>

static struct price price_of(double in, double out)
{
    return (struct price){.input_nano_usd_per_m = (int64_t)(in * NANO_PER_USD),
                          .output_nano_usd_per_m = (int64_t)(out * NANO_PER_USD)};
}

Test(prior, makes_a_model_of_experts_in_their_order)
{
    struct error err;
    struct model *m;
    struct prior_place places[3];
    const struct prior_expert experts[] = {
        {.name = STR("cheap"), .price = price_of(0.1, 0.4)},
        {.name = STR("mine"), .like = STR("gpt-4o"), .price = price_of(1, 3)},
        {.name = STR("big"), .upstream = STR("openai/gpt-4o-2024-05-13"), .price = price_of(5, 15)},
    };
    cr_assert_eq(prior_model(experts, 3, &m, places, &err), OK, "%s", err.text);
    cr_assert_eq(model_expert_count(m), 3);
    cr_assert(str_equal(model_expert_at(m, 1)->name, STR("mine")));
    cr_assert_eq(places[0].basis, PRIOR_PRICE);
    cr_assert_eq(places[1].basis, PRIOR_LIKE);
    cr_assert_eq(places[2].basis, PRIOR_NAME);
    cr_assert_str_eq(places[0].words, "no outcomes yet: placed by price");
    cr_assert_str_eq(places[2].words, "no outcomes yet: placed as gpt-4o-2024-05-13 (by name)");
    model_free(m);
}

Test(prior, holds_dearer_experts_for_stronger_and_easy_texts_for_easy)
{
    struct error err;
    struct model *m;
    struct features f;
    struct prior_place places[2];
    struct estimate easy[2], hard[2];
    const struct prior_expert experts[] = {{.name = STR("a"), .price = price_of(0.1, 0.4)},
                                           {.name = STR("b"), .price = price_of(5, 15)}};
    cr_assert_eq(prior_model(experts, 2, &m, places, &err), OK, "%s", err.text);
    cr_assert_eq(features_init(&f, &err), OK);
    cr_assert_eq(model_estimate_text(m, STR("What is the capital of France?\nA. Paris\nB. Rome"),
                                     &f, easy, &err),
                 OK);
    cr_assert_eq(model_estimate_text(m,
                                     STR("Find the order of the Galois group of x^5 - 4x + 2 over "
                                         "Q, and decide whether the roots are expressible by "
                                         "radicals.\nA. 5\nB. 20\nC. 60\nD. 120\nE. 24\nF. 12\n"
                                         "G. 10\nH. 40\nI. 6\nJ. 30"),
                                     &f, hard, &err),
                 OK);
    cr_assert(easy[0].quality < easy[1].quality);
    cr_assert(hard[0].quality < easy[0].quality);
    cr_assert(hard[1].quality < easy[1].quality);
    cr_assert(easy[0].cost_nano_usd < easy[1].cost_nano_usd);
    cr_assert(places[0].accuracy < places[1].accuracy);
    cr_assert(places[0].accuracy_sd > 0.05, "placed by price, with wide doubt: %g",
              places[0].accuracy_sd);
    features_done(&f);
    model_free(m);
}
