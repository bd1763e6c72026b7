/* dropped.jsonl and posed.jsonl: what is written is read back, a round that is begun again is written again. */
#include "pose/question_log.h"

#include "../base/temp.h"

static struct temp temp;
static struct question_log l;

static void setup(void)
{
    temp_begin(&temp, "dropped.jsonl");
    cr_assert_eq(question_log_open(&l, temp.folder, NULL), OK);
}

static void teardown(void)
{
    char path[128];
    question_log_close(&l);
    snprintf(path, sizeof(path), "%s/posed.jsonl", temp.folder);
    unlink(path);
    unlink(temp.path);
    rmdir(temp.folder);
}

TestSuite(question_log, .init = setup, .fini = teardown);

static void drop(const char *id, const char *text, enum drop_reason reason)
{
    static const struct str choices[] = {STR_INIT("x \"quoted\""), STR_INIT("y")};
    const struct query q = {.id = str_from(id),
                            .text = str_from(text),
                            .choices = choices,
                            .choice_count = reason == DROP_DUPLICATE ? 2 : 0};
    cr_assert_eq(question_log_drop(&l, &q, reason, STR("because"), NULL), OK);
}

static void pose(const char *id, unsigned level)
{
    const struct posed p = {.query.id = str_from(id),
                            .source = POSED_GENERATED,
                            .kind = POSED_NUMBER,
                            .level = level,
                            .rationale = STR("one\ntwo")};
    cr_assert_eq(question_log_pose(&l, &p, NULL), OK);
}

static void reopen(void)
{
    struct error err;
    cr_assert_eq(question_log_commit(&l, &err), OK, "%s", err.text);
    question_log_close(&l);
    cr_assert_eq(question_log_open(&l, temp.folder, NULL), OK);
    cr_assert_eq(question_log_read(&l, &err), OK, "%s", err.text);
}

Test(question_log, what_is_written_is_read_back)
{
    drop("f1-1", "before the first round", DROP_MALFORMED);
    question_log_begin(&l, 1);
    drop("g1-1", "a\nb", DROP_DUPLICATE);
    pose("g1-2", 4);
    reopen();
    cr_assert_eq(l.drop_count, 1, "round 0 is found anew by whoever opens");
    const struct question_drop *d = &l.drops[0];
    cr_assert_eq(d->round, 1);
    cr_assert_eq(d->reason, DROP_DUPLICATE);
    cr_assert(str_equal(d->query.id, STR("g1-1")));
    cr_assert(str_equal(d->query.text, STR("a\nb")));
    cr_assert_eq(d->query.text_hash, text_hash(STR("a b")));
    cr_assert_eq(d->query.choice_count, 2);
    cr_assert(str_equal(d->query.choices[0], STR("x \"quoted\"")));
    cr_assert(str_equal(d->why, STR("because")));
    cr_assert_eq(l.pose_count, 1);
    cr_assert(str_equal(l.poses[0].rationale, STR("one\ntwo")));
    cr_assert_eq(l.poses[0].source, POSED_GENERATED);
    cr_assert_eq(question_log_level(&l, STR("g1-2")), 4);
    cr_assert_eq(question_log_level(&l, STR("g1-3")), 0);
    cr_assert_eq(l.sum.of[DROP_DUPLICATE], 1);
}

Test(question_log, a_round_begun_again_is_written_again)
{
    question_log_begin(&l, 1);
    drop("g1-1", "a", DROP_TOO_LONG);
    question_log_begin(&l, 2);
    drop("g2-1", "b", DROP_DISAGREES);
    pose("g2-2", 1);
    reopen();
    cr_assert_eq(l.drop_count, 2);
    question_log_begin(&l, 2);
    cr_assert_eq(l.drop_count, 1);
    cr_assert_eq(l.pose_count, 0);
    cr_assert_eq(l.sum.of[DROP_DISAGREES], 0);
    cr_assert_eq(l.sum.of[DROP_TOO_LONG], 1);
    drop("g2-1", "b", DROP_DISAGREES);
    reopen();
    cr_assert_eq(l.drop_count, 2);
}

Test(question_log, long_texts_are_cut_between_characters)
{
    char *text = calloc(1, 3 * QUESTION_LOG_TEXT_MAX);
    for (size_t i = 0; i < 3 * QUESTION_LOG_TEXT_MAX - 3; i += 3)
        memcpy(text + i, "\xE2\x82\xAC", 3);
    question_log_begin(&l, 1);
    drop("g1-1", text, DROP_MALFORMED);
    reopen();
    cr_assert_eq(l.drops[0].query.text.len, QUESTION_LOG_TEXT_MAX - QUESTION_LOG_TEXT_MAX % 3);
    cr_assert(utf8_valid(l.drops[0].query.text));
    free(text);
}

Test(question_log, damage_is_named)
{
    struct error err;
    const char text[] =
        "{\"round\":1,\"id\":\"a\",\"reason\":\"bored\",\"why\":\"\",\"text\":\"\"}\n";
    temp_write(temp.path, text, sizeof(text) - 1);
    cr_assert_eq(question_log_read(&l, &err), ERR_CORRUPT);
    cr_assert(strstr(err.text, "dropped.jsonl:1:"), "%s", err.text);
}
