/* Lists of models, for OpenAI's and Anthropic's clients at once. */
#include "front/front_models.h"

#include <stdio.h>
#include <string.h>

#include "dialect/text_testing.h"

#define REST  ",\"object\":\"model\",\"created\":0,\"owned_by\":\"leeroo\",\"type\":\"model\","
#define DATED ",\"created_at\":\"1970-01-01T00:00:00Z\",\"max_input_tokens\":"

static const struct front_model models[] = {
    {STR_INIT("a"), 0}, {STR_INIT("b/c"), 9}, {STR_INIT("d"), 0}, {STR_INIT("e"), 0}};

Test(front_models, one)
{
    struct buf out;
    buf_init(&out, 1000);
    front_model_write(&models[1], &out);
    expect_text(buf_str(&out),
                "{\"id\":\"b/c\"" REST "\"display_name\":\"b/c\"" DATED
                "9,\"max_tokens\":null,\"capabilities\":null,\"lifecycle\":\"active\"}");
    buf_done(&out);
}

static void expect_page(const char *query, const char *ids, const char *end)
{
    struct arena *a = arena_create(1 << 16);
    struct front_page page;
    struct error err = {0};
    struct buf out;
    char first[64];
    buf_init(&out, 1 << 16);
    cr_assert_eq(front_page_read(str_from(query), a, &page, &err), OK, "%s", err.text);
    cr_assert_eq(front_models_write(models, 4, &page, &out, &err), OK, "%s", err.text);
    for (const char *id = ids; *id; id++) {
        snprintf(first, sizeof(first), "{\"id\":\"%s\"", *id == 'b' ? "b/c" : (char[]){*id, 0});
        cr_expect(str_find(buf_str(&out), str_from(first), 0) != SIZE_MAX, "%s: %s", query,
                  out.ptr);
    }
    size_t count = 0;
    for (size_t at = 0; (at = str_find(buf_str(&out), STR("{\"id\""), at)) != SIZE_MAX; at++)
        count++;
    cr_expect_eq(count, strlen(ids), "%s: %s", query, out.ptr);
    cr_expect(str_ends(buf_str(&out), str_from(end)), "%s: %s", query, out.ptr);
    buf_done(&out);
    arena_free(a);
}

#define END(more, first, last)                                                                     \
    "],\"has_more\":" more ",\"first_id\":" first ",\"last_id\":" last "}"

Test(front_models, pages)
{
    expect_page("", "abde", END("false", "\"a\"", "\"e\""));
    expect_page("limit=2", "ab", END("true", "\"a\"", "\"b/c\""));
    expect_page("beta=true&limit=2&after_id=b%2Fc", "de", END("false", "\"d\"", "\"e\""));
    expect_page("after_id=e", "", END("false", "null", "null"));
    expect_page("before_id=e&limit=2", "bd", END("true", "\"b/c\"", "\"d\""));
    expect_page("limit=4", "abde", END("false", "\"a\"", "\"e\""));
}

Test(front_models, pages_that_are_not_there)
{
    static const char *const queries[] = {"limit=0", "limit=x", "limit=1001", "limit=-1"};
    struct arena *a = arena_create(1 << 16);
    struct front_page page = {0};
    struct error err = {0};
    struct buf out;
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
        cr_expect_eq(front_page_read(str_from(queries[i]), a, &page, &err), ERR_INPUT);
    buf_init(&out, 1000);
    page.after_id = STR("z");
    cr_expect_eq(front_models_write(models, 4, &page, &out, &err), ERR_INPUT);
    expect_text(str_from(err.text), "after_id: there is no model 'z' in the list");
    buf_done(&out);
    arena_free(a);
}
