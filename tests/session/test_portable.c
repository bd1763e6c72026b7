/* What goes from a history that another expert made, and what stays. */
#include "session/portable.h"

#include <criterion/criterion.h>
#include <string.h>

static struct sessions *table;
static struct arena *arena;
static struct session session = {.tenant = 1, .root = 2, .learns = true, .in_turn = true};
static const struct expert a = {.name = {"a", 1}}, b = {.name = {"b", 1}},
                           gemini = {.name = {"g", 1}, .upstream_model = {"gemini-3-pro", 12}};

static void learn(const struct expert *e, const char *made)
{
    struct json_value root;
    cr_assert_eq(json_parse(str_from(made), "made", 1, &root, NULL), OK);
    session_learn(table, &session, e, root, 0, 1000);
}

static void setup(void)
{
    arena = arena_create(1 << 20);
    cr_assert_eq(sessions_create(&table, NULL), OK);
    learn(&a, "{\"content\":[{\"type\":\"thinking\",\"signature\":\"of a\"},{\"type\":\"tool_use\","
              "\"id\":\"call a\"}]}");
    learn(&b, "{\"content\":[{\"type\":\"thinking\",\"signature\":\"of b\"},{\"type\":\"tool_use\","
              "\"id\":\"call b\"}]}");
}

static void teardown(void)
{
    sessions_free(table);
    arena_free(arena);
}

TestSuite(portable, .init = setup, .fini = teardown);

static struct str port(const struct expert *e, bool steps_in, const char *body)
{
    struct str ret;
    struct error err = {0};
    struct json_value root;
    cr_assert_eq(
        session_portable(table, &session, e, steps_in, str_from(body), 0, arena, &ret, &err), OK,
        "%s", err.text);
    cr_assert_eq(json_parse(ret, "portable", 1, &root, &err), OK, "%s in %.*s", err.text,
                 STR_FMT(ret));
    return ret;
}

static void expect(const struct expert *e, bool steps_in, const char *body, const char *wanted)
{
    struct str ret = port(e, steps_in, body);
    cr_expect(str_equal(ret, str_from(wanted)), "gave   %.*s\nwanted %s", STR_FMT(ret), wanted);
    if (!strcmp(body, wanted))
        cr_expect_eq(ret.ptr, body, "was copied");
}

#define SAID(members) "{\"messages\":[{\"role\":\"assistant\"," members "}]}"

Test(portable, state_goes_to_its_maker_alone)
{
    static const char with[] =
        SAID("\"thinking_blocks\":[{\"signature\":\"of a\"}],\"content\":\"x\"");
    expect(&a, false, with, with);
    expect(&b, false, with, SAID("\"content\":\"x\""));
    expect(&a, true, with, with);
}

Test(portable, commas_are_mended)
{
#define T "\"thinking_blocks\":[{\"signature\":\"of a\"}]"
#define R "\"reasoning_details\":[{\"data\":\"x\"}]"
    expect(&b, false, SAID("\"content\":\"x\" , " T), SAID("\"content\":\"x\""));
    expect(&b, false, SAID(T "," R ",\"content\":\"x\""), SAID("\"content\":\"x\""));
    expect(&b, false, SAID("\"content\":\"x\"," T "," R), SAID("\"content\":\"x\""));
    expect(&b, false, SAID("\"content\":\"x\"," T ",\"name\":\"n\"," R ",\"audio\":null"),
           SAID("\"content\":\"x\",\"name\":\"n\",\"audio\":null"));
}

Test(portable, blocks_of_messages)
{
#define THINKS "{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"of a\"}"
#define HIDES  "{\"type\":\"redacted_thinking\",\"data\":\"?\"}"
#define TEXT   "{\"type\":\"text\",\"text\":\"x\"}"
#define CALLS  "{\"type\":\"tool_use\",\"id\":\"call a\"}"
    expect(&b, false, SAID("\"content\":[" THINKS "," TEXT "," CALLS "]"),
           SAID("\"content\":[" TEXT "," CALLS "]"));
    expect(
        &b, false,
        SAID("\"content\":[" THINKS "," HIDES "," TEXT "," HIDES "," CALLS "," HIDES "," HIDES "]"),
        SAID("\"content\":[" TEXT "," CALLS "]"));
    expect(&b, false,
           "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\","
           "\"content\":[" THINKS "]},{\"role\":\"user\",\"content\":\"r\"}]}",
           "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"user\",\"content\":"
           "\"r\"}]}");
}

Test(portable, what_is_not_known_goes_by_the_calls_and_else_with_whoever_steps_in)
{
#define HIDDEN(id) SAID("\"content\":[" HIDES ",{\"type\":\"tool_use\",\"id\":\"" id "\"}]")
#define SHOWN(id)  SAID("\"content\":[{\"type\":\"tool_use\",\"id\":\"" id "\"}]")
    expect(&a, false, HIDDEN("call a"), HIDDEN("call a"));
    expect(&b, false, HIDDEN("call a"), SHOWN("call a"));
    expect(&b, false, HIDDEN("nobody's"), HIDDEN("nobody's"));
    expect(&b, true, HIDDEN("nobody's"), SHOWN("nobody's"));
    expect(&b, true, HIDDEN("call b"), HIDDEN("call b"));
}

