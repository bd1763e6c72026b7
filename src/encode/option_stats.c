/* Statistics of the options against each other and against the stem. Options that share most of their words ask for
 * a fine distinction; options whose words stand in the stem ask to read, not to know. Words are sets of bits, so
 * that a pair of options is compared by a few instructions. Everything lies on the stack; only stats.c calls it,
 * once for each text, after the words have their hashes. */
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "encode/char_class.h"
#include "encode/stats_int.h"
#include "encode/words.h"

#define WORDS_MAX  256 /* distinct words of all options; more are not compared */
#define SLOTS      1024
#define WORD_SETS  (WORDS_MAX / 64)
#define BYTE_SETS  2 /* 128 bits: ASCII */
#define NUMBER_MAX 1e15

const char *const option_stat_names[STATS_OF_OPTIONS] = {
    "mean shared words",
    "most shared words",
    "shared letters",
    "shared beginning",
    "shared end",
    "mean words of the stem",
    "most words of the stem",
    "range of stem words",
    "longest/mean",
    "spread of lengths",
    "options that deny",
    "numeric options",
    "range of numbers",
    "largest number",
    "punctuation in options",
    "digits in options",
    "letters per option word",
};

struct option {
    uint64_t words[WORD_SETS], bytes[BYTE_SETS];
    struct str text;
};

struct comparison {
    uint32_t hashes[SLOTS];
    uint16_t ids[SLOTS]; /* 1 + number of the word; 0: empty */
    size_t word_count;
    uint64_t stem[WORD_SETS];
    uint32_t letters, words, denials, digits, punctuation;
    struct option options[LAYOUT_OPTIONS_MAX]; /* last: only those there are get cleared */
};

/* A word, or the digits of a number: they touch. Returns the token behind it. */
static uint32_t item_end(const struct ngram_text *f, uint32_t at, uint32_t end)
{
    uint32_t next = at + 1;
    if (f->tokens[at].class == CHAR_DIGIT)
        while (next < end && f->tokens[next].class == CHAR_DIGIT &&
               f->tokens[next].start == f->tokens[next - 1].start + 1)
            next++;
    return next;
}

static uint32_t item_hash(const struct ngram_text *f, uint32_t at, uint32_t end)
{
    uint32_t h = f->tokens[at].hash;
    while (++at < end)
        h = (h ^ f->tokens[at].hash) * 16777619u;
    return h;
}

/* Number of a word; WORDS_MAX: not known, and either not to be added or one too many. */
static size_t word_number(struct comparison *c, uint32_t hash, bool add)
{
    uint32_t at = (hash ^ hash >> 15) & (SLOTS - 1);
    for (; c->ids[at]; at = (at + 1) & (SLOTS - 1))
        if (c->hashes[at] == hash)
            return c->ids[at] - 1u;
    if (!add || c->word_count == WORDS_MAX)
        return WORDS_MAX;
    c->hashes[at] = hash;
    c->ids[at] = (uint16_t)++c->word_count;
    return c->word_count - 1;
}

static void add_set(uint64_t *set, size_t number)
{
    set[number / 64] |= UINT64_C(1) << number % 64;
}

/* One pass over an option's tokens; what is counted there is counted for all options together. */
static void read_option(struct comparison *c, struct str lowered, const struct ngram_text *f,
                        uint32_t from, uint32_t to, struct option *o)
{
    bool denies = false;
    for (uint32_t at = from, next; at < to; at = next) {
        const struct text_token *token = &f->tokens[at];
        next = item_end(f, at, to);
        c->punctuation += token->class == CHAR_PUNCTUATION;
        if (token->class == CHAR_PUNCTUATION)
            continue;
        if (token->class == CHAR_LETTER) {
            denies |= word_class_padded(lowered.ptr + token->start, token->len) == WORD_NEGATION;
            c->letters += token->len;
            c->words++;
        } else {
            c->digits += next - at;
        }
        size_t number = word_number(c, item_hash(f, at, next), true);
        if (number < WORDS_MAX)
            add_set(o->words, number);
    }
    c->denials += denies;
    for (size_t i = 0; i < o->text.len; i++) {
        unsigned char byte = (unsigned char)o->text.ptr[i];
        if (byte < 128)
            add_set(o->bytes, byte);
    }
}

