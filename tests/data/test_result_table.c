/* Tables of results as others write them. */
#include "data/result_table.h"

#include "scratch.h"

static struct scratch scratch;
static char path[160];

static void setup(void)
{
    scratch = scratch_make();
}

static void teardown(void)
{
    scratch_remove(&scratch);
}

TestSuite(table, .init = setup, .fini = teardown);

static const char *file(const char *name, const char *text)
{
    scratch_write(&scratch, name, text);
    snprintf(path, sizeof(path), "%s/%s", scratch.path, name);
    return path;
}

static struct dataset *load_from(const char *place)
{
    struct dataset *d = NULL;
    struct error err;
    cr_assert(table_is(place));
    cr_assert_eq(dataset_load(place, DATASET_ALL, &d, &err), OK, "%s", err.text);
    cr_assert(d->is_table);
    return d;
}

static struct dataset *load(const char *name, const char *text)
{
    return load_from(file(name, text));
}

static void refuse(const char *name, const char *text, const char *place, const char *what)
{
    struct dataset *d = NULL;
    struct error err = {0};
    cr_expect_eq(dataset_load(file(name, text), DATASET_ALL, &d, &err), ERR_INPUT, "for %s", text);
    cr_expect(strstr(err.text, place), "'%s' does not name %s", err.text, place);
    cr_expect(strstr(err.text, what), "'%s' does not say %s", err.text, what);
    cr_expect_null(d);
}

Test(table, long_csv_under_other_names_and_over_several_lines)
{
    struct dataset *d =
        load("t.csv", "model_name,question_id,correct,cost,prompt,eval_name,response\n"
                      "small,q1,True,1.5e-05,\"One,\n\"\"two\"\"?\",math,\"a\n\nb\"\n"
                      "org/large,q1,0.5,,,math,\n"
                      "small,q2,nan,NaN,Three?,law,x\n");
    cr_assert_eq(d->query_count, 2);
    cr_assert_eq(d->expert_count, 2);
    cr_expect(str_equal(d->queries[0].text, STR("One,\n\"two\"?")));
    cr_expect(str_equal(d->queries[0].prompt, d->queries[0].text));
    cr_expect(str_equal(d->queries[0].domain, STR("math")));
    cr_expect_eq(d->queries[0].text_hash, text_hash(d->queries[0].text));
    cr_expect(str_equal(d->experts[1].name, STR("org/large")));
    const struct outcome *o = dataset_outcome(d, 0, 0);
    cr_expect(o->known && o->score == 1 && o->cost_known && o->cost_nano_usd == 15000);
    cr_expect_eq(dataset_outcome(d, 0, 1)->score, 0.5f);
    cr_expect_not(dataset_outcome(d, 0, 1)->cost_known);
    cr_expect(dataset_outcome(d, 1, 0)->present && !dataset_outcome(d, 1, 0)->known);
    cr_expect_not(dataset_outcome(d, 1, 1)->present);
    cr_expect_eq(dataset_price_basis(d, 0), PRICE_FITTED);
    cr_expect_eq(dataset_price_basis(d, 1), PRICE_UNKNOWN);
    dataset_free(d);
}

/* outcomes.csv has a line for each row. */
Test(table, an_id_over_several_lines_gets_another)
{
    struct dataset *d = load("t.csv", "model,id,score,prompt\n"
                                      "small,\"q\n1\",1,One?\n"
                                      "large,\"q\n1\",0,One?\n"
                                      "small,q2,1,Two?\n");
    cr_assert_eq(d->query_count, 2);
    cr_expect(query_id_fits(d->queries[0].id));
    cr_expect(dataset_outcome(d, 0, 0)->known && dataset_outcome(d, 0, 1)->known);
    dataset_free(d);
}

