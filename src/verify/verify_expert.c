/* What an expert that judges an answer by itself is asked, and how its reply is read. The marks, and the search for the
 * word that a reply settles on, are those of judging experts (judge/verdict.h). Pure. */
#include "base/json.h"
#include "judge/thought.h"
#include "judge/verdict.h"
#include "verify/verify_int.h"

static const char rubric_usual[] =
    "Is the answer correct, and does it do all that the question asks? An answer that evades the "
    "question, or that is wrong in a point that matters, fails.";

static const char system_text[] =
    "You check an answer to a question before it is given to whoever asked.\n"
    "%sThe rubric, by which alone you judge:\n"
    "%.*s\n"
    "You may reason first, briefly. End with one line of JSON and nothing behind it: "
    "{\"verdict\": \"pass\"} when the answer may stand, {\"verdict\": \"fail\", \"reason\": "
    "\"...\"} when it may not.";

void verify_expert_ask(const struct verify_settings *s, const struct verify_input *input,
                       uint64_t nonce, struct buf *system, struct buf *user)
{
    const struct str rubric = s->rubric.len ? s->rubric : str_from(rubric_usual);
    buf_addf(system, system_text, verdict_rules, STR_FMT(rubric));
    verdict_add_marked(user, "question", input->question, nonce);
    verdict_add_marked(user, "answer", judge_behind_thought(input->answer), nonce);
    if (input->tool_calls.type == JSON_ARRAY)
        verdict_add_marked(user, "calls of tools", input->tool_calls.raw, nonce);
    buf_add(user, STR("May the answer stand? End with the line of JSON."));
}

void verify_expert_read(struct str reply, struct verify_end *ret)
{
    const struct str word = verdict_word(reply);
    const struct str reason = json_inside(json_get(verdict_object(reply), "reason"));
    if (str_equal_nocase(word, STR("pass")))
        verify_say(ret, VERIFY_PASS, reason);
    else if (str_equal_nocase(word, STR("fail")))
        verify_say(ret, VERIFY_REJECT, reason);
    else
        verify_say(ret, VERIFY_DOWN, STR("its reply has no verdict"));
}