static void read_stem(struct comparison *c, const struct ngram_text *f, uint32_t stem_tokens)
{
    for (uint32_t at = 0, next; at < stem_tokens; at = next) {
        next = item_end(f, at, stem_tokens);
        if (f->tokens[at].class == CHAR_PUNCTUATION)
            continue;
        size_t number = word_number(c, item_hash(f, at, next), false);
        if (number < WORDS_MAX)
            add_set(c->stem, number);
    }
}

static uint32_t set_size(const uint64_t *set, size_t n)
{
    uint32_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += (uint32_t)__builtin_popcountll(set[i]);
    return count;
}

static uint32_t sets_common(const uint64_t *a, const uint64_t *b, size_t n)
{
    uint32_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += (uint32_t)__builtin_popcountll(a[i] & b[i]);
    return count;
}

/* Share of what two sets have together; 0 of nothing. */
static double jaccard(uint32_t common, uint32_t a, uint32_t b)
{
    uint32_t all = a + b - common;
    return all ? (double)common / all : 0;
}

static size_t same_beginning(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len, i = 0;
    while (i < n && a.ptr[i] == b.ptr[i])
        i++;
    return i;
}

static size_t same_end(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len, i = 0;
    while (i < n && a.ptr[a.len - 1 - i] == b.ptr[b.len - 1 - i])
        i++;
    return i;
}

/* All numbers of a pair come out of one visit, and there are up to 325 pairs. */
static float *pair_stats(const struct comparison *c, size_t count, float *out)
{
    double words = 0, most = 0, letters = 0, begin = 0, end = 0, length = 0, pairs = 0;
    uint32_t sizes[LAYOUT_OPTIONS_MAX], byte_sizes[LAYOUT_OPTIONS_MAX];
    for (size_t i = 0; i < count; i++) {
        sizes[i] = set_size(c->options[i].words, WORD_SETS);
        byte_sizes[i] = set_size(c->options[i].bytes, BYTE_SETS);
        length += (double)c->options[i].text.len / (double)count;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            const struct option *a = &c->options[i], *b = &c->options[j];
            double shared = jaccard(sets_common(a->words, b->words, WORD_SETS), sizes[i], sizes[j]);
            words += shared;
            most = shared > most ? shared : most;
            letters +=
                jaccard(sets_common(a->bytes, b->bytes, BYTE_SETS), byte_sizes[i], byte_sizes[j]);
            begin += (double)same_beginning(a->text, b->text);
            end += (double)same_end(a->text, b->text);
            pairs++;
        }
    double share = pairs > 0 ? 1 / pairs : 0;
    length = length > 1 ? length : 1;
    *out++ = (float)(words * share);
    *out++ = (float)most;
    *out++ = (float)(letters * share);
    *out++ = (float)(begin * share / length);
    *out++ = (float)(end * share / length);
    return out;
}

/* Shares of the options' words that the stem has: mean, most, most less fewest. */
static float *stem_stats(const struct comparison *c, size_t count, float *out)
{
    double mean = 0, most = 0, fewest = 1;
    for (size_t i = 0; i < count; i++) {
        uint32_t size = set_size(c->options[i].words, WORD_SETS),
                 common = sets_common(c->options[i].words, c->stem, WORD_SETS);
        double share = size ? (double)common / size : 0;
        mean += share / (double)count;
        most = share > most ? share : most;
        fewest = share < fewest ? share : fewest;
    }
    *out++ = (float)mean;
    *out++ = (float)most;
    *out++ = (float)(most - fewest);
    return out;
}

