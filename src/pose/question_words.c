/* Questions about letters and words, each with its known answer. Pure functions of a random number generator: the same
 * seed makes the same questions. Any thread, as long as the generator and the arena are its own. Whoever adds a kind of
 * question adds its solver in rehearse/solve_words.c, or the sandbox's experts cannot answer it; play may not call that
 * one. */
#include <string.h>

#include "pose/question_int.h"

#define WORDS_PER_LEVEL 40

typedef void maker(struct rng *rng, unsigned level, struct question *ret);

static const char *const WORDS[QUESTION_LEVELS][WORDS_PER_LEVEL] = {
    {"apple", "bread", "chair", "dune",  "eagle", "fern",  "grape", "house", "ink",   "jazz",
     "kite",  "lemon", "moon",  "night", "ocean", "pear",  "queen", "river", "salt",  "table",
     "umber", "vase",  "whale", "yarn",  "zebra", "cloud", "stone", "brick", "flute", "glass",
     "honey", "ivory", "jewel", "knot",  "lamp",  "music", "nest",  "olive", "paper", "quilt"},
    {"banana",  "candle",  "dolphin", "engine",   "forest",  "garden",   "harbor",  "island",
     "jungle",  "kitchen", "lantern", "mirror",   "number",  "orange",   "pencil",  "quarter",
     "rabbit",  "silver",  "thunder", "umbrella", "village", "window",   "yellow",  "zipper",
     "blanket", "cabbage", "diamond", "elephant", "feather", "giraffe",  "hammer",  "insect",
     "journey", "kettle",  "library", "machine",  "needle",  "opposite", "pumpkin", "saddle"},
    {"strawberry",   "mathematics",   "butterfly",     "chocolate",    "dictionary",
     "encyclopedia", "friendship",    "geography",     "helicopter",   "imagination",
     "journalism",   "knowledge",     "laboratory",    "mississippi",  "navigation",
     "observatory",  "philosophy",    "questionnaire", "refrigerator", "significance",
     "temperature",  "understanding", "vocabulary",    "waterfall",    "xylophone",
     "yesterday",    "zoological",    "accommodation", "bookkeeper",   "committee",
     "development",  "embarrassment", "foundation",    "grandmother",  "hippopotamus",
     "independence", "jurisdiction",  "lighthouse",    "millennium",   "nevertheless"},
};
static const char *const PALINDROMES[] = {
    "level", "radar", "civic",   "rotor",   "kayak", "madam",   "refer",   "noon",
    "stats", "tenet", "racecar", "deified", "solos", "reviver", "rotator", "redder"};
static const char *const ANAGRAMS[][2] = {
    {"listen", "silent"}, {"night", "thing"},     {"heart", "earth"},     {"stone", "notes"},
    {"below", "elbow"},   {"study", "dusty"},     {"cider", "cried"},     {"bored", "robed"},
    {"state", "taste"},   {"angel", "glean"},     {"recede", "decree"},   {"resist", "sister"},
    {"ocean", "canoe"},   {"players", "parsley"}, {"teacher", "cheater"}, {"section", "notices"}};

const char *question_word(struct rng *rng, unsigned level)
{
    return WORDS[level - 1][rng_below(rng, WORDS_PER_LEVEL)];
}

static unsigned count_of(const char *word, const char *letters)
{
    unsigned count = 0;
    for (; *word != '\0'; word++)
        count += strchr(letters, *word) != NULL ? 1 : 0;
    return count;
}

static void make_letter_count(struct rng *rng, unsigned level, struct question *ret)
{
    const char *word = question_word(rng, level);
    char letter[2] = {word[rng_below(rng, strlen(word))], '\0'};
    switch (rng_below(rng, 3)) {
    case 0:
        question_text(ret, "How many times does the letter \"%s\" appear in \"%s\"?", letter, word);
        break;
    case 1:
        question_text(ret, "How many %s's are in the word %s?", letter, word);
        break;
    default:
        question_text(ret, "Count the letter %s in \"%s\".", letter, word);
    }
    question_answer(ret, "%u", count_of(word, letter));
}

