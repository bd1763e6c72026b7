/* The data set of a run: grows in memory, stands on the disk after each round, and opens as it was then. */
#include "play/run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char folder[64];
static struct expert experts[3];
static struct run *run;

static void setup(void)
{
    static const char *const names[] = {"small", "large", "newcomer"};
    strcpy(folder, "/tmp/leeroo-run-XXXXXX");
    cr_assert(mkdtemp(folder));
    for (size_t e = 0; e < 3; e++)
        experts[e] =
            (struct expert){.name = str_from(names[e]), .price = {.input_nano_usd_per_m = 1000}};
}

static void teardown(void)
{
    char command[96];
    run_close(run);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(run, .init = setup, .fini = teardown);

static void open_run(size_t count)
{
    struct error err = {0};
    run_close(run);
    run = NULL;
    cr_assert_eq(run_open(folder, experts, count, &run, &err), OK, "%s", err.text);
}

static size_t add(const char *id, const char *text)
{
    size_t at = SIZE_MAX;
    struct query q = {.id = str_from(id),
                      .text = str_from(text),
                      .prompt = str_from(text),
                      .answer = STR("7"),
                      .text_hash = text_hash(str_from(text))};
    cr_assert_eq(run_add_query(run, &q, &at, NULL), OK);
    return at;
}

static void score(size_t query, size_t expert, float value)
{
    const struct outcome o = {.present = true, .known = true, .score = value, .cost_known = true};
    cr_assert_eq(run_set_outcome(run, query, expert, &o, STR("It is 7."), NULL), OK);
}

static void commit(void)
{
    const char *path;
    struct error err = {0};
    cr_assert_eq(run_round_begin(run, &path, &err), OK, "%s", err.text);
    cr_assert(str_ends(str_from(path), STR(".new")));
    cr_assert_eq(run_round_commit(run, &err), OK, "%s", err.text);
}

Test(run, a_question_is_found_by_its_name)
{
    open_run(3);
    for (int i = 0; i < 600; i++) { /* beyond what it has room for at first */
        char id[16], text[32];
        snprintf(id, sizeof(id), "name%d", i);
        snprintf(text, sizeof(text), "Question %d?", i);
        add(id, text);
    }
    cr_expect_eq(run_find_query(run, STR("name599")), 599);
    cr_expect_eq(run_find_query(run, STR("name0")), 0);
    cr_expect_eq(run_find_query(run, STR("name600")), SIZE_MAX);
    size_t at = add("name7", "Another one of that name?");
    cr_expect_eq(run_find_query(run, STR("name7")), 7);
    cr_expect_eq(run_find_query(run, run_dataset(run)->queries[at].id), at);
}

Test(run, equal_texts_are_one_question_and_ids_are_unique)
{
    open_run(2);
    cr_assert_eq(add("a", "What is 3 + 4?"), 0);
    cr_assert_eq(add("b", "what  is 3 + 4?"), 0);
    cr_assert_eq(add("a", "What is 5 + 2?"), 1, "another question by the same id");
    cr_assert_eq(add("", "What is 6 + 1?"), 2);
    const struct dataset *d = run_dataset(run);
    cr_assert_eq(d->query_count, 3);
    cr_assert(str_equal(d->queries[1].id, STR("q2")));
    cr_assert(str_equal(d->queries[2].id, STR("q3")));
}

Test(run, what_a_round_has_brought_is_there_when_it_opens_again)
{
    open_run(2);
    for (size_t i = 0; i < 600; i++) { /* past the first growth */
        char text[32];
        snprintf(text, sizeof(text), "question %zu", i);
        score(add("", text), i % 2, (float)(i % 3) / 2);
    }
    commit();
    cr_assert_eq(run_rounds(run), 1);
    score(0, 1, 1);
    add("late", "a question of the round that was killed");
    open_run(3);
    const struct dataset *d = run_dataset(run);
    cr_assert_eq(run_rounds(run), 1);
    cr_assert_eq(d->query_count, 600);
    cr_assert_eq(d->expert_count, 3);
    cr_assert_not(dataset_outcome(d, 0, 1)->present, "of the round that was not over");
    for (size_t i = 0; i < 600; i++) {
        cr_assert_eq(dataset_outcome(d, i, i % 2)->score, (float)(i % 3) / 2);
        cr_assert_not(dataset_outcome(d, i, 2)->present);
    }
}

Test(run, its_folder_is_a_data_set_with_the_texts)
{
    struct dataset *d;
    struct error err = {0};
    struct buf text;
    char path[96];
    open_run(2);
    add("a", "What is 3 + 4?");
    score(0, 1, 1);
    commit();
    cr_assert_eq(dataset_load(folder, DATASET_ALL, &d, &err), OK, "%s", err.text);
    cr_assert(dataset_outcome(d, 0, 1)->known);
    cr_assert_not(dataset_outcome(d, 0, 0)->present);
    dataset_free(d);
    snprintf(path, sizeof(path), "%s/responses/large.jsonl", folder);
    buf_init(&text, 4096);
    cr_assert_eq(file_read(path, 4096, &text, &err), OK, "%s", err.text);
    cr_assert(str_equal(buf_str(&text), STR("{\"id\":\"a\",\"text\":\"It is 7.\"}\n")), "%s",
              text.ptr);
    buf_done(&text);
}

Test(run, a_round_that_was_not_over_goes)
{
    char path[96];
    const char *begun;
    open_run(2);
    cr_assert_eq(run_round_begin(run, &begun, NULL), OK);
    snprintf(path, sizeof(path), "%s/half", begun);
    FILE *f = fopen(path, "we");
    cr_assert(f);
    fclose(f);
    open_run(2);
    cr_assert_eq(run_rounds(run), 0);
    cr_assert_eq(run_round_begin(run, &begun, NULL), OK);
    cr_assert_eq(access(path, F_OK), -1);
}

Test(run, a_round_that_came_to_nothing_leaves_nothing)
{
    const char *begun;
    char path[96];
    open_run(2);
    cr_assert_eq(run_round_begin(run, &begun, NULL), OK);
    snprintf(path, sizeof(path), "%s", begun);
    cr_assert_eq(access(path, F_OK), 0);
    run_round_abort(run);
    cr_assert_eq(access(path, F_OK), -1);
    run_round_abort(run);
    cr_assert_eq(run_rounds(run), 0);
}

Test(run, one_process_at_a_time)
{
    struct run *other = NULL;
    struct error err = {0};
    open_run(2);
    cr_assert_eq(run_open(folder, experts, 2, &other, &err), ERR_OVERLOAD);
    cr_assert(strstr(err.text, "another process"), "%s", err.text);
}

Test(run, an_expert_that_is_gone_is_said)
{
    struct error err = {0};
    open_run(2);
    add("a", "What is 3 + 4?");
    score(0, 1, 1);
    commit();
    run_close(run);
    run = NULL;
    cr_assert_eq(run_open(folder, experts, 1, &run, &err), ERR_INPUT);
    cr_assert(strstr(err.text, "large"), "%s", err.text);
}
