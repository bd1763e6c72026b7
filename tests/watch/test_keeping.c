/* Prompts on their way to the file: who is of the share, what is taken out, and what happens when it is slow. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/temp.h"
#include "store/kept.h"
#include "watch/keeping.h"

static struct temp temp;
static atomic_int held;
static const struct expert experts[] = {{.name = {"a", 1}},
                                        {.name = {"b", 1}, .api_key = {"key-of-the-expert", 17}}};

static void setup(void)
{
    temp_begin(&temp, "kept.sqlite");
}

static void teardown(void)
{
    temp_end(&temp);
}

TestSuite(keeping, .init = setup, .fini = teardown);

static struct keeping *start(void)
{
    struct keeping *k = NULL;
    struct error err;
    cr_assert_eq(keeping_start(temp.path, 30, &k, &err), OK, "%s", err.text);
    return k;
}

static void release(void *holder)
{
    atomic_fetch_sub((atomic_int *)holder, 1);
}

static void offer(struct keeping *k, int id, struct str text)
{
    char name[16];
    snprintf(name, sizeof(name), "r%d", id);
    atomic_fetch_add(&held, 1);
    keeping_offer(k, &(struct keeping_offer){.request_id = str_from(name),
                                             .key = STR("key_1"),
                                             .expert = STR("b"),
                                             .text = text,
                                             .at_ms = INT64_MAX / 2 + id,
                                             .experts = experts,
                                             .expert_count = 1,
                                             .embedders = experts + 1,
                                             .embedder_count = 1,
                                             .holder = &held,
                                             .release = release});
}

static enum status note(const struct kept_row *row, void *arg, struct error *err)
{
    struct buf *b = arg;
    (void)err;
    buf_addf(b, "%.*s %.*s %.*s: %.*s\n", STR_FMT(row->request_id), STR_FMT(row->key),
             STR_FMT(row->expert), STR_FMT(row->text));
    return OK;
}

static void expect_file(const char *wanted)
{
    struct kept *file = NULL;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_add_c(&b, "");
    cr_assert_eq(kept_open(temp.path, KEPT_READ, &file, NULL), OK);
    cr_assert_eq(kept_each(file, 0, note, &b, NULL), OK);
    cr_expect_str_eq(b.ptr, wanted);
    buf_done(&b);
    kept_close(file);
}

Test(keeping, what_was_offered_is_there_when_it_stops)
{
    struct keeping *k = start();
    offer(k, 1, STR("Why is the sky blue?"));
    offer(k, 2, STR("My key is key-of-the-expert or key\\u002dof-the-expert, a@b.org"));
    offer(k, 3, STR(""));
    keeping_stop(k);
    expect_file("r1 key_1 b: Why is the sky blue?\n"
                "r2 key_1 b: My key is [redacted] or [redacted], [e-mail]\n");
    cr_expect_eq(atomic_load(&held), 0, "nothing is held any more");
}

Test(keeping, the_share_hangs_on_the_id_alone)
{
    size_t in = 0;
    for (int i = 0; i < 4000; i++) {
        char id[16];
        snprintf(id, sizeof(id), "req_%d", i);
        bool wanted = keeping_wants(0.5, str_from(id));
        in += wanted;
        cr_assert_eq(keeping_wants(0.5, str_from(id)), wanted);
        cr_assert_not(keeping_wants(0, str_from(id)));
        cr_assert(keeping_wants(1, str_from(id)));
        cr_assert(!wanted || keeping_wants(0.6, str_from(id)));
    }
    cr_expect(in > 1850 && in < 2150, "%zu", in);
}

Test(keeping, a_locked_file_drops_what_does_not_fit)
{
    struct keeping *k = start();
    sqlite3 *db = NULL;
    struct keeping_counts counts;
    cr_assert_eq(sqlite3_open(temp.path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    cr_assert_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 3 * KEEPING_QUEUE_ROWS; i++)
        offer(k, i, STR("many"));
    counts = keeping_counts(k);
    cr_expect_geq(counts.dropped, (uint64_t)KEEPING_QUEUE_ROWS - 1);
    cr_expect_eq(counts.kept, 0);
    cr_assert_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    for (int i = 0; i < 1000 && counts.kept + counts.dropped < 3u * KEEPING_QUEUE_ROWS; i++) {
        usleep(10000);
        counts = keeping_counts(k);
    }
    cr_expect_geq(counts.kept, KEEPING_QUEUE_ROWS);
    cr_expect_eq(counts.kept + counts.dropped, 3u * KEEPING_QUEUE_ROWS);
    keeping_stop(k);
    cr_expect_eq(atomic_load(&held), 0);
}

Test(keeping, a_file_that_will_not_do_is_found_at_the_start)
{
    struct keeping *k = NULL;
    struct error err;
    cr_expect_eq(keeping_start("/nowhere/kept.sqlite", 30, &k, &err), ERR_IO);
    cr_expect_null(k);
    keeping_stop(NULL);
}
