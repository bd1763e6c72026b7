/* Which files a data set is read from. */
#include "data/input_file.h"

#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

static struct scratch scratch;
static char path[4096];

static void setup(void)
{
    scratch = scratch_make();
}

static void teardown(void)
{
    scratch_remove(&scratch);
}

TestSuite(input_file, .init = setup, .fini = teardown);

static const char *in(const char *name)
{
    snprintf(path, sizeof(path), "%s/%s", scratch.path, name);
    return path;
}

Test(input_file, of_a_directory)
{
    scratch_write(&scratch, "queries.jsonl", "");
    scratch_write(&scratch, "notes.csv", "");
    mkdir(in("responses"), 0700);
    mkdir(in("responses/org"), 0700);
    scratch_write(&scratch, "responses/org/m.jsonl", "");
    cr_expect(dataset_holds(scratch.path, in("queries.jsonl")));
    cr_expect(dataset_holds(scratch.path, in("responses/org/../org/m.jsonl")));
    cr_expect(symlink("queries.jsonl", in("link")) == 0);
    cr_expect(dataset_holds(scratch.path, in("link")));
    cr_expect_not(dataset_holds(scratch.path, in("notes.csv")));
    cr_expect(dataset_holds(scratch.path, in("outcomes.csv")), "it would be read");
}

Test(input_file, of_tables)
{
    char table[4096];
    scratch_write(&scratch, "t.csv", "");
    scratch_write(&scratch, "model", "");
    snprintf(table, sizeof(table), "%s/t.csv", scratch.path);
    cr_expect(dataset_holds(table, in("t.csv")));
    cr_expect(dataset_holds(scratch.path, in("t.csv")));
    cr_expect_not(dataset_holds(scratch.path, in("model")));
    cr_expect_not(dataset_holds(table, in("u.csv")));
}