Test(portable, amid_a_known_turn_what_is_not_known_goes)
{
    session.maker = 1;
    expect(&b, false, HIDDEN("nobody's"), SHOWN("nobody's"));
    expect(&b, false, HIDDEN("call b"), HIDDEN("call b"));
    session.maker = 0;
}

Test(portable, each_message_by_itself)
{
#define MESSAGE(sig) "{\"role\":\"assistant\",\"thinking_blocks\":[{\"signature\":\"" sig "\"}]}"
    expect(&b, false, "{\"messages\":[" MESSAGE("of a") "," MESSAGE("of b") "]}",
           "{\"messages\":[{\"role\":\"assistant\"}," MESSAGE("of b") "]}");
}

Test(portable, geminis_signatures)
{
#define EXTRA "\"extra_content\":{\"google\":{\"thought_signature\":\"of a\"}}"
#define NONE                                                                                       \
    "\"extra_content\":{\"google\":{\"thought_signature\":\"skip_thought_signature_validator\"}}"
#define ONE(more) "\"tool_calls\":[{\"id\":\"call a\"" more "}]"
#define BOTH(one) "\"tool_calls\":[{\"id\":\"call a\"" one "},{\"id\":\"two\"}]"
    expect(&b, false, SAID(ONE("," EXTRA)), SAID(ONE("")));
    expect(&b, false, SAID("\"tool_calls\":[{" EXTRA ",\"id\":\"call a\"}]"), SAID(ONE("")));
    expect(&b, false, SAID(EXTRA ",\"content\":\"x\""), SAID("\"content\":\"x\""));
    expect(&gemini, false, SAID(BOTH("")), SAID(BOTH("," NONE)));
    expect(&gemini, false, SAID(BOTH("," EXTRA)), SAID(BOTH("," NONE)));
    expect(&gemini, false, SAID("\"tool_calls\":[{\"id\":\"nobody's\"}]"),
           SAID("\"tool_calls\":[{\"id\":\"nobody's\"}]"));
}

Test(portable, thinking_is_off_where_the_turn_has_lost_its_own)
{
#define ON    "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}"
#define EDITS "\"context_management\":{\"edits\":[{\"type\":\"clear_thinking_20251015\"}]}"
#define TURN(of)                                                                                   \
    "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"signature\":"     \
    "\"" of "\"}," CALLS "]}]"
#define LOST "\"messages\":[{\"role\":\"assistant\",\"content\":[" CALLS "]}]"
    expect(&b, false, "{" ON "," TURN("of a") "," EDITS "}",
           "{\"thinking\":{\"type\":\"disabled\"}," LOST "}");
    expect(&b, false, "{" EDITS "," TURN("of a") "," ON "}",
           "{" LOST ",\"thinking\":{\"type\":\"disabled\"}}");
    expect(&b, false, "{\"thinking\":{\"type\":\"adaptive\"}," TURN("of a") "}",
           "{\"thinking\":{\"type\":\"adaptive\"}," LOST "}");
    expect(&a, false, "{" ON "," TURN("of a") "," EDITS "}", "{" ON "," TURN("of a") "," EDITS "}");
}

Test(portable, thinking_is_off_amid_a_turn_that_another_began_without)
{
#define PLAIN(id)                                                                                  \
    "\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"" id       \
    "\"}]}]"
    expect(&b, false, "{" ON "," PLAIN("call a") "}",
           "{\"thinking\":{\"type\":\"disabled\"}," PLAIN("call a") "}");
    expect(&a, false, "{" ON "," PLAIN("call a") "}", "{" ON "," PLAIN("call a") "}");
    expect(&b, true, "{" ON "," PLAIN("nobody's") "}",
           "{\"thinking\":{\"type\":\"disabled\"}," PLAIN("nobody's") "}");
}

Test(portable, a_chat_is_read_anew)
{
    static const char body[] =
        "{\"model\":\"leeroo\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"},"
        "{\"role\":\"assistant\",\"content\":\"x\",\"thinking_blocks\":[{\"signature\":\"of a\"}]},"
        "{\"role\":\"user\",\"content\":\"why\"}]}";
    struct openai_request r;
    const struct openai_request *out = NULL;
    struct error err = {0};
    cr_assert_eq(openai_request_parse(str_from(body), true, arena, &r, NULL, &err), OK);
    cr_assert_eq(session_portable_chat(table, &session, &a, false, &r, 0, arena, &out, &err), OK);
    cr_expect_eq(out, &r);
    cr_assert_eq(session_portable_chat(table, &session, &b, false, &r, 0, arena, &out, &err), OK);
    cr_expect_neq(out, &r);
    cr_expect_eq(out->message_count, 3);
    cr_expect_eq(str_find(out->root.raw, STR("of a"), 0), SIZE_MAX);
}

Test(portable, without_memory)
{
    struct arena *small = arena_create(16);
    struct str ret = STR("as it was");
    struct error err = {0};
    static const char body[] = SAID("\"thinking_blocks\":[{\"signature\":\"of a\"}]");
    cr_expect_eq(session_portable(table, &session, &b, false, str_from(body), 0, small, &ret, &err),
                 ERR_MEMORY);
    cr_expect(str_equal(ret, STR("as it was")));
    arena_free(small);
}
