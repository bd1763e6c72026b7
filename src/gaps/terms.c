/* Words out of bytes. Letters are told by Unicode's classes and made small by the regular pairs of Latin, Greek,
 * Cyrillic and Armenian; other scripts have no capitals, or rare ones.
 *
 * Pure functions, any thread. What counts as glue is word_class() and the list below, both of English: function words
 * of another language tell that language, which is a topic among others. */
#include "gaps/terms.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "encode/unicode_class.h"
#include "encode/words.h"

#define TERM_LETTERS_MIN 3 /* of a word of ASCII letters; of others 2 */

/* Sorted. Function words, and what questions are put with whatever they are about. */
static const char *const glue[] = {
    "about",         "above",    "according", "after",      "again",     "against",   "also",
    "although",      "always",   "among",     "and",        "answer",    "answers",   "any",
    "approximately", "aren",     "assume",    "assuming",   "because",   "been",      "before",
    "being",         "below",    "best",      "between",    "both",      "but",       "calculate",
    "called",        "can",      "choice",    "choices",    "choose",    "compute",   "consider",
    "correct",       "could",    "describe",  "describes",  "determine", "did",       "didn",
    "different",     "does",     "doesn",     "doing",      "don",       "down",      "during",
    "each",          "either",   "else",      "etc",        "evaluate",  "ever",      "every",
    "example",       "explain",  "few",       "find",       "first",     "following", "for",
    "further",       "get",      "give",      "given",      "gives",     "had",       "has",
    "having",        "hence",    "her",       "here",       "hers",      "him",       "his",
    "how",           "however",  "identify",  "indicate",   "into",      "isn",       "its",
    "itself",        "just",     "know",      "known",      "let",       "like",      "likely",
    "made",          "make",     "many",      "may",        "might",     "most",      "much",
    "must",          "near",     "need",      "neither",    "nor",       "now",       "off",
    "often",         "one",      "only",      "option",     "options",   "other",     "others",
    "otherwise",     "our",      "out",       "over",       "own",       "per",       "please",
    "possible",      "question", "questions", "refers",     "result",    "same",      "second",
    "select",        "she",      "should",    "show",       "shown",     "since",     "some",
    "state",         "stated",   "statement", "statements", "still",     "such",      "suppose",
    "take",          "tell",     "than",      "them",       "then",      "thence",    "there",
    "these",         "they",     "those",     "though",     "three",     "through",   "thus",
    "too",           "true",     "two",       "under",      "until",     "upon",      "use",
    "used",          "using",    "very",      "want",       "was",       "well",      "were",
    "what",          "when",     "where",     "whether",    "while",     "who",       "whom",
    "whose",         "why",      "will",      "within",     "won",       "would",     "yet",
    "you",           "your",     "yours",
};

static int by_word(const void *a, const void *b)
{
    const struct str *word = a;
    const char *other = *(const char *const *)b;
    return str_compare(*word, str_from(other));
}

static bool is_glue(struct str lowered)
{
    enum word_class class = word_class(lowered);
    if (class == WORD_THE || class == WORD_A || class == WORD_IS || class == WORD_OF ||
        class == WORD_TO || class == WORD_GLUE || class == WORD_NEGATION || class == WORD_SELF)
        return true;
    return bsearch(&lowered, glue, sizeof(glue) / sizeof(glue[0]), sizeof(glue[0]), by_word) !=
           NULL;
}

/* Characters */

static bool is_letter(uint32_t code)
{
    if (code < 0x80)
        return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
    enum unicode_class class = unicode_class(code);
    return class == UNICODE_UPPER || class == UNICODE_LOWER || class == UNICODE_LETTER ||
           class == UNICODE_MARK;
}

