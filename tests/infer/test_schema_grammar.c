/* Schemas against what they let through: texts that are walked out of the grammar at random are JSON and as the
 * schema says; what a grammar cannot say is refused with its place. */
#include "infer/schema_grammar.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "gbnf_walk.h"

#define WALKS 200

static struct arena *arena;
static struct buf grammar;
static struct error err;

static void open_all(void)
{
    arena = arena_create(16 << 20);
    buf_init(&grammar, SCHEMA_TEXT_BYTES_MAX);
}

static void close_all(void)
{
    buf_done(&grammar);
    arena_free(arena);
}

TestSuite(schema_grammar, .init = open_all, .fini = close_all);

static enum status write(const char *schema)
{
    struct schema_grammar g;
    struct json_value root;
    cr_assert_eq(json_parse(str_from(schema), "test", 1, &root, &err), OK, "%s", err.text);
    buf_clear(&grammar);
    schema_grammar_begin(&g, arena, &grammar);
    enum status status = schema_grammar_add(&g, "root", root, "schema", &err);
    schema_grammar_end(&g);
    return status;
}

/* Each text that comes out is JSON, which `check` finds good. */
static void walk(const char *schema, bool (*check)(struct json_value v))
{
    struct rng rng;
    size_t texts = 0;
    cr_assert_eq(write(schema), OK, "%s: %s", schema, err.text);
    rng_seed(&rng, 7);
    for (int i = 0; i < WALKS; i++) {
        struct json_value v;
        struct buf out;
        buf_init(&out, 1 << 20);
        enum gbnf_walk end = gbnf_walk(buf_str(&grammar), STR("root"), &rng, &out);
        cr_assert_neq(end, GBNF_BROKEN, "%s: %s", schema, grammar.ptr);
        enum status status =
            end == GBNF_TEXT ? json_parse(buf_str(&out), "walk", 1, &v, &err) : ERR_TOO_LARGE;
        if (status != ERR_TOO_LARGE) { /* nested deeper than this program reads JSON */
            texts++;
            cr_assert_eq(status, OK, "%s: %.*s: %s", schema, STR_FMT(buf_str(&out)), err.text);
            cr_assert(check(v), "%s: %.*s", schema, STR_FMT(buf_str(&out)));
        }
        buf_done(&out);
    }
    cr_assert_gt(texts, WALKS / 10, "%s", schema);
}

static bool any(struct json_value v)
{
    return v.type != JSON_NONE;
}

static bool person(struct json_value v)
{
    struct json_value age = json_get(v, "age"), tags = json_get(v, "tags"), item;
    struct json_iter it = json_iter_begin(tags);
    int64_t years = -1;
    size_t count = 0;
    while (json_array_next(&it, &item))
        count += item.type == JSON_STRING;
    return v.type == JSON_OBJECT && json_get(v, "name").type == JSON_STRING &&
           json_to_int64(age, &years) == OK && years >= 18 && years <= 120 &&
           (tags.type == JSON_NONE || (count >= 1 && count <= 3)) &&
           json_get(v, "other").type == JSON_NONE;
}

Test(schema_grammar, objects_have_their_members_within_bounds)
{
    walk("{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"tags\":{\"type\":"
         "\"array\",\"items\":{\"type\":\"string\"},\"minItems\":1,\"maxItems\":3},\"age\":{"
         "\"type\":\"integer\",\"minimum\":18,\"exclusiveMaximum\":121}},\"required\":[\"name\","
         "\"age\"],\"additionalProperties\":false}",
         person);
}

static bool optional(struct json_value v)
{
    return v.type == JSON_OBJECT;
}

Test(schema_grammar, members_that_may_be_left_out_leave_no_comma)
{
    walk("{\"properties\":{\"a\":true,\"b\":{\"type\":\"null\"},\"c\":{\"type\":\"boolean\"}}}",
         optional);
    walk("{\"type\":\"object\"}", optional);
    walk("{\"type\":\"object\",\"additionalProperties\":false}", optional);
    walk("{\"additionalProperties\":{\"type\":\"integer\"}}", optional);
}

static bool tree(struct json_value v)
{
    struct json_value item, kids = json_get(v, "kids");
    struct json_iter it = json_iter_begin(kids);
    bool good = json_get(v, "v").type == JSON_NUMBER && kids.type == JSON_ARRAY;
    while (good && json_array_next(&it, &item))
        good = tree(item);
    return good;
}

Test(schema_grammar, a_schema_may_hold_itself)
{
    walk("{\"$ref\":\"#/$defs/t~1ree\",\"$defs\":{\"t/ree\":{\"type\":\"object\",\"properties\":{"
         "\"v\":{\"type\":\"number\"},\"kids\":{\"type\":\"array\",\"items\":{\"$ref\":"
         "\"#/$defs/t~1ree\"}}},\"required\":[\"v\",\"kids\"]}}}",
         tree);
}

