/* round.json of a run, and the lines of posed.jsonl and dropped.jsonl: whatever they hold, either it is refused with a
 * reason, or the page can be made of it. */
#include <string.h>

#include "base/check.h"
#include "runpage/runpage_int.h"

#define FUZZ_ARENA_BYTES (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void render(struct round_file *f, struct arena *a)
{
    struct str name = STR("a");
    struct lesson_expert lesson = {0};
    struct dataset_expert expert = {.name = name};
    struct query query = {.id = name, .text = name};
    struct outcome outcome = {0};
    const struct dataset d = {.arena = a,
                              .queries = &query,
                              .query_count = 1,
                              .experts = &expert,
                              .expert_count = 1,
                              .outcomes = &outcome};
    const struct run_record r = {.folder = "run",
                                 .rounds = f,
                                 .round_count = 1,
                                 .data = &d,
                                 .lessons = {.experts = &lesson}};
    struct buf b;
    buf_init(&b, RUNPAGE_BYTES_MAX);
    runpage_render(&r, &b);
    CHECK(buf_status(&b, NULL) == OK || b.limit == RUNPAGE_BYTES_MAX);
    buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_create(FUZZ_ARENA_BYTES);
    struct str text = arena_copy(a, (struct str){(const char *)data, size});
    struct map *queries = map_create(1);
    struct round_file f;
    struct provenance p = {.source_count = 1};
    struct error err = {0};
    uint8_t origin[1] = {0};
    CHECK(a && text.ptr && queries && map_put(queries, STR("q"), 0) == OK);
    if (round_file_parse(text, "round.json", a, &f, &err) == OK)
        render(&f, a);
    else
        CHECK(err.text[0]);
    for (size_t i = 0; i < 2; i++)
        if (provenance_posed_line(text, "posed", 1, queries, a, origin, &p, &err) == OK)
            CHECK(origin[0] < p.source_count);
    if (provenance_dropped_line(text, "dropped", 1, a, &p, &err) == OK)
        CHECK(p.example_count == 1);
    map_free(queries);
    arena_free(a);
    return 0;
}
