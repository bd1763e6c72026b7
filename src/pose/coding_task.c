/* Tasks out of families: see coding_task.h. A task has its family's edges and some inputs beside, in any order, so that
 * what stands in the question may or may not show a mistake.
 *
 * Deterministic: the same generator state gives the same task. */
#include "pose/coding_task.h"

#include <stdio.h>

#include "base/check.h"
#include "pose/coding_int.h"

#define INPUTS_MIN 2 /* beside the edges */
#define INPUTS_MAX 5

static const char *const OPENINGS[] = {"Write an ", "Please write a short ", "I need an ",
                                       "Give me an "};
#define OPENING_COUNT (sizeof(OPENINGS) / sizeof(OPENINGS[0]))

static void keep(struct buf *from, char into[CODING_TEST_BYTES])
{
    CHECK(buf_status(from, NULL) == OK && from->len < CODING_TEST_BYTES);
    snprintf(into, CODING_TEST_BYTES, "%.*s", (int)from->len, from->len ? from->ptr : "");
}

/* The input lies in `b`. */
static void add_test(struct coding_task *t, const struct coding_family *f, struct buf *b)
{
    struct coding_test *test = &t->tests[t->count++];
    struct sheet sheet;
    keep(b, test->input);
    sheet_cut(str_from(test->input), &sheet);
    buf_clear(b);
    f->solve(&sheet, &t->ask, b);
    keep(b, test->output);
    buf_clear(b);
}

static void shuffle(struct rng *rng, struct coding_task *t)
{
    for (size_t i = t->count; i > 1; i--) {
        const size_t k = rng_below(rng, i);
        const struct coding_test other = t->tests[k];
        t->tests[k] = t->tests[i - 1];
        t->tests[i - 1] = other;
    }
}

void coding_task_of(struct rng *rng, const struct program_family *family, struct coding_task *ret)
{
    const struct coding_family *f = coding_family_named(family->name);
    struct buf b;
    *ret = (struct coding_task){.ask.family = family};
    ret->opening = (unsigned)rng_below(rng, OPENING_COUNT);
    ret->wording = (unsigned)rng_below(rng, PROGRAM_TEXTS);
    f->draw_args(rng, &ret->ask);
    buf_init(&b, 4 * (size_t)CODING_TEST_BYTES);
    for (size_t i = 0; i < 2 && f->edges[i]; i++) {
        program_write(&ret->ask, f->edges[i], &b);
        add_test(ret, f, &b);
    }
    for (size_t n = INPUTS_MIN + rng_below(rng, INPUTS_MAX - INPUTS_MIN + 1); n > 0; n--) {
        f->draw_input(rng, &ret->ask, &b);
        add_test(ret, f, &b);
    }
    buf_done(&b);
    shuffle(rng, ret);
    ret->shown = (2 * ret->count + 2) / 3;
}

void coding_task_draw(struct rng *rng, struct coding_task *ret)
{
    coding_task_of(rng, program_family_at(rng_below(rng, program_family_count())), ret);
}

static void add_lines(char sign, const char *text, struct buf *out)
{
    for (struct str rest = str_from(text); rest.len > 0;) {
        const struct str line = str_split(&rest, '\n');
        buf_addf(out, line.len ? "%c %.*s\n" : "%c%.*s\n", sign, STR_FMT(line));
    }
}

void coding_task_text(const struct coding_task *t, size_t from, size_t to, struct buf *out)
{
    buf_add_c(out, OPENINGS[t->opening]);
    buf_add_c(out, PROGRAM_INTRODUCES);
    program_write(&t->ask, t->ask.family->texts[t->wording], out);
    buf_add_c(out, ". Put it in a fence called awk. It has to pass these tests (< is read, > is "
                   "printed) and others like them:\n\n```tests\n");
    for (size_t i = from; i < to; i++) {
        buf_add_c(out, i > from ? "\n" : "");
        add_lines('<', t->tests[i].input, out);
        add_lines('>', t->tests[i].output, out);
    }
    buf_add_c(out, "```\n");
}