static bool one_of(struct json_value v)
{
    return json_string_equal(v, STR("r\"ed\n")) || v.type == JSON_NULL ||
           (v.type == JSON_NUMBER && str_equal(v.raw, STR("2.5"))) ||
           json_get(v, "a").type == JSON_ARRAY;
}

Test(schema_grammar, listed_values_come_as_they_are)
{
    walk("{\"enum\":[\"r\\\"ed\\n\",null,2.5,{\"a\":[1, 2]}]}", one_of);
    walk("{\"anyOf\":[{\"const\":2.5},{\"type\":\"null\"}]}", one_of);
    walk("{\"oneOf\":[{\"const\":null},{\"enum\":[2.5]}]}", one_of);
    walk("{\"allOf\":[{\"enum\":[null]}]}", one_of);
}

static bool plate(struct json_value v)
{
    struct str s = json_inside(v);
    return s.len >= 6 && s.ptr[0] >= 'A' && s.ptr[0] <= 'Z' && str_find(s, STR("-"), 0) == 2;
}

static bool short_text(struct json_value v)
{
    struct str text;
    return json_string_decode(v, arena, &text) == OK && utf8_count(text) >= 2 &&
           utf8_count(text) <= 4;
}

static bool says_hm(struct json_value v)
{
    return str_find(json_inside(v), STR("h.m"), 0) != SIZE_MAX ||
           str_find(json_inside(v), STR("say \\\"x"), 0) != SIZE_MAX;
}

Test(schema_grammar, texts_keep_to_lengths_and_patterns)
{
    walk("{\"type\":\"string\",\"minLength\":2,\"maxLength\":4}", short_text);
    walk("{\"type\":\"string\",\"pattern\":\"^[A-Z]{2}-\\\\d{3,5}(x|yz)?$\"}", plate);
    walk("{\"type\":\"string\",\"pattern\":\"h\\\\.m|say \\\"x\"}", says_hm);
    walk("{\"type\":\"string\",\"pattern\":\"^(?:a+|[^0-9\\\\\\\\]*?|.)$\"}", any);
}

static bool bounded(struct json_value v)
{
    double n;
    return json_to_double(v, &n) == OK && n >= -12 && n <= 305;
}

static bool probability(struct json_value v)
{
    double n;
    return json_to_double(v, &n) == OK && n >= 0 && n <= 1;
}

static bool negative(struct json_value v)
{
    int64_t n;
    return json_to_int64(v, &n) == OK && n >= -1005 && n <= -7;
}

static bool at_least_17(struct json_value v)
{
    int64_t n;
    return json_to_int64(v, &n) == OK && n >= 17;
}

Test(schema_grammar, numbers_keep_to_their_bounds)
{
    walk("{\"type\":\"integer\",\"minimum\":-12,\"maximum\":305}", bounded);
    walk("{\"type\":\"number\",\"minimum\":-12,\"maximum\":305}", bounded);
    walk("{\"type\":\"number\",\"minimum\":0,\"maximum\":1}", probability);
    walk("{\"type\":\"integer\",\"minimum\":-1005.5,\"exclusiveMaximum\":-6}", negative);
    walk("{\"type\":\"integer\",\"minimum\":17}", at_least_17);
    walk("{\"type\":[\"integer\",\"null\"]}", any);
}

static bool matches_all(struct json_value v)
{
    static const int64_t bounds[][2] = {{0, 9}, {7, 7}, {99, 1000}, {123, 456}, {1990, 2010}};
    int64_t n;
    struct json_iter it = json_iter_begin(v);
    struct json_value item;
    size_t i = 0;
    for (; json_array_next(&it, &item); i++)
        if (json_to_int64(item, &n) != OK || n < bounds[i][0] || n > bounds[i][1])
            return false;
    return i == 5;
}

/* Every digit that begins a number within the bounds is there. */
Test(schema_grammar, ranges_are_exact_at_their_ends)
{
    walk("{\"prefixItems\":[{\"type\":\"integer\",\"minimum\":0,\"maximum\":9},{\"type\":"
         "\"integer\",\"minimum\":7,\"maximum\":7},{\"type\":\"integer\",\"minimum\":99,"
         "\"maximum\":1000},{\"type\":\"integer\",\"minimum\":123,\"maximum\":456},{\"type\":"
         "\"integer\",\"minimum\":1990,\"maximum\":2010}]}",
         matches_all);
    bool seen[13] = {false};
    struct rng rng;
    cr_assert_eq(write("{\"type\":\"integer\",\"minimum\":8,\"maximum\":20}"), OK);
    rng_seed(&rng, 1);
    for (int i = 0; i < 2000; i++) {
        struct buf out;
        buf_init(&out, 100);
        cr_assert_eq(gbnf_walk(buf_str(&grammar), STR("root"), &rng, &out), GBNF_TEXT);
        long n = strtol(out.ptr, NULL, 10);
        cr_assert(n >= 8 && n <= 20, "%ld", n);
        seen[n - 8] = true;
        buf_done(&out);
    }
    for (int i = 0; i < 13; i++)
        cr_expect(seen[i], "%d", i + 8);
}

