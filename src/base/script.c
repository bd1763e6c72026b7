/* Weights of scripts. Measured on Article 1 of the Universal Declaration of Human Rights, tokens a code point, times
 * four: o200k and DeepSeek's tokenizer give Han 2.5 to 3.8, kana 2.3 to 3.2, Hangul 2.3 to 2.6, Cyrillic 1.0 to 1.5,
 * Greek 1.5 to 1.9, Arabic 1.2 to 1.6, Hebrew 1.6, Devanagari 1.2 to 2.0, Thai 1.6 to 1.9, Lao and Ethiopic 7;
 * cl100k and that of earlier Claudes up to twice as much. English has 0.8 everywhere and counts as 1, so a weight is
 * a quarter above the first two. bench/scripts.py prints the table. Pure functions for any thread; plain words cost
 * one pass. */
#include "base/script.h"

/* By the highest nine bits of a code point below 2^16. */
// clang-format off
static const unsigned char weights[512] = {
    1, 1, 1, 1, 1, 1, 1, 3, 2, 2, 3, 3, 2, 2, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 8, 7, 7,
    4, 3, 4, 4, 8, 8, 8, 8, 6, 6, 6, 6, 6, 4, 4, 4, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 1, 1, 1, 1, 3, 3,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 4, 4, 4, 4, 4, 4, 1, 1, 1, 1, 1, 1, 4, 4, 4, 4, 1, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1, 3, 3, 3, 3, 3, 1, 3, 4, 4,
};
// clang-format on

#define BEYOND_BMP  8    /* emoji, rare Han */
#define FIRST_OTHER 0xCE /* bytes below it begin no character that counts more than one */

uint32_t script_weight(enum script script)
{
    static const unsigned char of[SCRIPTS] = {
        [SCRIPT_GREEK] = 3,      [SCRIPT_CYRILLIC] = 2, [SCRIPT_HEBREW] = 3, [SCRIPT_ARABIC] = 2,
        [SCRIPT_DEVANAGARI] = 3, [SCRIPT_INDIC] = 3,    [SCRIPT_THAI] = 3,   [SCRIPT_KANA] = 4,
        [SCRIPT_HAN] = 4,        [SCRIPT_HANGUL] = 3};
    return of[script];
}

/* Below the ideographs. */
static enum script script_of_letters(unsigned block)
{
    if (block < 0x10)
        return block >= 0x380 / 64 ? SCRIPT_GREEK : SCRIPTS;
    if (block < 0x500 / 64)
        return SCRIPT_CYRILLIC;
    if (block < 0x600 / 64)
        return block >= 0x580 / 64 ? SCRIPT_HEBREW : SCRIPTS;
    if (block < 0x700 / 64)
        return SCRIPT_ARABIC;
    if (block < 0xE00 / 64)
        return block < 0x900 / 64 ? SCRIPTS : block < 0x980 / 64 ? SCRIPT_DEVANAGARI : SCRIPT_INDIC;
    return block < 0xE80 / 64 ? SCRIPT_THAI : SCRIPTS;
}

/* Of 64 code points below 2^16 that lie together; SCRIPTS: none of them. Each block is of one weight. */
static enum script script_of(unsigned block)
{
    if (block < 0x3000 / 64)
        return script_of_letters(block);
    if (block < 0x3400 / 64)
        return block == 0x3000 / 64 ? SCRIPT_HAN : block < 0x3100 / 64 ? SCRIPT_KANA : SCRIPTS;
    if (block < 0xA000 / 64)
        return SCRIPT_HAN;
    if (block >= 0xAC00 / 64 && block < 0xD800 / 64)
        return SCRIPT_HANGUL;
    bool full_width = block == 0xFF00 / 64;
    return full_width || (block >= 0xF900 / 64 && block < 0xFB00 / 64) ? SCRIPT_HAN : SCRIPTS;
}

uint32_t script_unit_characters(uint32_t unit)
{
    return weights[unit >> 7 & 511];
}

static void note(struct script_counts *counts, enum script script)
{
    if (script < SCRIPTS)
        counts->of[script]++;
}

uint32_t script_unit_count(uint32_t unit, struct script_counts *counts)
{
    note(counts, script_of(unit >> 6 & 1023));
    return script_unit_characters(unit);
}

static bool has_others(struct str text)
{
    unsigned char most = 0;
    for (size_t i = 0; i < text.len;
         i++) /* without a branch, so that the compiler takes many at once */
        most = (unsigned char)text.ptr[i] > most ? (unsigned char)text.ptr[i] : most;
    return most >= FIRST_OTHER;
}

/* What the character that begins at `at` counts more than one; its length is not looked at. */
static uint32_t more_than_one(const unsigned char *at, size_t left)
{
    unsigned first = at[0], second = left > 1 ? at[1] & 0x3Fu : 0;
    if (first < FIRST_OTHER)
        return 0;
    if (first < 0xE0)
        return weights[(first & 0x1F) >> 1] - 1u;
    if (first < 0xF0)
        return weights[(first & 0xF) << 5 | second >> 1] - 1u;
    return BEYOND_BMP - 1;
}

uint64_t script_characters(struct str text)
{
    if (str_is_ascii(text))
        return text.len;
    uint64_t characters = utf8_count(text);
    if (!has_others(text))
        return characters;
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    for (size_t i = 0; i < text.len; i++)
        characters += more_than_one(bytes + i, text.len - i);
    return characters;
}

/* Notes the script of the character that begins at `at`. */
static void note_character(const unsigned char *at, size_t left, struct script_counts *counts)
{
    unsigned first = at[0], second = left > 1 ? at[1] & 0x3Fu : 0;
    if (first < 0xE0)
        note(counts, script_of_letters(first & 0x1F));
    else if (first < 0xF0)
        note(counts, script_of((first & 0xF) << 6 | second));
}

uint64_t script_count(struct str text, struct script_counts *counts)
{
    uint64_t characters = utf8_count(text);
    if (!has_others(text))
        return characters;
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    for (size_t i = 0; i < text.len; i++) {
        if (bytes[i] < FIRST_OTHER)
            continue;
        characters += more_than_one(bytes + i, text.len - i);
        note_character(bytes + i, text.len - i, counts);
    }
    return characters;
}
