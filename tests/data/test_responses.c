/* Recorded answers, one at a time. */
#include "data/dataset.h"

#include "scratch.h"

struct seen {
    size_t count, bytes;
    char last[32];
};

static enum status note(struct str id, struct str text, void *arg, struct error *err)
{
    struct seen *s = arg;
    s->count++;
    s->bytes += text.len;
    snprintf(s->last, sizeof(s->last), "%.*s", STR_FMT(id));
    return str_equal(text, STR("stop")) ? error_set(err, ERR_CANCELLED, "stopped") : OK;
}

Test(responses, come_in_file_order_until_told_to_stop)
{
    struct scratch s = scratch_make();
    char sub[128];
    snprintf(sub, sizeof(sub), "%s/responses", s.path);
    cr_assert_eq(mkdir(sub, 0700), 0);
    scratch_write(&s, "responses/m.jsonl",
                  "{\"id\":\"a\",\"text\":\"x\\ny\"}\n{\"id\":\"b\",\"text\":\"\"}\n");
    struct seen seen = {0};
    cr_assert_eq(responses_read(s.path, STR("m"), note, &seen, NULL), OK);
    cr_assert(seen.count == 2 && seen.bytes == 3 && !strcmp(seen.last, "b"));
    scratch_write(&s, "responses/m.jsonl",
                  "{\"id\":\"a\",\"text\":\"stop\"}\n{\"id\":\"b\",\"text\":\"\"}\n");
    seen = (struct seen){0};
    cr_assert_eq(responses_read(s.path, STR("m"), note, &seen, NULL), ERR_CANCELLED);
    cr_assert_eq(seen.count, 1);
    scratch_remove(&s);
}

Test(responses, absent_odd_and_malformed_ones_are_refused)
{
    struct scratch s = scratch_make();
    char sub[128];
    struct seen seen = {0};
    struct error err;
    snprintf(sub, sizeof(sub), "%s/responses", s.path);
    cr_assert_eq(mkdir(sub, 0700), 0);
    scratch_write(&s, "queries.jsonl", "{\"id\":\"a\",\"text\":\"secret\"}\n");
    scratch_write(&s, "responses/bad.jsonl", "\n{\"id\":\"a\"}\n");
    cr_assert_eq(responses_read(s.path, STR("none"), note, &seen, &err), ERR_NOT_FOUND);
    cr_assert_eq(responses_read(s.path, STR("../queries"), note, &seen, &err), ERR_NOT_FOUND);
    cr_assert_eq(responses_read(s.path, STR(""), note, &seen, &err), ERR_NOT_FOUND);
    cr_assert_eq(responses_read(s.path, STR("bad"), note, &seen, &err), ERR_INPUT);
    cr_assert_not_null(strstr(err.text, "bad.jsonl:2"), "%s", err.text);
    cr_assert_eq(seen.count, 0);
    scratch_remove(&s);
}
