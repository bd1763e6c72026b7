/* Words and letters: counting letters and vowels, reversing, n-th letters, alphabetical order, palindromes and
 * anagrams. The words meant are the quoted ones; without quotes, the one behind "word".
 *
 * Pure functions on the stack, any thread. ASCII letters only: a question about other letters is not understood rather
 * than answered wrongly. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rehearse/solve.h"

#define WORDS_MAX        12
#define WORD_LETTERS_MAX 64

struct subject {
    struct str words[WORDS_MAX];
    size_t count;
};

static bool is_plain_word(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < 'a' || s.ptr[i] > 'z')
            return false;
    return s.len > 0 && s.len <= WORD_LETTERS_MAX;
}

static void subject_add(struct subject *s, struct str word)
{
    if (s->count < WORDS_MAX && is_plain_word(word))
        s->words[s->count++] = word;
}

/* Quoted words; a quoted list ("pear, apple") is left to words_after_colon. */
static void collect_quoted(const struct tokens *t, struct subject *s)
{
    for (size_t at = 0; at < t->count; at++)
        if (t->items[at].type == TOKEN_QUOTED)
            subject_add(s, t->items[at].text);
}

/* "... alphabetical order: pear, apple, fig?" */
static void collect_after_colon(const struct tokens *t, struct subject *s)
{
    bool on = false;
    for (size_t at = 0; at < t->count; at++) {
        if (token_is_sign(&t->items[at], ':'))
            on = true;
        else if (on && t->items[at].type == TOKEN_WORD && !token_is_word(&t->items[at], "and") &&
                 !token_is_word(&t->items[at], "or"))
            subject_add(s, t->items[at].text);
    }
}

static void collect(const struct tokens *t, struct subject *s)
{
    s->count = 0;
    collect_quoted(t, s);
    if (s->count == 0)
        collect_after_colon(t, s);
    if (s->count == 0)
        for (size_t at = 0; at + 1 < t->count; at++)
            if (token_is_word(&t->items[at], "word"))
                subject_add(s, t->items[at + 1].text);
}

static bool is_vowel(char c)
{
    return c != '\0' && strchr("aeiou", c);
}

static void start(struct solution *ret, enum answer_form form, size_t size)
{
    ret->skill = SKILL_WORDS;
    ret->form = form;
    ret->size = (unsigned)size;
}

static bool answer_count(struct str word, unsigned count, const char *what, struct solution *ret)
{
    start(ret, FORM_NUMBER, word.len);
    snprintf(ret->answer, sizeof(ret->answer), "%u", count);
    snprintf(ret->because, sizeof(ret->because), "\"%.*s\" has %u %s", STR_FMT(word), count, what);
    return true;
}

/* The letter in "the letter r", 'letter "r"' or "r's"; '\0' when none is named. */
static char letter_named(const struct tokens *t)
{
    for (size_t at = 0; at < t->count; at++) {
        struct str text = t->items[at].text;
        bool after_letter = at > 0 && token_is_word(&t->items[at - 1], "letter");
        if (after_letter && text.len == 1 && is_plain_word(text))
            return text.ptr[0];
        if (t->items[at].type == TOKEN_WORD && text.len == 3 && str_ends(text, STR("'s")))
            return text.ptr[0];
    }
    return '\0';
}

/* The last of the words that has more than one letter: the one a letter is looked for in. */
static struct str main_word(const struct subject *s)
{
    for (size_t i = s->count; i-- > 0;)
        if (s->words[i].len > 1)
            return s->words[i];
    return (struct str){NULL, 0};
}

static bool solve_letter_count(const struct tokens *t, struct str word, struct solution *ret)
{
    char letter = letter_named(t), what[24];
    bool counting = tokens_have_phrase(t, "how many") || tokens_have(t, "count") ||
                    tokens_have(t, "number") || tokens_have(t, "often");
    unsigned count = 0;
    if (letter == '\0' || !counting)
        return false;
    for (size_t i = 0; i < word.len; i++)
        count += word.ptr[i] == letter ? 1 : 0;
    snprintf(what, sizeof(what), "times the letter %c", letter);
    return answer_count(word, count, what, ret);
}

static bool solve_counts(const struct tokens *t, struct str word, struct solution *ret)
{
    unsigned vowels = 0;
    if (solve_letter_count(t, word, ret))
        return true;
    for (size_t i = 0; i < word.len; i++)
        vowels += is_vowel(word.ptr[i]) ? 1 : 0;
    if (tokens_have(t, "vowels"))
        return answer_count(word, vowels, "vowels", ret);
    if (tokens_have(t, "consonants"))
        return answer_count(word, (unsigned)word.len - vowels, "consonants", ret);
    bool counting =
        tokens_have_phrase(t, "how many") || tokens_have(t, "number") || tokens_have(t, "long");
    return counting && tokens_have(t, "letters") &&
           answer_count(word, (unsigned)word.len, "letters", ret);
}

