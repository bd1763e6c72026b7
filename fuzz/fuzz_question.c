/* One line of a file of questions, as JSON and as plain text: what is read has a text, and a letter for a reference
 * where it has choices. */
#include "base/check.h"
#include "pose/question_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct posed *p)
{
    CHECK(p->query.text.len > 0);
    CHECK(p->query.text_hash == text_hash(p->query.text));
    if (p->query.choice_count > 0 && p->query.answer.len > 0)
        CHECK(p->query.answer.len == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_create(16 << 20);
    struct str line = {(const char *)data, size};
    struct posed p;
    enum drop_reason reason;
    if (a && question_line_json(line, "fuzz", 1, a, &p, &reason, NULL) == OK)
        check(&p);
    if (a && question_line_plain(line, "fuzz", 1, a, &p, &reason, NULL) == OK)
        check(&p);
    arena_free(a);
    return 0;
}
