/* Recorded answers, one at a time. */
#include "data/dataset.h"

#include "scratch.h"

struct seen {
    size_t count, bytes;
    char last[32];
    struct certainty certainty; /* of the last one that has it */
};

static enum status note(const struct response_line *said, void *arg, struct error *err)
{
    struct seen *s = arg;
    s->count++;
    s->certainty = said->certainty.known ? said->certainty : s->certainty;
    s->bytes += said->text.len;
    snprintf(s->last, sizeof(s->last), "%.*s", STR_FMT(said->id));
    return str_equal(said->text, STR("stop")) ? error_set(err, ERR_CANCELLED, "stopped") : OK;
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

Test(responses, may_say_how_certain_they_are)
{
    struct scratch s = scratch_make();
    char sub[128];
    struct seen seen = {0};
    struct error err;
    snprintf(sub, sizeof(sub), "%s/responses", s.path);
    cr_assert_eq(mkdir(sub, 0700), 0);
    scratch_write(&s, "responses/m.jsonl",
                  "{\"id\":\"a\",\"text\":\"x\",\"certainty\":[2.5,0.5,3]}\n"
                  "{\"id\":\"b\",\"text\":\"x\",\"certainty\":null}\n");
    cr_assert_eq(responses_read(s.path, STR("m"), note, &seen, &err), OK, "%s", err.text);
    cr_assert_eq(seen.count, 2);
    cr_assert(seen.certainty.known && seen.certainty.mean == 2.5f && seen.certainty.least == 0.5f &&
              seen.certainty.last == 3);
    scratch_write(&s, "responses/m.jsonl",
                  "{\"id\":\"a\",\"text\":\"x\"}\n"
                  "{\"id\":\"b\",\"text\":\"x\",\"certainty\":[0.5,2.5,3]}\n");
    cr_assert_eq(responses_read(s.path, STR("m"), note, &seen, &err), ERR_INPUT);
    cr_assert_not_null(strstr(err.text, "m.jsonl:2"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, "[mean, least, last]"), "%s", err.text);
    scratch_remove(&s);
}
