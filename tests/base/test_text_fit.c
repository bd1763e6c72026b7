/* text_fit.h: what fits stays, tables lose blanks, the last column and prose wrap, and nothing is lost. */
#include "base/text_fit.h"

#include <string.h>

#include <criterion/criterion.h>

static void expect(const char *text, size_t width, enum text_fit_how how, const char *wanted)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    text_fit(str_from(text), width, how, &out);
    cr_assert_eq(out.status, OK);
    cr_expect_str_eq(out.ptr ? out.ptr : "", wanted);
    buf_done(&out);
}

Test(text_fit, what_fits_stays)
{
    const char *text = "name      figure\na              1\n\n  two  blanks\nand  trailing  \n";
    expect(text, 16, TEXT_FIT_TABLES, text);
    expect(text, 16, TEXT_FIT_HELP, text);
    expect(text, 0, TEXT_FIT_TABLES, text);
    expect("", 80, TEXT_FIT_TABLES, "");
    expect("no end", 80, TEXT_FIT_HELP, "no end");
}

Test(text_fit, gaps_shrink_from_the_widest)
{
    expect("  name            figure     other\n"
           "  a                    1         2\n",
           22, TEXT_FIT_TABLES,
           "  name  figure   other\n"
           "  a          1       2\n");
    expect("  name   figure  other\n"
           "  ±           1      2\n",
           19, TEXT_FIT_TABLES,
           "  name figure other\n"
           "  ±         1     2\n");
}

Test(text_fit, rows_stay_one_table_with_prose_between_them)
{
    expect("who         right  topic\n"
           "a              10  words\n"
           "    words: letter, yes, backwards, word\n"
           "    - one question of it\n"
           "bb              2  sums\n",
           22, TEXT_FIT_TABLES,
           "who       right  topic\n"
           "a            10  words\n"
           "    words: letter,\n"
           "    yes, backwards,\n"
           "    word\n"
           "    - one question of\n"
           "      it\n"
           "bb            2  sums\n");
}

Test(text_fit, a_last_column_of_words_wraps_below_itself)
{
    expect("expert     since  best at, against the others\n"
           "almanac     2026  units 93 % (+39); calendar 91 % (+36)\n",
           40, TEXT_FIT_TABLES,
           "expert   since  best at, against the\n"
           "                others\n"
           "almanac   2026  units 93 % (+39);\n"
           "                calendar 91 % (+36)\n");
}

Test(text_fit, or_below_its_row_where_no_room_is_beside)
{
    expect("expert     since     best at\n"
           "almanac    by 2026   units 93 % (+39); calendar 91 % (+36)\n",
           30, TEXT_FIT_TABLES,
           "expert   since    best at\n"
           "almanac  by 2026\n"
           "    units 93 % (+39); calendar\n"
           "    91 % (+36)\n");
}

Test(text_fit, words_are_never_broken)
{
    expect("a http://127.0.0.1:8080/v1/chat/completions b\n", 20, TEXT_FIT_TABLES,
           "a\nhttp://127.0.0.1:8080/v1/chat/completions\nb\n");
}

Test(text_fit, wide_characters_and_escapes)
{
    cr_assert_eq(text_columns(STR("\033[1mab\033[0m")), 2);
    cr_assert_eq(text_columns(STR("\u6771\u4eac \u00b1")), 6);
    cr_assert_eq(text_columns(STR("\xe6\x9d")), 1, "cut amid a character");
    expect("\u6771\u4eac \u6771\u4eac \u6771\u4eac\n", 9, TEXT_FIT_TABLES,
           "\u6771\u4eac \u6771\u4eac\n\u6771\u4eac\n");
}

Test(text_fit, help_fills_paragraphs_and_columns_anew)
{
    expect("Measures a model on recorded outcomes; predictions choose,\n"
           "and costs count.\n"
           "\n"
           "  APGR, CPT   as RouteLLM defines them: calls counted, not\n"
           "              dollars\n"
           "  other       short\n"
           "\n"
           "  leeroo eval m.safetensors data/held-out --report report.html --at .5\n",
           40, TEXT_FIT_HELP,
           "Measures a model on recorded outcomes;\n"
           "predictions choose, and costs count.\n"
           "\n"
           "  APGR, CPT   as RouteLLM defines them:\n"
           "              calls counted, not dollars\n"
           "  other       short\n"
           "\n"
           "  leeroo eval m.safetensors \\\n"
           "      data/held-out \\\n"
           "      --report report.html --at .5\n");
}

Test(text_fit, a_table_wider_than_any_screen)
{
    char text[4200];
    memset(text, ' ', sizeof(text));
    memcpy(text, "left", 4);
    memcpy(text + 4000, "right\n", 7);
    expect(text, 80, TEXT_FIT_TABLES, "left\n    right\n");
}
