/* Phrases that name a choice where no English "answer is" does: what other languages call an answer ("Die Antwort
 * lautet C", "答案：C"), the letter first ("C is the correct answer"), and what is meant instead of what is denied
 * ("not A. It is C").
 *
 * Pure functions, any thread, in linear time: a noun is followed for NOUN_BYTES, marks for MARKS_BYTES. Words are
 * rows of tables; another language is a few more. choice.c asks it before the tail. */
#include <string.h>

#include "judge/choice_int.h"
#include "judge/words_at.h"

#define NOUN_BYTES   64 /* between a noun and its letter */
#define BEFORE_BYTES 24 /* in which a letter is put in question */
#define TURNS        6
#define MARKS_BYTES  16 /* around a letter */

/* What an answer is called, and what stands between that and its letter. */
struct noun {
    const char *word;
    const char *links[7]; /* one of them is there; none in the row: the letter follows at once */
};

static const struct noun nouns[] = {
    {"ist die antwort", {NULL}},
    {"ist antwort", {NULL}},
    {"es ist", {NULL}},
    {"antwort", {"ist", "lautet", "wäre", ":"}},
    {"richtige option", {"ist", ":"}},
    {"korrekte option", {"ist", ":"}},
    {"korrekt", {"ist", ":"}},
    {"lösung", {"ist", "lautet", "wäre", ":"}},
    {"réponse", {"est", "serait", ":"}},
    {"reponse", {"est", "serait", ":"}},
    {"c'est la réponse", {NULL}},
    {"c'est l'option", {NULL}},
    {"c'est", {NULL}},
    {"bonne option", {"est", ":"}},
    {"option correcte", {"est", ":"}},
    {"solution", {"est", "serait"}},
    {"solución", {"es", "sería", ":"}},
    {"la correcta", {"es", ":"}},
    {"respuesta", {"es", "sería", ":"}},
    {"opción correcta", {"es", "sería", ":"}},
    {"risposta", {"è", ":"}},
    {"resposta", {"é", ":"}},
    {"answer\"", {":"}},
    {"answer'", {":"}},
    {"choice\"", {":"}},
    {"option\"", {":"}},
    {"letter\"", {":"}},
    {"\"final\"", {":"}},
    {"\"result\"", {":"}},
    {"<answer>", {NULL}},
    {"<final_answer>", {NULL}},
    {"answer =", {NULL}},
    {"answer -", {NULL}},
    {"final answer", {"-", "–", "—"}},
    {"richtig", {"ist", ":"}},
    {"alternativa correcta", {"es", ":"}},
    {"opção correta", {"é", ":"}},
    {"alternativa correta", {"é", ":"}},
    {"correct choice", {"is", ":"}},
    {"correct option", {"is", ":"}},
    {"correct letter", {"is", ":"}},
    {"correct one", {"is", ":"}},
    {"right one", {"is", ":"}},
    {"that leaves", {NULL}},
    {"ответ", {":", "—", "-"}},
    {"Ответ", {":", "—", "-"}},
    {"【答案】", {NULL}},
    {"【正解】", {NULL}},
    {"【答え】", {NULL}},
    {"【解答】", {NULL}},
    {"【정답】", {NULL}},
    {"答案", {"是", "为", "為", "选", "選", ":", "："}},
    {"正确的选项", {"是", "为", ":", "："}},
    {"正确的是", {NULL}},
    {"正確的選項", {"是", "為", ":", "："}},
    {"正確的是", {NULL}},
    {"正确选项", {"是", "为", ":", "："}},
    {"正確選項", {"是", "為", ":", "："}},
    {"选择", {NULL}},
    {"選擇", {NULL}},
    {"选", {NULL}},
    {"選", {NULL}},
    {"答え", {"は", ":", "："}},
    {"正解", {"は", ":", "："}},
    {"正しい選択肢", {"は", ":", "："}},
    {"正しいのは", {NULL}},
    {"正しいものは", {NULL}},
    {"解答", {"は", "是", ":", "："}},
    {"正答", {"は", ":", "："}},
    {"回答", {"は", "是", ":", "："}},
    {"정답", {"은", "는", ":"}},
};

