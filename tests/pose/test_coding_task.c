/* Programming tasks: for every family the reference passes all tests of its tasks, and every bug fails at least one,
 * found out by running awk. */
#include "pose/coding_task.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "judge/confined.h"

#define TASKS_A_FAMILY 4

static char *script;

/* The check, as an argument of sh: a file would have to be where nobody may read it, should root run these tests. */
static void setup(void)
{
    static char text[1 << 14];
    FILE *file = fopen(SOURCE_ROOT "/examples/check_awk.sh", "r");
    cr_assert(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    script = text;
}

TestSuite(coding_task, .init = setup, .timeout = 120);

/* Its exit code; what it says first is left in `said`. */
static int check(const struct coding_task *t, const char *program, struct buf *said)
{
    static const char *const nothing[] = {NULL};
    const char *const argv[] = {"sh", "-c", script, NULL};
    const struct confined_limits limits = {.readable = nothing, .wall_ms = 30000};
    struct confined_end end = {0};
    struct error err = {0};
    struct buf question, answer, document;
    buf_init(&question, CODING_TEXT_BYTES);
    buf_init(&answer, CODING_TEXT_BYTES);
    buf_init(&document, 1 << 20);
    buf_clear(said);
    coding_task_text(t, 0, t->count, &question);
    buf_add_c(&answer, "Here:\n\n```awk\n");
    program_write(&t->ask, program, &answer);
    buf_add_c(&answer, "\n```\n");
    buf_add_c(&document, "{\"question\":");
    json_write_string(&document, buf_str(&question));
    buf_add_c(&document, ",\"answer\":");
    json_write_string(&document, buf_str(&answer));
    buf_add_c(&document, "}\n");
    cr_assert_eq(confined_run(argv, buf_str(&document), &limits, said, &end, &err), OK, "%s",
                 err.text);
    buf_done(&question);
    buf_done(&answer);
    buf_done(&document);
    return end.exit_code;
}

static void hold(const struct program_family *f, const struct coding_task *t)
{
    struct buf said;
    buf_init(&said, 1 << 20);
    cr_expect_eq(check(t, f->reference, &said), 0, "%s(%s,%s): %.*s", f->name, t->ask.args[0],
                 t->ask.args[1], STR_FMT(buf_str(&said)));
    for (size_t b = 0; b < program_bug_count(f); b++)
        cr_expect_eq(check(t, f->bugs[b], &said), 1, "%s(%s,%s) bug %zu: %.*s", f->name,
                     t->ask.args[0], t->ask.args[1], b, STR_FMT(buf_str(&said)));
    buf_done(&said);
}

Test(coding_task, references_pass_and_bugs_fail)
{
    struct rng rng;
    rng_seed(&rng, 5);
    for (size_t i = 0; i < program_family_count(); i++)
        for (int n = 0; n < TASKS_A_FAMILY; n++) {
            struct coding_task t;
            coding_task_of(&rng, program_family_at(i), &t);
            hold(program_family_at(i), &t);
        }
}

Test(coding_task, what_does_not_end_is_ended)
{
    struct rng rng;
    struct buf said;
    buf_init(&said, 1 << 20);
    rng_seed(&rng, 6);
    for (size_t i = 0; i < program_family_count(); i++) {
        struct coding_task t;
        coding_task_of(&rng, program_family_at(i), &t);
        cr_expect_eq(check(&t, program_family_at(i)->endless, &said), 1);
        cr_expect(strstr(said.ptr, "no end after 1 s") || strstr(said.ptr, "more than 64 KiB"),
                  "%s: %s", program_family_at(i)->name, said.ptr);
    }
    buf_done(&said);
}

Test(coding_task, is_read_by_coders_and_shows_some_tests)
{
    struct rng rng;
    rng_seed(&rng, 7);
    for (int i = 0; i < 500; i++) {
        struct coding_task t;
        struct program_ask read;
        struct buf b;
        buf_init(&b, CODING_TEXT_BYTES);
        coding_task_draw(&rng, &t);
        cr_assert(t.count >= CODING_TESTS_MIN && t.count <= CODING_TESTS_MAX);
        cr_assert(t.shown > 0 && t.shown < t.count);
        coding_task_text(&t, 0, t.shown, &b);
        cr_assert_eq(buf_status(&b, NULL), OK);
        cr_assert(program_read(buf_str(&b), &read), "%s", b.ptr);
        cr_assert_eq(read.family, t.ask.family);
        cr_assert_str_eq(read.args[0], t.ask.args[0]);
        cr_assert_str_eq(read.args[1], t.ask.args[1]);
        buf_done(&b);
    }
}

Test(coding_task, seeded)
{
    struct rng a, b;
    struct coding_task x, y;
    rng_seed(&a, 8);
    rng_seed(&b, 8);
    for (int i = 0; i < 50; i++) {
        coding_task_draw(&a, &x);
        coding_task_draw(&b, &y);
        cr_assert_eq(memcmp(&x, &y, sizeof(x)), 0);
    }
}
