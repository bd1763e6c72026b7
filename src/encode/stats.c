/* Statistics that say what kind of question a text is: here lengths, numbers, punctuation and cue words; how the
 * options differ in option_stats.c, how the text is written in style.c. Boosted trees on them know things that n-grams
 * do not (bench/quality.md says how much). No state: any thread may ask, each about features of its own. What a
 * statistic says is part of NGRAM_FINGERPRINT. */
#include "encode/stats.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "encode/char_class.h"
#include "encode/stats_int.h"

/* Counted marks, each a statistic (number of occurrences). */
static const char marks[] = "$\\=(\":?-";
#define MARK_COUNT ((unsigned)sizeof(marks) - 1)

/* Cue words in the stem, each a statistic (0 or 1); each begins with a letter of its own. */
#define CUE(text)                                                                                  \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
static const struct {
    const char *text;
    size_t len;
} cues[] = {
    CUE(" according to"), CUE(" best "),     CUE(" how many"),
    CUE(" most "),        CUE(" statement"), CUE(" which of the following"),
};
#define CUE_COUNT ((unsigned)(sizeof(cues) / sizeof(cues[0])))

struct tally {
    uint32_t words, capitalised, letters, long_words, single_letters;
    uint32_t digits, numbers, punctuation, upper, non_ascii, blanks_marks, commas, points;
    uint32_t marks[MARK_COUNT];
};

/* How often each byte occurs; two tables, so that a run of one byte does not wait for itself. */
static void count_bytes(struct str text, uint32_t counts[256])
{
    uint32_t other[256] = {0};
    size_t i = 0;
    for (; i + 1 < text.len; i += 2) {
        counts[(unsigned char)text.ptr[i]]++;
        other[(unsigned char)text.ptr[i + 1]]++;
    }
    if (i < text.len)
        counts[(unsigned char)text.ptr[i]]++;
    for (int c = 0; c < 256; c++)
        counts[c] += other[c];
}

static void tally_bytes(const uint32_t counts[256], struct tally *t)
{
    for (int c = 'A'; c <= 'Z'; c++)
        t->upper += counts[c];
    for (int c = 128; c < 256; c++)
        t->non_ascii += counts[c];
    for (size_t m = 0; m < MARK_COUNT; m++)
        t->marks[m] = counts[(unsigned char)marks[m]];
    t->blanks_marks = counts['_'];
    t->commas = counts[','];
    t->points = counts['.'];
}

/* Without branches: which token comes next cannot be predicted. Only letters come in runs or are capital. */
static void tally_tokens(struct str text, const struct ngram_text *f, struct tally *ret)
{
    struct tally t = *ret;
    uint32_t number_end = UINT32_MAX;
    for (uint32_t i = 0; i < f->token_count; i++) {
        const struct text_token *token = &f->tokens[i];
        uint32_t word = token->class == CHAR_LETTER, digit = token->class == CHAR_DIGIT;
        t.words += word;
        t.letters += word * token->len;
        t.capitalised += (unsigned char)(text.ptr[token->start] - 'A') < 26;
        t.long_words += token->len >= 8;
        t.single_letters += word & (token->len == 1);
        t.punctuation += token->class == CHAR_PUNCTUATION;
        t.digits += digit;
        t.numbers += digit & (token->start != number_end); /* the digits of a number touch */
        number_end = digit ? token->start + 1 : number_end;
    }
    *ret = t;
}

static float *length_stats(struct str text, const struct text_layout *o, float *out)
{
    double longest = 0, shortest = o->count ? 1e9 : 0, total = 0, with_digits = 0;
    for (size_t i = 0; i < o->count; i++) {
        double length = (double)(o->starts[i + 1] - o->starts[i]) - 4;
        total += length;
        longest = length > longest ? length : longest;
        shortest = length < shortest ? length : shortest;
        for (size_t j = o->starts[i] + 4; j < o->starts[i + 1]; j++)
            if (char_class((unsigned char)text.ptr[j]) == CHAR_DIGIT) {
                with_digits++;
                break;
            }
    }
    *out++ = log1pf((float)text.len);
    *out++ = log1pf((float)o->stem);
    *out++ = log1pf((float)total);
    *out++ = (float)o->count;
    *out++ = log1pf((float)longest);
    *out++ = log1pf((float)shortest);
    *out++ = longest > 0 ? (float)(shortest / longest) : 0;
    *out++ = (float)(total / ((double)o->stem + 1));
    *out++ = o->count ? (float)(with_digits / (double)o->count) : 0;
    return out;
}