/* Said of the letter before it. */
static const char *const praises[] = {
    "is correct",
    "is the answer",
    "is the correct",
    "is the right",
    "is the best",
    "is therefore the",
    "is the only correct",
    "is right.",
    "must be correct",
    "must be the",
    "should be the answer",
    "should be the correct",
    "would be the correct",
    "would be the answer",
    "would be correct",
    "richtig.",
    "korrekt.",
    "ist richtig",
    "ist korrekt",
    "ist die richtige",
    "ist die korrekte",
    "ist die Antwort",
    "est correct",
    "est la bonne",
    "est la réponse",
    "est juste",
    "es correct",
    "es la correct",
    "es la respuesta",
    "è corrett",
    "è la risposta",
    "está corret",
    "é a resposta",
    "是正确",
    "是正確",
    "正确",
    "正確",
    "是对的",
    "选项正确",
    "选项是正确",
    "项正确",
    "選項正確",
    "が正解",
    "が答え",
    "が適切",
    "が最も適切",
    "が正しい",
    "이 정답",
    "가 정답",
};

/* Before a letter: it is being asked about, or taken back. */
static const char *const questions[] = {"if ",  "whether ", "not ",   "suppose ", "assum",
                                        "why ", "is ",      "think ", "ob ",      "si ",
                                        "no ",  "ne ",      "nicht "};

/* Between a letter that is denied and the one that is meant. */
static const struct {
    const char *denial, *turns[TURNS];
} denials[] = {
    {"isn't", {"it is", "it's", "but", "rather", "instead", "it must be"}},
    {"can't be", {"it is", "it's", "but", "rather", "instead", "it must be"}},
    {"cannot be", {"it is", "it's", "but", "rather", "instead", "it must be"}},
    {"not", {"it is", "it's", "but", "rather", "instead", "it must be"}},
    {"nicht", {"sondern", "es ist"}},
    {"pas", {"mais", "c'est"}},
    {"no", {"sino", "es la", "es"}},
    {"不是", {"而是", "是"}},
};

/* Behind a letter: it is not the one. */
static const char *const denials_behind[] = {"では", "不", "错", "錯", "아니", "이 아"};

/* The same, and the one that is meant follows. */
static const char *const turns_behind[] = {"ではなく",  "ではありません", "じゃなく",
                                           "가 아니라", "이 아니라",      "이 아닌"};

