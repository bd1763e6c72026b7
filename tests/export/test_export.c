/* The rows, byte for byte. */
#include "export/export.h"

#include "base/json.h"
#include "exported.h"

static struct exported x;

static void teardown(void)
{
    exported_close(&x);
}

TestSuite(export, .fini = teardown);

static void responses(const char *small, const char *big)
{
    char folder[128];
    snprintf(folder, sizeof(folder), "mkdir -p %s/responses/org", x.scratch.path);
    cr_assert_eq(system(folder), 0);
    if (small)
        scratch_write(&x.scratch, "responses/small.jsonl", small);
    if (big)
        scratch_write(&x.scratch, "responses/org/big.jsonl", big);
}

#define SMALL_SAID                                                                                 \
    "{\"id\":\"q1\",\"text\":\"A\"}\n{\"id\":\"q2\",\"text\":\"two: \\u0000 <no>\"}\n"             \
    "{\"id\":\"zz\",\"text\":\"of nobody\"}\n{\"id\":\"q3\",\"text\":\"three\"}\n"
#define BIG_SAID                                                                                   \
    "{\"id\":\"q2\",\"text\":\"4\\n\\\"four\\\"\"}\n{\"id\":\"q3\",\"text\":\"3\"}\n"              \
    "{\"id\":\"q1\",\"text\":\" \"}\n"

#define AIM(lambda)                                                                                \
    "The best has the highest quality - lambda * cost, where quality is from 0 to 1, cost is in "  \
    "USD, and lambda is " lambda ".\\n"
#define AIM_0 "The best is the cheapest of those that answer it right.\\n"
#define ASKED(aim, text)                                                                           \
    "Which expert should answer the question? " aim "\\nExperts, with USD per million tokens of "  \
    "input and of output, and how often each was right:\\nY: small, 0.10 in, 0.25 out, right on "  \
    "25 %\\nZ: org/big, 5.00 in, 15.00 out, right on 80 %\\n\\nQuestion:\\n" text                  \
    "\\n\\nReply with the letter of the best expert alone.\\nAnswer:"
#define USER(text)     "[{\"role\":\"user\",\"content\":\"" text "\"}"
#define REPLY(text)    "{\"role\":\"assistant\",\"content\":\"" text "\"}]"
#define PROMPT_1       "One?\\nA. x\\nB. y"
#define PROMPT_2       "Two \\\"2\\\"\\n\xc3\xa9\xf0\x9f\x98\x80?"
#define ASSERT_ROWS(s) cr_assert_str_eq(x.rows.ptr, s)

Test(export, sft_names_the_best_expert)
{
    struct export_options o = exported_options(EXPORT_SFT, EXPORT_ROUTING);
    x = exported_open(NULL, NULL);
    o.lambda = 12.5;
    o.solved = true;
    exported_write(&x, &o);
    cr_assert_eq(x.status, OK, "%s", x.err.text);
    ASSERT_ROWS("{\"prompt\":" USER(ASKED(AIM("12.5"), PROMPT_1)) "],\"completion\":[" REPLY(
        "Y") "}\n"
             "{\"prompt\":" USER(ASKED(AIM("12.5"), PROMPT_2)) "],\"completion\":[" REPLY(
                 "Z") "}\n");
    cr_assert_eq(x.figures.rows, 2);
}

Test(export, dpo_has_the_prompt_beside_the_pair)
{
    struct export_options o = exported_options(EXPORT_DPO, EXPORT_ROUTING);
    x = exported_open(NULL, NULL);
    exported_write(&x, &o);
    cr_assert_eq(x.status, OK, "%s", x.err.text);
    ASSERT_ROWS("{\"prompt\":" USER(ASKED(AIM_0, PROMPT_2)) "],\"chosen\":[" REPLY(
        "Z") ",\"rejected\":[" REPLY("Y") "}\n");
    cr_assert_eq(x.figures.left_out[EXPORT_NO_PAIR], 3);
}

