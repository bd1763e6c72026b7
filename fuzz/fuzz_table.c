/* Any bytes as a table of results: CSV, long or wide, and JSON. What is taken is a data set that can be walked. */
#include "base/check.h"
#include "data/result_table.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct dataset *d)
{
    CHECK(d->query_count > 0 && d->expert_count > 0);
    for (size_t q = 0; q < d->query_count; q++) {
        CHECK(d->queries[q].id.len > 0 && d->queries[q].text.len > 0);
        for (size_t e = 0; e < d->expert_count; e++) {
            const struct outcome *o = dataset_outcome(d, q, e);
            CHECK(o->score >= 0 && o->score <= 1 && o->cost_nano_usd >= 0);
            CHECK(o->present || !o->known);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct dataset *d = NULL;
    struct error err = {0};
    int fd = memory_file(data, size, path, sizeof(path));
    if (fd < 0)
        return 0;
    if (table_load(path, &d, &err) == OK)
        walk(d);
    else
        CHECK(err.text[0]);
    dataset_free(d);
    close(fd);
    return 0;
}
