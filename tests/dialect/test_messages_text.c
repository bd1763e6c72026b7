/* Pieces of JSON on their way between chat and Messages. */
#include "dialect/messages_text.h"

#include "messages_testing.h"

static struct json_value value_of(const char *text)
{
    struct json_value v;
    cr_assert_eq(json_parse(str_from(text), "test", 1, &v, NULL), OK, "%s", text);
    return v;
}

static void expect_input(const char *arguments, enum status status, const char *want)
{
    struct buf out;
    buf_init(&out, 1024);
    cr_assert_eq(messages_write_input(&out, value_of(q(arguments))), status, "%s", arguments);
    expect_text(buf_str(&out), q(want));
    buf_done(&out);
}

Test(messages_text, arguments_become_an_object)
{
    expect_input("'{\\'a\\': 1.50e1}'", OK, "{'a': 1.50e1}");
    expect_input("' {} '", OK, "{}");
    expect_input("''", OK, "{}");
    expect_input("'\\n\\t'", OK, "{}");
    expect_input("null", OK, "{}");
    expect_input("{'a':1}", OK, "{'a':1}");
    expect_input("'[1]'", ERR_INPUT, "");
    expect_input("'{'", ERR_INPUT, "");
    expect_input("5", ERR_INPUT, "");
}

Test(messages_text, an_object_becomes_arguments)
{
    struct buf out;
    buf_init(&out, 1024);
    messages_write_arguments(&out, value_of(q("{'a':'\\n\\u00e9', 'b':1.0}")));
    expect_text(buf_str(&out), q("'{\\'a\\':\\'\\\\n\\\\u00e9\\', \\'b\\':1.0}'"));
    buf_clear(&out);
    messages_write_arguments(&out, (struct json_value){0});
    expect_text(buf_str(&out), q("'{}'"));
    buf_done(&out);
}

Test(messages_text, ids)
{
    struct buf out;
    buf_init(&out, 1024);
    messages_write_tool_id(&out, value_of(q("'aZ09_-.:\\u00e9'")));
    expect_text(buf_str(&out), q("'aZ09_-___u00e9'"));
    buf_done(&out);
}

Test(messages_text, members)
{
    static const char *const names[] = {"a", "b"};
    struct json_value f[2], other;
    struct json_value object = value_of(q("{'x':null,'a':1,'\\u0061':2,'y':3,'z':4}"));
    cr_assert_eq(messages_members_read(object, names, 2, f, &other), 3);
    expect_text(f[0].raw, "2");
    cr_assert_eq(f[1].type, JSON_NONE);
    expect_text(other.raw, q("'y'"));
    cr_assert_eq(messages_members_read(value_of("[1]"), names, 2, f, NULL), 0);
    cr_assert_eq(f[0].type, JSON_NONE);
}
