/* A base model file: refused, or experts are placed by it and their model gives sound estimates. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "prior/base_file.h"
#include "prior/prior_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_model(const struct model *m, size_t experts)
{
    struct features f;
    struct estimate estimates[MODEL_ARMS_MAX];
    CHECK(model_expert_count(m) == experts);
    if (features_init(&f, NULL) != OK)
        return;
    if (model_estimate_text(m, STR("What is 2 + 2?\nA. 3\nB. 4"), &f, estimates, NULL) == OK)
        for (size_t e = 0; e < experts; e++) {
            CHECK(estimates[e].quality >= 0 && estimates[e].quality <= 1);
            CHECK(estimates[e].quality_sd >= 0 && estimates[e].cost_nano_usd >= 0);
        }
    features_done(&f);
}

static void use(const struct base *b)
{
    const struct prior_outcome outcomes[] = {
        {.text = STR("one"), .score = 1, .output_tokens = 10, .confidence = 0.5f},
        {.text = STR("two")}};
    const struct prior_expert experts[] = {
        {.name = STR("a"), .price.input_nano_usd_per_m = 1000},
        {.name = STR("small-1b"), .outcomes = outcomes, .outcome_count = 2}};
    struct prior_place places[2];
    struct model *m = NULL;
    struct error err;
    if (prior_model_of(b, experts, 2, &m, places, &err) == OK)
        check_model(m, 2);
    model_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base b;
    struct error err = {0};
    struct arena *a = arena_create(16u << 20);
    char *bytes = malloc(size + 1); /* aligned, as the reader wants it */
    if (a && bytes) {
        memcpy(bytes, data, size);
        enum status status = base_read((struct str){bytes, size}, "base", a, &b, &err);
        CHECK((status == OK) == (err.text[0] == '\0'));
        if (status == OK)
            use(&b);
    }
    free(bytes);
    arena_free(a);
    return 0;
}
