/* Prices out of costs. */
#include "data/dataset_int.h"
#include "data/subset.h"

#include "scratch.h"

static struct dataset *load(struct scratch *s, const char *experts, const char *outcomes)
{
    struct dataset *d = NULL;
    struct error err;
    *s = scratch_dataset(NULL, experts, outcomes);
    cr_assert_eq(dataset_load(s->path, DATASET_ALL, &d, &err), OK, "%s", err.text);
    return d;
}

static void done(struct dataset *d, struct scratch *s)
{
    dataset_free(d);
    scratch_remove(s);
}

#define HEAD "id,model,score,cost_usd,input_tokens,output_tokens\n"

Test(prices_fit, exact_costs_give_exact_prices_and_the_missing_costs)
{
    struct scratch s;
    /* 2 and 5 USD per million */
    struct dataset *d = load(&s, "model,usd_per_m_input,usd_per_m_output\nx,,\ny,0,0\nz,1,1\n",
                             HEAD "a,x,1,0.0007,100,100\nb,x,1,0.0004,200,0\na,y,1,0.00052,10,100\n"
                                  "b,y,1,,100,10\na,z,1,5,1,1\n");
    cr_expect_eq(dataset_price_basis(d, 0), PRICE_FITTED);
    cr_expect_eq(d->experts[0].price.input_nano_usd_per_m, 2000000000);
    cr_expect_eq(d->experts[0].price.output_nano_usd_per_m, 5000000000);
    cr_expect_lt(d->prices[0].error, 1e-6f);
    cr_expect_eq(d->prices[0].costs, 2);
    cr_expect_eq(dataset_price_basis(d, 1), PRICE_FITTED, "0 is not what it cost");
    cr_expect(dataset_outcome(d, 1, 1)->cost_known, "the cost follows from the price");
    cr_expect_gt(dataset_outcome(d, 1, 1)->cost_nano_usd, 0);
    cr_expect_eq(dataset_price_basis(d, 2), PRICE_GIVEN, "a price that is written stands");
    cr_expect_eq(d->experts[2].price.input_nano_usd_per_m, 1000000000);
    done(d, &s);
}

Test(prices_fit, no_price_is_negative)
{
    struct scratch s;
    struct dataset *d = load(&s, "model\nx\ny\n",
                             HEAD "a,x,1,0.001,100,10\nb,x,1,0.0001,100,100\n"
                                  "a,y,1,0.001,10,100\nb,y,1,0.0001,100,100\n");
    for (size_t e = 0; e < 2; e++) {
        const struct price *p = &d->experts[e].price;
        cr_expect_geq(p->input_nano_usd_per_m, 0);
        cr_expect_geq(p->output_nano_usd_per_m, 0);
        cr_expect_gt(p->input_nano_usd_per_m + p->output_nano_usd_per_m, 0);
        cr_expect_gt(d->prices[e].error, 0.1f, "and they do not fit");
    }
    cr_expect_eq(d->experts[0].price.output_nano_usd_per_m, 0);
    cr_expect_eq(d->experts[1].price.input_nano_usd_per_m, 0);
    done(d, &s);
}

Test(prices_fit, tokens_in_one_ratio_cost_alike)
{
    struct scratch s;
    struct dataset *d = load(&s, "model\nx\n", HEAD "a,x,1,0.00003,10,20\nb,x,1,0.00006,20,40\n");
    cr_expect_eq(d->experts[0].price.input_nano_usd_per_m, 1000000000);
    cr_expect_eq(d->experts[0].price.output_nano_usd_per_m, 1000000000);
    done(d, &s);
}

Test(prices_fit, what_costs_nothing_is_free_and_what_says_nothing_is_unknown)
{
    struct scratch s;
    struct dataset *d = load(&s, "model,usd_per_m_input,usd_per_m_output\nx,,\ny,,\nz,0,0\n",
                             HEAD "a,x,1,0,10,20\nb,x,1,,20,40\na,y,1,,10,20\na,z,1,,10,20\n");
    cr_expect_eq(dataset_price_basis(d, 0), PRICE_GIVEN);
    cr_expect(dataset_outcome(d, 1, 0)->cost_known && !dataset_outcome(d, 1, 0)->cost_nano_usd);
    cr_expect_eq(dataset_price_basis(d, 1), PRICE_UNKNOWN);
    cr_expect_not(dataset_outcome(d, 0, 1)->cost_known);
    cr_expect_eq(dataset_price_basis(d, 2), PRICE_GIVEN, "a price of 0 without costs is 0");
    cr_expect(dataset_outcome(d, 0, 2)->cost_known);
    const struct price listed = {.input_nano_usd_per_m = 1000000000};
    dataset_price_set(d, 1, &listed);
    cr_expect_eq(dataset_price_basis(d, 1), PRICE_LISTED);
    cr_expect_eq(dataset_outcome(d, 0, 1)->cost_nano_usd, 10000);
    done(d, &s);
}

Test(prices_fit, without_tokens_the_mean_comes_out_right)
{
    struct scratch s;
    struct dataset *d =
        load(&s, "model\nx\n", "id,model,score,cost_usd\na,x,1,0.002\nb,x,1,0.001\n");
    const struct price *p = &d->experts[0].price;
    double sum = 0;
    cr_expect(d->prices[0].by_length);
    for (size_t q = 0; q < 2; q++)
        sum += (double)d->queries[q].prompt.len / 4 * (double)p->input_nano_usd_per_m +
               256 * (double)p->output_nano_usd_per_m;
    cr_expect_float_eq(sum / 1e6, 3e6, 3e5);
    done(d, &s);
}

Test(prices_fit, parts_and_unions_keep_where_a_price_is_from)
{
    struct scratch s, t;
    struct dataset *fitted = load(&s, "model\nx\n", HEAD "a,x,1,0.00003,10,20\n");
    struct dataset *given = load(&t, "model,usd_per_m_input,usd_per_m_output\nx,7,8\n", HEAD);
    struct dataset *both[] = {fitted, given}, *all = NULL, *part = NULL;
    const size_t expert = 0;
    cr_assert_eq(dataset_concat(both, 2, &all, NULL), OK);
    cr_expect_eq(dataset_price_basis(all, 0), PRICE_GIVEN);
    cr_expect_eq(all->experts[0].price.input_nano_usd_per_m, 7000000000);
    cr_assert_eq(dataset_subset_experts(fitted, &expert, 1, &part, NULL), OK);
    cr_expect_eq(dataset_price_basis(part, 0), PRICE_FITTED);
    dataset_free(part);
    dataset_free(all);
    done(given, &t);
    done(fitted, &s);
}
