/* A generator's reply, item by item: what is valid is kept in its order, everything else is counted under one reason,
 * whatever the JSON is wrapped in. */
#include "pose/generator_reply.h"

#include "pose/generator_item.h"
#include "posing.h"

struct read {
    struct arena *arena;
    struct question_list list;
    struct drop_counts dropped;
    struct told told;
};

static struct read *read_reply(const char *reply, const struct generator_want *want)
{
    struct read *r = calloc(1, sizeof(*r));
    struct drop_sink sink = {&r->told, told_drop};
    struct generator_want any = {.kinds = POSED_COMPARABLE, .items = 5, .level = 3};
    struct error err;
    r->arena = test_arena();
    cr_assert_eq(generator_reply_read(str_from(reply), want ? want : &any, r->arena, &sink,
                                      &r->list, &r->dropped, &err),
                 OK, "%s", err.text);
    cr_assert_eq(r->told.count, drop_counts_sum(&r->dropped));
    return r;
}

static void done(struct read *r)
{
    arena_free(r->arena);
    free(r);
}

#define GOOD                                                                                       \
    "{\"question\":\"Which planet is the "                                                         \
    "largest?\",\"kind\":\"choice\",\"choices\":[\"Mars\",\"Jupiter\"],"                           \
    "\"reference\":\"B\",\"rationale\":\"By mass.\",\"domain\":\"astronomy\",\"difficulty\":1}"
#define NUMBER "{\"question\":\"What is 6 * 7?\",\"kind\":\"number\",\"reference\":42}"

static void assert_kept(const char *reply, size_t kept, size_t dropped)
{
    struct read *r = read_reply(reply, NULL);
    cr_assert_eq(r->list.count, kept, "%zu kept of: %s", r->list.count, reply);
    cr_assert_eq(r->told.count, dropped, "%zu dropped of: %s", r->told.count, reply);
    done(r);
}

Test(generator_reply, fields)
{
    struct read *r = read_reply("[" GOOD "," NUMBER "]", NULL);
    cr_assert_eq(r->list.count, 2);
    const struct posed *p = r->list.items;
    cr_assert(
        str_equal(p[0].query.prompt, STR("Which planet is the largest?\nA. Mars\nB. Jupiter")));
    cr_assert(str_equal(p[0].query.answer, STR("B")));
    cr_assert(str_equal(p[0].query.domain, STR("astronomy")));
    cr_assert(str_equal(p[0].rationale, STR("By mass.")));
    cr_assert_eq(p[0].level, 1);
    cr_assert_eq(p[0].kind, POSED_CHOICE);
    cr_assert_eq(p[0].source, POSED_GENERATED);
    cr_assert_eq(p[1].kind, POSED_NUMBER);
    cr_assert_eq(p[1].level, 3, "as wanted where it does not say");
    cr_assert(str_equal(p[1].query.answer, STR("42")));
    done(r);
}

Test(generator_reply, whatever_it_is_wrapped_in)
{
    assert_kept("[" GOOD "," NUMBER "]", 2, 0);
    assert_kept("```json\n[\n" GOOD ",\n" NUMBER "\n]\n```", 2, 0);
    assert_kept("Here are {two} questions with \\frac{1}{2}:\n" GOOD "\n" NUMBER
                "\nI hope {this} helps!",
                2, 0);
    assert_kept("{\"questions\": [" GOOD "," NUMBER "]}", 2, 0);
    assert_kept("{\"a\":{\"b\":[" GOOD "]},\"c\":[" NUMBER "]}", 2, 0);
    assert_kept("<think>{\"question\":\"no\"}</think>\n" GOOD, 1, 0);
    assert_kept("{\"questions\": [" GOOD "," NUMBER ",{\"question\": \"Cut o", 2, 1);
}

Test(generator_reply, backslashes_that_were_not_doubled)
{
    struct read *r = read_reply("[{\"question\":\"What is \\( \\frac{1}{2} \\times \\sqrt{4} "
                                "\\)?\",\"reference\":1}," NUMBER "]",
                                NULL);
    cr_assert_eq(r->list.count, 2);
    cr_assert(str_equal(r->list.items[0].query.text,
                        STR("What is \\( \\frac{1}{2} \\times \\sqrt{4} \\)?")));
    done(r);
}

Test(generator_reply, every_broken_item_is_counted)
{
    assert_kept("I cannot do that.", 0, 1);
    assert_kept("", 0, 1);
    assert_kept("[" GOOD ",{\"question\":\"no comma\" \"reference\":4}," NUMBER "]", 2, 1);
    assert_kept("[" GOOD ",{\"question\":\"a 5\" screen\",\"reference\":4}," NUMBER "]", 2, 1);
    assert_kept("[" GOOD ",{\"title\":\"nothing\"},{}]", 1, 2);
}

static void assert_reason(const char *item, enum drop_reason reason)
{
    struct read *r = read_reply(item, NULL);
    cr_assert_eq(r->list.count, 0, "kept: %s", item);
    cr_assert_eq(r->told.count, 1, "%zu dropped: %s", r->told.count, item);
    cr_assert_eq(r->told.reasons[0], reason, "%s: %s", drop_reason_name(r->told.reasons[0]), item);
    done(r);
}

