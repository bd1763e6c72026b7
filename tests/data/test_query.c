/* Queries: fields, choices, prompts, and the place of every mistake. */
#include "base/buf.h"
#include "data/dataset_int.h"

#include "scratch.h"

static struct arena *arena;

static void setup(void)
{
    arena = arena_create(1 << 20);
}

static void teardown(void)
{
    arena_free(arena);
}

TestSuite(query, .init = setup, .fini = teardown);

static enum status parse(const char *line, struct query *q, struct error *err)
{
    return query_parse(str_from(line), "q.jsonl", 7, arena, q, err);
}

Test(query, strings_survive_the_line_they_came_from)
{
    char line[] =
        "{\"text\": \"What is \\\"x\\\"?\", \"id\": 12, \"answer\": 3.50, \"choices\": null}";
    struct query q;
    struct error err;
    cr_assert_eq(parse(line, &q, &err), OK, "%s", err.text);
    memset(line, '#', sizeof(line) - 1);
    cr_assert(str_equal(q.text, STR("What is \"x\"?")));
    cr_assert(str_equal(q.id, STR("12")), "numbers keep their spelling");
    cr_assert(str_equal(q.answer, STR("3.50")));
    cr_assert_eq(q.choice_count, 0);
}

Test(query, a_check_keeps_its_spelling)
{
    struct query q;
    cr_assert_eq(parse("{\"text\": \"t\", \"check\": {\"regex\":  \"^\\u0041\"}}", &q, NULL), OK);
    cr_assert(str_equal(q.check, STR("{\"regex\":  \"^\\u0041\"}")));
    cr_assert_eq(parse("{\"text\": \"t\", \"check\": null}", &q, NULL), OK);
    cr_assert_eq(q.check.len, 0);
}

Test(query, a_byte_order_mark_may_open_a_file)
{
    struct query q;
    struct str line = STR("\xEF\xBB\xBF{\"text\": \"t\"}");
    cr_assert_eq(query_parse(line, "q", 1, arena, &q, NULL), OK);
    cr_assert_eq(query_parse(line, "q", 2, arena, &q, NULL), ERR_INPUT);
}

Test(query, a_missing_id_is_empty)
{
    struct query q;
    cr_assert_eq(parse("{\"text\": \"t\"}", &q, NULL), OK);
    cr_assert_eq(q.id.len, 0);
}

Test(query, of_doubled_keys_the_last_counts)
{
    struct query q;
    cr_assert_eq(parse("{\"text\": 1, \"text\": \"last\"}", &q, NULL), OK);
    cr_assert(str_equal(q.text, STR("last")));
}

static void expect_place(const char *line, size_t column, const char *what)
{
    struct query q = {.choice_count = 77};
    struct error err = {0};
    cr_expect_eq(parse(line, &q, &err), ERR_INPUT, "%s", line);
    cr_expect_eq(q.choice_count, 77, "outputs stay untouched on failure");
    cr_expect_eq(err.line, 7, "%s", line);
    cr_expect_eq(err.column, column, "column %zu, wanted %zu: %s", err.column, column, line);
    cr_expect_not_null(strstr(err.text, what), "'%s' does not say '%s'", err.text, what);
    cr_expect_not_null(strstr(err.text, "q.jsonl:7:"), "%s", err.text);
}

Test(query, what_is_wrong_is_named_with_its_place)
{
    expect_place("{\"text\": 3}", 10, "\"text\" must be a string");
    expect_place("{\"id\": \"x\"}", 1, "no \"text\"");
    expect_place("[1]", 1, "object");
    expect_place("{\"text\": \"t\", \"id\": []}", 21, "\"id\" must be a string");
    expect_place("{\"text\": \"t\", \"choices\": \"A\"}", 26, "array of strings");
    expect_place("{\"text\": \"t\", \"choices\": [\"A\", 2]}", 32, "array of strings");
}

Test(query, choices_end_with_the_alphabet)
{
    struct buf line;
    buf_init(&line, 4096);
    buf_add_c(&line, "{\"text\": \"t\", \"choices\": [\"0\"");
    for (int i = 1; i < QUERY_CHOICES_MAX; i++)
        buf_addf(&line, ",\"%d\"", i);
    size_t open = line.len;
    buf_add_c(&line, "]}");
    struct query q;
    cr_assert_eq(query_parse(buf_str(&line), "q", 1, arena, &q, NULL), OK);
    cr_assert_eq(q.choice_count, 26);
    cr_assert(str_ends(q.prompt, STR("\nZ. 25")));
    line.len = open;
    buf_add_c(&line, ",\"26\"]}");
    cr_assert_eq(query_parse(buf_str(&line), "q", 1, arena, &q, NULL), ERR_INPUT);
    buf_done(&line);
}

Test(query, prompt_is_text_then_lettered_choices)
{
    struct str choices[] = {STR("yes"), STR("")};
    struct buf out;
    buf_init(&out, 1024);
    buf_add_c(&out, ">");
    query_prompt(STR("Is it?"), choices, 2, &out);
    cr_assert(str_equal(buf_str(&out), STR(">Is it?\nA. yes\nB. ")));
    buf_done(&out);
}

Test(query, files_need_ids_of_their_own_but_streams_do_not)
{
    struct scratch s = scratch_dataset(
        "{\"id\":\"a\",\"text\":\"x\"}\n\n{\"id\":\"a\",\"text\":\"y\"}\n", NULL, NULL);
    char path[128];
    struct dataset *d = NULL;
    struct error err;
    snprintf(path, sizeof(path), "%s/queries.jsonl", s.path);
    cr_assert_eq(dataset_load(s.path, DATASET_QUERIES, &d, &err), ERR_INPUT);
    cr_assert_not_null(strstr(err.text, "queries.jsonl:3: id 'a' is there twice"), "%s", err.text);
    cr_assert_eq(dataset_load_queries(path, &d, &err), OK);
    cr_assert_eq(d->query_count, 2);
    dataset_free(d);
    scratch_write(&s, "queries.jsonl", "{\"text\":\"x\"}\n");
    cr_assert_eq(dataset_load(s.path, DATASET_QUERIES, &d, &err), ERR_INPUT);
    cr_assert_not_null(strstr(err.text, "no \"id\""));
    scratch_remove(&s);
}
