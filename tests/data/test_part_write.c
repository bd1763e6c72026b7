/* A part keeps its queries, their outcomes and what was said to them. */
#include "data/part_write.h"

#include "scratch.h"

static struct scratch scratch;

static void setup(void)
{
    char folder[128];
    scratch = scratch_dataset(NULL, NULL, NULL);
    snprintf(folder, sizeof(folder), "mkdir -p %s/responses/org", scratch.path);
    cr_assert_eq(system(folder), 0);
    scratch_write(&scratch, "responses/org/small.jsonl",
                  "{\"id\":\"b\",\"text\":\"to b\"}\n{\"id\":\"zz\",\"text\":\"to nobody\"}\n"
                  "{\"id\":\"a\",\"text\":\"to a\"}\n");
}

static void teardown(void)
{
    scratch_remove(&scratch);
}

TestSuite(part_write, .init = setup, .fini = teardown);

static enum status see(const struct response_line *said, void *arg, struct error *err)
{
    (void)err;
    cr_assert(str_equal(said->id, STR("b")));
    cr_assert(str_equal(said->text, STR("to b")));
    ++*(int *)arg;
    return OK;
}

Test(part_write, a_part_is_a_data_set)
{
    struct dataset *d = NULL, *part = NULL;
    const uint32_t row = 1;
    size_t texts = 7;
    int seen = 0;
    char path[96];
    struct error err;
    snprintf(path, sizeof(path), "%s/part", scratch.path);
    cr_assert_eq(dataset_load(scratch.path, DATASET_ALL, &d, &err), OK);
    cr_assert_eq(dataset_part_write(d, &row, 1, path, &texts, &err), OK, "%s", err.text);
    cr_assert_eq(texts, 1);
    cr_assert_eq(dataset_load(path, DATASET_ALL, &part, &err), OK, "%s", err.text);
    cr_assert_eq(part->query_count, 1);
    cr_assert_eq(part->expert_count, 2);
    cr_assert(str_equal(part->queries[0].id, STR("b")));
    cr_assert_eq((double)dataset_outcome(part, 0, 1)->score, 1);
    cr_assert(dataset_outcome(part, 0, 0)->present && !dataset_outcome(part, 0, 0)->known);
    cr_assert_eq(responses_read(path, STR("org/small"), see, &seen, &err), OK);
    cr_assert_eq(seen, 1);
    cr_assert_eq(responses_read(path, STR("big"), see, &seen, NULL), ERR_NOT_FOUND);
    dataset_free(part);
    dataset_free(d);
}

Test(part_write, malformed_responses_are_named)
{
    struct dataset *d = NULL;
    const uint32_t row = 1;
    struct error err = {0};
    char path[96];
    snprintf(path, sizeof(path), "%s/part", scratch.path);
    scratch_write(&scratch, "responses/org/small.jsonl", "{\"id\":\"b\"}\n");
    cr_assert_eq(dataset_load(scratch.path, DATASET_ALL, &d, &err), OK);
    cr_assert_eq(dataset_part_write(d, &row, 1, path, NULL, &err), ERR_INPUT);
    cr_assert(strstr(err.text, "small.jsonl:1"), "%s", err.text);
    dataset_free(d);
}