static void make_vowels(struct rng *rng, unsigned level, struct question *ret)
{
    const char *word = question_word(rng, level);
    if (rng_below(rng, 3) == 0) {
        question_text(ret, "How many letters are in the word \"%s\"?", word);
        question_answer(ret, "%zu", strlen(word));
        return;
    }
    question_phrase(ret,
                    rng_below(rng, 2) == 0 ? "How many vowels does \"@1\" have?"
                                           : "How many vowels are there in the word @1?",
                    word, NULL, NULL);
    question_answer(ret, "%u", count_of(word, "aeiou"));
}

static void make_reverse(struct rng *rng, unsigned level, struct question *ret)
{
    static const char *const texts[] = {"Spell \"@1\" backwards.", "Reverse the word \"@1\".",
                                        "What is \"@1\" written backwards?"};
    const char *word = question_word(rng, level);
    char reversed[32] = "";
    size_t len = strlen(word);
    for (size_t i = 0; i < len; i++)
        reversed[i] = word[len - 1 - i];
    reversed[len] = '\0';
    question_phrase(ret, texts[rng_below(rng, 3)], word, NULL, NULL);
    question_answer(ret, "%s", reversed);
}

static void make_position(struct rng *rng, unsigned level, struct question *ret)
{
    static const char *const ordinals[] = {"first", "second", "3rd", "4th",
                                           "fifth", "6th",    "7th", "8th"};
    const char *word = question_word(rng, level);
    size_t len = strlen(word), at = rng_below(rng, len < 8 ? len : 8);
    question_text(ret, "What is the %s letter of \"%s\"?", ordinals[at], word);
    question_answer(ret, "%c", word[at]);
}

static void make_order(struct rng *rng, unsigned level, struct question *ret)
{
    const char *words[4];
    for (size_t i = 0; i < 4; i++) {
        words[i] = question_word(rng, level);
        for (size_t j = 0; j < i; j++)
            if (words[j] == words[i])
                i--; /* drawn before: again */
    }
    bool last = rng_below(rng, 2) == 0;
    const char *best = words[0];
    for (size_t i = 1; i < 4; i++)
        if (last ? strcmp(words[i], best) > 0 : strcmp(words[i], best) < 0)
            best = words[i];
    question_text(ret, "Which of these words comes %s in alphabetical order: %s, %s, %s, %s?",
                  last ? "last" : "first", words[0], words[1], words[2], words[3]);
    question_answer(ret, "%s", best);
}

static void make_palindrome(struct rng *rng, unsigned level, struct question *ret)
{
    bool yes = rng_below(rng, 2) == 0;
    const char *word =
        yes ? PALINDROMES[rng_below(rng, sizeof(PALINDROMES) / sizeof(PALINDROMES[0]))]
            : question_word(rng, level);
    question_text(ret, "Is \"%s\" a palindrome? Answer yes or no.", word);
    question_answer(ret, "%s", yes ? "yes" : "no");
}

static void make_anagram(struct rng *rng, unsigned level, struct question *ret)
{
    size_t count = sizeof(ANAGRAMS) / sizeof(ANAGRAMS[0]);
    size_t first = rng_below(rng, count);
    bool yes = rng_below(rng, 2) == 0;
    size_t second = yes ? first : (first + 1 + rng_below(rng, count - 1)) % count;
    (void)level;
    question_text(ret, "Are \"%s\" and \"%s\" anagrams of each other? Answer yes or no.",
                  ANAGRAMS[first][0], ANAGRAMS[second][1]);
    question_answer(ret, "%s", yes ? "yes" : "no");
}

void question_words(struct rng *rng, unsigned level, struct question *ret)
{
    static maker *const makers[] = {make_letter_count, make_letter_count, make_vowels,
                                    make_reverse,      make_reverse,      make_position,
                                    make_order,        make_palindrome,   make_anagram};
    makers[rng_below(rng, 9)](rng, level, ret);
}
