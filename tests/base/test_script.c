/* What characters count, by their script. */
#include "base/script.h"

#include <criterion/criterion.h>

static uint64_t of(const char *text)
{
    return script_characters(str_from(text));
}

Test(script, latin_text_counts_its_code_points)
{
    cr_expect_eq(of(""), 0);
    cr_expect_eq(of("All human beings, 123 of them: {\"a\": [1, 2]}\n"), 45);
    cr_expect_eq(of("Gr\u00fc\u00dfe, \u017elu\u0165ou\u010dk\u00fd \u1ec7 \u2014 "
                    "\u201cquoted\u201d \u20ac5 \u2264"),
                 34);
}

Test(script, other_scripts_count_more)
{
    cr_expect_eq(of("\u4eba\u4eba\u751f\u3002"), 16); /* Han */
    cr_expect_eq(of("\u3059\u30c6"), 8);              /* kana */
    cr_expect_eq(of("\ubaa8\ub4e0"), 6);              /* Hangul */
    cr_expect_eq(of("\u0412\u0441\u0435"), 6);        /* Cyrillic */
    cr_expect_eq(of("\u0641\u064a"), 4);              /* Arabic */
    cr_expect_eq(of("\u05d1\u05e0"), 6);              /* Hebrew */
    cr_expect_eq(of("\u0938\u092d"), 6);              /* Devanagari */
    cr_expect_eq(of("\u0e21\u0e19"), 6);              /* Thai */
    cr_expect_eq(of("\u0ea1"), 8);                    /* Lao */
    cr_expect_eq(of("\U0001F600 \U00020000"), 17);    /* emoji, rare Han */
    cr_expect_eq(of("a\u4eba b"), 7);
}

Test(script, units_of_escapes_count_as_the_characters)
{
    cr_expect(script_unit_characters('a') == 1 && script_unit_characters(0xe9) == 1);
    cr_expect(script_unit_characters(0x4eba) == 4 && script_unit_characters(0x0412) == 2);
    cr_expect_eq(script_unit_characters(0xd83d) + script_unit_characters(0xde00), 8);
}

/* Bytes and unit count the same scripts, and each character of a script what the script's characters do. */
static void expect_same_script(const char *text, uint32_t unit)
{
    struct script_counts bytes = {0}, units = {0};
    script_count(str_from(text), &bytes);
    script_unit_count(unit, &units);
    for (size_t s = 0; s < SCRIPTS; s++) {
        cr_assert_eq(bytes.of[s], units.of[s], "U+%04X", unit);
        if (units.of[s])
            cr_assert_eq(script_weight((enum script)s), script_unit_characters(unit), "U+%04X",
                         unit);
    }
}

/* Every code point of the BMP: what its bytes count is what its unit counts. */
Test(script, bytes_and_units_agree)
{
    for (uint32_t c = 0x80; c < 0x10000; c++) {
        char text[4] = {0};
        if (c >= 0xd800 && c < 0xe000)
            continue;
        if (c < 0x800) {
            text[0] = (char)(0xC0 | c >> 6);
            text[1] = (char)(0x80 | (c & 0x3F));
        } else {
            text[0] = (char)(0xE0 | c >> 12);
            text[1] = (char)(0x80 | (c >> 6 & 0x3F));
            text[2] = (char)(0x80 | (c & 0x3F));
        }
        cr_assert_eq(of(text), script_unit_characters(c), "U+%04X", c);
        expect_same_script(text, c);
    }
}

static enum script script_of(const char *text)
{
    struct script_counts n = {0};
    enum script found = SCRIPTS;
    cr_expect_eq(script_count(str_from(text), &n), of(text));
    for (size_t s = 0; s < SCRIPTS; s++)
        found = n.of[s] ? (enum script)s : found;
    return found;
}

Test(script, characters_are_told_apart_by_script)
{
    static const struct {
        const char *text;
        enum script script;
    } rows[] = {
        {"a\u00fc\u1ec7\u2014\u20ac", SCRIPTS},
        {"\U0001F600\U00020000\u0ea1\u1100\u3105", SCRIPTS},
        {"\u03bb\u03ac", SCRIPT_GREEK},
        {"\u0412\u0451", SCRIPT_CYRILLIC},
        {"\u05d1\u05e0", SCRIPT_HEBREW},
        {"\u0641\u064a", SCRIPT_ARABIC},
        {"\u0938\u092d", SCRIPT_DEVANAGARI},
        {"\u0995\u0dab", SCRIPT_INDIC},
        {"\u0e21\u0e19", SCRIPT_THAI},
        {"\u3042\u30c6", SCRIPT_KANA},
        {"\u4eba\u9fa5\u3002\uff0c\u3400\uf900", SCRIPT_HAN},
        {"\ubaa8\ub4e0", SCRIPT_HANGUL},
    };
    struct script_counts n = {.of = {[SCRIPT_HAN] = 5}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_expect_eq(script_of(rows[i].text), rows[i].script, "%s", rows[i].text);
    cr_expect_eq(script_count(STR("a\u4eba b\u0412\u4eba"), &n), 3 + 8 + 2);
    cr_expect(n.of[SCRIPT_HAN] == 7 && n.of[SCRIPT_CYRILLIC] == 1, "it adds");
}

Test(script, broken_bytes_are_survived)
{
    cr_expect_leq(of("\xE4"), 4);
    cr_expect_leq(of("\xF0\xFF\xCE"), 3 * 8);
}