static bool solve_reverse(struct str word, struct solution *ret)
{
    start(ret, FORM_WORD, word.len);
    for (size_t i = 0; i < word.len; i++)
        ret->answer[i] = word.ptr[word.len - 1 - i];
    ret->answer[word.len] = '\0';
    snprintf(ret->because, sizeof(ret->because), "\"%.*s\" read from its end is \"%s\"",
             STR_FMT(word), ret->answer);
    return true;
}

static bool solve_palindrome(struct str word, struct solution *ret)
{
    bool same = true;
    for (size_t i = 0; i < word.len / 2; i++)
        same = same && word.ptr[i] == word.ptr[word.len - 1 - i];
    start(ret, FORM_YES_NO, word.len);
    snprintf(ret->answer, sizeof(ret->answer), "%s", same ? "yes" : "no");
    snprintf(ret->because, sizeof(ret->because), "\"%.*s\" reads %s backwards", STR_FMT(word),
             same ? "the same" : "differently");
    return true;
}

static void count_letters(struct str word, unsigned counts[26])
{
    memset(counts, 0, 26 * sizeof(counts[0]));
    for (size_t i = 0; i < word.len; i++)
        counts[word.ptr[i] - 'a']++;
}

static bool solve_anagram(struct str a, struct str b, struct solution *ret)
{
    unsigned left[26], right[26];
    count_letters(a, left);
    count_letters(b, right);
    bool same = memcmp(left, right, sizeof(left)) == 0;
    start(ret, FORM_YES_NO, a.len);
    snprintf(ret->answer, sizeof(ret->answer), "%s", same ? "yes" : "no");
    snprintf(ret->because, sizeof(ret->because), "\"%.*s\" and \"%.*s\" %s the same letters",
             STR_FMT(a), STR_FMT(b), same ? "have" : "do not have");
    return true;
}

static bool solve_order(const struct tokens *t, const struct subject *s, struct solution *ret)
{
    bool last = tokens_have(t, "last");
    struct str best = s->words[0], decoy = s->words[1];
    size_t longest = best.len;
    for (size_t i = 1; i < s->count; i++) {
        int order = str_compare(s->words[i], best);
        if (last ? order > 0 : order < 0) {
            decoy = best;
            best = s->words[i];
        }
        longest = s->words[i].len > longest ? s->words[i].len : longest;
    }
    start(ret, FORM_WORD, longest);
    snprintf(ret->answer, sizeof(ret->answer), "%.*s", STR_FMT(best));
    snprintf(ret->decoy, sizeof(ret->decoy), "%.*s", STR_FMT(decoy));
    snprintf(ret->because, sizeof(ret->because), "in alphabetical order \"%s\" comes %s",
             ret->answer, last ? "last" : "first");
    return true;
}

/* 1-based position asked for ("3rd", "third", "last" is -1); 0 when none is. */
static int64_t position_named(const struct tokens *t)
{
    static const char *const ordinals[] = {"first", "second",  "third",  "fourth", "fifth",
                                           "sixth", "seventh", "eighth", "ninth",  "tenth"};
    static const char *const suffixes[] = {"st", "nd", "rd", "th"};
    for (size_t at = 0; at < t->count; at++) {
        for (size_t i = 0; i < 10; i++)
            if (token_is_word(&t->items[at], ordinals[i]))
                return (int64_t)i + 1;
        for (size_t i = 0; i < 4 && at + 1 < t->count; i++)
            if (token_is_whole(&t->items[at]) && token_is_word(&t->items[at + 1], suffixes[i]))
                return t->items[at].value;
        if (token_is_word(&t->items[at], "last"))
            return -1;
    }
    return 0;
}

static bool solve_position(const struct tokens *t, struct str word, struct solution *ret)
{
    int64_t position = position_named(t);
    int64_t index = position < 0 ? (int64_t)word.len - 1 : position - 1;
    if (position == 0 || index < 0 || index >= (int64_t)word.len)
        return false;
    start(ret, FORM_WORD, word.len);
    ret->answer[0] = word.ptr[index];
    ret->answer[1] = '\0';
    snprintf(ret->because, sizeof(ret->because), "letter %d of \"%.*s\" is %s", (int)index + 1,
             STR_FMT(word), ret->answer);
    return true;
}

bool solve_words(const struct tokens *t, struct solution *ret)
{
    struct subject s;
    collect(t, &s);
    struct str word = main_word(&s);
    if (word.len == 0)
        return false;
    if (s.count > 1 && (tokens_have(t, "alphabetical") || tokens_have(t, "alphabetically") ||
                        tokens_have(t, "dictionary")))
        return solve_order(t, &s, ret);
    if (s.count == 2 && (tokens_have(t, "anagram") || tokens_have(t, "anagrams")))
        return solve_anagram(s.words[0], s.words[1], ret);
    if (tokens_have(t, "palindrome"))
        return solve_palindrome(word, ret);
    if (tokens_have(t, "backwards") || tokens_have(t, "reverse") || tokens_have(t, "reversed"))
        return solve_reverse(word, ret);
    return solve_counts(t, word, ret) || (tokens_have(t, "letter") && solve_position(t, word, ret));
}
