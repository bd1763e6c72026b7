/* Which messages ask, and which hold a client's notes alone. */
#include "route/question_turns.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define SAYS(role, text) "{\"role\":\"" role "\",\"content\":\"" text "\"}"
#define USER(text)       SAYS("user", text)
#define ANSWER           SAYS("assistant", "42")
#define NOTE             "<system-reminder>\\nread the file first\\n</system-reminder>"
#define QUESTION         "prove lemma tensor with all nine steps of the usual induction"

static struct arena *arena;
static struct openai_request request;
static struct turn turns[TURNS_MAX];
static size_t count;
static struct str question;

static void find(const char *messages)
{
    struct error err = {0};
    char body[4096];
    snprintf(body, sizeof(body), "{\"model\":\"leeroo\",\"messages\":[%s]}", messages);
    arena_free(arena);
    arena = arena_create(1 << 20);
    struct str copy = arena_copy(arena, str_from(body));
    cr_assert_eq(openai_request_parse(copy, true, arena, &request, NULL, &err), OK, "%s", err.text);
    cr_assert_eq(turns_find(&request, arena, turns, &count, &question, &err), OK, "%s", err.text);
}

static void end(void)
{
    arena_free(arena);
    arena = NULL;
}

TestSuite(question_turns, .fini = end);

static void expect_turn(size_t i, const char *text, double share)
{
    cr_assert_lt(i, count);
    cr_expect(str_equal(turns[i].text, str_from(text)), "%.*s", STR_FMT(turns[i].text));
    cr_expect_float_eq(turns[i].share, share, 1e-9, "%g", turns[i].share);
}

Test(question_turns, a_text_without_notes_is_the_clients_own)
{
    find(USER(QUESTION));
    expect_turn(0, QUESTION, 1);
    cr_expect_eq(turns[0].text.ptr, request.query.ptr);
    cr_expect_eq(question.ptr, request.query.ptr);
}

Test(question_turns, notes_in_the_message_are_not_asked)
{
    find(USER(NOTE "\\n" QUESTION));
    expect_turn(0, QUESTION, 1);
    cr_expect(str_equal(question, STR(QUESTION)));
    find("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"" NOTE "\"},"
         "{\"type\":\"text\",\"text\":\"" QUESTION "\"},{\"type\":\"text\",\"text\":\"" NOTE
         "\"}]}");
    cr_expect_eq(count, 1);
    expect_turn(0, QUESTION, 1);
}

Test(question_turns, messages_of_notes_alone_are_none)
{
    find(USER(QUESTION) "," ANSWER "," USER(NOTE));
    cr_expect_eq(count, 1);
    expect_turn(0, QUESTION, 1);
    find(USER(QUESTION) "," ANSWER "," USER("why?") "," ANSWER "," USER(NOTE) "," USER(NOTE));
    cr_expect_eq(count, 1);
    expect_turn(0, QUESTION, 1);
    find(USER(NOTE) "," USER("why?"));
    expect_turn(0, "why?", 1);
}

Test(question_turns, however_many_notes_come_last)
{
    find(USER("cat dog") "," USER(QUESTION) "," ANSWER "," USER(NOTE) "," USER(NOTE) "," USER(
        NOTE) "," USER(NOTE) "," USER(NOTE));
    cr_expect_eq(count, 1);
    expect_turn(0, QUESTION, 1);
}

Test(question_turns, nothing_but_notes_counts_as_it_is)
{
    find(USER(NOTE) "," USER(NOTE));
    expect_turn(0, "<system-reminder>\nread the file first\n</system-reminder>", 1);
    cr_expect_eq(question.ptr, request.query.ptr);
}

Test(question_turns, what_refers_back_has_its_share)
{
    find(USER(QUESTION) "," ANSWER "," USER("why entropy?"));
    cr_expect_eq(count, 2);
    expect_turn(0, "why entropy?", 0.4);
    expect_turn(1, QUESTION, 0.6);
    cr_expect(str_equal(question, STR("why entropy?")));
}
