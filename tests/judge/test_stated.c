/* What texts state, judged against the known answer. */
#include "judge/stated.h"

#include <criterion/criterion.h>
#include <string.h>

#include "judge/answer_text.h"

static void scores(float wanted, const char *answer, const char *text)
{
    const struct query query = {.answer = str_from(answer)};
    struct str got = {"nothing", 7};
    float score = judge_score(&query, str_from(text));
    (void)!judge_answer_read(&query, JUDGE_AUTO, str_from(text), &got);
    cr_expect_eq(score, wanted, "%s: '%.*s' read in: %s", answer, STR_FMT(got), text);
}

Test(stated, numbers_that_are_right)
{
    scores(1, "1234", "The answer is 1,234.");
    scores(1, "1234567", "The answer is 1,234,567 people.");
    scores(1, "1234", "So we need 1 234 euros in all: the answer is 1 234.");
    scores(1, "1234567", "Antwort: 1.234.567");
    scores(1, "1234.5", "Die Antwort ist 1.234,5");
    scores(1, "3.5", "La réponse est 3,5");
    scores(1, "1234", "The answer is 1'234.");
    scores(1, "1234", "The total is $1,234.");
    scores(1, "1234", "The total is USD 1,234");
    scores(1, "1234", "The answer is USD 1,234.");
    scores(1, "5", "The answer is €5.");
    scores(1, "5", "The answer is about 5 km.");
    scores(1, "5", "The answer is approximately 5.");
    scores(1, "5", "The answer is x = 5.");
    scores(1, "5", "Thus x = 5");
    scores(1, "5", "\\boxed{x = 5}");
    scores(1, "5", "The answer is km 5");
    scores(1, "0.75", "The answer is 3/4.");
    scores(1, "0.75", "We get \\frac{3}{4}.");
    scores(1, "0.75", "The answer is \\frac34.");
    scores(1, "0.75", "The answer is $\\tfrac{3}{4}$.");
    scores(1, "0.75", "So the result is 3/4.");
    scores(1, "3.5", "The answer is 3 1/2.");
    scores(1, "3.5", "The answer is 3\\frac{1}{2}.");
    scores(1, "0.5", "The answer is ½.");
    scores(1, "1000", "The answer is 10^3.");
    scores(1, "1000", "The answer is $10^{3}$.");
    scores(1, "120000", "The answer is 1.2 × 10^5.");
    scores(1, "120000", "The answer is $1.2 \\times 10^{5}$.");
    scores(1, "0.00012", "So the rate is $1.2 \\times 10^{-4}$ m/s.");
    scores(1, "12345", "The answer is 12{,}345.");
    scores(1, "12345", "\\boxed{12{,}345}");
    scores(1, "12345", "\\boxed{12,\\!345}");
    scores(1, "5", "\\boxed{5\\text{ km}}");
    scores(1, "1000000", "The answer is 1 million.");
    scores(1, "50%", "The answer is 50 percent.");
    scores(1, "45", "\\boxed{45^\\circ}");
    scores(1, "9.8", "The answer is 9.8 $\\mathrm{m/s^2}$.");
    scores(1, "7", "The answer is \\textbf{7}.");
    scores(1, "-7", "The answer is negative 7.");
    scores(1, "12", "The answer isn't 13 but 12.");
    scores(1, "12", "{\"answer\":12,\"unit\":\"cm\"}");
    scores(1, "12", "{\"answer\": \"12\", \"unit\": \"cm\"}");
    scores(1, "12", "The volume is 12 cm^3.");
    scores(1, "6.02e23", "So it is 6.02e23 of them");
    scores(1, "6.02e23", "So it is 6.02 × 10²³ of them");
    scores(1, "2.5", "So 2 1/2 cups");
}

Test(stated, what_announces_them)
{
    scores(1, "5", "\\boxed{5\\,\\mathrm{km}}");
    scores(1, "5", "\\boxed{5~\\text{cm}^2}");
    scores(1, "-7", "The answer is −7.");
    scores(1, "-7", "The answer is -7.");
    scores(1, "50", "The answer is 50%.");
    scores(1, "50", "The answer is 50 percent.");
    scores(1, "50", "50\\% is the result.");
    scores(1, "12", "#### 12");
    scores(1, "12", "So she has 12 apples left.");
    scores(1, "12", "She has 12 apples on day 3? No. The final answer is 12.");
    scores(1, "12", "{\"answer\": 12}");
    scores(1, "12", "{\"answer\": \"12\"}");
    scores(1, "12", "<answer>12</answer>");
    scores(1, "12", "Die Antwort ist 12.");
    scores(1, "12", "La réponse est 12.");
    scores(1, "12", "La respuesta es 12.");
    scores(1, "12", "答案是12。");
    scores(1, "12", "答案：12");
    scores(1, "12", "答えは12です。");
    scores(1, "12", "<think>The answer is 7.</think>\nThe answer is 12.");
    scores(1, "12", "<think>12</think> I get 12 apples. ");
    scores(1, "12", "The answer is not 7. It is 12.");
    scores(1, "12", "**Answer:** 12");
    scores(1, "12", "**12**");
    scores(1, "12", "12 is the answer.");
    scores(1, "12", "Answer: 12 (rounded)");
    scores(1, "1.5", "The answer is 1.50");
    scores(1, "42", "The answer is 42.0 m/s.");
    scores(1, "2", "The answer is $2$.");
    scores(1, "2", "The answer is \\(2\\).");
    scores(1, "2", "The answer is: 2");
    scores(1, "2", "The answer is = 2");
    scores(1, "0.3333333333", "\\boxed{\\dfrac{1}{3}}");
    scores(1, "-0.5", "\\boxed{-\\frac{1}{2}}");
    scores(1, "-0.5", "The answer is -1/2.");
    scores(1, "18", "She makes 9 * 2 = $18 every day at the farmer's market.");
    scores(1, "70000", "The profit is $70,000.");
    scores(1, "70000",
           "He made a profit of 200,000 - 130,000 = $<<200000-130000=70000>>70,000\n#### 70,000");
    scores(1, "Paris", "The answer is Paris.");
    scores(1, "Paris", "Die Antwort ist Paris.");
    scores(1, "Paris", "La réponse est Paris.");
    scores(1, "Paris", "答案是Paris。");
    scores(1, "Paris", "{\"answer\": \"Paris\"}");
}

Test(stated, answers_that_are_not)
{
    scores(0, "12", "<think>The answer is 12");
    scores(0, "12", "The answer is 13.");
    scores(0, "5", "The answer is 50.");
}

Test(stated, no_text_takes_long)
{
    static char text[200000];
    struct str got;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = ")}] (\""[i % 6];
    memcpy(text, "the answer is ", 14);
    cr_expect_not(stated_read((struct str){text, sizeof(text)}, &got));
}
