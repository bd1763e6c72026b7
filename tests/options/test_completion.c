/* What means something to a shell is quoted; that shells take the scripts is in tests/e2e/test_command_line.py. */
#include "options/completion.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct option_row rows[] = {
    {.name = "--experts",
     .argument = "HOST:PORT,...",
     .help = "one's [own]: all",
     .type = OPTION_STRING},
    {.name = "--quiet", .letter = 'q', .help = "no output", .type = OPTION_FLAG},
    {.name = "--with", .argument = "X", .help = "again", .type = OPTION_LIST},
};
static const struct usage usage = {"try", "", rows, 3};
static const struct completion_command command = {"try", "it's: tried", &usage};

static struct buf script_of(enum completion_shell shell)
{
    struct buf out;
    buf_init(&out, 65536);
    completion_begin(shell, &command, 1, &out);
    completion_add(shell, &command, &out);
    completion_end(shell, &out);
    buf_add_char(&out, '\0');
    cr_assert_eq(out.status, OK);
    return out;
}

static void expect_has(enum completion_shell shell, const char *piece)
{
    struct buf script = script_of(shell);
    cr_expect(strstr(script.ptr, piece), "%s: %s\n%s", completion_shell_name(shell), piece,
              script.ptr);
    buf_done(&script);
}

Test(completion, bash)
{
    expect_has(COMPLETION_BASH, "compgen -W 'try help version'");
    expect_has(COMPLETION_BASH, "    try) words='--experts --quiet --with --help' ;;\n");
}

Test(completion, zsh)
{
    expect_has(COMPLETION_ZSH, "'try:it'\\''s\\: tried'");
    expect_has(COMPLETION_ZSH, "'--experts[one'\\''s \\[own\\]\\: all]:HOST\\:PORT,...:_files'");
    expect_has(COMPLETION_ZSH, "'--quiet[no output]'");
    expect_has(COMPLETION_ZSH, "'*--with[again]:X:_files'");
}

Test(completion, fish)
{
    expect_has(COMPLETION_FISH, "-f -a try -d 'it'\\''s: tried'");
    expect_has(COMPLETION_FISH, "-l experts -r -d 'one'\\''s [own]: all'");
    expect_has(COMPLETION_FISH, "-l quiet -s q -d 'no output'");
}
