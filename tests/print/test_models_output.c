/* A model in words and in JSON. */
#include "print/models_output.h"

#include "base/json.h"
#include "plan/plan_set.h"
#include "train/model_edit.h"

static struct plan_set_fixture fixture;

static void begin(void)
{
    fixture = plan_set_make();
    plan_set_train(&fixture, "cascade(a->c)");
}

static void end(void)
{
    plan_set_done(&fixture);
}

TestSuite(models_output, .init = begin, .fini = end);

static char *print(const struct model *m, bool all, bool json)
{
    char *text = NULL;
    size_t len = 0;
    struct error err = {0};
    const struct models_told told = {"my.leeroo", m, NULL, STR("2026-11-01"), all};
    FILE *out = open_memstream(&text, &len);
    cr_assert_not_null(out);
    cr_assert_eq(models_print(&told, json, out, &err), OK, "%s", err.text);
    fclose(out);
    return text;
}

/* Without b, which left, and with a copy of a, which joined. */
static struct model *edited(void)
{
    struct arena *arena = arena_create((size_t)1 << 28);
    struct expert_parameters copy;
    struct model *n = NULL;
    struct buf bytes;
    const size_t gone = 1;
    cr_assert_eq(expert_parameters_take(fixture.model, 0, arena, &copy, NULL), OK);
    copy.expert.name = STR("copy");
    const struct model_edit edit = {&gone, 1, &copy, 1, STR("2026-11-30"), STR("2026-11-01")};
    buf_init(&bytes, MODEL_BYTES_MAX);
    cr_assert_eq(model_rewrite_bytes(fixture.model, &edit, &bytes, NULL), OK);
    cr_assert_eq(model_load_bytes(bytes.ptr, bytes.len, &n, NULL), OK);
    buf_done(&bytes);
    arena_free(arena);
    return n;
}

Test(models_output, everybody_has_a_row_and_plans_follow)
{
    char *text = print(fixture.model, false, false);
    for (const char *name = "abcd"; *name; name++) {
        const char row[] = {'\n', *name, ' ', '\0'};
        cr_expect_not_null(strstr(text, row), "%c", *name);
    }
    cr_expect_not_null(strstr(text, "by 2026-11-01"));
    cr_expect_not_null(strstr(text, "4 experts, "), "%s", text);
    cr_expect_not_null(strstr(text, "cascade(a→c"));
    cr_expect_null(strstr(text, "taken out"));
    cr_expect_null(strstr(text, " \n"), "%s", text);
    free(text);
}

Test(models_output, who_joined_and_who_left_are_told_with_their_days)
{
    struct model *n = edited();
    char *few = print(n, false, false), *all = print(n, true, false);
    cr_expect_null(strstr(few, "\nb "));
    cr_expect_not_null(strstr(few, "1 taken out; --all shows them"));
    cr_expect_not_null(strstr(all, "taken out on 2026-11-30"));
    const char *joined = strstr(all, "\ncopy ");
    cr_assert_not_null(joined);
    const struct str line = {joined + 1, strcspn(joined + 1, "\n")};
    cr_expect(str_find(line, STR("2026-11-30"), 0) != SIZE_MAX);
    cr_expect_eq(str_find(line, STR("by "), 0), SIZE_MAX, "it joined on a day");
    free(few);
    free(all);
    model_free(n);
}

Test(models_output, json_says_the_same)
{
    struct model *n = edited();
    char *text = print(n, true, true);
    struct json_value root, item;
    size_t count = 0, retired = 0, since = 0;
    cr_assert_eq(json_parse(str_from(text), "models", 1, &root, NULL), OK);
    struct json_iter it = json_iter_begin(json_get(root, "experts"));
    for (; json_array_next(&it, &item); count++) {
        retired += json_get(item, "retired").type == JSON_TRUE;
        since += json_get(item, "since").type == JSON_STRING;
    }
    cr_expect(count == 5 && retired == 1 && since == 1, "%s", text);
    free(text);
    model_free(n);
}
