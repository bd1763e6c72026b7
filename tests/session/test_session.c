/* Whose turn it is: by what was made, by the session, among tenants, for a time, and from many threads. */
#include "session/session.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define TTL_MS 1000
#define TOOLS  "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],"

static struct sessions *table;
static struct arena *arena;
static const struct expert experts[] = {
    {.name = {"a", 1}, .dialect = &dialect_openai},
    {.name = {"b", 1}, .dialect = &dialect_openai},
    {.name = {"b", 1}, .url = {"elsewhere", 9}, .dialect = &dialect_openai},
};
enum { A, B, OTHER_B, EXPERTS };

static void setup(void)
{
    arena = arena_create(64 << 20);
    cr_assert_eq(sessions_create(&table, NULL), OK);
}

static void teardown(void)
{
    sessions_free(table);
    arena_free(arena);
}

TestSuite(session, .init = setup, .fini = teardown);

static struct session read_as(const char *body, const char *name, uint64_t tenant, uint64_t now_ms)
{
    struct openai_request r;
    struct session s;
    struct error err = {0};
    struct str copy = arena_copy(arena, str_from(body));
    cr_assert_eq(openai_request_parse(copy, true, arena, &r, NULL, &err), OK, "%s", err.text);
    session_read(table, &r, str_from(name), tenant, now_ms, arena, &s);
    return s;
}

static struct session read_body(const char *body)
{
    return read_as(body, "", 1, 0);
}

static void learn(const struct session *s, size_t expert, const char *made)
{
    struct json_value root;
    cr_assert_eq(json_parse(str_from(made), "made", 1, &root, NULL), OK);
    session_learn(table, s, &experts[expert], root, 0, TTL_MS);
}

static size_t holder(struct session s)
{
    return session_holder(&s, experts, EXPERTS);
}

#define USER(text)     "{\"role\":\"user\",\"content\":\"" text "\"}"
#define CALLS(id)      "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"" id "\"}]}"
#define RESULT         "{\"role\":\"tool\",\"content\":\"x\"}"
#define CHAT(messages) "{\"model\":\"leeroo\"," TOOLS "\"messages\":[" messages "]}"
#define MADE(id)       "{\"choices\":[{\"message\":" CALLS(id) "}]}"
#define TURN(q, id)    CHAT(USER(q) "," CALLS(id) "," RESULT)

Test(session, a_turn_is_known_by_its_calls)
{
    struct session first = read_body(CHAT(USER("q")));
    cr_expect(first.learns);
    cr_expect_not(first.in_turn);
    cr_expect_eq(holder(first), SIZE_MAX);
    learn(&first, B, MADE("call_1"));
    cr_expect_eq(holder(read_body(TURN("q", "call_1"))), B);
    cr_expect_eq(holder(read_body(TURN("q", "call_2"))), SIZE_MAX, "not made by anybody");
    cr_expect_eq(holder(read_body(TURN("another", "call_1"))), SIZE_MAX, "not this conversation's");
    struct session next =
        read_body(CHAT(USER("q") "," CALLS("call_1") "," RESULT ",{\"role\":\"assistant\","
                                                     "\"content\":\"done\"}," USER("q")));
    cr_expect_not(next.in_turn);
    cr_expect_not(session_is_held(&next));
}

Test(session, calls_without_ids_are_known_by_their_names)
{
#define NAMED                                                                                      \
    "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"\",\"function\":{\"name\":\"f\"}}]}"
#define OLD "{\"role\":\"assistant\",\"function_call\":{\"name\":\"f\"}}"
    struct session s = read_body(CHAT(USER("q")));
    learn(&s, B, "{\"choices\":[{\"message\":" NAMED "}]}");
    cr_expect_eq(holder(read_body(CHAT(USER("q") "," NAMED "," RESULT))), B);
    cr_expect_eq(holder(read_body(CHAT(USER("other") "," NAMED "," RESULT))), SIZE_MAX);
    learn(&s, A, "{\"choices\":[{\"delta\":" OLD "}]}");
    cr_expect_eq(holder(read_body(CHAT(USER("q") "," OLD "," RESULT))), A);
}

Test(session, in_a_stream_and_in_messages_words)
{
    struct session s = read_body(CHAT(USER("q")));
    learn(&s, A, "{\"choices\":[{\"delta\":" CALLS("c1") "}]}");
    cr_expect_eq(holder(read_body(TURN("q", "c1"))), A);
    learn(&s, B,
          "{\"type\":\"content_block_start\",\"content_block\":{\"type\":\"tool_use\","
          "\"id\":\"t1\"}}");
    cr_expect_eq(holder(read_body(TURN("q", "t1"))), B);
    learn(&s, A,
          "{\"content\":[{\"type\":\"text\",\"text\":\"\"},{\"type\":\"tool_use\","
          "\"id\":\"t2\"}]}");
    cr_expect_eq(holder(read_body(TURN("q", "t2"))), A);
}