Test(schema_grammar, formats_are_kept_to)
{
    walk("{\"type\":\"string\",\"format\":\"date-time\"}", any);
    walk("{\"format\":\"uuid\"}", any);
    walk("{\"type\":\"string\",\"format\":\"ipv4\"}", any);
}

static void refused(const char *schema, enum status status, const char *says)
{
    cr_expect_eq(write(schema), status, "%s", schema);
    cr_expect(strstr(err.text, says), "%s: %s", schema, err.text);
}

Test(schema_grammar, what_cannot_be_kept_to_is_refused_with_its_place)
{
    refused("{\"properties\":{\"a\":{\"not\":{}}}}", ERR_UNSUPPORTED,
            "schema#/properties/a: not cannot be kept to");
    refused("{\"items\":{\"type\":\"string\",\"pattern\":\"(?=x)\"}}", ERR_UNSUPPORTED,
            "schema#/items: pattern: a group that looks around");
    refused("{\"type\":\"string\",\"pattern\":\"a\\\\b\"}", ERR_UNSUPPORTED, "an escape");
    refused("{\"type\":\"string\",\"pattern\":\"^a|b$\"}", ERR_UNSUPPORTED, "one alternative");
    refused("{\"type\":\"string\",\"pattern\":\"(a\"}", ERR_INPUT, "no end");
    refused("{\"type\":\"string\",\"pattern\":\"a)\"}", ERR_INPUT, "did not begin");
    refused("{\"type\":\"string\",\"pattern\":\"[\\\"]\"}", ERR_UNSUPPORTED, "quote");
    refused("{\"type\":\"string\",\"pattern\":\"a{9999}\"}", ERR_TOO_LARGE, "repetitions");
    refused("{\"type\":\"string\",\"maxLength\":5000}", ERR_UNSUPPORTED, "above 2000");
    refused("{\"type\":\"string\",\"format\":\"email\"}", ERR_UNSUPPORTED, "format");
    refused("{\"type\":\"array\",\"uniqueItems\":true}", ERR_UNSUPPORTED, "uniqueItems");
    refused("{\"type\":\"number\",\"minimum\":0.5}", ERR_UNSUPPORTED, "integers");
    refused("{\"type\":\"number\",\"exclusiveMinimum\":0}", ERR_UNSUPPORTED, "integers only");
    refused("{\"type\":\"integer\",\"multipleOf\":3}", ERR_UNSUPPORTED, "multipleOf");
    refused("{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}", ERR_INPUT, "no number");
    refused("{\"anyOf\":[{},{}],\"type\":\"string\"}", ERR_UNSUPPORTED, "type beside anyOf");
    refused("{\"allOf\":[{},{\"type\":\"null\"}]}", ERR_UNSUPPORTED, "allOf of several");
    refused("{\"$ref\":\"#/$defs/none\"}", ERR_INPUT, "not there");
    refused("{\"$ref\":\"http://x/y\"}", ERR_UNSUPPORTED, "a place in this schema");
    refused("{\"type\":\"text\"}", ERR_INPUT, "type must be");
    refused("{\"properties\":{\"a\":false},\"required\":[\"a\"]}", ERR_INPUT, "no value");
    refused("[]", ERR_INPUT, "must be an object");
}

Test(schema_grammar, depth_and_size_are_limited)
{
    struct buf deep;
    buf_init(&deep, 1 << 20);
    for (int i = 0; i < 28; i++)
        buf_add_c(&deep, "{\"items\":");
    buf_add_c(&deep,
              "{\"properties\":{\"a\":{\"items\":{\"items\":{\"items\":{\"items\":{\"items\":"
              "{\"items\":{}}}}}}}}}");
    for (int i = 0; i < 28; i++)
        buf_add_char(&deep, '}');
    refused(deep.ptr, ERR_TOO_LARGE, "too deep");
    buf_clear(&deep);
    buf_add_c(&deep, "{\"properties\":{\"x\":{}");
    for (int i = 0; i < SCHEMA_PROPERTIES_MAX; i++)
        buf_addf(&deep, ",\"p%d\":{}", i);
    buf_add_c(&deep, "}}");
    refused(deep.ptr, ERR_TOO_LARGE, "too many properties");
    buf_done(&deep);
}

Test(schema_grammar, a_text_in_quotes_reads_back)
{
    struct rng rng;
    rng_seed(&rng, 1);
    buf_add_c(&grammar, "root ::= ");
    schema_literal_write(&grammar, STR("a\"b\\c\n\x01\x7f\xc3\xa9"));
    struct buf out;
    buf_init(&out, 100);
    cr_assert_eq(gbnf_walk(buf_str(&grammar), STR("root"), &rng, &out), GBNF_TEXT);
    cr_assert(str_equal(buf_str(&out), STR("a\"b\\c\n\x01\x7f\xc3\xa9")));
    buf_done(&out);
}
