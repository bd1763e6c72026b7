/* The table that is compiled in: every name finds its row, and names of the wild find what they mean. */
#include "catalogue/catalogue.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/csv.h"
#include "catalogue/catalogue_int.h"

#define USD NANO_PER_USD

static const struct catalogue_entry *found(const char *provider, const char *name)
{
    const struct catalogue_entry *e = catalogue_find(str_from(provider), str_from(name));
    cr_assert_not_null(e, "%s %s", provider, name);
    return e;
}

static void finds(const char *provider, const char *name, const char *model)
{
    const struct catalogue_entry *e = found(provider, name);
    cr_expect(str_equal(e->model, str_from(model)), "%s is %.*s", name, STR_FMT(e->model));
    cr_expect(!*provider || str_equal(e->provider, str_from(provider)));
}

static void unknown(const char *provider, const char *name)
{
    const struct catalogue_entry *e = catalogue_find(str_from(provider), str_from(name));
    cr_expect_null(e, "%s %s is %.*s", provider, name, e ? (int)e->model.len : 0,
                   e ? e->model.ptr : "");
}

Test(catalogue, names_of_the_wild)
{
    finds("", "gpt-4o", "gpt-4o");
    finds("openai", "openai/GPT-4o-2024-08-06", "gpt-4o");
    finds("", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13");
    finds("", "models/gemini-1.5-flash-002", "gemini-1.5-flash");
    finds("", "anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku");
    finds("anthropic", "claude-3-5-sonnet-20241022", "claude-3.5-sonnet");
    finds("", "claude-3-5-sonnet-latest", "claude-3.5-sonnet");
    finds("", "llama3.1:8b", "llama-3.1-8b-instruct");
    finds("", "llama3.1:8b-instruct-q4_K_M", "llama-3.1-8b-instruct");
    finds("", "Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf", "llama-3.1-8b-instruct");
    finds("together", "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", "llama-3.1-8b-instruct");
    finds("groq", "llama-3.1-8b-instant", "llama-3.1-8b-instruct");
    finds("", "mixtral-8x7b-instruct", "mixtral-8x7b-instruct");
    finds("", "mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b-instruct");
    finds("azure", "gpt-35-turbo", "gpt-3.5-turbo");
}

/* Whatever it is called, without a provider it is the same entry. */
Test(catalogue, one_entry)
{
    static const char *const names[] = {"llama-3.1-8b", "llama-3.1-8b-instant", "llama3.1:8b",
                                        "meta.llama3-1-8b-instruct-v1:0"};
    const struct catalogue_entry *e = found("", "llama-3.1-8b-instruct");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cr_expect_eq(found("", names[i]), e, "%s", names[i]);
}

Test(catalogue, unknown)
{
    unknown("", "");
    unknown("", "no-such-model");
    unknown("", "ft:gpt-4o-2024-08-06:me::1");
    unknown("openai", "claude-opus-5");
    unknown("nobody", "gpt-4o");
    unknown("openrouter", "openai/gpt-4o:free");
    unknown("", "gpt-4o\n");
}

Test(catalogue, prices)
{
    const struct catalogue_entry *e = found("anthropic", "claude-opus-4-5");
    cr_expect_eq(e->price.input_nano_usd_per_m, 5 * USD);
    cr_expect_eq(e->price.output_nano_usd_per_m, 25 * USD);
    cr_expect_eq(price_cached_input_nano_usd_per_m(&e->price), USD / 2);
    cr_expect_eq(price_cache_write_nano_usd_per_m(&e->price), 6250000000);
    cr_expect_eq(price_cache_write_1h_nano_usd_per_m(&e->price), 10 * USD);
    cr_expect_eq(e->batch_input_nano_usd_per_m, 2500000000);
    cr_expect_eq(e->batch_output_nano_usd_per_m, 12500000000);
    cr_expect_eq(e->context_tokens, 200000);
    cr_expect_eq(e->output_tokens, 64000);
    cr_expect_eq(e->abilities,
                 CATALOGUE_TOOLS | CATALOGUE_IMAGES | CATALOGUE_JSON | CATALOGUE_REASONING);
    e = found("", "gemini-2.5-flash-preview");
    cr_expect_eq(price_reasoning_nano_usd_per_m(&e->price), 3500000000);
    cr_expect_eq(e->batch_input_nano_usd_per_m, -1);
}

/* The same rules of spelling in C and in scripts/prices, which made the keys. */
Test(catalogue, keys_agree)
{
    cr_assert_gt(catalogue_name_count, catalogue_row_count);
    for (size_t i = 0; i < catalogue_count(); i++) {
        const struct catalogue_entry *e = catalogue_at(i);
        cr_expect_eq(catalogue_find(e->provider, e->model), e, "%.*s %.*s", STR_FMT(e->provider),
                     STR_FMT(e->model));
    }
}

/* Experts of data sets, whose strengths are known, have a row each. */
Test(catalogue, experts_of_data_sets)
{
    static const char *const sets[] = {"bfcl", "livecodebench", "mmlu", "mmlu_pro",
                                       "mmlu_routellm"};
    const char *root = getenv("LEEROO_DATA");
    if (!root)
        cr_skip_test("no data");
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        char path[512];
        struct csv *csv = NULL;
        struct error err;
        int column = 0;
        snprintf(path, sizeof(path), "%s/%s/experts.csv", root, sets[i]);
        if (csv_open(path, &csv, &err) != OK)
            continue;
        cr_assert_eq(csv_require(csv, "model", &column, &err), OK);
        while (csv_next(csv, &err) == OK) {
            struct str name = csv_cell(csv, column);
            cr_expect_not_null(catalogue_find(STR(""), name), "%s: %.*s", sets[i], STR_FMT(name));
        }
        csv_close(csv);
    }
}
