/* What the sandbox experts can work out: every row is a question and its answer. */
#include "rehearse/solve.h"

#include <criterion/criterion.h>

struct row {
    const char *question;
    enum skill skill;
    const char *answer; /* NULL: must not be understood */
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct solution s;
        bool understood = solve(str_from(rows[i].question), &s);
        cr_expect_eq(understood, rows[i].answer != NULL, "understood? %s", rows[i].question);
        if (!understood || !rows[i].answer)
            continue;
        cr_expect_str_eq(s.answer, rows[i].answer, "%s gave %s", rows[i].question, s.answer);
        cr_expect_eq(s.skill, rows[i].skill, "%s is %s", rows[i].question, skill_name(s.skill));
    }
}

#define CHECK_ROWS(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

Test(solve, arithmetic)
{
    static const struct row rows[] = {
        {"What is 12 + 3 * (4 - 1)?", SKILL_ARITHMETIC, "21"},
        {"Compute 1,234 \u00d7 56.", SKILL_ARITHMETIC, "69104"},
        {"What is 2 - 3 - 4?", SKILL_ARITHMETIC, "-5"},
        {"Evaluate 2 * (3 + 4) * 5 - 6 / 3.", SKILL_ARITHMETIC, "68"},
        {"What is 100 mod 7?", SKILL_ARITHMETIC, "2"},
        {"What is -7 mod 3?", SKILL_ARITHMETIC, "2"},
        {"What is 17 times 3 plus 2?", SKILL_ARITHMETIC, "53"},
        {"What is the product of 123 and 45?", SKILL_ARITHMETIC, "5535"},
        {"What is the remainder when 100 is divided by 7?", SKILL_ARITHMETIC, "2"},
        {"Subtract 12 from 100.", SKILL_ARITHMETIC, "88"},
        {"What is 15 percent of 240?", SKILL_ARITHMETIC, "36"},
        {"How much is 7 divided by 8?", SKILL_ARITHMETIC, "0.875"},
        {"What is 1 / 3?", SKILL_ARITHMETIC, "0.3333"},
        {"Multiply 999999999 by 999999999.", SKILL_ARITHMETIC, "999999998000000001"},
        {"What is 10 / 0?", SKILL_ARITHMETIC, NULL},
        {"Multiply 999999999999 by 999999999999.", SKILL_ARITHMETIC, NULL},
        {"What is 5?", SKILL_ARITHMETIC, NULL},
    };
    CHECK_ROWS(rows);
}

Test(solve, calendar)
{
    static const struct row rows[] = {
        {"What weekday was 14 March 1879?", SKILL_CALENDAR, "Friday"},
        {"On which day of the week does July 4, 1776 fall?", SKILL_CALENDAR, "Thursday"},
        {"What day of the week is 2000-01-01?", SKILL_CALENDAR, "Saturday"},
        {"Which weekday was the 29th of February 2024?", SKILL_CALENDAR, "Thursday"},
        {"Which weekday was 29 February 2023?", SKILL_CALENDAR, NULL},
        {"How many days are there between 1 January 2024 and 2024-12-31?", SKILL_CALENDAR, "365"},
        {"How many days lie between March 1, 1900 and February 28, 1900?", SKILL_CALENDAR, "1"},
        {"Is 1900 a leap year?", SKILL_CALENDAR, "no"},
        {"Was the year 2000 a leap year?", SKILL_CALENDAR, "yes"},
        {"What date is 45 days after 3 May 2021?", SKILL_CALENDAR, "2021-06-17"},
        {"Which date is 2 weeks before 1 March 2024?", SKILL_CALENDAR, "2024-02-16"},
        {"How many days does February 2024 have?", SKILL_CALENDAR, "29"},
        {"A train leaves at 23:40 and travels for 2 hours and 35 minutes. When does it arrive?",
         SKILL_CALENDAR, "02:15"},
        {"What time is it 50 minutes before 00:20?", SKILL_CALENDAR, "23:30"},
    };
    CHECK_ROWS(rows);
}

Test(solve, units)
{
    static const struct row rows[] = {
        {"Convert 5 kilometers to meters.", SKILL_UNITS, "5000"},
        {"How many minutes are in 3 days and 4 hours?", SKILL_UNITS, "4560"},
        {"How many centimeters are 5 feet?", SKILL_UNITS, "152.4"},
        {"What is 2.5 kg in grams?", SKILL_UNITS, "2500"},
        {"Convert 100 degrees Celsius to Fahrenheit.", SKILL_UNITS, "212"},
        {"What is -40 degrees Fahrenheit in Celsius?", SKILL_UNITS, "-40"},
        {"Convert 5 kilometers to grams.", SKILL_UNITS, NULL},
    };
    CHECK_ROWS(rows);
}

Test(solve, words)
{
    static const struct row rows[] = {
        {"How many times does the letter \"r\" appear in \"strawberry\"?", SKILL_WORDS, "3"},
        {"How many r's are in the word strawberry?", SKILL_WORDS, "3"},
        {"Spell \"planet\" backwards.", SKILL_WORDS, "tenalp"},
        {"What is the 3rd letter of \"garden\"?", SKILL_WORDS, "r"},
        {"What is the fifth letter of \"garden\"?", SKILL_WORDS, "e"},
        {"What is the last letter of \"garden\"?", SKILL_WORDS, "n"},
        {"What is the 9th letter of \"garden\"?", SKILL_WORDS, NULL},
        {"Which of these words comes first in alphabetical order: pear, apple, fig?", SKILL_WORDS,
         "apple"},
        {"Which comes last in the dictionary: \"pear\", \"plum\" or \"peach\"?", SKILL_WORDS,
         "plum"},
        {"Is \"level\" a palindrome?", SKILL_WORDS, "yes"},
        {"Is \"garden\" a palindrome?", SKILL_WORDS, "no"},
        {"Are \"listen\" and \"silent\" anagrams of each other?", SKILL_WORDS, "yes"},
        {"How many vowels does \"education\" have?", SKILL_WORDS, "5"},
        {"How many consonants are in \"education\"?", SKILL_WORDS, "4"},
        {"How many letters are in \"banana\"?", SKILL_WORDS, "6"},
        {"Who wrote the word of \"n4pkin\"?", SKILL_WORDS, NULL},
    };
    CHECK_ROWS(rows);
}

Test(solve, stories)
{
    static const struct row rows[] = {
        {"Multiply the number of letters in \"banana\" by 13.", SKILL_MIXED, "78"},
        {"What is the number of vowels in \"education\" plus the number of hours in 3 days?",
         SKILL_MIXED, "77"},
        {"Mia buys 12 boxes with 24 pencils in each. She gives 37 pencils away. How many pencils "
         "does "
         "she have left?",
         SKILL_MIXED, "251"},
        {"A notebook costs 3 dollars and a pen costs 2 dollars. How much do 4 notebooks and 5 pens "
         "cost?",
         SKILL_MIXED, "22"},
        {"What is the number of letters in \"banana\"?", SKILL_WORDS, "6"},
        {"Who is the president of France?", SKILL_MIXED, NULL},
        {"", SKILL_MIXED, NULL},
    };
    CHECK_ROWS(rows);
}

Test(solve, deep_brackets_end)
{
    char deep[400] = {0};
    for (size_t i = 0; i < 200; i++)
        deep[i] = '(';
    struct solution s;
    cr_assert_not(solve(str_from(deep), &s));
}