Test(session, tenants_know_nothing_of_each_other)
{
    struct session s = read_body(CHAT(USER("q")));
    learn(&s, B, MADE("call_1"));
    cr_expect_eq(holder(read_as(TURN("q", "call_1"), "", 1, 0)), B);
    cr_expect_eq(holder(read_as(TURN("q", "call_1"), "", 2, 0)), SIZE_MAX);
}

Test(session, for_a_time)
{
    struct session s = read_body(CHAT(USER("q")));
    learn(&s, B, MADE("call_1"));
    cr_expect_eq(holder(read_as(TURN("q", "call_1"), "", 1, TTL_MS - 1)), B);
    cr_expect_eq(holder(read_as(TURN("q", "call_1"), "", 1, TTL_MS)), SIZE_MAX);
}

Test(session, renumbered_calls_are_known_by_the_session_and_the_first_message)
{
    struct session one = read_as(CHAT(USER("one")), "s", 1, 0);
    struct session two = read_as(CHAT(USER("two")), "s", 1, 0);
    learn(&one, A, MADE("call_1"));
    learn(&two, B, MADE("call_1"));
    cr_expect_eq(holder(read_as(TURN("one", "new"), "s", 1, 0)), A);
    cr_expect_eq(holder(read_as(TURN("two", "new"), "s", 1, 0)), B);
    cr_expect_eq(holder(read_as(TURN("one", "call_1"), "s", 1, 0)), A);
    cr_expect_eq(holder(read_as(TURN("one", "new"), "other", 1, 0)), SIZE_MAX);
    cr_expect_eq(holder(read_as(TURN("one", "new"), "", 1, 0)), SIZE_MAX);
}

Test(session, calls_with_the_same_id_are_told_apart_by_the_session_and_all_that_was_said_first)
{
#define ENVIRONMENT USER("<environment_context>/w</environment_context>") ","
    struct session one = read_body(CHAT(ENVIRONMENT USER("one")));
    struct session two = read_body(CHAT(ENVIRONMENT USER("two")));
    learn(&one, A, MADE("call_0"));
    learn(&two, B, MADE("call_0"));
    cr_expect_eq(holder(read_body(CHAT(ENVIRONMENT USER("one") "," CALLS("call_0") "," RESULT))),
                 A);
    struct session left = read_as(CHAT(USER("q")), "left", 1, 0);
    struct session right = read_as(CHAT(USER("q")), "right", 1, 0);
    learn(&left, A, MADE("call_0"));
    learn(&right, B, MADE("call_0"));
    cr_expect_eq(holder(read_as(TURN("q", "call_0"), "left", 1, 0)), A);
    cr_expect_eq(holder(read_as(TURN("q", "call_0"), "right", 1, 0)), B);
}

Test(session, a_history_that_was_shortened_is_known_by_the_session)
{
    struct session s = read_as(CHAT(USER("q")), "s", 1, 0);
    learn(&s, B, MADE("call_1"));
    cr_expect_eq(holder(read_as(TURN("a summary", "call_1"), "s", 1, 0)), B);
    cr_expect_eq(holder(read_as(TURN("a summary", "call_1"), "other", 1, 0)), SIZE_MAX);
}

Test(session, the_body_may_name_it)
{
    static const char *const members[] = {"\"prompt_cache_key\":\"s\",", "\"user\":\"s\",",
                                          "\"metadata\":{\"user_id\":\"s\"},"};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        char body[512];
        snprintf(body, sizeof(body), "{%s%s", members[i], &CHAT(USER("q"))[1]);
        struct session s = read_body(body);
        cr_expect_neq(s.named, 0, "%s", members[i]);
        learn(&s, B, MADE("call_1"));
        snprintf(body, sizeof(body), "{%s%s", members[i], &TURN("q", "new")[1]);
        cr_expect_eq(holder(read_body(body)), B, "%s", members[i]);
    }
}

Test(session, marks_of_what_to_cache_do_not_count)
{
#define PART(mark) "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"q\"" mark "}]}"
    struct session s = read_body(CHAT(PART(",\"cache_control\":{\"type\":\"ephemeral\"}")));
    learn(&s, B, MADE("call_1"));
    cr_expect_eq(holder(read_body(CHAT(PART("") "," CALLS("call_1") "," RESULT))), B);
}

