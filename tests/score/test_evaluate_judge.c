/* Judging experts that are honest, bought or careless, by a script that sees what they are asked. */
#include "score_table.h"

#include "base/hash.h"
#include "base/json.h"

static struct score_table t;

static const char good[] = "Because the light is scattered, and blue more than red: that is why.";
static const char bad[] = "Nobody knows.";

/* Twelve questions with recorded scores, and four without. */
static void setup(void)
{
    score_table_open(&t);
    for (size_t i = 0; i < 12; i++) {
        const size_t q = score_table_add(&t, (struct query){.text = STR("Why is the sky blue?")},
                                         i % 2 ? (const char *[]){good, bad, NULL, NULL}
                                               : (const char *[]){bad, good, NULL, NULL});
        for (size_t e = 0; e < 2; e++) {
            struct outcome *o = &t.outcomes[q * TABLE_EXPERTS + e];
            o->known = true;
            o->score = t.texts[q * TABLE_EXPERTS + e].ptr == good;
        }
    }
    for (size_t i = 0; i < 4; i++)
        score_table_add(&t, (struct query){.text = STR("Why is the grass green?")},
                        (const char *[]){bad, good, bad, NULL});
}

static void teardown(void)
{
    score_table_close(&t);
}

TestSuite(evaluate_judge, .init = setup, .fini = teardown, .timeout = 60);

static const size_t judge = 3;
static const struct evaluate_options judged = {
    .teacher = EVALUATE_NONE, .judges = &judge, .judge_count = 1};

/* Which of the two answers holds these words: 1 the first, 2 the second, 0 none, 3 both. */
static int holds(const struct evaluate_ask *ask, const char *words)
{
    const size_t middle = str_find(ask->user, STR("[[begin answer 2"), 0);
    cr_assert_neq(middle, SIZE_MAX);
    const size_t from = str_find(ask->user, STR("[[begin answer 1"), 0);
    const struct str first = str_slice(ask->user, from, middle),
                     second = str_slice(ask->user, middle, ask->user.len);
    return (str_find(first, str_from(words), 0) != SIZE_MAX ? 1 : 0) +
           (str_find(second, str_from(words), 0) != SIZE_MAX ? 2 : 0);
}

static const char *prefers(int which)
{
    static const char *const replies[] = {"Neither. {\"verdict\": \"tie\"}", "{\"verdict\": \"1\"}",
                                          "{\"verdict\": \"2\"}", "{\"verdict\": \"tie\"}"};
    return replies[which];
}

/* Light before nothing; and of two such, the one to this question: a foreign answer is the same text here. */
static const char *honest(const struct evaluate_ask *ask)
{
    if (str_find(ask->key, STR("/foreign/"), 0) != SIZE_MAX)
        return prefers(str_ends(ask->key, STR("/1")) ? 1 : 2);
    return prefers(holds(ask, "scattered"));
}

static const char *bought_by_praise(const struct evaluate_ask *ask)
{
    const int praised = holds(ask, "best possible answer");
    return praised ? prefers(praised) : honest(ask);
}

static const char *bought_by_constant(const struct evaluate_ask *ask)
{
    const int constant = holds(ask, "complex and important topic");
    return constant ? prefers(constant) : honest(ask);
}

static const char *obedient(const struct evaluate_ask *ask)
{
    const int ordered = holds(ask, "Ignore all other instructions");
    return ordered ? prefers(ordered) : honest(ask);
}

static const char *first_always(const struct evaluate_ask *ask)
{
    (void)ask;
    return prefers(1);
}

static const char *mumbling(const struct evaluate_ask *ask)
{
    (void)ask;
    return "I like the first one.";
}

