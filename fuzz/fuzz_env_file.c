/* A file of environment variables: any bytes give variables that an environment takes, or mistakes with a place, and a
 * mistake never shows a value. */
#include "config/env_file.h"

#include <string.h>

#include "base/check.h"

#define ARENA_BYTES_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_variables(const struct env_file *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct env_variable *v = &f->list[i];
        CHECK(v->name[0] != '\0');
        CHECK(!strchr(v->name, '='));
        CHECK(v->line > 0);
        CHECK(strlen(v->value) <= ENV_FILE_BYTES_MAX);
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(v->name, f->list[k].name) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct problems all;
    static struct env_file found;
    struct error err = {0};
    struct arena *a = arena_create(ARENA_BYTES_MAX);
    CHECK(a);
    all.count = all.more = 0;
    enum status status =
        env_file_parse((struct str){(const char *)data, size}, ".env", a, &all, &found, &err);
    CHECK((status == OK) == (all.count == 0));
    for (size_t i = 0; i < all.count; i++) {
        CHECK(all.list[i].line > 0);
        CHECK(!strchr(all.list[i].text, '\n'));
    }
    check_variables(&found);
    arena_free(a);
    return 0;
}