Test(session, an_expert_is_what_it_is_upstream)
{
    struct session s = read_body(CHAT(USER("q")));
    learn(&s, OTHER_B, MADE("call_1"));
    struct session next = read_body(TURN("q", "call_1"));
    cr_expect_eq(session_holder(&next, experts, EXPERTS), OTHER_B);
    cr_expect_eq(session_holder(&next, experts, 2), SIZE_MAX, "gone from the configuration");
    cr_expect(session_is_held(&next));
}

Test(session, the_history_may_name_its_maker_itself)
{
    struct session s = read_body(
        CHAT(USER("q") ",{\"role\":\"assistant\",\"reasoning_content\":\"hm\",\"reasoning_origin\":"
                       "\"b\",\"tool_calls\":[{\"id\":\"c\"}]}," RESULT));
    cr_expect_eq(holder(s), B);
}

Test(session, an_answer_to_be_continued_is_a_turn)
{
    cr_expect(read_body("{\"model\":\"leeroo\",\"messages\":[" USER("q") ",{\"role\":\"assistant\","
                                                                         "\"content\":\"I\"}]}")
                  .in_turn);
}

Test(session, a_plain_question_costs_nothing)
{
    static const char body[] = "{\"model\":\"leeroo\",\"messages\":[" USER("q") "]}";
    struct openai_request r;
    cr_assert_eq(openai_request_parse(str_from(body), true, arena, &r, NULL, NULL), OK);
    cr_expect_not(session_is_worth_it(&r));
    struct session s = read_body(body);
    cr_expect_not(s.learns);
    learn(&s, B, MADE("call_1"));
    cr_expect_eq(holder(read_body(TURN("q", "call_1"))), SIZE_MAX);
}

Test(session, state_is_known_by_itself)
{
    struct json_value text;
    struct session s = read_body(CHAT(USER("q")));
    cr_assert_eq(json_parse(STR("\"signed\""), "text", 1, &text, NULL), OK);
    static const char *const made[] = {
        "{\"choices\":[{\"message\":{\"thinking_blocks\":[{\"signature\":\"signed\"}]}}]}",
        "{\"choices\":[{\"delta\":{\"reasoning_details\":[{\"data\":\"signed\"}]}}]}",
        "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"extra_content\":{\"google\":"
        "{\"thought_signature\":\"signed\"}}}]}}]}",
        "{\"choices\":[{\"message\":{\"extra_content\":{\"google\":"
        "{\"thought_signature\":\"signed\"}}}}]}",
        "{\"content\":[{\"type\":\"redacted_thinking\",\"data\":\"signed\"}]}",
        "{\"type\":\"content_block_delta\",\"delta\":{\"signature\":\"signed\"}}",
    };
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        teardown();
        setup();
        cr_expect_eq(session_state_maker(table, &s, text, 0), 0);
        learn(&s, A, made[i]);
        cr_expect_neq(session_state_maker(table, &s, text, 0), 0, "%s", made[i]);
        cr_expect(read_body(TURN("q", "new")).has_state, "%s", made[i]);
    }
}

Test(session, the_oldest_go)
{
    char made[128];
    struct session s = read_body(CHAT(USER("q")));
    learn(&s, B, MADE("first"));
    for (size_t i = 0; i < 4 * SESSION_ENTRIES; i++) {
        snprintf(made, sizeof(made), MADE("%zu"), i);
        struct json_value root;
        cr_assert_eq(json_parse(str_from(made), "made", 1, &root, NULL), OK);
        session_learn(table, &s, &experts[A], root, 1 + i, TTL_MS);
    }
    cr_expect_eq(holder(read_body(TURN("q", "first"))), SIZE_MAX);
    cr_expect_eq(holder(read_body(TURN("q", "524287"))), A);
}

static void *work(void *arg)
{
    const struct session *s = arg;
    char made[128];
    for (size_t i = 0; i < 20000; i++) {
        struct json_value root;
        snprintf(made, sizeof(made), MADE("%zu"), i);
        if (json_parse(str_from(made), "made", 1, &root, NULL) == OK)
            session_learn(table, s, &experts[i % 2], root, i, TTL_MS);
    }
    return NULL;
}

Test(session, from_many_threads)
{
    pthread_t threads[4];
    struct session s = read_body(CHAT(USER("q")));
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, work, &s), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(holder(read_as(TURN("q", "19999"), "", 1, 19999)), B);
}