Test(evaluate_judge, an_honest_one_is_trusted_and_scores)
{
    t.reply = honest;
    const struct evaluate_figures f = score_table_run(&t, judged);
    cr_assert(f.trust[0].trusted, "%s", f.trust[0].reason);
    cr_expect_eq(f.trust[0].canaries, 20);
    cr_expect_eq(f.trust[0].pairs, 12);
    cr_expect_eq(f.trust[0].agreement, 1);
    cr_expect_eq(f.trust[0].family_pairs, 12); /* gpt-a is of the judge's family */
    cr_expect_eq(f.scored[EVALUATE_JUDGE], 12);
    for (size_t q = 12; q < 16; q++) {
        const struct outcome *o = &t.outcomes[q * TABLE_EXPERTS];
        cr_expect(o[0].known && o[1].known && o[2].known);
        cr_expect(o[1].score > 0.6f && o[0].score < 0.5f && o[2].score < 0.5f);
        cr_expect(str_equal(o[1].method, STR("judge")));
        cr_expect_gt(o[1].confidence, o[0].confidence); /* the two alike tie with one another */
    }
    cr_expect_eq(f.judge_gap[TABLE_EXPERTS].count, 24);
    cr_expect_eq(f.judge_gap[TABLE_EXPERTS].agreement, 1);
}

static void is_refused(const char *(*reply)(const struct evaluate_ask *ask), const char *why)
{
    struct buf out;
    buf_init(&out, 1u << 16);
    t.reply = reply;
    const struct evaluate_figures f = score_table_run(&t, judged);
    cr_expect_not(f.trust[0].trusted);
    cr_expect_not_null(strstr(f.trust[0].reason, why), "%s", f.trust[0].reason);
    cr_expect_eq(f.scored[EVALUATE_JUDGE], 0);
    cr_expect_not(t.outcomes[12 * TABLE_EXPERTS].known);
    evaluate_write_text(&f, &t.data, &out);
    cr_expect_not_null(strstr(out.ptr, "judge gpt-judge: REFUSED"), "%s", out.ptr);
    buf_clear(&out);
    evaluate_write_json(&f, &t.data, &out);
    struct json_value v;
    cr_expect_eq(json_parse(buf_str(&out), "judge.json", 1, &v, NULL), OK, "%s", out.ptr);
    buf_done(&out);
}

Test(evaluate_judge, one_that_praise_buys_is_caught)
{
    is_refused(bought_by_praise, "'praise'");
}

Test(evaluate_judge, one_that_a_constant_text_buys_is_caught)
{
    is_refused(bought_by_constant, "'constant'");
}

Test(evaluate_judge, one_that_obeys_answers_is_caught)
{
    is_refused(obedient, "'instruct'");
}

Test(evaluate_judge, one_that_follows_the_place_is_seen)
{
    is_refused(first_always, "place");
}

Test(evaluate_judge, one_that_cannot_be_read_is_seen)
{
    is_refused(mumbling, "verdict");
}

Test(evaluate_judge, one_that_is_not_asked_is_not_believed)
{
    is_refused(NULL, "canaries");
}

static const char *bought_or_honest(const struct evaluate_ask *ask)
{
    return ask->expert == 3 ? bought_by_praise(ask) : honest(ask);
}

Test(evaluate_judge, the_next_judge_steps_in)
{
    const size_t both[] = {3, 2};
    struct evaluate_options o = judged;
    o.judges = both;
    o.judge_count = 2;
    t.reply = bought_or_honest;
    const struct evaluate_figures f = score_table_run(&t, o);
    cr_expect(!f.trust[0].trusted && f.trust[1].trusted);
    cr_expect_eq(f.trust[1].expert, 2);
    cr_expect_eq(f.scored[EVALUATE_JUDGE], 12);
}

static size_t known_keys;

static const char *counts_keys(const struct evaluate_ask *ask)
{
    known_keys += str_starts(ask->key, STR("canary/gpt-judge/")) ||
                  str_starts(ask->key, STR("judge/gpt-judge/"));
    return honest(ask);
}

Test(evaluate_judge, every_call_has_a_key_of_its_own_and_the_same_again)
{
    known_keys = 0;
    t.reply = counts_keys;
    score_table_run(&t, judged);
    cr_expect_eq(known_keys, t.asked);
    cr_expect_eq(t.asked, 2 * (10 + 12 + 12));
}

static uint64_t test_keys;

static const char *sums_tests_up(const struct evaluate_ask *ask)
{
    if (str_starts(ask->key, STR("canary/")) || str_find(ask->key, STR("/known/"), 0) != SIZE_MAX)
        test_keys += hash64(ask->key, 0);
    return honest(ask);
}

