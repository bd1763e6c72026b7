/* Choices named in phrases, in several languages, and behind thoughts. */
#include "judge/choice.h"

#include <criterion/criterion.h>

static const struct str words[] = {{"iron", 4}, {"gold", 4}, {"lead", 4}, {"zinc", 4}};
static const struct query query = {.choices = words, .choice_count = 4};

struct row {
    char wanted; /* '-': unknown */
    const char *text;
};

static void all_settle(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char got = judge_choice(&query, str_from(rows[i].text));
        cr_expect_eq(got ? got : '-', rows[i].wanted, "'%c' instead of '%c': %s", got ? got : '-',
                     rows[i].wanted, rows[i].text);
    }
}

Test(choice_phrase, behind_thoughts)
{
    static const struct row rows[] = {
        {'-', "<think>The answer is C"},
        {'-', "<think>The answer is C</think>"},
        {'-', "<think>\nThe answer is C\n</think>\n\n"},
        {'C', "<think>The answer is A.</think>The answer is C."},
        {'C', "The answer is A.\n</think>\nThe answer is C."},
        {'C', "<thinking>A</thinking>\n\nC"},
        {'C', "<think>A</think> hm <think>The answer is B</think> Answer: C"},
        {'C', "[THINK]The answer is A[/THINK]C"},
        {'C', "<Thinking>The answer is A</Thinking>C."},
        {'C', "<|channel|>analysis<|message|>The answer is "
              "A<|end|><|start|>assistant<|channel|>final<|message|>The answer is C."},
        {'C', "<reasoning>The answer is A</reasoning><answer>C</answer>"},
        {'C', "<thought>\nThe answer is A</thought>\nC"},
        {'C', "I think it's C."},
    };
    all_settle(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(choice_phrase, in_more_phrases_of_these_languages)
{
    static const struct row rows[] = {
        {'C', "C is right."},
        {'C', "C is the only correct option."},
        {'C', "C must be correct."},
        {'C', "C should be the answer."},
        {'C', "A is incorrect; C is correct."},
        {'-', "Is C correct? I do not know."},
        {'C', "answer = C"},
        {'C', "ANSWER - C"},
        {'C', "Not B. The correct one is C."},
        {'C', "<final_answer>C</final_answer>"},
        {'C', "{\"final\": \"C\"}"},
        {'C', "Korrekt ist C."},
        {'C', "Die richtige Option ist C."},
        {'C', "Somit ist C richtig."},
        {'C', "Also ist die Antwort C."},
        {'C', "Es ist C."},
        {'C', "Daher ist Antwort C korrekt."},
        {'C', "C'est C."},
        {'C', "C'est la réponse C."},
        {'C', "Ce n'est pas A, c'est C."},
        {'C', "L'option correcte est C."},
        {'C', "La correcta es la C."},
        {'C', "La solución es C."},
        {'C', "正确的选项是C。"},
        {'C', "C选项正确。"},
        {'-', "C选项不正确。"},
        {'C', "【答案】C"},
        {'C', "正しいのはCです。"},
        {'C', "Cが答えです。"},
        {'C', "Aではなく、Cです。"},
        {'C', "Aではありません。Cです。"},
        {'C', "解答：C"},
    };
    all_settle(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(choice_phrase, in_a_phrase)
{
    static const struct row rows[] = {
        {'C', "C is the correct answer."},
        {'C', "```json\n{\"reasoning\": \"A is wrong\", \"answer\": \"C\"}\n```"},
        {'C', "{\"choice\": \"C\", \"confidence\": 0.9}"},
        {'C', "The answer is not A. It is C."},
        {'C', "It is not A but C."},
        {'C', "The answer isn't A, it's C."},
        {'C', "Option C is correct."},
        {'C', "Option C is the right one."},
        {'C', "(C) is correct."},
        {'C', "C. lead is the correct answer."},
        {'C', "I would choose C."},
        {'C', "My choice: C"},
        {'C', "The right answer would be C"},
        {'C', "So the correct option is (C) lead."},
        {'C', "Respuesta correcta: C) plomo"},
        {'C', "The answer cannot be A; it must be C."},
        {'C', "A is wrong. C is correct."},
        {'C', "A is incorrect, B is incorrect, D is incorrect. C is correct."},
        {'C', "I'd go with C."},
        {'C', "It's C!"},
        {'C', "The correct answer is: **C) lead**"},
        {'C', "correct answer: C"},
    };
    all_settle(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(choice_phrase, in_other_languages)
{
    static const struct row rows[] = {
        {'C', "Die richtige Antwort ist C."},
        {'C', "Die Antwort lautet C."},
        {'C', "Die korrekte Antwort ist (C) Blei."},
        {'C', "Antwort: C"},
        {'C', "**Antwort:** C"},
        {'C', "Richtig ist C."},
        {'C', "Richtig ist Antwort C."},
        {'C', "Antwort C ist richtig."},
        {'C', "C ist die richtige Antwort."},
        {'C', "Lösung: C"},
        {'C', "La réponse est C."},
        {'C', "La bonne réponse est la C."},
        {'C', "La réponse correcte est : C"},
        {'C', "Réponse : C"},
        {'C', "Réponse : **C**"},
        {'C', "C est la bonne réponse."},
        {'C', "La respuesta correcta es la C."},
        {'C', "La respuesta es C."},
        {'C', "La opción correcta es C."},
        {'C', "La opción C es correcta."},
        {'C', "La alternativa correcta es la C."},
        {'C', "答案：C"},
        {'C', "答案是C。"},
        {'C', "答案为C"},
        {'C', "正确答案是C。"},
        {'C', "正确答案：C"},
        {'C', "所以答案是 C。"},
        {'C', "因此，正确答案是（C）。"},
        {'C', "故选C。"},
        {'C', "选C"},
        {'C', "应该选择C。"},
        {'C', "正确选项是C。"},
        {'C', "选项C是正确的。"},
        {'C', "C是正确答案。"},
        {'C', "**答案：C**"},
        {'C', "答えはCです。"},
        {'C', "答え：C"},
        {'C', "正解はCです。"},
        {'C', "正解: C"},
        {'C', "正しい答えは「C」です。"},
        {'C', "正解は（C）です。"},
        {'C', "Cが正解です。"},
        {'C', "したがって、答えは C です。"},
        {'C', "正しい選択肢はCです。"},
        {'C', "答えは③ではなくCです。"},
        {'C', "Nicht A, sondern C."},
        {'C', "Die Antwort ist nicht A, sondern C."},
        {'C', "La réponse n'est pas A mais C."},
        {'C', "La respuesta no es A, sino C."},
        {'C', "答案不是A，而是C。"},
        {'C', "答えはAではなく、Cです。"},
    };
    all_settle(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(choice_phrase, in_wrappings_and_JSON)
{
    static const struct row rows[] = {
        {'C', "{\"answer\": \"C\"}"},
        {'C', "{\"final_answer\": \"C\"}"},
        {'C', "{'answer': 'C'}"},
        {'C', "{\"answer\": \"C. lead\"}"},
        {'C', "Not (A), but rather (C)."},
        {'C', "$\\boxed{C}$"},
        {'C', "\\boxed{\\text{C}}"},
        {'C', "\\[\\boxed{(C)}\\]"},
        {'C', "**C**"},
        {'C', "**Answer: C**"},
        {'C', "**Answer**: C"},
        {'C', "### Answer\n\nC"},
        {'C', "### Final Answer\n**C**"},
        {'C', "## Answer: **C. lead**"},
        {'C', "<answer>C</answer>"},
        {'C', "<answer>\nC\n</answer>"},
        {'C', "Final answer - C"},
        {'C', "C) lead"},
        {'C', "Respuesta: C"},
        {'C', "The answer is (c)."},
        {'C', "the answer is c"},
        {'C', "Answer: c)"},
        {'C', "Choice: C"},
        {'C', "Option C"},
        {'C', "The answer is: \n\nC"},
        {'C', "Correct: C"},
        {'C', "ANSWER: C"},
        {'C', "C: lead"},
        {'C', "C - lead"},
        {'C', "The letter is C."},
        {'C', "$$\\boxed{\\textbf{(C)}}$$"},
        {'C', "\\boxed{\\mathrm{C}}"},
        {'C', "$\\fbox{C}$"},
        {'C', "__C__"},
        {'C', "*C*"},
        {'C', "`C`"},
        {'C', "\"C\""},
        {'C', "Therefore, **(C)** is the answer."},
    };
    all_settle(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(choice_phrase, that_is_not_said)
{
    static const struct row rows[] = {
        {'-', "Die Antwort ist nicht C."},
        {'-', "La réponse n'est pas C."},
        {'-', "La respuesta no es C."},
        {'-', "答案不是C。"},
        {'-', "答えはCではありません。"},
        {'-', "C is not the correct answer."},
        {'-', "Is C correct?"},
        {'-', "The answer is A or C."},
        {'-', "Die Antwort ist A oder C."},
        {'-', "La réponse est A ou C."},
        {'-', "La respuesta es A o C."},
        {'-', "答案是A或C。"},
        {'-', "Whether C is correct depends."},
        {'-', "If C is correct, then A is too."},
    };
    all_settle(rows, sizeof(rows) / sizeof(rows[0]));
}
