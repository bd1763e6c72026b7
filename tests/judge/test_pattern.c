/* Regular expressions, and where they end. */
#include "judge/pattern.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_create(1u << 20);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(pattern, .init = setup, .fini = teardown);

static bool matches(const char *expression, const char *text)
{
    struct pattern *p;
    struct error err = {0};
    bool found = false;
    cr_assert_eq(pattern_create(str_from(expression), arena, &p, &err), OK, "%s", err.text);
    cr_assert_eq(pattern_find(p, str_from(text), &found, &err), OK, "%s", err.text);
    return found;
}

Test(pattern, finds)
{
    cr_expect(matches("^\\d+ km$", "12 km"));
    cr_expect_not(matches("^\\d+ km$", "about 12 km"));
    cr_expect(matches("(?i)PARIS", "in Paris"));
    cr_expect(matches("^.$", "é"));
    cr_expect(matches("", ""));
}

Test(pattern, a_wrong_one_says_where)
{
    struct pattern *p = NULL;
    struct error err = {0};
    cr_expect_eq(pattern_create(STR("a(b"), arena, &p, &err), ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "byte 4"), "%s", err.text);
    cr_expect_null(p);
}

Test(pattern, steps_and_lengths_have_ends)
{
    static char many[PATTERN_BYTES_MAX + 1], texts[60];
    struct pattern *p;
    struct error err = {0};
    bool found = true;
    memset(many, 'a', sizeof(many));
    memset(texts, 'a', sizeof(texts));
    cr_expect_eq(pattern_create((struct str){many, sizeof(many)}, arena, &p, &err), ERR_TOO_LARGE);
    cr_assert_eq(pattern_create(STR("^(a+)+(b|\\1x)$"), arena, &p, &err), OK, "%s", err.text);
    cr_expect_eq(pattern_find(p, (struct str){texts, sizeof(texts)}, &found, &err), ERR_TOO_LARGE);
    cr_expect(found);
}

Test(pattern, a_text_that_is_no_utf8_is_told_apart)
{
    struct pattern *p;
    bool found;
    cr_assert_eq(pattern_create(STR("a"), arena, &p, NULL), OK);
    cr_expect_eq(pattern_find(p, STR("\xff"), &found, NULL), ERR_INPUT);
}
