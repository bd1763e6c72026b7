/* Which choice a text settles on: see choice.h. Thoughts are taken off first. The kinds of evidence, the surest first:
 *
 *   1. the first "answer is X";  2. the first "answer: X";  3. the last \boxed{X};
 *   4. "answer is WORDS", the words of one choice;  5. another phrase that names one, in any of several languages;
 *   6. in the last sentences, "option X", "(X)" or a line "X. ...";  7. the words of one choice in the last sentence.
 *
 * First rather than last: a base model goes on with questions of its own. */
#include "judge/choice.h"

#include <string.h>

#include "judge/choice_int.h"
#include "judge/thought.h"
#include "judge/words_at.h"

#define WORDS_TRIES_MAX 32 /* markers behind which words are looked for: keeps the time linear */

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What comes before the next question that a base model asks itself. */
static struct str own_part(struct str text)
{
    static const struct str marks[] = {
        {"\nQuestion:", 10},
        {"\nQ:", 3},
    };
    text = str_trim(text);
    for (size_t m = 0; m < 2; m++)
        text = str_slice(text, 0, str_find(text, marks[m], 0));
    return str_trim(text);
}

/* Index behind "answer is", "answer must be", ..., or "answer:" at text[at]; 0 when neither is there. */
static size_t marker_end(struct str text, size_t at, bool *ret_colon)
{
    static const char *const verbs[] = {"is",      "would be",  "should be", "must be",
                                        "will be", "choice is", "option is"};
    if (!words_stand_at(text, at, "answer"))
        return 0;
    at += 6;
    while (at < text.len && strchr(" *_", text.ptr[at]) && text.ptr[at] != '\0')
        at++;
    if (at < text.len && text.ptr[at] == ':') {
        *ret_colon = true;
        return at + 1;
    }
    for (size_t v = 0; v < sizeof(verbs) / sizeof(verbs[0]); v++) {
        size_t end = at + strlen(verbs[v]);
        if (words_stand_at(text, at, verbs[v]) && (end == text.len || !is_alnum(text.ptr[end]))) {
            *ret_colon = false;
            return end;
        }
    }
    return 0;
}

struct evidence {
    char is, colon, boxed, words; /* letters; '\0': no such evidence */
    int tries;
    bool doubt; /* the last marker was followed by several letters or a refusal */
};

static void take_marker(const struct query *query, struct str text, size_t at, bool colon,
                        struct evidence *e)
{
    struct choice_found found = choice_letter_read(text, at, query->choice_count);
    char *into = colon ? &e->colon : &e->is;
    if (found.kind == CHOICE_LETTER && *into == '\0')
        *into = found.letter;
    if (found.kind == CHOICE_REFUSED && *into == '\0')
        *into = choice_denied_read(query, text, found.end);
    if (found.kind == CHOICE_LETTER || *into != '\0')
        return;
    if (e->words == '\0' && found.kind != CHOICE_SEVERAL && e->tries++ < WORDS_TRIES_MAX)
        e->words = choice_words_read(query, text, found.end);
    e->doubt = found.kind != CHOICE_NONE;
}

static struct evidence gather(const struct query *query, struct str text)
{
    struct evidence e = {0};
    for (size_t i = 0; i < text.len && e.is == '\0'; i++) {
        bool colon;
        size_t end = text.ptr[i] == 'a' || text.ptr[i] == 'A' ? marker_end(text, i, &colon) : 0;
        if (end != 0) {
            take_marker(query, text, end, colon, &e);
        } else if (text.ptr[i] == '\\' && words_stand_at(text, i, "\\boxed")) {
            struct choice_found found = choice_letter_read(text, i, query->choice_count);
            e.boxed = found.kind == CHOICE_LETTER ? found.letter : e.boxed;
        }
    }
    return e;
}

char judge_choice(const struct query *query, struct str response)
{
    struct str text = own_part(judge_behind_thought(response));
    struct evidence e = gather(query, text);
    if (e.is != '\0')
        return e.is;
    if (e.colon != '\0')
        return e.colon;
    if (e.boxed != '\0')
        return e.boxed;
    if (e.words != '\0')
        return e.words;
    if (e.doubt)
        return '\0';
    char letter = choice_phrase_read(query, text);
    return letter ? letter : choice_tail_read(query, text);
}
