/* Any answer: its certainty is one that reads back, and without its log-probabilities it is JSON that has no margins
 * left. */
#include <stdint.h>

#include "base/check.h"
#include "expert/margins.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_written(const struct certainty *c)
{
    struct certainty back = {0};
    struct json_value list;
    struct buf out;
    buf_init(&out, 256);
    certainty_write(c, &out);
    CHECK(json_parse(buf_str(&out), "certainty", 1, &list, NULL) == OK);
    CHECK(certainty_read(list, &back) == c->known);
    CHECK(back.mean >= c->mean && back.mean <= c->mean && back.last >= c->last);
    buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct str text = {(const char *)data, size};
    struct json_value root;
    struct margins m = {0}, left = {0};
    struct buf out;
    if (json_parse(text, "answer", 1, &root, NULL) != OK)
        return 0;
    margins_add(&m, root);
    const struct certainty c = margins_certainty(&m);
    check_written(&c);
    buf_init(&out, 2 * size + 64);
    if (margins_strip(root, text, &out)) {
        CHECK(out.status == OK && json_parse(buf_str(&out), "stripped", 1, &root, NULL) == OK);
        margins_add(&left, root);
        CHECK(!margins_certainty(&left).known);
    } else {
        CHECK(!c.known);
    }
    buf_done(&out);
    return 0;
}