static float *word_stats(size_t text_len, const struct tally *t, float *out)
{
    float length = (float)text_len + 1, words = (float)t->words + 1;
    *out++ = log1pf((float)t->words);
    *out++ = (float)t->letters / words;
    *out++ = (float)t->long_words / words;
    *out++ = (float)t->digits / length;
    *out++ = log1pf((float)t->digits);
    *out++ = log1pf((float)t->numbers);
    *out++ = (float)t->punctuation / length;
    *out++ = (float)t->upper / length;
    *out++ = (float)t->capitalised / words;
    *out++ = (float)t->non_ascii / length;
    *out++ = t->blanks_marks > 0;
    *out++ = (float)t->commas / words;
    *out++ = (float)t->points / words;
    *out++ = (float)t->single_letters / words;
    return out;
}

/* Every cue begins with a blank, so only words behind one are looked at, and only those that begin with the same two
 * letters as a cue. `lowered` has a blank in front of it, is cut behind the stem and may be read behind. */
static void find_cues(struct str lowered, const struct ngram_text *f, uint32_t stem_tokens,
                      float *out)
{
    char second[256] = {0}; /* letter behind the first; no two cues have the same first */
    unsigned char which[256];
    for (size_t i = 0; i < CUE_COUNT; i++) {
        second[(unsigned char)cues[i].text[1]] = cues[i].text[2];
        which[(unsigned char)cues[i].text[1]] = (unsigned char)i;
    }
    memset(out, 0, CUE_COUNT * sizeof(*out));
    for (uint32_t k = 0; k < stem_tokens; k++) {
        const char *word = lowered.ptr + f->tokens[k].start;
        char wanted = second[(unsigned char)*word];
        if (!((wanted != 0) & (word[1] == wanted) & (word[-1] == ' ')))
            continue;
        size_t i = which[(unsigned char)*word], left = lowered.len - f->tokens[k].start + 1;
        if (left >= cues[i].len && !memcmp(word - 1, cues[i].text, cues[i].len))
            out[i] = 1;
    }
}

void stats_encode(struct str text, struct str lowered, const struct text_layout *layout,
                  struct ngram_text *f)
{
    uint32_t counts[256] = {0};
    struct tally tally = {0};
    count_bytes(text, counts);
    tally_bytes(counts, &tally);
    tally_tokens(text, f, &tally);
    float *out = length_stats(text, layout, f->stats);
    out = word_stats(text.len, &tally, out);
    for (size_t i = 0; i < MARK_COUNT; i++)
        *out++ = (float)tally.marks[i];
    find_cues(str_slice(lowered, 0, layout->stem), f, layout->stem_tokens, out);
    out = option_stats(lowered, layout, f, out + CUE_COUNT);
    out = style_stats(text, lowered, layout, counts, f, out);
    DEBUG_CHECK(out == f->stats + NGRAM_STATS);
}

/* The one list of names, in the order in which the statistics are filled; its length is asserted. */
const char *stats_name(unsigned index)
{
    static const char *const names[] = {
        "log length",          "log stem length",     "log options length", "options",
        "log longest option",  "log shortest option", "shortest/longest",   "options/stem",
        "options with digits", "log words",           "letters per word",   "long words",
        "digit share",         "log digits",          "log numbers",        "punctuation share",
        "upper-case share",    "capitalised words",   "non-ASCII share",    "blank to fill",
        "commas per word",     "points per word",     "single letters",
    };
    static const char *const mark_names[] = {"$", "\\", "=", "(", "\"", ":", "?", "-"};
    const unsigned named = sizeof(names) / sizeof(names[0]);
    _Static_assert(sizeof(mark_names) / sizeof(mark_names[0]) == MARK_COUNT, "a name per mark");
    _Static_assert(sizeof(names) / sizeof(names[0]) + MARK_COUNT + CUE_COUNT + STATS_OF_OPTIONS +
                           STATS_STYLE ==
                       NGRAM_STATS,
                   "every statistic has a name");
    CHECK(index < NGRAM_STATS);
    if (index < named)
        return names[index];
    if ((index -= named) < MARK_COUNT)
        return mark_names[index];
    if ((index -= MARK_COUNT) < CUE_COUNT)
        return cues[index].text;
    if ((index -= CUE_COUNT) < STATS_OF_OPTIONS)
        return option_stat_names[index];
    return style_names[index - STATS_OF_OPTIONS];
}