/* Between two letters: either may be meant. */
static const char *const ors[] = {"or", "oder",   "ou", "o",   "u",
                                  "或", "または", "か", "или", "and/or"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool is_ascii_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether the words stand at text[at] and are no part of a longer one. Chinese and Japanese do not part their words. */
static bool word_stands_at(struct str text, size_t at, const char *words)
{
    size_t end = at + strlen(words);
    if (!words_stand_at(text, at, words))
        return false;
    bool latin = is_ascii_letter(words[0]);
    return !latin || ((at == 0 || !is_word_byte(text.ptr[at - 1])) &&
                      (end >= text.len || !is_word_byte(text.ptr[end]) ||
                       !is_ascii_letter(words[strlen(words) - 1])));
}

/* A capital of a choice that is no part of a word; an accent or an apostrophe would make it one. */
static bool letter_stands_at(const struct query *query, struct str text, size_t at)
{
    if (text.ptr[at] < 'A' || (uint32_t)(text.ptr[at] - 'A') >= query->choice_count)
        return false;
    unsigned char before = at > 0 ? (unsigned char)text.ptr[at - 1] : ' ';
    unsigned char after = at + 1 < text.len ? (unsigned char)text.ptr[at + 1] : ' ';
    bool digit = (before >= '0' && before <= '9') || (after >= '0' && after <= '9');
    if (digit || is_ascii_letter((char)before) || is_ascii_letter((char)after) ||
        (after == '\'') != (before == '\'') || (after >= 0xc3 && after <= 0xca) ||
        words_stand_at(text, at + 1, "’"))
        return false;
    static const char *const after_letter[] = {"is ",   "ist ",     "or ",  "oder ", "ou ",
                                               "o ",    "and ",     "und ", "but ",  "mais ",
                                               "sino ", "because ", "est ", "es "};
    for (size_t i = 0; i < COUNT(after_letter); i++)
        if (after == ' ' && words_stand_at(text, at + 2, after_letter[i]))
            return true;
    bool word = (text.ptr[at] == 'A' || text.ptr[at] == 'I') && after == ' ' && at + 2 < text.len &&
                is_ascii_letter(text.ptr[at + 2]);
    return !word;
}

static bool ends_sentence(struct str text, size_t at)
{
    char c = text.ptr[at];
    bool last = at + 1 >= text.len || (unsigned char)text.ptr[at + 1] <= ' ';
    return ((c == '.' || c == '!' || c == '?') && last) || words_stand_at(text, at, "。") ||
           words_stand_at(text, at, "\n\n");
}

static bool links_at(const struct noun *noun, struct str text, size_t at)
{
    for (size_t i = 0; i < COUNT(noun->links) && noun->links[i]; i++)
        if (word_stands_at(text, at, noun->links[i]))
            return true;
    return false;
}

/* Skips what may stand around a letter: blanks, brackets, emphasis, commas and full stops. */
static size_t skip_marks(struct str text, size_t at)
{
    size_t end = at + MARKS_BYTES < text.len ? at + MARKS_BYTES : text.len;
    while (at < end &&
           (strchr(" ()*_\"\'$[]{}.,;:-\n", text.ptr[at]) || words_stand_at(text, at, "，")))
        at += text.ptr[at] == "，"[0] ? strlen("，") : 1;
    return at < end ? at : end;
}

/* The end of a turn at text[at], behind what ends the denial before it; 0: there is none. */
static size_t turn_end(const char *const *turns, struct str text, size_t at)
{
    at = skip_marks(text, at);
    for (size_t t = 0; t < TURNS && turns[t]; t++)
        if (word_stands_at(text, at, turns[t]))
            return at + strlen(turns[t]);
    return 0;
}

/* The first letter in the next MARKS_BYTES, behind a few small words; SIZE_MAX: there is none. */
static size_t letter_after(const struct query *query, struct str text, size_t at)
{
    for (size_t i = at; i < text.len && i < at + MARKS_BYTES; i++)
        if (letter_stands_at(query, text, i))
            return i;
    return SIZE_MAX;
}

/* "A. It is C": the letter behind a turn, where another one is denied at text[at]. */
static char meant_instead(const struct query *query, const char *const *turns, struct str text,
                          size_t at)
{
    size_t denied = letter_after(query, text, at);
    if (denied == SIZE_MAX)
        return '\0';
    size_t end = turn_end(turns, text, denied + 1);
    size_t meant = end > 0 ? letter_after(query, text, end) : SIZE_MAX;
    return meant != SIZE_MAX && text.ptr[meant] != text.ptr[denied] ? text.ptr[meant] : '\0';
}

char choice_denied_read(const struct query *query, struct str text, size_t at)
{
    for (size_t i = 0; i < COUNT(denials); i++)
        if (word_stands_at(text, at, denials[i].denial)) {
            char letter =
                meant_instead(query, denials[i].turns, text, at + strlen(denials[i].denial));
            if (letter)
                return letter;
        }
    return '\0';
}

static bool is_denied_behind(struct str text, size_t at)
{
    for (size_t i = 0; i < COUNT(denials_behind); i++)
        if (words_stand_at(text, at, denials_behind[i]))
            return true;
    return false;
}

/* "Aではなく、C": the letter behind what denies the one at text[at]; '\0': it is not denied. */
static char meant_behind(const struct query *query, struct str text, size_t at)
{
    for (size_t i = 0; i < COUNT(turns_behind); i++) {
        if (!words_stand_at(text, at + 1, turns_behind[i]))
            continue;
        size_t meant = letter_after(query, text, at + 1 + strlen(turns_behind[i]));
        return meant != SIZE_MAX && text.ptr[meant] != text.ptr[at] ? text.ptr[meant] : '\0';
    }
    return '\0';
}

/* Whether "or B" stands behind the letter at text[at]. */
static bool is_one_of_several(const struct query *query, struct str text, size_t at)
{
    size_t i = skip_marks(text, at + 1);
    for (size_t o = 0; o < COUNT(ors); o++) {
        size_t end = skip_marks(text, i + strlen(ors[o]));
        if (word_stands_at(text, i, ors[o]) && end < text.len &&
            letter_stands_at(query, text, end) && text.ptr[end] != text.ptr[at])
            return true;
    }
    return false;
}

/* The denial that stands at text[at]; COUNT(denials): none. */
static size_t denial_at(struct str text, size_t at)
{
    size_t i = 0;
    while (i < COUNT(denials) && !word_stands_at(text, at, denials[i].denial))
        i++;
    return i;
}

/* The letter that belongs to the noun which ends at `at`; '\0': none. */
static char letter_of_noun(const struct query *query, const struct noun *noun, struct str text,
                           size_t at)
{
    bool linked = !noun->links[0];
    for (size_t i = at; i < text.len && i < at + NOUN_BYTES; i++) {
        size_t denial = denial_at(text, i);
        if (denial < COUNT(denials))
            return choice_denied_read(query, text, i);
        if (linked && letter_stands_at(query, text, i) && !is_denied_behind(text, i + 1))
            return is_one_of_several(query, text, i) ? '\0' : text.ptr[i];
        if ((!noun->links[0] && !strchr(" \t\n*_($\"[（【「：:", text.ptr[i])) ||
            ends_sentence(text, i))
            return '\0';
        linked = linked || links_at(noun, text, i);
    }
    return '\0';
}

/* Bytes that a noun or a denial begins with: nearly all of a text is passed over by this. */
struct beginnings {
    bool noun[256], denial[256];
};

static void mark(bool *set, const char *word)
{
    set[(unsigned char)word[0]] = true;
    if (word[0] >= 'a' && word[0] <= 'z')
        set[word[0] - 'a' + 'A'] = true;
}

static void beginnings_fill(struct beginnings *b)
{
    memset(b, 0, sizeof(*b));
    for (size_t i = 0; i < COUNT(nouns); i++)
        mark(b->noun, nouns[i].word);
    for (size_t i = 0; i < COUNT(denials); i++)
        mark(b->denial, denials[i].denial);
}

static bool is_within_word(struct str text, size_t at)
{
    return at > 0 && is_ascii_letter(text.ptr[at]) && is_word_byte(text.ptr[at - 1]);
}

/* The last noun that has a letter. */
static char named(const struct query *query, const struct beginnings *b, struct str text)
{
    char letter = '\0';
    for (size_t at = 0; at < text.len; at++)
        for (size_t i = 0; b->noun[(unsigned char)text.ptr[at]] && i < COUNT(nouns); i++) {
            if (is_within_word(text, at))
                break;
            if (!word_stands_at(text, at, nouns[i].word))
                continue;
            char found = letter_of_noun(query, &nouns[i], text, at + strlen(nouns[i].word));
            letter = found ? found : letter;
            break;
        }
    return letter;
}

static bool is_questioned(struct str text, size_t at)
{
    size_t from = at;
    while (from > 0 && at - from < BEFORE_BYTES && !ends_sentence(text, from - 1))
        from--;
    for (size_t i = from; i < at; i++)
        for (size_t q = 0; q < COUNT(questions); q++)
            if ((i == 0 || !is_word_byte(text.ptr[i - 1])) && words_stand_at(text, i, questions[q]))
                return !words_stand_at(text, i, "is ") || skip_marks(text, i + 3) >= at;
    return false;
}

/* Whether "is the correct answer" or the like follows, behind brackets and emphasis. */
static bool is_praised(struct str text, size_t at)
{
    at = skip_marks(text, at);
    for (size_t i = 0; i < COUNT(praises); i++)
        if (words_stand_at(text, at, praises[i]))
            return true;
    return false;
}

/* The letter that is said to be right; '\0' where several are, or none. */
static char praised(const struct query *query, struct str text)
{
    char letter = '\0';
    for (size_t at = 0; at < text.len; at++) {
        if (!letter_stands_at(query, text, at) || !is_praised(text, at + 1) ||
            is_questioned(text, at))
            continue;
        if (letter && letter != text.ptr[at])
            return '\0';
        letter = text.ptr[at];
    }
    return letter;
}

char choice_phrase_read(const struct query *query, struct str text)
{
    struct beginnings b;
    beginnings_fill(&b);
    char letter = named(query, &b, text);
    if (letter || !choice_text_is_complete(text))
        return letter;
    letter = praised(query, text);
    for (size_t at = 0; !letter && at < text.len; at++) {
        if (b.denial[(unsigned char)text.ptr[at]] && !is_within_word(text, at))
            letter = choice_denied_read(query, text, at);
        if (!letter && letter_stands_at(query, text, at))
            letter = meant_behind(query, text, at);
    }
    return letter;
}
