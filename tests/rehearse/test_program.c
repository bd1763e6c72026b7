/* Tasks are read back from their texts, and programs have their parameters in place. */
#include "rehearse/program.h"

#include <criterion/criterion.h>
#include <string.h>

static struct program_ask ask_of(const struct program_family *f)
{
    return (struct program_ask){.family = f, .args = {"3", "2"}};
}

Test(program, every_text_of_every_family_is_read_back)
{
    cr_assert_geq(program_family_count(), 12);
    for (size_t f = 0; f < program_family_count(); f++)
        for (size_t t = 0; t < PROGRAM_TEXTS; t++) {
            const struct program_family *family = program_family_at(f);
            struct program_ask ask = ask_of(family), read;
            struct buf b;
            buf_init(&b, 4096);
            buf_add_c(&b, "Write an " PROGRAM_INTRODUCES);
            program_write(&ask, family->texts[t], &b);
            buf_add_c(&b, ". And more. Thank you.\n");
            cr_assert(program_read(buf_str(&b), &read), "%s", b.ptr);
            cr_assert_eq(read.family, family, "%s was read as %s", b.ptr, read.family->name);
            cr_assert_str_eq(read.args[0], "3");
            cr_assert_str_eq(read.args[1], strstr(family->texts[t], "@2") ? "2" : "");
            buf_done(&b);
        }
}

Test(program, what_is_no_task_is_not_read)
{
    static const char *const texts[] = {
        "What is 2 + 2?",
        "Write an awk program that does my taxes.",
        "Write an awk program that prints the sum of column 3",
        "Write an awk program that prints the sum of column  of all lines.",
        "Write an awk program that prints the sum of column 12345678901234567 of all lines.",
        "Write an awk program that prints the sum of column 1 of all lines and columns.",
        "Write an awk program that ",
    };
    struct program_ask ask;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        cr_expect_not(program_read(str_from(texts[i]), &ask), "%s", texts[i]);
}

Test(program, levels_and_bugs)
{
    size_t levels[PROGRAM_LEVELS] = {0};
    for (size_t f = 0; f < program_family_count(); f++) {
        const struct program_family *family = program_family_at(f);
        cr_assert(family->level >= 1 && family->level <= PROGRAM_LEVELS);
        levels[family->level - 1]++;
        cr_assert_geq(program_bug_count(family), 3, "%s", family->name);
        for (size_t b = 0; b < program_bug_count(family); b++)
            cr_assert_str_neq(family->bugs[b], family->reference);
    }
    for (size_t l = 0; l < PROGRAM_LEVELS; l++)
        cr_assert_geq(levels[l], 4);
}
