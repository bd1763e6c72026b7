/* What clients put around a question is cut; what people write stays. */
#include "encode/spoken.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct arena *arena;

static void begin(void)
{
    arena = arena_create(64 << 20);
}

static void end(void)
{
    arena_free(arena);
}

TestSuite(spoken, .init = begin, .fini = end);

static struct str spoken(const char *text)
{
    struct error err = {0};
    struct str said = {0};
    cr_assert_eq(spoken_text(str_from(text), arena, &said, &err), OK, "%s", err.text);
    return said;
}

static void expect(const char *text, const char *wanted)
{
    struct str said = spoken(text);
    cr_expect(str_equal(said, str_from(wanted)), "%s\n  gave: '%.*s'", text, STR_FMT(said));
}

static void expect_whole(const char *text)
{
    struct str said = spoken(text);
    cr_expect_eq(said.ptr, text, "%s\n  was cut to: '%.*s'", text, STR_FMT(said));
    cr_expect_eq(said.len, strlen(text));
}

Test(spoken, blocks_before_behind_and_between)
{
    expect("<system-reminder>\nAs you answer, you can use\n# context\n</system-reminder>\nWhy?",
           "Why?");
    expect("Why?\n<system-reminder>\nnote\n</system-reminder>\n", "Why?");
    expect("Why\n<system-reminder>note</system-reminder>\nnot?", "Why\nnot?");
    expect("  <environment_context>\n  <cwd>/w</cwd>\n</environment_context>  \n\n\nWhy?\n",
           "Why?");
    expect("<a_b>no</a_b>\n<system-reminder>x</system-reminder>\n<git_status>M a</git_status>\nq",
           "<a_b>no</a_b>\nq");
}

Test(spoken, a_sure_name_may_share_its_line)
{
    expect("<system-reminder>note</system-reminder>Why?", "Why?");
    expect("Why? <system-reminder>note</system-reminder>", "Why?");
    expect("<timestamp>today</timestamp><user_query>Why?</user_query>", "Why?");
    expect("<task>\nWhy?\n</task><environment_details>\n# Files\n</environment_details>", "Why?");
    expect("<command-name>/clear</command-name>\n    <command-message>clear</command-message>\n"
           "    <command-args></command-args>\nWhy?",
           "Why?");
}

Test(spoken, a_note_may_quote_one_of_its_kind)
{
#define NOTE(text) "<system-reminder>" text "</system-reminder>"
    expect(NOTE("a " NOTE("b") " c " NOTE("d") " e") "\nq", "q");
    expect(NOTE("a <system-reminder> b") "\nq", "q");
    expect("q\n" NOTE("a " NOTE("b")), "q");
}

Test(spoken, what_the_user_typed_stays_inside_its_tag)
{
    expect("<user_info>\nOS: linux\n</user_info>\n<user_query>\nprove it\n</user_query>",
           "prove it");
    expect("<editorContext>\na.c\n</editorContext>\n<reminderInstructions>\nbe brief\n"
           "</reminderInstructions>\n<userRequest>\nprove it\n</userRequest>\n",
           "prove it");
    expect("<context>\nThe current date is today.\n</context>\n<attachments>\na.c\n</attachments>\n"
           "<userRequest>\nprove it\n</userRequest>\n<tips>\nmore\n</tips>",
           "prove it");
    expect("Evidence: all of it\n<user_query>prove it</user_query>", "prove it");
    expect("<command-message>review is running</command-message>\n<command-name>/review"
           "</command-name>\n<command-args>the parser</command-args>",
           "the parser");
    expect("<task>\nexplain <b>bold</b>\n<div>\n</task>", "explain <b>bold</b>\n<div>");
}

Test(spoken, clients_of_many_kinds)
{
    static const char *const notes[] = {
        "# AGENTS.md instructions for /w\n\n<INSTRUCTIONS>\nUse tabs.\n</INSTRUCTIONS>\n",
        "<permissions instructions>\nsandbox\n</permissions instructions>\n",
        "<user_instructions>\nbe brief\n</user_instructions>\n",
        "<local-command-stdout>ok</local-command-stdout>\n",
        "<ide_opened_file>The user opened a.c</ide_opened_file>\n",
        "<user-prompt-submit-hook>\nhi\n</user-prompt-submit-hook>\n",
        "<open_and_recently_viewed_files>\na.c\n</open_and_recently_viewed_files>\n",
        "<workspace_info>\n/w\n</workspace_info>\n",
        "<collaboration_mode>plan</collaboration_mode>\n",
        "<skills_instructions>\nskills\n</skills_instructions>\n",
        "<file_contents_of_workspace path=\"a.c\">\nint x;\n</file_contents_of_workspace>\n",
        "<image name=[Image #1] path=\"dot.png\">\n</image>\n",
        "[Request interrupted by user for tool use]\n",
        "Called the Read tool with the following input: {\"filePath\":\"/w/a.c\"}\n",
    };
    char text[512];
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        snprintf(text, sizeof(text), "%sprove it", notes[i]);
        expect(text, "prove it");
        snprintf(text, sizeof(text), "prove it\n%s", notes[i]);
        expect(text, "prove it");
        expect(notes[i], "");
    }
    expect("fix it\n\n# *SEARCH/REPLACE block* Rules:\n\nEvery block must use ```\n", "fix it");
    expect("I have *added these files to the chat* so you can go ahead.\n\na.py\n```\n1\n```\n",
           "");
}

