/* Whole directories: parts, missing files, look-ups. */
#include "data/dataset.h"

#include "scratch.h"

static struct dataset *load(const struct scratch *s)
{
    struct dataset *d = NULL;
    struct error err;
    cr_assert_eq(dataset_load(s->path, DATASET_ALL, &d, &err), OK, "%s", err.text);
    return d;
}

Test(dataset, holds_what_the_files_say)
{
    struct scratch s = scratch_dataset(NULL, NULL, NULL);
    struct dataset *d = load(&s);
    cr_assert_eq(d->query_count, 2);
    cr_assert_eq(d->expert_count, 2);
    cr_assert(str_equal(d->queries[0].id, STR("a")));
    cr_assert(str_equal(d->queries[0].prompt, STR("One?\nA. x\nB. y")));
    cr_assert(str_equal(d->queries[0].answer, STR("B")));
    cr_assert(str_equal(d->queries[1].text, STR("Two\xc3\xa9?")));
    cr_assert(str_equal(d->queries[1].prompt, d->queries[1].text));
    cr_assert(str_equal(d->queries[1].domain, STR("math")));
    cr_assert_eq(d->experts[1].price.input_nano_usd_per_m, 600000000);
    cr_assert_eq(d->experts[1].price.output_nano_usd_per_m, 75000000);
    const struct outcome *o = dataset_outcome(d, 1, 1);
    cr_assert(o->known && o->cost_known && o->tokens_known);
    cr_assert_eq(o->cost_nano_usd, 27600);
    cr_assert_eq(o->input_tokens, 45);
    cr_assert_eq((double)o->score, 1.0);
    dataset_free(d);
    scratch_remove(&s);
}

Test(dataset, empty_cells_are_unknown_and_costs_follow_from_tokens)
{
    struct scratch s = scratch_dataset(NULL, NULL, NULL);
    struct dataset *d = load(&s);
    const struct outcome *priced = dataset_outcome(d, 0, 0);
    cr_assert(priced->known && priced->cost_known);
    cr_assert_eq(priced->cost_nano_usd, 100 * 10000 + 10 * 30000);
    const struct outcome *blank = dataset_outcome(d, 1, 0);
    cr_assert(blank->present && !blank->known && !blank->cost_known && !blank->tokens_known);
    const struct outcome *absent = dataset_outcome(d, 0, 1);
    cr_assert(!absent->present && !absent->known);
    dataset_free(d);
    scratch_remove(&s);
}

Test(dataset, finds_experts_by_name)
{
    struct scratch s = scratch_dataset(NULL, NULL, NULL);
    struct dataset *d = load(&s);
    size_t list[DATASET_EXPERTS_MAX], count = 99;
    struct error err;
    cr_assert_eq(dataset_expert_index(d, STR("org/small")), 1);
    cr_assert_eq(dataset_expert_index(d, STR("small")), SIZE_MAX);
    cr_assert_eq(dataset_expert_list(d, "org/small, big", list, &count, &err), OK);
    cr_assert(count == 2 && list[0] == 1 && list[1] == 0);
    count = 99;
    cr_assert_eq(dataset_expert_list(d, "big,bigger", list, &count, &err), ERR_NOT_FOUND);
    cr_assert_eq(count, 99, "outputs stay untouched on failure");
    cr_assert_not_null(strstr(err.text, "'bigger'"));
    cr_assert_not_null(strstr(err.text, "big, org/small"));
    cr_assert_eq(dataset_expert_list(d, "big,big", list, &count, &err), ERR_INPUT);
    cr_assert_eq(dataset_expert_list(d, "", list, &count, &err), ERR_NOT_FOUND);
    dataset_free(d);
    scratch_remove(&s);
}

Test(dataset, loads_only_the_parts_asked_for)
{
    struct scratch s = scratch_make();
    scratch_write(&s, "queries.jsonl", SCRATCH_QUERIES);
    struct dataset *d = NULL;
    struct error err;
    cr_assert_eq(dataset_load(s.path, DATASET_QUERIES, &d, &err), OK);
    cr_assert(d->query_count == 2 && d->expert_count == 0 && !d->outcomes);
    dataset_free(d);
    d = NULL;
    cr_assert_eq(dataset_load(s.path, DATASET_ALL, &d, &err), ERR_NOT_FOUND);
    cr_assert_null(d);
    cr_assert_not_null(strstr(err.text, "experts.csv"));
    scratch_remove(&s);
}

/* The real sets, counted by other means (wc, awk). */
Test(dataset, reads_the_real_sets)
{
    const char *root = getenv("LEEROO_DATA") ? getenv("LEEROO_DATA") : "../shared/data";
    char path[512];
    snprintf(path, sizeof(path), "%s/mmlu", root);
    if (access(path, R_OK) != 0)
        cr_skip_test("skipped: no data");
    struct dataset *d = NULL;
    struct error err;
    cr_assert_eq(dataset_load(path, DATASET_ALL, &d, &err), OK, "%s", err.text);
    cr_assert_eq(d->query_count, 11154);
    cr_assert_eq(d->expert_count, 15);
    size_t known = 0;
    int64_t nano_usd = 0;
    for (size_t i = 0; i < d->query_count * d->expert_count; i++) {
        known += d->outcomes[i].known;
        nano_usd += d->outcomes[i].cost_nano_usd;
    }
    cr_assert_eq(known, 123731);
    cr_assert_eq(nano_usd, INT64_C(79774568660));
    dataset_free(d);
}

Test(dataset, a_mean_score_is_of_what_is_known_by_its_confidence)
{
    struct scratch s =
        scratch_dataset("{\"id\":\"a\",\"text\":\"1\"}\n{\"id\":\"b\",\"text\":\"2\"}\n",
                        "model,usd_per_m_input,usd_per_m_output\nm,1,1\nn,1,1\n",
                        "id,model,score,confidence\na,m,1,0.5\nb,m,0,\n");
    struct dataset *d = load(&s);
    cr_assert_float_eq(dataset_mean_score(d, 0), 0.5 / 1.5, 1e-9);
    double none = dataset_mean_score(d, 1);
    cr_assert(none != none);
    dataset_free(d);
    scratch_remove(&s);
}
