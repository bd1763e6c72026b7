/* Sixty statistics that say what kind of question a text is: lengths, options, numbers, punctuation, cue words.
 * Boosted trees on them know things that n-grams do not (research notes in docs/orchestrator.md).
 *
 * A text is a stem, then options "\nA. ...": what a query with choices looks like when a client sends it. */
#include "encode/stats.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "encode/char_class.h"

#define OPTIONS_MAX 26

/* Counted marks, each a statistic (number of occurrences). */
static const char marks[] = "$\\=+(\":;?-/^*%{'";
#define MARK_COUNT (sizeof(marks) - 1)

/* Cue words in the stem, each a statistic (0 or 1). */
static const char *const cues[] = {
    " not ",  " except",     " which of the following",
    " best ", " most ",      " would ",
    " if ",   " statement",  " true",
    " false", " following ", " how many",
    " what ", " why",        " according to",
    " find ", " calculate",
};
#define CUE_COUNT (sizeof(cues) / sizeof(cues[0]))

struct options {
    size_t starts[OPTIONS_MAX + 1]; /* of "\nA. "; the last is the end of the text */
    size_t count, stem;
};

struct tally {
    uint32_t words, stem_words, capitalised, letters, word_max, long_words, single_letters;
    uint32_t digits, numbers, punctuation, upper, lines, non_ascii, blanks_marks, commas, points,
        angles;
    uint32_t marks[MARK_COUNT];
};

static void find_options(struct str text, struct options *o)
{
    *o = (struct options){.stem = text.len};
    for (size_t i = 0; i + 3 < text.len && o->count < OPTIONS_MAX; i++) {
        const char *p = text.ptr + i;
        if (p[0] != '\n' || p[1] != (char)('A' + o->count) || p[2] != '.' || p[3] != ' ')
            continue;
        if (!o->count)
            o->stem = i;
        o->starts[o->count++] = i;
    }
    o->starts[o->count] = text.len;
}

static void end_word(struct tally *t, uint32_t length)
{
    if (length > t->word_max)
        t->word_max = length;
    t->long_words += length >= 8;
    t->single_letters += length == 1;
}

static void tally_mark(struct tally *t, const unsigned char index[256], unsigned char c)
{
    if (index[c])
        t->marks[index[c] - 1]++;
    t->blanks_marks += c == '_';
    t->commas += c == ',';
    t->points += c == '.';
    t->angles += c == '<' || c == '>';
}

static void tally_text(struct str text, size_t stem, struct tally *t)
{
    unsigned char index[256] = {0};
    for (size_t i = 0; i < MARK_COUNT; i++)
        index[(unsigned char)marks[i]] = (unsigned char)(i + 1);
    *t = (struct tally){0};
    enum char_class before = CHAR_BLANK;
    uint32_t length = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        enum char_class class = char_class(c);
        bool is_upper = c >= 'A' && c <= 'Z';
        if (class == CHAR_LETTER && before != CHAR_LETTER) {
            t->words++;
            t->stem_words += i < stem;
            t->capitalised += is_upper;
            length = 0;
        } else if (class != CHAR_LETTER && before == CHAR_LETTER) {
            end_word(t, length);
        }
        if (class == CHAR_LETTER) {
            length++;
            t->letters++;
            t->non_ascii += c >= 128;
            t->upper += is_upper;
        } else if (class == CHAR_DIGIT) {
            t->digits++;
            t->numbers += before != CHAR_DIGIT;
        } else if (class == CHAR_PUNCTUATION) {
            t->punctuation++;
            tally_mark(t, index, c);
        }
        t->lines += c == '\n';
        before = class;
    }
    if (before == CHAR_LETTER)
        end_word(t, length);
}

static float *option_stats(struct str text, const struct options *o, float *out)
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
    *out++ = log1pf((float)t->stem_words);
    *out++ = (float)t->letters / words;
    *out++ = (float)t->word_max;
    *out++ = (float)t->long_words / words;
    *out++ = (float)t->digits / length;
    *out++ = log1pf((float)t->digits);
    *out++ = log1pf((float)t->numbers);
    *out++ = (float)t->punctuation / length;
    *out++ = (float)t->upper / length;
    *out++ = (float)t->capitalised / words;
    *out++ = log1pf((float)t->lines);
    *out++ = (float)t->non_ascii / length;
    *out++ = t->blanks_marks > 0;
    *out++ = (float)t->commas / words;
    *out++ = (float)t->points / words;
    *out++ = (float)t->angles;
    *out++ = (float)t->single_letters / words;
    return out;
}

/* The stem in lower case between two blanks, so that a cue is found at either end too. */
static enum status lower_stem(struct str stem, struct buf *lowered, struct error *err)
{
    buf_clear(lowered);
    char *to = buf_reserve(lowered, stem.len + 2);
    if (!to)
        return buf_status(lowered, err);
    *to++ = ' ';
    for (size_t i = 0; i < stem.len; i++)
        *to++ = (char)char_lower((unsigned char)stem.ptr[i]);
    *to = ' ';
    lowered->len += stem.len + 2;
    return OK;
}

enum status stats_encode(struct str text, struct features *f, struct error *err)
{
    struct options options;
    struct tally tally;
    find_options(text, &options);
    tally_text(text, options.stem, &tally);
    enum status status = lower_stem(str_slice(text, 0, options.stem), &f->lowered, err);
    if (status != OK)
        return status;
    float *out = option_stats(text, &options, f->stats);
    out = word_stats(text.len, &tally, out);
    for (size_t i = 0; i < MARK_COUNT; i++)
        *out++ = (float)tally.marks[i];
    for (size_t i = 0; i < CUE_COUNT; i++)
        *out++ = str_find(buf_str(&f->lowered), str_from(cues[i]), 0) != SIZE_MAX;
    DEBUG_CHECK(out == f->stats + ENCODE_STATS);
    return OK;
}

const char *stats_name(unsigned index)
{
    static const char *const names[] = {
        "log length",          "log stem length",     "log options length", "options",
        "log longest option",  "log shortest option", "shortest/longest",   "options/stem",
        "options with digits", "log words",           "log stem words",     "letters per word",
        "longest word",        "long words",          "digit share",        "log digits",
        "log numbers",         "punctuation share",   "upper-case share",   "capitalised words",
        "log lines",           "non-ASCII share",     "blank to fill",      "commas per word",
        "points per word",     "angle brackets",      "single letters",
    };
    const size_t named = sizeof(names) / sizeof(names[0]);
    static const char *const mark_names[] = {"$", "\\", "=", "+", "(", "\"", ":", ";",
                                             "?", "-",  "/", "^", "*", "%",  "{", "'"};
    _Static_assert(sizeof(mark_names) / sizeof(mark_names[0]) == MARK_COUNT, "a name per mark");
    _Static_assert(sizeof(names) / sizeof(names[0]) + MARK_COUNT + CUE_COUNT == ENCODE_STATS,
                   "every statistic has a name");
    CHECK(index < ENCODE_STATS);
    if (index < named)
        return names[index];
    if (index < named + MARK_COUNT)
        return mark_names[index - named];
    return cues[index - named - MARK_COUNT];
}