#define QUESTION "Why does the parser lose the last byte of every second line?"

static void expect_file(const char *before, const char *open, const char *close, bool goes)
{
    char text[4096];
    snprintf(text, sizeof(text), "%s\n%s\n%0*d\n%s\n", before, open, 1100, 7, close);
    if (goes)
        expect(text, before);
    else
        expect_whole(text);
}

Test(spoken, a_long_file_is_none_of_the_question)
{
    expect_file(QUESTION, "<file path=\"a.c\">", "</file>", true);
    expect_file(QUESTION, "```c", "```", true);
    expect_file("fix this", "<file path=\"a.c\">", "</file>", false);
    expect_file("fix this", "```c", "```", false);
    expect_file(QUESTION, "<document>", "</document>", false);
    expect_whole(QUESTION "\n<file>\nint x = 1\n</file>\n");
    expect_whole(QUESTION "\n```\nint x = 1\n```\n");
}

Test(spoken, a_file_that_is_the_question_stays_without_the_notes)
{
    char text[4096], wanted[4096];
    snprintf(wanted, sizeof(wanted), "fix this\n```\n%0*d\n```", 1100, 7);
    snprintf(text, sizeof(text), "<system-reminder>x</system-reminder>\n%s\n", wanted);
    expect(text, wanted);
}

Test(spoken, what_people_write_stays)
{
    static const char *const texts[] = {
        "Why is this <div> not centred?\n<div>\n<p>a</p>\n</div>\n",
        "<document>\na long one\n</document>\nSummarise it.",
        "<context>\nfacts\n</context>\n<instructions>\nAnswer.\n</instructions>",
        "<my-widget>\n<slot></slot>\n</my-widget>\nWhy does it not render?",
        "<user-data>\n1\n</user-data>\n<todo-list>\n2\n</todo-list>\nParse that.",
        "What does <system-reminder> mean in Claude Code?",
        "Is <system-reminder>x</system-reminder> closed well?",
        "<system-reminder>\nnever closed. Why?",
        "if a < b and c > d then",
        "```xml\n<system-reminder>\nx\n</system-reminder>\n```\nWhat is that?",
        "1. this:\n   ```\n   <git_status>\n   x\n   </git_status>\n   ```\n",
        "# AGENTS.md instructions\nHow do I write them?",
        "<image>\nand what is in it\n</image>\n",
        "<system-reminder/>\n<br/>\n<>\n</>\n<",
        "",
        "\n\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect_whole(texts[i]);
}

Test(spoken, an_unclosed_fence_hides_nothing)
{
    expect("this ends in\n```\ncode\n<environment_details>\nx\n</environment_details>",
           "this ends in\n```\ncode");
}

Test(spoken, many_tags_without_an_end_are_text)
{
    const size_t count = 100000, len = strlen("<git_status>\n");
    char *text = malloc(count * len + 1);
    cr_assert(text);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * len, "<git_status>\n", len);
    text[count * len] = '\0';
    expect_whole(text);
    free(text);
}

/* The processor's time for a text of so many of the same: of two tries the shorter one, as others use the machine. */
static double cost(const char *piece, size_t count, const char *back)
{
    size_t len = strlen(piece), at = 0;
    char *text = malloc(count * len + strlen(back) + 1);
    double least = INFINITY;
    cr_assert(text);
    for (size_t i = 0; i < count; i++, at += len)
        memcpy(text + at, piece, len);
    strcpy(text + at, back);
    for (int try = 0; try < 2; try++) {
        clock_t begin = clock();
        (void)spoken(text);
        least = fmin(least, (double)(clock() - begin));
    }
    free(text);
    return least;
}

/* 125 KB that are made to be looked through again and again cost about four times what a quarter of them does; reading
 * all of it anew for each tag would cost sixteen times that, which is seconds. Not more, because AddressSanitizer
 * looks over the whole rest of a text whenever a mark is searched for in it. */
Test(spoken, no_text_is_read_again_and_again)
{
    static const struct {
        const char *piece, *back;
    } shapes[] = {
        {"<system-reminder>x</system-reminder>", ""},
        {"a<user_info>", "</user_info>"},
        {"a<user_query>", "</user_query>"},
        {"a<command_name><ide_opened_file>", "</command_name></ide_opened_file>"},
        {"<file>x</file>", ""},
        {"<image>", "</image>"},
        {"\n<image>", "</image>"},
        {"<", ""},
        {"```\n", ""},
        {"\n", ""},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        size_t count = 31250 / strlen(shapes[i].piece);
        double quarter = cost(shapes[i].piece, count, shapes[i].back);
        double whole = cost(shapes[i].piece, 4 * count, shapes[i].back);
        cr_expect_lt(whole, 10 * quarter + CLOCKS_PER_SEC / 50, "shape %zu: %f beside %f", i,
                     whole / CLOCKS_PER_SEC, quarter / CLOCKS_PER_SEC);
    }
}

Test(spoken, without_memory_for_what_remains)
{
    struct arena *small = arena_create(64);
    struct error err = {0};
    struct str said = STR("as it was");
    char text[70000];
    memset(text, 'x', sizeof(text));
    memcpy(text, "<system-reminder>\nx\n</system-reminder>\n", 39);
    enum status status = spoken_text((struct str){text, sizeof(text)}, small, &said, &err);
    cr_expect_eq(status, ERR_MEMORY);
    cr_expect(str_equal(said, STR("as it was")));
    arena_free(small);
}
