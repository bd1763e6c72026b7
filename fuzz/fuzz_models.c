/* Lists of models: any bytes are a list with names that can be shown and no price below zero, or one sentence. */
#include "base/check.h"
#include "discover/model_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_model(const struct listed_model *m)
{
    CHECK(m->id.len > 0 && utf8_printable(m->id));
    CHECK(m->made_s >= 0);
    CHECK(m->priced || (m->price.input_nano_usd_per_m == 0 && m->price.output_nano_usd_per_m == 0));
    CHECK(m->price.input_nano_usd_per_m >= 0 && m->price.output_nano_usd_per_m >= 0);
    CHECK(price_cached_input_nano_usd_per_m(&m->price) >= 0);
    CHECK(m->abilities_told || m->abilities == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = {(const char *)data, size};
    struct model_list list = {0};
    struct error err = {0};
    struct arena *a = arena_create(16u << 20);
    if (!a)
        return 0;
    size_t count;
    CHECK(!model_list_names(body, STR("a"), &count) || count > 0);
    (void)llama_server_context(body);
    if (model_list_parse(body, a, &list, &err) == OK)
        for (size_t i = 0; i < list.count; i++)
            check_model(&list.models[i]);
    else
        CHECK(err.text[0] && list.count == 0);
    arena_free(a);
    return 0;
}
