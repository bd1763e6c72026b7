/* YAML trees: positions, depth, what is refused. */
#include "config/yaml_tree.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct arena *arena;

static void setup(void)
{
    arena = arena_create(64 << 20);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(yaml_tree, .init = setup, .fini = teardown);

static void expect_error(const char *text, enum status want, const char *part)
{
    const struct yaml_tree *root = NULL;
    struct error err = {0};
    cr_expect_eq(yaml_tree_parse(str_from(text), "f.yaml", arena, &root, &err), want, "%s", text);
    cr_expect(strstr(err.text, part), "'%s' is not in: %s", part, err.text);
    cr_expect_null(root);
}

Test(yaml_tree, remembers_places_and_kinds)
{
    const struct yaml_tree *root;
    struct error err = {0};
    cr_assert_eq(yaml_tree_parse(STR("a: 1\nb:\n  - 'x'\n  - {c: }\n"), "f", arena, &root, &err),
                 OK);
    cr_assert_eq(root->kind, TREE_MAP);
    cr_assert_eq(root->count, 2);
    cr_assert(str_equal(root->keys[1].scalar, STR("b")));
    const struct yaml_tree *list = &root->items[1];
    cr_assert(list->kind == TREE_LIST && list->count == 2);
    cr_assert(list->items[0].quoted && list->items[0].line == 3 && list->items[0].column == 5);
    cr_assert_eq(list->items[1].items[0].kind, TREE_EMPTY);
    cr_assert_not(root->items[0].quoted);
}

Test(yaml_tree, anchors_are_expanded)
{
    const struct yaml_tree *root;
    struct error err = {0};
    cr_assert_eq(yaml_tree_parse(STR("a: &x {k: v}\nb: *x\n"), "f", arena, &root, &err), OK);
    cr_assert(str_equal(root->items[1].items[0].scalar, STR("v")));
}

Test(yaml_tree, an_empty_file_is_nothing)
{
    const struct yaml_tree *root;
    cr_assert_eq(yaml_tree_parse(STR("# only this\n"), "f", arena, &root, NULL), OK);
    cr_assert_eq(root->kind, TREE_EMPTY);
}

Test(yaml_tree, a_byte_order_mark_is_passed_over)
{
    const struct yaml_tree *root;
    cr_assert_eq(yaml_tree_parse(STR("\xef\xbb\xbf"
                                     "a: 1\n"),
                                 "f", arena, &root, NULL),
                 OK);
    cr_assert(root->kind == TREE_MAP && str_equal(root->keys[0].scalar, STR("a")));
}

Test(yaml_tree, refuses_with_the_place)
{
    expect_error("a: 1\nb: 2\na: 3\n", ERR_INPUT,
                 "f.yaml:3:1: 'a' is given twice (first on line 1)");
    expect_error("a: [1, 2\nb: 3\n", ERR_INPUT, "f.yaml:2:");
    expect_error("a:\n\t- b\n", ERR_INPUT, "f.yaml:2:1:");
    expect_error("? [a]\n: b\n", ERR_INPUT, "f.yaml:1:3: a key must be a word, not a list");
    expect_error("a: 1\n---\nb: 2\n", ERR_INPUT, "second YAML document");
    expect_error("a: \xff\n", ERR_INPUT, "UTF-8");
    expect_error("a: *nobody\n", ERR_INPUT, "f.yaml:1:4");
}

Test(yaml_tree, cycles_and_bombs_are_bounded)
{
    char bomb[2048] = "a0: &a0 [x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 10; i++) {
        char line[128];
        snprintf(line, sizeof(line), "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i,
                 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
        snprintf(bomb + strlen(bomb), sizeof(bomb) - strlen(bomb), "%s", line);
    }
    expect_error(bomb, ERR_TOO_LARGE, "too large once anchors are expanded");
    expect_error("a: &a [*a]\n", ERR_TOO_LARGE, "nested too deeply");
}
