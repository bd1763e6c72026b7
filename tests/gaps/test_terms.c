/* Words out of texts of any language. */
#include "gaps/terms.h"

#include <criterion/criterion.h>

#include "base/buf.h"

static void add(void *arg, struct str term)
{
    buf_add(arg, term);
    buf_add_char(arg, ' ');
}

static void expect(struct str text, const char *want)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    terms_each(text, add, &b);
    cr_expect_str_eq(b.ptr ? b.ptr : "", want);
    buf_done(&b);
}

Test(terms, words_are_letters_in_lower_case)
{
    expect(STR("Torts, contracts; LIABILITY."), "torts contracts liability ");
    expect(STR("x2 + 3y = H2O in calc_binomial"), "calc binomial ");
    expect(STR(""), "");
}

Test(terms, glue_options_and_commands_are_none)
{
    expect(STR("Which of the following is not a statement about the estate?"), "estate ");
    expect(STR("A. duty\nB. breach\nC. of it"), "duty breach ");
    expect(STR("$\\frac{\\alpha}{mass}$ \\text{gram}"), "mass gram ");
}

Test(terms, other_alphabets_are_read)
{
    expect(STR("Größe ÄRZTE Œuvre"), "größe ärzte œuvre ");
    expect(STR("ПРАВО Ёлка ΝΌΜΟΣ νόμος ΈΡΓΟ ΆΛΦΑ ΎΛΗ"), "право ёлка νόμοσ νόμοσ έργο άλφα ύλη ");
    expect(STR("법률 계약"), "법률 계약 ");
    expect(STR("हिन्दी भाषा"), "हिन्दी भाषा ");
}

Test(terms, pairs_where_no_blank_parts_words)
{
    expect(STR("合同法 A"), "合同 同法 ");
    expect(STR("law合同law"), "law 合同 law ");
}

Test(terms, any_bytes_will_do)
{
    expect(STR("law\xFFtort\x00malice"), "law tort malice ");
    expect(STR("\xE5\x90"), "");
}

Test(terms, runs_that_are_no_words_are_left_out)
{
    char text[4 * TERM_BYTES_MAX];
    struct str long_run = {text, sizeof(text)};
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = 'q';
    expect(long_run, "");
}

Test(terms, of_a_long_text_both_ends_count)
{
    struct buf text, got;
    buf_init(&text, 1 << 20);
    buf_init(&got, 1 << 20);
    buf_add_c(&text, "opening ");
    while (text.len < 3 * TERMS_TEXT_BYTES_MAX)
        buf_add_c(&text, "1 2 3 4 5 6 7 8 ");
    buf_add_c(&text, " ending");
    terms_each(buf_str(&text), add, &got);
    cr_expect_str_eq(got.ptr, "opening ending ");
    buf_done(&text);
    buf_done(&got);
}
