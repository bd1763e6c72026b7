/* Words of content against words that point back. */
#include "encode/follow_up.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "encode/char_class.h"

#define WORD_BYTES_MAX 16 /* a longer word is one of content */
#define CONTENT_MAX    8  /* with more words of content nothing refers any more */
#define BACK_WORTH     2  /* words of content that a word which points back outweighs */
#define BACK_CONTENT   3  /* ... where there are no more of them than this */
#define UNSPACED_BYTES 6  /* two characters of a script without blanks are about a word */

/* Sorted. They ask, thank, join or say how to answer, and name no subject. */
static const char *const plain[] = {
    "a",        "about",     "add",        "again",    "all",      "also",      "am",
    "an",       "and",       "another",    "answer",   "answered", "answers",   "any",
    "anything", "are",       "as",         "at",       "back",     "be",        "been",
    "being",    "both",      "brief",      "briefly",  "but",      "by",        "can",
    "change",   "check",     "clarify",    "clearer",  "continue", "cool",      "correct",
    "could",    "d",         "detail",     "detailed", "details",  "did",       "different",
    "do",       "does",      "doing",      "down",     "each",     "elaborate", "else",
    "even",     "every",     "everything", "example",  "examples", "expand",    "explain",
    "false",    "find",      "fine",       "first",    "fix",      "for",       "from",
    "give",     "go",        "going",      "good",     "great",    "had",       "has",
    "have",     "he",        "hello",      "her",      "here",     "hey",       "hi",
    "him",      "his",       "how",        "i",        "if",       "im",        "improve",
    "in",       "incorrect", "into",       "is",       "just",     "keep",      "know",
    "last",     "least",     "less",       "like",     "ll",       "long",      "longer",
    "look",     "m",         "make",       "may",      "maybe",    "me",        "mean",
    "means",    "meant",     "might",      "more",     "most",     "must",      "my",
    "need",     "next",      "nice",       "no",       "not",      "now",       "of",
    "off",      "ok",        "okay",       "on",       "one",      "ones",      "only",
    "or",       "other",     "others",     "our",      "out",      "over",      "part",
    "perhaps",  "please",    "pls",        "point",    "points",   "previous",  "question",
    "re",       "really",    "recheck",    "redo",     "remove",   "repeat",    "rephrase",
    "retry",    "reword",    "rewrite",    "right",    "s",        "same",      "say",
    "second",   "see",       "shall",      "she",      "short",    "shorten",   "shorter",
    "should",   "show",      "simpler",    "simplify", "so",       "some",      "something",
    "step",     "steps",     "still",      "sure",     "t",        "tell",      "than",
    "thank",    "thanks",    "the",        "then",     "there",    "thing",     "things",
    "think",    "third",     "thought",    "thx",      "to",       "too",       "true",
    "try",      "two",       "under",      "up",       "us",       "use",       "ve",
    "verify",   "very",      "want",       "wanted",   "was",      "way",       "ways",
    "we",       "well",      "were",       "what",     "when",     "where",     "which",
    "who",      "whom",      "whose",      "why",      "will",     "with",      "would",
    "write",    "wrong",     "yes",        "yet",      "you",      "your",      "yours",
};

/* Sorted. They stand for what was said before. */
static const char *const back[] = {
    "above",  "instead", "it",    "its",  "such", "that",  "their",
    "theirs", "them",    "these", "they", "this", "those",
};

static int compare(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

static bool is_in(const char *word, const char *const *list, size_t count)
{
    return bsearch(word, list, count, sizeof(list[0]), compare);
}

struct tally {
    unsigned content, back;
};

static void count_word(struct str word, struct tally *t)
{
    char lower[WORD_BYTES_MAX + 1];
    bool unspaced = (unsigned char)word.ptr[0] >= 0x80;
    if (unspaced || word.len > WORD_BYTES_MAX) {
        t->content += 1 + (unspaced ? (unsigned)(word.len / UNSPACED_BYTES) : 0);
        return;
    }
    for (size_t i = 0; i < word.len; i++)
        lower[i] = (char)char_lower((unsigned char)word.ptr[i]);
    lower[word.len] = '\0';
    if (is_in(lower, back, sizeof(back) / sizeof(back[0])))
        t->back++;
    else if (!is_in(lower, plain, sizeof(plain) / sizeof(plain[0])))
        t->content++;
}

/* The next run of letters, or of digits; false at the end. */
static bool next_word(struct str text, size_t *at, struct str *ret)
{
    size_t from = *at;
    enum char_class class = CHAR_PUNCTUATION;
    for (; from < text.len; from++) {
        class = (enum char_class)char_class((unsigned char)text.ptr[from]);
        if (class == CHAR_LETTER || class == CHAR_DIGIT)
            break;
    }
    size_t to = from;
    while (to < text.len && (enum char_class)char_class((unsigned char)text.ptr[to]) == class)
        to++;
    *at = to;
    *ret = str_slice(text, from, to);
    return from < text.len;
}

double follow_up_share(struct str text)
{
    static const double shares[] = {1, 0.6, 0.35, 0.15};
    struct tally t = {0};
    struct str word;
    size_t at = 0;
    if (text.len > FOLLOW_UP_BYTES_MAX)
        return 0;
    while (next_word(text, &at, &word) && t.content <= CONTENT_MAX)
        count_word(word, &t);
    if (t.content > CONTENT_MAX)
        return 0;
    unsigned own = t.content;
    if (t.back && own <= BACK_CONTENT) /* in a longer sentence "that" joins its parts */
        own = own > BACK_WORTH ? own - BACK_WORTH : 0;
    return own < sizeof(shares) / sizeof(shares[0]) ? shares[own] : 0;
}
