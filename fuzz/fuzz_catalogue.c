/* Names of models: whatever is asked for, what is found is a row that its own name finds again. */
#include "base/check.h"
#include "catalogue/catalogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str name = {(const char *)data, size};
    const struct catalogue_entry *any = catalogue_find(STR(""), name);
    const struct catalogue_entry *openai = catalogue_find(STR("openai"), name);
    if (any)
        CHECK(catalogue_find(any->provider, any->model) == any);
    if (openai)
        CHECK(any && str_equal(openai->provider, STR("openai")));
    return 0;
}
