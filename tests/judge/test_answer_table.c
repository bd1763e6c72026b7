/* Recorded answers: classes in the outcomes, statistics in a table. */
#include "judge/answer_table.h"
#include "scratch_set.h"

#include <string.h>

#include "plan/plan_set.h"
#include "scratch_set.h"

static void read_text(const char *folder, const char *expert, int query, struct buf *text)
{
    char path[128], line[4096], id[16];
    snprintf(path, sizeof(path), "%s/responses/%s.jsonl", folder, expert);
    snprintf(id, sizeof(id), "\"q%d\"", query);
    FILE *f = fopen(path, "r");
    cr_assert_not_null(f);
    while (fgets(line, sizeof(line), f))
        if (strstr(line, id)) {
            char *from = strstr(line, "\"text\":\"") + 8;
            buf_add(text, (struct str){from, (size_t)(strrchr(line, '"') - from)});
        }
    fclose(f);
}

Test(answer_table, the_table_holds_the_statistics_of_every_text)
{
    static const char *const names[] = {"a", "b", "c"};
    struct plan_set_fixture f = plan_set_make();
    for (int q = 0; q < PLAN_SET_QUERIES; q += 23)
        for (size_t e = 0; e < PLAN_SET_EXPERTS; e++) {
            const struct answer_cell *cell = &f.answers.cells[(size_t)q * PLAN_SET_EXPERTS + e];
            float want[ANSWER_STATS];
            struct buf text;
            cr_assert_eq(cell->present, e < 3);
            if (e == 3)
                continue;
            buf_init(&text, 1 << 20);
            read_text(f.path, names[e], q, &text);
            answer_stats(buf_str(&text), want);
            cr_assert_gt((double)want[ANSWER_LOG_CHARACTERS], 0);
            cr_assert_eq(memcmp(cell->stats, want, sizeof(want)), 0);
            buf_done(&text);
        }
    plan_set_done(&f);
}

/* a and b say the same just where both are right; who has no texts has no answers. */
Test(answer_table, classes_agree_where_texts_say_the_same)
{
    struct plan_set_fixture f = plan_set_make();
    for (size_t q = 0; q < PLAN_SET_QUERIES; q++) {
        const struct outcome *o = dataset_outcome(f.data, q, 0);
        uint16_t key = (uint16_t)(f.data->queries[q].answer.ptr[0] - 'A' + 1);
        cr_assert_eq(o[0].answer_class == o[1].answer_class, o[0].score > 0);
        for (size_t e = 0; e < 3; e++)
            cr_assert_eq(o[e].answer_class == key, o[e].score > 0);
        cr_assert_eq(o[3].answer_class, 0);
    }
    plan_set_done(&f);
}

static void count_calls(size_t done, size_t total, void *arg)
{
    size_t *last = arg;
    cr_assert_eq(done, *last + 1);
    cr_assert_eq(total, 2);
    *last = done;
}

Test(answer_table, only_the_experts_asked_for_are_read)
{
    struct plan_set_fixture f = plan_set_make();
    struct dataset *d = NULL;
    struct answer_table answers;
    const size_t experts[] = {2, 3};
    size_t found = 77, calls = 0;
    cr_assert_eq(dataset_load(f.path, DATASET_ALL, &d, NULL), OK);
    cr_assert_eq(answer_table_classify(d, experts, 2, count_calls, &calls, &found, NULL), OK);
    cr_assert_eq(answer_table_read(&d, 1, d, experts, 2, f.arena, &answers, NULL), OK);
    cr_expect_eq(found, 1);
    cr_expect_eq(calls, 2);
    for (size_t q = 0; q < PLAN_SET_QUERIES; q++)
        for (size_t e = 0; e < PLAN_SET_EXPERTS; e++) {
            cr_assert_eq(answers.cells[q * PLAN_SET_EXPERTS + e].present, e == 2);
            cr_assert_eq(dataset_outcome(d, q, e)->answer_class != 0, e == 2);
        }
    dataset_free(d);
    plan_set_done(&f);
}

/* The rows of the second part come behind those of the first, with its own texts. */
Test(answer_table, parts_stand_one_after_the_other)
{
    struct plan_set_fixture f = plan_set_make(), g = plan_set_make();
    struct dataset *parts[] = {f.data, g.data}, *all = NULL;
    struct answer_table answers;
    const size_t experts[] = {0, 1, 2, 3};
    struct error err = {0};
    char path[128];
    snprintf(path, sizeof(path), "%s/responses/b.jsonl", f.path);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(dataset_concat(parts, 2, &all, &err), OK, "%s", err.text);
    cr_assert_eq(answer_table_read(parts, 2, all, experts, 4, f.arena, &answers, &err), OK, "%s",
                 err.text);
    size_t half = PLAN_SET_QUERIES * PLAN_SET_EXPERTS;
    for (size_t i = 0; i < half; i++) {
        cr_assert_eq(answers.cells[i].present, f.answers.cells[i].present && i % 4 != 1);
        cr_assert_eq(memcmp(&answers.cells[half + i], &f.answers.cells[i], sizeof(*answers.cells)),
                     0);
        cr_assert_eq(all->outcomes[half + i].answer_class, f.data->outcomes[i].answer_class);
    }
    dataset_free(all);
    plan_set_done(&f);
    plan_set_done(&g);
}

Test(answer_table, malformed_texts_are_an_error_that_names_them)
{
    struct plan_set_fixture f = plan_set_make();
    const size_t experts[] = {0, 1};
    struct answer_table answers = {.cells = f.answers.cells};
    struct dataset *d = NULL;
    struct error err = {0};
    struct buf text;
    size_t found = 77;
    cr_assert_eq(dataset_load(f.path, DATASET_ALL, &d, NULL), OK);
    buf_init(&text, 1 << 10);
    buf_add_c(&text, "{\"id\":\"q0\",\"text\":\n");
    plan_set_write(f.path, "responses/b.jsonl", &text);
    cr_expect_eq(answer_table_classify(d, experts, 2, NULL, NULL, &found, &err), ERR_INPUT);
    cr_expect_not_null(strstr(err.text, "responses/b.jsonl"), "%s", err.text);
    cr_expect_eq(found, 77);
    cr_expect_eq(answer_table_read(&d, 1, d, experts, 2, f.arena, &answers, &err), ERR_INPUT);
    cr_expect_eq(answers.cells, f.answers.cells, "outputs stay untouched on failure");
    buf_done(&text);
    dataset_free(d);
    plan_set_done(&f);
}

Test(answer_table, the_table_holds_how_certain_an_answer_was)
{
    char folder[64];
    const size_t experts[] = {0, 1};
    struct error err = {0};
    struct answer_table table;
    set_make(folder);
    set_write(folder, "responses/b.jsonl",
              "{\"id\":\"q1\",\"text\":\"A\",\"certainty\":[2.5,0.5,3]}\n"
              "{\"id\":\"q2\",\"text\":\"1\"}\n");
    struct dataset *d = set_load(folder);
    struct arena *a = arena_create(1 << 20);
    cr_assert_eq(answer_table_read(&d, 1, d, experts, 2, a, &table, &err), OK, "%s", err.text);
    const struct certainty *c = &table.cells[1].certainty;
    cr_expect(c->known && c->mean == 2.5f && c->least == 0.5f && c->last == 3);
    cr_expect_not(table.cells[0].certainty.known);
    cr_expect(table.cells[d->expert_count + 1].present);
    cr_expect_not(table.cells[d->expert_count + 1].certainty.known);
    arena_free(a);
    dataset_free(d);
    set_remove(folder);
}
