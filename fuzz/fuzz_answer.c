/* An expert's answer text: what is read out of it lies inside it, and agrees with itself. */
#include "base/check.h"
#include "judge/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size}, answer;
    char letter = judge_choice_extract(text);
    CHECK(letter == '\0' || (letter >= 'A' && letter <= 'P'));
    if (!judge_answer_extract(text, &answer))
        return 0;
    CHECK(answer.len > 0);
    CHECK(answer.ptr >= text.ptr);
    CHECK(answer.ptr + answer.len <= text.ptr + text.len);
    CHECK(judge_answers_agree(answer, answer));
    return 0;
}
