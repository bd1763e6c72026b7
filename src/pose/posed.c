/* What a question is beside its text: see posed.h. The names of kinds and levels are read as models and people spell
 * them; a reference among choices becomes its letter, because that is what data sets hold and judge_score compares.
 *
 * Pure functions of their arguments, any thread. */
#include "pose/posed.h"

#include <string.h>

#include "base/check.h"
#include "judge/answer_text.h"
#include "judge/choice.h"
#include "judge/number.h"
#include "judge/stated.h"
#include "judge/thought.h"

/* Names */

const char *posed_source_name(enum posed_source source)
{
    static const char *const names[POSED_SOURCES] = {
        [POSED_FILE] = "file",
        [POSED_TRAFFIC] = "traffic",
        [POSED_GENERATED] = "generator",
        [POSED_SANDBOX] = "sandbox",
    };
    CHECK(source < POSED_SOURCES);
    return names[source];
}

const char *posed_kind_name(enum posed_kind kind)
{
    static const char *const names[POSED_KINDS] = {
        [POSED_CHOICE] = "choice",
        [POSED_NUMBER] = "number",
        [POSED_SHORT] = "short",
        [POSED_OPEN] = "open",
    };
    CHECK(kind < POSED_KINDS);
    return names[kind];
}

struct spelling {
    const char *name;
    unsigned value;
};

/* The value of a name without regard to case, '-' and '_' read as blanks; `none` when it is not in the list. */
static unsigned spelling_read(struct str name, const struct spelling *list, size_t count,
                              unsigned none)
{
    char plain[32];
    name = str_trim(name);
    if (name.len > sizeof(plain))
        return none;
    for (size_t i = 0; i < name.len; i++)
        plain[i] = name.ptr[i] == '-' || name.ptr[i] == '_' ? ' ' : name.ptr[i];
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase((struct str){plain, name.len}, str_from(list[i].name)))
            return list[i].value;
    return none;
}

/* One table and its look-up: the table is what makes it long. */
bool posed_kind_read(struct str name, enum posed_kind *ret)
{
    static const struct spelling kinds[] = {
        {"choice", POSED_CHOICE},
        {"multiple choice", POSED_CHOICE},
        {"multiplechoice", POSED_CHOICE},
        {"mcq", POSED_CHOICE},
        {"number", POSED_NUMBER},
        {"numeric", POSED_NUMBER},
        {"numerical", POSED_NUMBER},
        {"integer", POSED_NUMBER},
        {"short", POSED_SHORT},
        {"short answer", POSED_SHORT},
        {"exact", POSED_SHORT},
        {"exact answer", POSED_SHORT},
        {"exact match", POSED_SHORT},
        {"text", POSED_SHORT},
        {"open", POSED_OPEN},
        {"open ended", POSED_OPEN},
        {"long", POSED_OPEN},
        {"essay", POSED_OPEN},
    };
    unsigned kind = spelling_read(name, kinds, sizeof(kinds) / sizeof(kinds[0]), POSED_KINDS);
    if (kind == POSED_KINDS)
        return false;
    *ret = (enum posed_kind)kind;
    return true;
}

unsigned posed_level_read(struct str text)
{
    static const struct spelling levels[] = {
        {"1", 1},          {"2", 2},         {"3", 3},         {"4", 4},
        {"5", 5},          {"trivial", 1},   {"very easy", 1}, {"easy", 2},
        {"elementary", 2}, {"medium", 3},    {"moderate", 3},  {"intermediate", 3},
        {"hard", 4},       {"difficult", 4}, {"advanced", 4},  {"very hard", 5},
        {"expert", 5},
    };
    text = str_trim(text);
    if (text.len > 6 && str_equal_nocase(str_slice(text, 0, 6), STR("level ")))
        text = str_trim(str_slice(text, 6, text.len));
    return spelling_read(text, levels, sizeof(levels) / sizeof(levels[0]), 0);
}

enum posed_kind posed_kind_of(const struct query *q)
{
    struct judge_number number;
    if (q->choice_count > 0)
        return POSED_CHOICE;
    if (judge_number_read(q->answer, &number))
        return POSED_NUMBER;
    return q->answer.len > 0 && q->answer.len <= POSED_ANSWER_BYTES_MAX ? POSED_SHORT : POSED_OPEN;
}

/* Parts of a query */

enum status posed_finish(struct query *q, struct arena *a, struct error *err)
{
    struct buf prompt;
    if (q->choice_count == 0) {
        q->prompt = q->text;
        q->text_hash = text_hash(q->text);
        return OK;
    }
    buf_init(&prompt, SIZE_MAX / 2);
    query_prompt(q->text, q->choices, q->choice_count, &prompt);
    enum status status = buf_status(&prompt, err);
    if (status == OK) {
        struct str kept = arena_copy(a, buf_str(&prompt));
        if (kept.ptr) {
            q->prompt = kept;
            q->text_hash = text_hash(q->text);
        } else {
            status = error_set(err, ERR_MEMORY, "out of memory for questions");
        }
    }
    buf_done(&prompt);
    return status;
}

/* Index of the choice that the words are; the number of choices when none is, or more than one. */
static uint32_t choice_of_words(const struct query *q, struct str words)
{
    uint32_t found = q->choice_count;
    for (uint32_t i = 0; i < q->choice_count; i++) {
        if (str_equal(str_trim(q->choices[i]), words))
            return i;
        if (!judge_answers_agree(q->choices[i], words))
            continue;
        if (found < q->choice_count)
            return q->choice_count;
        found = i;
    }
    return found;
}

bool posed_choice_letter(struct query *q)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    struct str answer = str_trim(q->answer);
    uint32_t index = choice_of_words(q, answer);
    if (index == q->choice_count && answer.len == 1) {
        char c = answer.ptr[0];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        index = c >= 'A' && c < 'A' + (char)q->choice_count ? (uint32_t)(c - 'A') : index;
    } else if (index == q->choice_count) {
        char letter = judge_choice(q, answer);
        index = letter == '\0' ? index : (uint32_t)(letter - 'A');
    }
    if (index >= q->choice_count)
        return false;
    q->answer = (struct str){&letters[index], 1};
    return true;
}

bool posed_answer_read(const struct query *q, struct str response, struct str *ret)
{
    struct str whole = str_trim(judge_behind_thought(response));
    bool is_short =
        whole.len > 0 && whole.len <= POSED_ANSWER_BYTES_MAX && !memchr(whole.ptr, '\n', whole.len);
    if (q->choice_count == 0 && is_short && !stated_read(whole, ret)) {
        struct judge_number number;
        bool wants_number = judge_number_read(q->answer, &number);
        if (!wants_number || judge_number_read(whole, &number)) {
            *ret = whole;
            return true;
        }
    }
    return judge_answer_read(q, JUDGE_AUTO, response, ret);
}

struct str posed_answer_form(const struct query *q)
{
    if (q->choice_count > 0 || q->check.len > 0 || q->answer.len == 0)
        return STR("");
    switch (posed_kind_of(q)) {
    case POSED_NUMBER:
        return STR("End with \"The answer is X.\", X being the number alone.");
    case POSED_SHORT:
        return STR("End with \"The answer is X.\", X being as few words as will do.");
    default:
        return STR("");
    }
}
