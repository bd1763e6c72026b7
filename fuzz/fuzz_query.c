/* One line of queries.jsonl: whatever parses has a prompt that starts with its text and hashes like it. */
#include "base/check.h"
#include "data/dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_create(16 << 20);
    struct query q;
    struct error err;
    if (a && query_parse((struct str){(const char *)data, size}, "fuzz", 1, a, &q, &err) == OK) {
        CHECK(str_starts(q.prompt, q.text));
        CHECK(q.choice_count <= QUERY_CHOICES_MAX);
        CHECK(q.text_hash == text_hash(q.text));
    }
    arena_free(a);
    return 0;
}