Test(table, routerbench)
{
    struct dataset *d = load(
        "rb.csv",
        "sample_id,prompt,eval_name,org/a-7b,gpt-4-1106-preview,org/a-7b|model_response,"
        "gpt-4-1106-preview|model_response,org/a-7b|total_cost,gpt-4-1106-preview|total_cost,"
        "oracle_model_to_route_to\n"
        "mmlu.0,\"['It\\'s what?\\nA or B']\",mmlu,0.0,1.0,\"['x,\ny']\",['z'],2e-06,0.0004,gpt\n"
        "gsm.1,plain,gsm,1.0,0.25,a,b,3e-06,0.0005,no_model_correct\n");
    cr_assert_eq(d->query_count, 2);
    cr_assert_eq(d->expert_count, 2);
    cr_expect(str_equal(d->queries[0].id, STR("mmlu.0")));
    cr_expect(str_equal(d->queries[0].text, STR("It's what?\nA or B")));
    cr_expect(str_equal(d->queries[1].domain, STR("gsm")));
    cr_expect(str_equal(d->experts[0].name, STR("org/a-7b")));
    cr_expect_eq(dataset_outcome(d, 0, 1)->score, 1);
    cr_expect_eq(dataset_outcome(d, 1, 1)->score, 0.25f);
    cr_expect_eq(dataset_outcome(d, 1, 0)->cost_nano_usd, 3000);
    dataset_free(d);
}

Test(table, an_array_of_objects_as_zeroeval_has_it)
{
    struct dataset *d =
        load("z.json",
             "\n[\n {\"session_id\": \"s#0\", \"chat_history\": [\"Who?\\n\"], \"output\": [\"x\"],"
             " \"generator\": \"gpt-4o\", \"correct\": true, \"correct_answer\": \"B\"},\n"
             " {\"session_id\": \"s#1\", \"chat_history\": [{\"role\": \"system\", \"content\": "
             "\"S\"}, {\"role\": \"user\", \"content\": \"What?\"}], \"model\": \"gpt-4o\", "
             "\"generator\": \"other\", \"score\": 0.5, \"solution\": {\"a\": 1}}\n]\n");
    cr_assert_eq(d->query_count, 2);
    cr_assert_eq(d->expert_count, 1);
    cr_expect(str_equal(d->queries[0].text, STR("Who?\n")));
    cr_expect(str_equal(d->queries[0].answer, STR("B")));
    cr_expect(str_equal(d->queries[1].text, STR("What?")));
    cr_expect_eq(dataset_outcome(d, 0, 0)->score, 1);
    cr_expect_eq(dataset_outcome(d, 1, 0)->score, 0.5f);
    dataset_free(d);
}

Test(table, an_object_a_line)
{
    struct dataset *d =
        load("t.jsonl", "{\"id\": 7, \"model\": \"a\", \"score\": 1, \"prompt\": \"P?\","
                        " \"prompt_tokens\": 10, \"completion_tokens\": 5.0}\n\n"
                        "{\"id\": 7, \"model\": \"b\", \"score\": \"0\"}\n"
                        "{\"model\": \"b\", \"score\": 1, \"text\": \"No id\"}\n");
    cr_assert_eq(d->query_count, 2);
    cr_expect(str_equal(d->queries[0].id, STR("7")));
    cr_expect_eq(d->queries[1].id.len, 17, "made of its text");
    cr_expect(dataset_outcome(d, 0, 0)->tokens_known);
    cr_expect_eq(dataset_outcome(d, 0, 0)->output_tokens, 5);
    cr_expect(dataset_outcome(d, 0, 1)->known && dataset_outcome(d, 0, 1)->score == 0);
    dataset_free(d);
}

/* As docs/datasets.md has it of a cell of CSV. */
Test(table, null_is_unknown)
{
    struct dataset *d =
        load("t.jsonl", "{\"id\": 7, \"model\": \"a\", \"score\": null, \"prompt\": \"P?\"}\n"
                        "{\"id\": 8, \"model\": \"a\", \"score\": 1, \"cost\": null, \"prompt\": "
                        "\"Q?\"}\n");
    cr_expect_not(dataset_outcome(d, 0, 0)->known);
    cr_expect(dataset_outcome(d, 1, 0)->known);
    cr_expect_not(dataset_outcome(d, 1, 0)->cost_known);
    dataset_free(d);
}

/* pandas and json.dump write a list on one line. */
Test(table, a_list_on_one_long_line)
{
    struct buf b;
    buf_init(&b, 64 << 20);
    buf_add_char(&b, '[');
    for (int i = 0; i < 40; i++) {
        buf_addf(&b, "%s{\"id\":%d,\"model\":\"a\",\"score\":1,\"prompt\":\"%d", i ? "," : "", i,
                 i);
        for (int k = 0; k < 500000; k++)
            buf_add_c(&b, "x");
        buf_add_c(&b, "\"}");
    }
    buf_add_c(&b, "]");
    buf_add_char(&b, 0);
    cr_assert_eq(b.status, OK);
    struct dataset *d = load("t.json", b.ptr);
    cr_expect_eq(d->query_count, 40);
    dataset_free(d);
    buf_done(&b);
}

