/* Requests for embeddings as spans. */
#include "front/front_embeddings.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct asked {
    struct arena *a;
    struct embeddings_request r;
    struct error err;
    const char *param;
    enum status status;
};

static struct asked ask(const char *body)
{
    struct asked q = {.a = arena_create(65536)};
    q.status = embeddings_request_parse(str_from(body), q.a, &q.r, &q.param, &q.err);
    return q;
}

static void expect_counts(const char *input, uint64_t inputs, uint64_t characters, uint64_t tokens,
                          int64_t estimate)
{
    char body[300];
    snprintf(body, sizeof(body), "{\"model\":\"m\",\"input\":%s}", input);
    struct asked q = ask(body);
    cr_assert_eq(q.status, OK, "%s: %s", input, q.err.text);
    cr_assert_eq(q.r.inputs, inputs, "%s", input);
    cr_assert_eq(q.r.characters, characters, "%s", input);
    cr_assert_eq(q.r.tokens, tokens, "%s", input);
    cr_assert_eq(embeddings_request_tokens(&q.r), estimate, "%s", input);
    arena_free(q.a);
}

Test(front_embeddings, inputs_are_counted)
{
    expect_counts("\"h\\u00e9llo\"", 1, 5, 0, 2);
    expect_counts("\"\"", 1, 0, 0, 0);
    expect_counts("[\"abcd\", \"ef\"]", 2, 6, 0, 2);
    expect_counts("[5, 6, 7]", 1, 0, 3, 3);
    expect_counts("[[5, 6], [7]]", 2, 0, 3, 3);
}

static void expect_bad(const char *body, const char *param)
{
    struct asked q = ask(body);
    cr_assert_eq(q.status, ERR_INPUT, "%s", body);
    cr_assert_eq(q.r.root.type, JSON_NONE);
    if (!param)
        cr_assert_null(q.param, "%s", body);
    else
        cr_assert(q.param && strcmp(q.param, param) == 0, "%s: %s", body, q.err.text);
    arena_free(q.a);
}

Test(front_embeddings, faults_name_the_field)
{
    static const char *const inputs[] = {"7",           "null",    "{}",        "[]",
                                         "[[]]",        "[null]",  "[\"a\",1]", "[1,\"a\"]",
                                         "[[1],\"a\"]", "[[[1]]]", "[1.5]",     "[-1]"};
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
        char body[100];
        snprintf(body, sizeof(body), "{\"model\":\"m\",\"input\":%s}", inputs[i]);
        expect_bad(body, "input");
    }
    expect_bad("{\"model\":\"m\"}", "input");
    expect_bad("{\"input\":\"a\"}", "model");
    expect_bad("{\"model\":1,\"input\":\"a\"}", "model");
    expect_bad("{\"model\":\"m\",\"input\":\"a\",\"mod\\u0065l\":\"n\"}", "model");
    expect_bad("[]", NULL);
    expect_bad("{", NULL);
}

static void expect_written(const char *body, const char *want)
{
    struct asked q = ask(body);
    struct buf out;
    buf_init(&out, 1000);
    cr_assert_eq(q.status, OK, "%s", q.err.text);
    embeddings_request_write(&q.r, STR("up\"x"), &out);
    cr_assert_eq(buf_status(&out, NULL), OK);
    cr_assert_str_eq(out.ptr, want);
    buf_done(&out);
    arena_free(q.a);
}

Test(front_embeddings, only_the_model_and_leeroo_are_edited)
{
    expect_written("{ \"input\" : [1, 2],\"model\": \"m\" , \"dimensions\":3.0}",
                   "{ \"input\" : [1, 2],\"model\": \"up\\\"x\" , \"dimensions\":3.0}");
    expect_written("{\"leeroo\":{\"a\":1}, \"model\":\"m\",\"input\":\"a\"}",
                   "{\"model\":\"up\\\"x\",\"input\":\"a\"}");
    expect_written("{\"model\":\"m\", \"leeroo\" : {} ,\"input\":\"a\"}",
                   "{\"model\":\"up\\\"x\", \"input\":\"a\"}");
    expect_written("{\"model\":\"m\",\"encoding_format\":\"base64\",\"input\":\"a\" , "
                   "\"leeroo\":1 }",
                   "{\"model\":\"up\\\"x\",\"encoding_format\":\"base64\",\"input\":\"a\" }");
}
