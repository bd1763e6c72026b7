/* Any bytes as a JSON schema: what is not refused is a grammar whose texts are JSON. */
#include <stdint.h>

#include "../tests/infer/gbnf_walk.c"
#include "base/check.h"
#include "infer/schema_grammar.h"

#define WALKS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct str grammar, uint64_t seed)
{
    struct rng rng;
    struct buf out;
    struct json_value v;
    struct error err;
    rng_seed(&rng, seed);
    buf_init(&out, 1 << 20);
    enum gbnf_walk end = gbnf_walk(grammar, STR("root"), &rng, &out);
    CHECK(end != GBNF_BROKEN);
    if (end == GBNF_TEXT && utf8_valid(buf_str(&out))) {
        enum status status = json_parse(buf_str(&out), "walk", 1, &v, &err);
        CHECK(status == OK || status == ERR_TOO_LARGE); /* nested too deep for the reader */
    }
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_create(16 << 20);
    struct schema_grammar g;
    struct json_value schema;
    struct error err;
    struct buf grammar;
    buf_init(&grammar, SCHEMA_TEXT_BYTES_MAX);
    if (a && json_parse((struct str){(const char *)data, size}, "fuzz", 1, &schema, &err) == OK) {
        schema_grammar_begin(&g, a, &grammar);
        enum status status = schema_grammar_add(&g, "root", schema, "fuzz", &err);
        schema_grammar_end(&g);
        for (uint64_t i = 0; status == OK && grammar.status == OK && i < WALKS; i++)
            walk(buf_str(&grammar), i);
    }
    buf_done(&grammar);
    arena_free(a);
    return 0;
}
