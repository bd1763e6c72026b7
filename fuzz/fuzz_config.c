/* leeroo.yaml: any bytes give a configuration or one sentence. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    return 0;
}
