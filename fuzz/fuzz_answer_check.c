/* A query's check in the first line, an answer behind it: regular expressions and schemas of any bytes. Commands are
 * read, and refused. */
#include "judge/answer_check.h"

#include <string.h>

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    const struct str raw = str_split(&rest, '\n');
    const struct query query = {.text = STR("?"), .prompt = STR("?")};
    struct judge_check check;
    struct error err = {0};
    struct arena *a = arena_create(1u << 22);
    if (!a)
        return 0;
    if (check_read(raw, a, &check, &err) == OK) {
        float score = -1;
        const enum status status = check_score(&check, &query, rest, false, NULL, a, &score, &err);
        CHECK(status == OK ? score == 0 || score == 1 : err.text[0] != '\0');
        CHECK(check.kind != CHECK_COMMAND || status == ERR_FORBIDDEN);
    } else {
        CHECK(err.text[0]);
    }
    arena_free(a);
    return 0;
}
