/* Where questions come from, and the first that was dropped for each reason. */
#include "runpage/provenance.h"

#include "run_scene.h"

struct read {
    struct scratch s;
    struct dataset *d;
    struct arena *a;
    struct provenance p;
};

static enum status read_scene(struct read *r, const char *posed, struct error *err)
{
    *r = (struct read){.s = scene_make(), .a = arena_create(1 << 20)};
    if (posed)
        scratch_write(&r->s, "posed.jsonl", posed);
    cr_assert_eq(dataset_load(r->s.path, DATASET_ALL, &r->d, NULL), OK);
    return provenance_read(r->s.path, r->d, r->a, &r->p, err);
}

static void done(struct read *r)
{
    dataset_free(r->d);
    arena_free(r->a);
    scratch_remove(&r->s);
}

Test(provenance, counts_a_question_once_however_often_it_was_written)
{
    struct read r;
    cr_assert_eq(read_scene(&r, NULL, NULL), OK);
    cr_assert_eq(r.p.source_count, 2);
    cr_expect(str_equal(r.p.sources[1].name, STR("generator")));
    cr_expect(r.p.sources[1].questions == 1 && r.p.sources[1].outcomes == 1);
    cr_expect_eq(r.p.sources[1].scored, 0);
    cr_expect(r.p.sources[0].questions == 3 && r.p.sources[0].asked == 3);
    cr_expect(r.p.sources[0].outcomes == 5 && r.p.sources[0].score == 2);
    cr_assert_eq(r.p.example_count, 1);
    cr_expect(str_equal(r.p.examples[0].text, STR("Twice?")));
    cr_expect(str_equal(r.p.examples[0].why, STR("like <a>")));
    done(&r);
}

Test(provenance, needs_neither_file)
{
    struct read r = {.s = scratch_dataset(SCENE_QUERIES, SCENE_EXPERTS, SCENE_OUTCOMES),
                     .a = arena_create(1 << 20)};
    cr_assert_eq(dataset_load(r.s.path, DATASET_ALL, &r.d, NULL), OK);
    cr_assert_eq(provenance_read(r.s.path, r.d, r.a, &r.p, NULL), OK);
    cr_expect(r.p.source_count == 1 && r.p.sources[0].questions == 4 && r.p.example_count == 0);
    done(&r);
}

Test(provenance, has_so_many_sources_and_reasons_at_most)
{
    struct read r;
    struct buf lines;
    buf_init(&lines, 1 << 20);
    for (size_t i = 0; i < 100; i++)
        buf_addf(&lines, "{\"id\":\"%s\",\"source\":\"s%zu\"}\n", i % 2 ? "a" : "b", i);
    cr_assert_eq(read_scene(&r, lines.ptr, NULL), OK);
    cr_expect_eq(r.p.source_count, PROVENANCE_SOURCES_MAX);
    cr_expect_eq(r.p.sources[PROVENANCE_SOURCES_MAX - 1].questions, 2);
    for (size_t i = 0; i < 2 * PROVENANCE_REASONS_MAX; i++) {
        char line[64];
        int len = snprintf(line, sizeof(line), "{\"reason\":\"r%zu\"}", i);
        cr_assert_eq(
            provenance_dropped_line((struct str){line, (size_t)len}, "d", 1, r.a, &r.p, NULL), OK);
    }
    cr_expect_eq(r.p.example_count, PROVENANCE_REASONS_MAX);
    buf_done(&lines);
    done(&r);
}

Test(provenance, a_line_that_is_damaged_is_named)
{
    struct read r;
    struct error err = {0};
    cr_assert_eq(read_scene(&r, "{\"id\":\"a\",\"source\":\"s\"}\n{\"id\":1}\n", &err),
                 ERR_CORRUPT);
    cr_expect(strstr(err.text, "posed.jsonl:2"), "%s", err.text);
    done(&r);
}