/* Scripts that set no blanks between words. */
static bool is_unspaced(uint32_t code)
{
    return (code >= 0x0E00 && code < 0x0F00) ||
           (code >= 0x1780 && code < 0x1800) || /* Thai, Lao; Khmer */
           (code >= 0x3040 && code < 0x3100) || (code >= 0x3400 && code < 0xA000) || /* kana; Han */
           (code >= 0xF900 && code < 0xFB00) || (code >= 0x20000 && code < 0x32000);
}

static uint32_t lowered_point(uint32_t code)
{
    if (code < 0x80)
        return code >= 'A' && code <= 'Z' ? code + 0x20 : code;
    if (code == 0x3C2) /* the sigma at a word's end */
        return 0x3C3;
    if (unicode_class(code) != UNICODE_UPPER)
        return code;
    if (code >= 0x386 && code <= 0x38F) /* Greek with accents */
        return code == 0x386   ? 0x3AC
               : code <= 0x38A ? code + 0x25
               : code == 0x38C ? 0x3CC
                               : code + 0x3F;
    if (code < 0xDF || (code >= 0x391 && code <= 0x3AB) || (code >= 0x410 && code <= 0x42F))
        return code + 0x20;
    if (code >= 0x400 && code <= 0x40F)
        return code + 0x50;
    if (code >= 0x531 && code <= 0x556)
        return code + 0x30;
    if ((code >= 0x100 && code < 0x180) || (code >= 0x460 && code < 0x530) ||
        (code >= 0x1E00 && code < 0x1F00))
        return code == 0x178 ? 0xFF : code + 1;
    return code;
}

static size_t put_point(char *into, uint32_t code)
{
    if (code < 0x80) {
        into[0] = (char)code;
        return 1;
    }
    size_t bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = bytes - 1; i > 0; i--, code >>= 6)
        into[i] = (char)(0x80 | (code & 0x3F));
    into[0] = (char)(first[bytes] | code);
    return bytes;
}

/* The word that is being read. */
struct run {
    char bytes[TERM_BYTES_MAX + 4];
    size_t len, letters;
    bool ascii;
    bool command;    /* it stands behind a backslash: LaTeX's, not the question's */
    uint32_t before; /* the character before, of a script without blanks; 0: none */
    void (*found)(void *arg, struct str term);
    void *arg;
};

static void run_end(struct run *r)
{
    struct str word = {r->bytes, r->len};
    if (!r->command && r->letters >= (r->ascii ? TERM_LETTERS_MIN : 2) &&
        r->len <= TERM_BYTES_MAX && !is_glue(word))
        r->found(r->arg, word);
    r->len = r->letters = 0;
    r->ascii = true;
    r->command = false;
}

static void pair_add(struct run *r, uint32_t code)
{
    char bytes[8];
    run_end(r);
    if (r->before) {
        size_t len = put_point(bytes, r->before);
        len += put_point(bytes + len, code);
        r->found(r->arg, (struct str){bytes, len});
    }
    r->before = code;
}

static void letter_add(struct run *r, uint32_t code)
{
    r->before = 0;
    r->letters++;
    r->ascii &= code < 0x80;
    if (r->len <= TERM_BYTES_MAX)
        r->len += put_point(r->bytes + r->len, lowered_point(code));
}

static void part_read(struct run *r, struct str text)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t code = utf8_next(text, &at);
        if (code >= 0x80 && is_unspaced(code)) {
            pair_add(r, code);
        } else if (is_letter(code)) {
            letter_add(r, code);
        } else {
            r->before = 0;
            run_end(r);
            r->command = code == '\\';
        }
    }
    run_end(r);
    r->before = 0;
}

void terms_each(struct str text, void (*found)(void *arg, struct str term), void *arg)
{
    struct run r = {.ascii = true, .found = found, .arg = arg};
    if (text.len <= TERMS_TEXT_BYTES_MAX) {
        part_read(&r, text);
        return;
    }
    part_read(&r, str_slice(text, 0, TERMS_TEXT_BYTES_MAX / 2));
    part_read(&r, str_slice(text, text.len - TERMS_TEXT_BYTES_MAX / 2, text.len));
}
