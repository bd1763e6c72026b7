/* A chat request: what is accepted is written back as valid JSON that reads the same, with only the model and
 * the usage option changed. */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "dialect/needs.h"
#include "dialect/openai_request.h"

#define FUZZ_ARENA_BYTES (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was mended needs no mending. */
static void check_mended(const struct openai_request *r, const struct openai_request *again)
{
    CHECK(!(again->mends & (OPENAI_MEND_RESULTS | OPENAI_MEND_REASONING | OPENAI_MEND_TOOLS)));
    CHECK((again->needs & ~EXPERT_IMAGES) == (r->needs & ~EXPERT_IMAGES));
    CHECK(again->stream == r->stream);
}

static void check_round_trip(const struct openai_request *r, struct arena *a)
{
    struct openai_request again;
    struct error err = {0};
    struct buf out;
    const struct openai_target target = {.expert = STR("ada"),
                                         .is_blind = r->query_characters % 2 != 0};
    buf_init(&out, 4 * r->root.raw.len + 16384); /* as expert/call_write.c has it */
    openai_request_write(r, STR("up/\"x"), (int64_t)r->query_characters,
                         (enum openai_limit_name)(r->query_characters % 3), &target, &out);
    CHECK(buf_status(&out, NULL) == OK);
    enum status status = openai_request_parse(buf_str(&out), true, a, &again, NULL, &err);
    CHECK(status == OK || status == ERR_TOO_LARGE);
    if (status == OK && r->mends != 0) {
        check_mended(r, &again);
    } else if (status == OK) {
        CHECK(str_equal(again.model, STR("up/\"x")));
        CHECK(str_equal(again.query, r->query));
        CHECK(again.input_characters == r->input_characters);
        CHECK(again.stream == r->stream && again.needs == r->needs);
        CHECK(again.wants_usage == (r->stream || r->wants_usage));
        CHECK(again.leeroo.type == JSON_NONE);
        CHECK(again.earlier_count == r->earlier_count && again.images == r->images);
        CHECK(again.message_count == r->message_count && r->earlier_count < r->message_count);
    }
    buf_done(&out);
}

static void check_earlier(const struct openai_request *r, struct arena *a)
{
    struct str text;
    for (size_t i = 0; i < r->earlier_count; i++) {
        enum status status = openai_request_earlier(r, i, a, &text, NULL);
        CHECK(status == OK || status == ERR_TOO_LARGE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct openai_request request;
    struct arena *a = arena_create(FUZZ_ARENA_BYTES);
    if (a && openai_request_parse((struct str){(const char *)data, size}, true, a, &request, NULL,
                                  NULL) == OK) {
        check_earlier(&request, a);
        check_round_trip(&request, a);
    }
    arena_free(a);
    return 0;
}