Test(export, preference_sets_the_right_answer_against_the_wrong)
{
    struct export_options o = exported_options(EXPORT_PREFERENCE, EXPORT_ANSWERS);
    x = exported_open(NULL, NULL);
    responses(SMALL_SAID, BIG_SAID);
    exported_write(&x, &o);
    cr_assert_eq(x.status, OK, "%s", x.err.text);
    ASSERT_ROWS("{\"chosen\":" USER(PROMPT_2) "," REPLY("4\\n\\\"four\\\"") ",\"rejected\":" USER(
        PROMPT_2) "," REPLY("two: \\u0000 <no>") "}\n");
}

Test(export, openai_has_the_best_answers_and_no_other_member)
{
    struct export_options o = exported_options(EXPORT_OPENAI, EXPORT_ANSWERS);
    x = exported_open(NULL, NULL);
    responses(SMALL_SAID, BIG_SAID);
    exported_write(&x, &o);
    cr_assert_eq(x.status, OK, "%s", x.err.text);
    ASSERT_ROWS("{\"messages\":" USER(PROMPT_1) "," REPLY(
        "A") "}\n"
             "{\"messages\":" USER(PROMPT_2) "," REPLY("4\\n\\\"four\\\"") "}\n");
    cr_assert_eq(x.figures.left_out[EXPORT_UNSOLVED], 1);
    cr_assert_eq(x.figures.left_out[EXPORT_UNKNOWN], 3, "no text, no candidate");
}

Test(export, a_pair_of_one_text_teaches_nothing)
{
    struct export_options o = exported_options(EXPORT_DPO, EXPORT_ANSWERS);
    x = exported_open(NULL, NULL);
    responses("{\"id\":\"q2\",\"text\":\"4\"}\n", "{\"id\":\"q2\",\"text\":\"4\"}\n");
    exported_write(&x, &o);
    cr_assert_eq(x.status, ERR_INPUT, "a file without a row is none");
    cr_assert(strstr(x.err.text, "1 pairs both answers are the same"), "%s", x.err.text);
}

Test(export, of_two_texts_for_a_cell_the_last_counts)
{
    struct export_options o = exported_options(EXPORT_OPENAI, EXPORT_ANSWERS);
    x = exported_open(NULL, NULL);
    responses(NULL, "{\"id\":\"q2\",\"text\":\"first\"}\n{\"id\":\"q2\",\"text\":\"last\"}\n");
    exported_write(&x, &o);
    ASSERT_ROWS("{\"messages\":" USER(PROMPT_2) "," REPLY("last") "}\n");
}

Test(export, answers_that_are_not_there_are_named)
{
    struct export_options o = exported_options(EXPORT_OPENAI, EXPORT_ANSWERS);
    x = exported_open(NULL, NULL);
    exported_write(&x, &o);
    cr_assert_eq(x.status, ERR_NOT_FOUND);
    cr_assert(strstr(x.err.text, "responses/"), "%s", x.err.text);
    responses(NULL, "{\"id\":\"q2\"}\n");
    exported_write(&x, &o);
    cr_assert_eq(x.status, ERR_INPUT);
    cr_assert(strstr(x.err.text, "big.jsonl:1"), "%s", x.err.text);
}

Test(export, no_row_is_a_failure_that_says_why)
{
    struct export_options o = exported_options(EXPORT_SFT, EXPORT_ROUTING);
    x = exported_open("{\"id\":\"q1\",\"text\":\" \"}\n{\"id\":\"q2\",\"text\":\"\"}\n",
                      "id,model,score\nq1,small,1\n");
    exported_write(&x, &o);
    cr_assert_eq(x.status, ERR_INPUT);
    cr_assert(strstr(x.err.text, "2 of 2 are queries without a text"), "%s", x.err.text);
}

Test(export, bytes_that_are_no_text_stay_within_json)
{
    struct export_options o = exported_options(EXPORT_SFT, EXPORT_ROUTING);
    struct json_value row;
    x = exported_open(NULL, NULL);
    x.d->queries[1].prompt = STR("a\xff\xc3(\x01\"\\");
    o.solved = true;
    exported_write(&x, &o);
    struct str second = buf_str(&x.rows);
    (void)str_split(&second, '\n');
    cr_assert_eq(json_parse(str_trim(second), "row", 1, &row, &x.err), OK, "%s", x.err.text);
    cr_assert(strstr(second.ptr, "a\xef\xbf\xbd\xef\xbf\xbd(\\u0001\\\"\\\\"));
}
