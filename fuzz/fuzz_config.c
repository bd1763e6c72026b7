/* leeroo.yaml: any bytes give a configuration or one sentence; where all mistakes are gathered, that one is among them.
 * */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_gathered(struct str text, enum status alone, const struct error *err)
{
    static struct problems all;
    struct config *config = NULL;
    struct error first = {0};
    bool found = alone == OK;
    all.count = all.more = 0;
    enum status status = config_parse_gathering(text, "fuzz.yaml", &all, &config, &first);
    CHECK((status == OK) == (alone == OK));
    CHECK((status == OK) == (all.count == 0));
    for (size_t i = 0; i < all.count; i++)
        found |= !strcmp(all.list[i].text, err->text);
    CHECK(found || all.more > 0);
    config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = NULL;
    struct error err = {0};
    enum status status =
        config_parse((struct str){(const char *)data, size}, "fuzz.yaml", &config, &err);
    CHECK((status == OK) == (config != NULL));
    CHECK((status == OK) == (err.text[0] == '\0'));
    CHECK(!strchr(err.text, '\n'));
    config_free(config);
    check_gathered((struct str){(const char *)data, size}, status, &err);
    return 0;
}