Test(table, a_folder_of_tables_is_one)
{
    file("b.json", "[{\"id\":\"q\",\"model\":\"b\",\"score\":1,\"prompt\":\"P\"}]");
    file("a.json", "[{\"id\":\"q\",\"model\":\"a\",\"score\":0,\"prompt\":\"P\"}]");
    file("notes.txt", "not a table");
    struct dataset *d = load_from(scratch.path);
    cr_assert_eq(d->query_count, 1);
    cr_assert_eq(d->expert_count, 2);
    cr_expect(str_equal(d->experts[0].name, STR("a")));
    dataset_free(d);
}

Test(table, texts_may_stand_beside)
{
    file("queries.jsonl", "{\"id\":\"q\",\"text\":\"Which?\",\"choices\":[\"x\",\"y\"]}\n");
    struct dataset *d = load("t.csv", "id,model,score,cost\nq,a,1,0.1\n");
    cr_expect(str_equal(d->queries[0].text, STR("Which?\nA. x\nB. y")));
    dataset_free(d);
    refuse("t.csv", "id,model,score,cost\nq,a,1,0.1\nr,a,1,0.1\n", "t.csv", "'r' has no text");
}

Test(table, what_is_wrong_is_named_with_its_place)
{
    refuse("t.csv", "id,score,prompt\nq,1,P\n", "t.csv:1", "model_name");
    refuse("t.csv", "id,model,prompt\nq,a,P\n", "t.csv:1", "is_correct");
    refuse("t.csv", "model,score\na,1\n", "t.csv:1", "question_id");
    refuse("t.csv", "id,model,score\nq,a,1\n", "t.csv", "no text of the questions");
    refuse("t.csv", "id,model,score,prompt\nq,a,7,P\n", "t.csv:2:5", "'7' is not a score");
    refuse("t.csv", "id,model,score,prompt,cost\n\nq,a,1,\"P\n\",-1\n", "t.csv:3:", "'-1'");
    refuse("t.csv", "id,model,score,prompt\nq,GPT 4,1,P\n", "t.csv:2:3", "'GPT 4'");
    refuse("t.csv", "id,model,score,prompt\nq,a,1,P\nq,a,0,P\n", "t.csv:3", "twice");
    refuse("t.csv", "id,model,score,prompt,input_tokens,output_tokens\nq,a,1,P,1.5,2\n",
           "t.csv:2:9", "a number of tokens");
    refuse("t.csv", "id,model,score,prompt\n", "t.csv", "no rows");
    refuse("t.csv", "id,model,score,prompt\nq,a,1,\"P\n", "t.csv:2", "does not end");
    refuse("t.csv", "sample_id,prompt,m|total_cost\nq,P,1\n", "t.csv:1",
           "none 'm' with the scores");
    refuse("t.csv", "\n\n", "t.csv", "empty");
    refuse("t.json", "[\n{\"id\":1,\"model\":\"a\",\"score\":1,\"prompt\":\"P\"},\n{\"id\":2}]",
           "t.json:3", "model");
    refuse("t.json", "[{\"id\":1,\"model\":\"a\",\"prompt\":\"P\"}]", "t.json:1",
           "score the answers");
    refuse("t.json", "[1]", "t.json:1:2", "expected an object");
    refuse("t.json",
           "[{\"id\":1,\"model\":\"a\",\"score\":1,\"prompt\":\"P\"},\n {\"id\":2,"
           "\"model\":\"a\",\"score\":9,\"prompt\":\"P\"}]",
           "t.json:2:2", "'9' is not a score");
    refuse("t.csv", "id,model,score,prompt,score\nq,a,1,P,0\n", "t.csv:1:23",
           "column 'score' is there twice");
    refuse("t.json", "[\n\n{\"id\":}]", "t.json:3", "");
    refuse("t.jsonl", "{\"id\":1,\"model\":\"a\",\"score\":1,\"prompt\":\"P\"}\n{\n", "t.jsonl:2",
           "");
}

Test(table, data_sets_are_none)
{
    struct scratch s = scratch_dataset(NULL, NULL, NULL);
    cr_expect_not(table_is(s.path));
    cr_expect_not(table_is("/nowhere"));
    cr_expect_not(table_is(scratch.path), "nor is an empty folder");
    scratch_remove(&s);
}
