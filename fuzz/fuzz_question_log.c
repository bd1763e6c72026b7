/* Lines of dropped.jsonl and posed.jsonl, as a run's folder may hold them after whatever befell it. */
#include "base/check.h"
#include "pose/question_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_create(16 << 20);
    struct str line = {(const char *)data, size};
    struct question_drop d;
    struct question_pose p;
    if (a && question_drop_parse(line, "fuzz", 1, a, &d, NULL) == OK) {
        CHECK(d.reason < DROP_REASONS);
        CHECK(d.query.choice_count <= QUERY_CHOICES_MAX);
    }
    if (a && question_pose_parse(line, "fuzz", 1, a, &p, NULL) == OK) {
        CHECK(p.source < POSED_SOURCES);
        CHECK(p.level <= POSED_LEVELS);
    }
    arena_free(a);
    return 0;
}