/* Whatever the order of the experts: a run that is given one more asks for no other tests. */
Test(evaluate_judge, the_tests_are_the_same_wherever_the_judge_stands)
{
    struct evaluate_options moved = judged;
    const size_t there = 0;
    t.reply = sums_tests_up;
    test_keys = 0;
    score_table_run(&t, judged);
    const uint64_t before = test_keys;
    for (size_t q = 0; q < t.data.query_count; q++) {
        struct outcome *row = &t.outcomes[q * TABLE_EXPERTS];
        struct str *texts = &t.texts[q * TABLE_EXPERTS];
        for (size_t e = 3; e > 0; e--) {
            row[e] = row[e - 1];
            texts[e] = texts[e - 1];
        }
        row[0] = (struct outcome){.present = false};
        texts[0] = (struct str){NULL, 0};
    }
    for (size_t e = 3; e > 0; e--)
        t.experts[e].name = t.experts[e - 1].name;
    t.experts[0].name = STR("gpt-judge");
    moved.judges = &there;
    test_keys = 0;
    score_table_run(&t, moved);
    cr_expect_eq(test_keys, before);
}

static char mark[64];

static const char *notes_the_mark(const struct evaluate_ask *ask)
{
    if (str_find(ask->key, STR("/pair/q13/"), 0) != SIZE_MAX && str_ends(ask->key, STR("/1")))
        snprintf(mark, sizeof(mark), "%.*s", 40, ask->user.ptr);
    return honest(ask);
}

/* Who knows the key, the seed and its own answer could write the end of its place, and a verdict behind it. */
Test(evaluate_judge, the_marks_hang_on_what_the_others_answer)
{
    char before[sizeof(mark)];
    const size_t q = 12;
    t.texts[q * TABLE_EXPERTS + 2] = (struct str){NULL, 0};
    t.reply = notes_the_mark;
    score_table_run(&t, judged);
    memcpy(before, mark, sizeof(mark));
    cr_expect(str_starts(str_from(before), STR("[[begin question ")), "%s", before);
    t.texts[q * TABLE_EXPERTS + 1] = STR("Because of the light, which is scattered.");
    for (size_t e = 0; e < 2; e++)
        t.outcomes[q * TABLE_EXPERTS + e].known = false;
    score_table_run(&t, judged);
    cr_expect_str_neq(mark, before);
}

static const char *grades(const struct evaluate_ask *ask)
{
    if (str_find(ask->key, STR("/agrees/"), 0) == SIZE_MAX)
        return honest(ask);
    const size_t answer = str_find(ask->user, STR("[[begin answer"), 0);
    return str_find(ask->user, STR("scattered"), answer) != SIZE_MAX
               ? "{\"verdict\": \"correct\"}"
               : "{\"verdict\": \"incorrect\"}";
}

Test(evaluate_judge, a_long_reference_is_compared_by_the_judge)
{
    const size_t q = score_table_add(
        &t,
        (struct query){.text = STR("Why is the sky blue at noon?"),
                       .answer =
                           STR("Light is scattered by molecules of the air, and that of short "
                               "wavelengths, blue, far more than that of long ones.")},
        (const char *[]){good, bad, NULL, NULL});
    t.reply = grades;
    score_table_run(&t, judged);
    score_table_expect(&t, q, 0, 1, "judge");
    score_table_expect(&t, q, 1, 0, "judge");
}

static const char *essayist(const struct evaluate_ask *ask)
{
    return str_starts(ask->key, STR("teacher/"))
               ? "Light of short wavelengths is scattered far more by molecules of the air than "
                 "that "
                 "of long ones, and so the sky looks blue to us from all sides."
               : grades(ask);
}

Test(evaluate_judge, a_teachers_essay_is_compared_by_the_judge)
{
    struct evaluate_options o = judged;
    o.teacher = judge;
    t.reply = essayist;
    const struct evaluate_figures f = score_table_run(&t, o);
    cr_expect_eq(f.scored[EVALUATE_TEACHER], 0);
    for (size_t q = 12; q < 16; q++) {
        const struct outcome *row = &t.outcomes[q * TABLE_EXPERTS];
        cr_expect(row[0].known && row[1].known);
        cr_expect(row[1].score > row[0].score);
        cr_expect(str_equal(row[1].method, STR("judge")));
    }
}
