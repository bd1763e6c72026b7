/* How many tokens characters make, by their script, where no tokenizer is at hand. The unit is a character of Latin
 * text: four of them are taken for a token, as recorded data sets count them, so that Latin text counts as many as it
 * has code points. A Han character counts four, because it is about a token by itself. */
#pragma once

#include <stdint.h>

#include "base/str.h"

/* Scripts whose characters can be counted apart, so that what they cost an expert can be learnt. Where tokenizers treat
 * marks as part of a script they are in it: the full stop of Chinese is Han. Their order is that of model files. */
enum script {
    SCRIPT_GREEK,
    SCRIPT_CYRILLIC,
    SCRIPT_HEBREW,
    SCRIPT_ARABIC,
    SCRIPT_DEVANAGARI,
    SCRIPT_INDIC, /* Bengali to Sinhala */
    SCRIPT_THAI,
    SCRIPT_KANA,
    SCRIPT_HAN,
    SCRIPT_HANGUL,
    SCRIPTS
};

struct script_counts {
    uint64_t of[SCRIPTS]; /* characters */
};

/* What each character of a script counts. */
uint32_t script_weight(enum script script);
/* Of a text that is valid UTF-8; of other bytes something between their number and four times that. */
uint64_t script_characters(struct str text);
/* The same, and adds the characters of each script to *counts. */
uint64_t script_count(struct str text, struct script_counts *counts);
/* Of one unit of UTF-16: what a \u escape of JSON holds. The halves of a pair count as much as the whole. */
uint32_t script_unit_characters(uint32_t unit);
uint32_t script_unit_count(uint32_t unit, struct script_counts *counts);
