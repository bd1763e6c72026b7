/* Reading by a table, and what the fronts write alike. */
#include "front/front_members.h"

#include <stdio.h>

#include "front_testing.h"

enum { NAME, FLAG, ROWS };
static const struct front_member rows[ROWS] = {
    [NAME] = {"name", FRONT_CARRY, FRONT_TYPE(JSON_STRING)},
    [FLAG] = {"flag", FRONT_READ, FRONT_FLAG},
};

struct read {
    struct arena *a;
    struct error err;
    struct front_reader x;
    struct json_value root, fields[ROWS];
    enum status status;
};

static void read_begin(struct read *r, const char *json, const char *place)
{
    *r = (struct read){.a = arena_create(65536)};
    r->x = (struct front_reader){.a = r->a, .err = &r->err};
    cr_assert_eq(json_parse(str_from(json), "test", 1, &r->root, &r->err), OK, "%s", json);
    r->status = front_members_read(&r->x, r->root, place, rows, ROWS, r->fields);
}

static void expect_fault(const char *json, const char *place, enum status want, const char *param,
                         const char *text)
{
    struct read r;
    read_begin(&r, json, place);
    cr_assert_eq(r.status, want, "%s: %s", json, r.err.text);
    cr_assert_str_eq(r.x.param, param);
    cr_assert_str_eq(r.err.text, text);
    arena_free(r.a);
}

Test(front_members, faults_name_the_member)
{
    expect_fault("{\"name\":1}", NULL, ERR_INPUT, "name", "name must be a text");
    expect_fault("{\"flag\":\"\"}", "text", ERR_INPUT, "text.flag",
                 "text.flag must be true or false");
    expect_fault("{\"name\":null,\"na\\u006de\":\"x\"}", NULL, ERR_INPUT, "na\\u006de",
                 "na\\u006de is given twice");
    expect_fault("{\"x\":1}", "text", ERR_UNSUPPORTED, "text.x", "text.x is not offered here");
    expect_fault("[]", "text", ERR_INPUT, "text", "text must be an object");
}

Test(front_members, null_is_absent_also_where_nothing_is_known)
{
    struct read r;
    read_begin(&r, "{\"name\":null,\"x\":null,\"flag\":true}", NULL);
    cr_assert_eq(r.status, OK, "%s", r.err.text);
    cr_assert_eq(r.fields[NAME].type, JSON_NONE);
    cr_assert_eq(r.fields[FLAG].type, JSON_TRUE);
    arena_free(r.a);
}

Test(front_members, a_long_name_is_told_in_part)
{
    struct read r;
    char json[400];
    snprintf(json, sizeof(json), "{\"%0300d\":1}", 7);
    read_begin(&r, json, NULL);
    cr_assert_eq(r.status, ERR_UNSUPPORTED);
    cr_assert_eq(strlen(r.x.param), FRONT_PARAM_BYTES_MAX);
    arena_free(r.a);
}

Test(front_members, content_is_text_or_its_parts)
{
    static const char *const cases[][2] = {
        {"\"a\\nb\"", "a\\nb"},
        {"null", ""},
        {"[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"thinking\",\"text\":\"x\"},{\"text\":"
         "\"\\ud83d\"},7,{\"type\":null,\"text\":\"\\ude00\"}]",
         "a\\ud83d\\ude00"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct json_value value;
        struct buf out;
        buf_init(&out, 1000);
        cr_assert_eq(json_parse(str_from(cases[i][0]), "t", 1, &value, NULL), OK);
        front_write_content(&out, value);
        expect_text(buf_str(&out), cases[i][1]);
        buf_done(&out);
    }
}