Test(generator_reply, reasons)
{
    assert_reason("{\"reference\":\"4\"}", DROP_FIELD_MISSING);
    assert_reason("{\"question\":\"\",\"reference\":\"4\"}", DROP_FIELD_MISSING);
    assert_reason("{\"question\":\"What is 2 + 2?\"}", DROP_FIELD_MISSING);
    assert_reason("{\"question\":\"What?\",\"kind\":\"choice\",\"reference\":\"A\"}",
                  DROP_FIELD_MISSING);
    assert_reason("{\"question\":[1],\"reference\":\"A\"}", DROP_FIELD_WRONG);
    assert_reason("{\"question\":\"What?\",\"reference\":[\"A\"]}", DROP_FIELD_WRONG);
    assert_reason("{\"question\":\"What?\",\"kind\":\"haiku\",\"reference\":\"A\"}",
                  DROP_FIELD_WRONG);
    assert_reason("{\"question\":\"Why?\",\"kind\":\"open\",\"reference\":\"Because.\"}",
                  DROP_FIELD_WRONG);
    assert_reason("{\"question\":\"Which?\",\"choices\":[\"x\"],\"reference\":\"A\"}",
                  DROP_CHOICES);
    assert_reason("{\"question\":\"Which?\",\"choices\":[\"x\",\"\"],\"reference\":\"A\"}",
                  DROP_CHOICES);
    assert_reason("{\"question\":\"Which?\",\"choices\":[\"x\",\"x\"],\"reference\":\"A\"}",
                  DROP_CHOICES);
    assert_reason("{\"question\":\"Which?\",\"choices\":[\"x\",\"y\"],\"reference\":\"C\"}",
                  DROP_NOT_A_CHOICE);
    assert_reason("{\"question\":\"How many?\",\"kind\":\"number\",\"reference\":\"some\"}",
                  DROP_NO_NUMBER);
}

Test(generator_reply, given_away)
{
    assert_reason("{\"question\":\"What is 6 * 7? The answer is "
                  "42.\",\"kind\":\"number\",\"reference\":\"42\"}",
                  DROP_GIVEN_AWAY);
    assert_reason(
        "{\"question\":\"Which language did Python's author write Python in?\",\"kind\":\"short\","
        "\"reference\":\"python\"}",
        DROP_GIVEN_AWAY);
    assert_reason(
        "{\"question\":\"Which?\",\"choices\":[\"x\",\"y (correct)\"],\"reference\":\"B\"}",
        DROP_GIVEN_AWAY);
    assert_kept(
        "{\"question\":\"Is Paris or London larger?\",\"kind\":\"short\",\"reference\":\"London\"}",
        1, 0);
    assert_kept("{\"question\":\"A pythonic word?\",\"kind\":\"short\",\"reference\":\"python\"}",
                1, 0);
    assert_kept("{\"question\":\"What is 0 + 7 - 0?\",\"kind\":\"number\",\"reference\":\"7\"}", 1,
                0);
}

static void assert_too_long(const char *before, size_t bytes, const char *after)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_add_c(&b, before);
    for (size_t i = 0; i < bytes; i++)
        buf_add_char(&b, 'x');
    buf_add_c(&b, after);
    struct read *r = read_reply(b.ptr, NULL);
    cr_assert_eq(r->dropped.of[DROP_TOO_LONG], 1);
    cr_assert_eq(r->told.count, 1);
    done(r);
    buf_done(&b);
}

Test(generator_reply, too_long)
{
    assert_too_long("{\"question\":\"", POSED_TEXT_BYTES_MAX + 1, "\",\"reference\":\"4\"}");
    assert_too_long("{\"question\":\"Which?\",\"reference\":\"A\",\"choices\":[\"a\",\"",
                    POSED_CHOICE_BYTES_MAX + 1, "\"]}");
    assert_too_long("{\"question\":\"Which?\",\"kind\":\"short\",\"reference\":\"",
                    POSED_ANSWER_BYTES_MAX + 1, "\"}");
}

Test(generator_reply, the_domain_asked_for_counts)
{
    struct generator_want want = {.kinds = POSED_COMPARABLE, .items = 1, .domain = STR("physics")};
    struct read *r = read_reply(GOOD, &want);
    cr_assert(str_equal(r->list.items[0].query.domain, STR("physics")));
    done(r);
}

Test(generator_reply, no_more_than_its_limits)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 300; i++)
        buf_add_c(&b, NUMBER);
    struct read *r = read_reply(b.ptr, NULL);
    cr_assert_eq(r->list.count, GENERATOR_REPLY_ITEMS_MAX);
    done(r);
    buf_clear(&b);
    for (int i = 0; i < 200000; i++) /* opened GENERATOR_DESCENTS_MAX times, not 200,000 */
        buf_add_c(&b, "{\"");
    r = read_reply(b.ptr, NULL);
    cr_assert_eq(r->list.count, 0);
    cr_assert_eq(r->told.count, 1);
    done(r);
    buf_done(&b);
}