static float *length_stats(const struct comparison *c, size_t count, float *out)
{
    double sum = 0, squares = 0, longest = 0;
    for (size_t i = 0; i < count; i++) {
        double length = (double)c->options[i].text.len;
        sum += length;
        squares += length * length;
        longest = length > longest ? length : longest;
    }
    double n = (double)count, mean = sum / n, variance = squares / n - mean * mean;
    *out++ = (float)(longest / (mean + 1));
    *out++ = (float)(sqrt(variance > 0 ? variance : 0) / (mean + 1));
    return out;
}

/* "$1,200.5 m/s": a number, alone or with a unit. One walk over the bytes: sign and currency, digits, unit. */
static bool read_number(struct str s, double *ret)
{
    size_t at = 0;
    double value = 0, unit = 1;
    bool digits = false, fraction = false;
    s = str_trim(s);
    while (at < s.len && (s.ptr[at] == '$' || s.ptr[at] == '-' || s.ptr[at] == ' '))
        at++;
    for (; at < s.len; at++) {
        char ch = s.ptr[at];
        if (ch >= '0' && ch <= '9') {
            digits = true;
            unit = fraction ? unit / 10 : unit;
            value = fraction ? value + (ch - '0') * unit : value * 10 + (ch - '0');
        } else if (ch == '.' && !fraction) {
            fraction = true;
        } else if (ch != ',') {
            break;
        }
    }
    for (; at < s.len; at++) {
        enum char_class class = char_class((unsigned char)s.ptr[at]);
        if (class == CHAR_PUNCTUATION && !memchr("%/^.-", s.ptr[at], 5))
            return false;
    }
    *ret = value < NUMBER_MAX ? value : NUMBER_MAX;
    return digits;
}

static float *number_stats(const struct comparison *c, size_t count, float *out)
{
    double low = INFINITY, high = 0, known = 0;
    for (size_t i = 0; i < count; i++) {
        double value;
        if (!read_number(c->options[i].text, &value))
            continue;
        low = value < low ? value : low;
        high = value > high ? value : high;
        known++;
    }
    *out++ = (float)(known / (double)count);
    *out++ = known > 1 ? log1pf((float)high) - log1pf((float)low) : 0;
    *out++ = known > 0 ? log1pf((float)high) : -1;
    return out;
}

static void read_texts(struct comparison *c, struct str lowered, const struct text_layout *l,
                       const struct ngram_text *f)
{
    memset(c, 0, offsetof(struct comparison, options) + l->count * sizeof(struct option));
    for (size_t i = 0; i < l->count; i++) {
        struct option *o = &c->options[i];
        o->text = str_slice(lowered, l->starts[i] + LAYOUT_MARK_BYTES, l->starts[i + 1]);
        read_option(c, lowered, f, l->tokens[i], l->tokens[i + 1] - LAYOUT_MARK_TOKENS, o);
    }
    read_stem(c, f, l->stem_tokens);
}

float *option_stats(struct str lowered, const struct text_layout *l, const struct ngram_text *f,
                    float *out)
{
    memset(out, 0, STATS_OF_OPTIONS * sizeof(*out));
    if (!l->count)
        return out + STATS_OF_OPTIONS;
    struct comparison c;
    read_texts(&c, lowered, l, f);
    float bytes = (float)(lowered.len - l->stem - l->count * LAYOUT_MARK_BYTES + 1);
    float *end = pair_stats(&c, l->count, out);
    end = stem_stats(&c, l->count, end);
    end = length_stats(&c, l->count, end);
    *end++ = (float)c.denials;
    end = number_stats(&c, l->count, end);
    *end++ = (float)c.punctuation / bytes;
    *end++ = (float)c.digits / bytes;
    *end++ = c.words ? (float)c.letters / (float)c.words : 0;
    DEBUG_CHECK(end == out + STATS_OF_OPTIONS);
    return end;
}
