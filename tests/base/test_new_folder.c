/* A data set appears whole, and nothing but a data set is ever removed. */
#include "base/new_folder.h"

#include <sys/stat.h>

#include "base/temp.h"

static void make_folder(const char *path, const char *file)
{
    char name[PATH_MAX];
    cr_assert_eq(mkdir(path, 0700), 0);
    snprintf(name, sizeof(name), "%s/%s", path, file);
    temp_write(name, "x", 1);
}

static bool holds(const char *folder, const char *file)
{
    char name[PATH_MAX];
    snprintf(name, sizeof(name), "%s/%s", folder, file);
    return access(name, F_OK) == 0;
}

static void remove_made(const char *folder, const char *file)
{
    char name[PATH_MAX];
    snprintf(name, sizeof(name), "%s/%s", folder, file);
    cr_assert_eq(unlink(name), 0);
    cr_assert_eq(rmdir(folder), 0);
}

Test(new_folder, what_is_not_there_may_be_made)
{
    struct temp t;
    temp_begin(&t, "set");
    cr_expect_eq(new_folder_check(t.path, t.folder, false, NULL), OK);
    temp_end(&t);
}

Test(new_folder, what_is_there_wants_to_be_replaced)
{
    struct temp t;
    struct error err;
    temp_begin(&t, "set");
    make_folder(t.path, "queries.jsonl");
    cr_expect_eq(new_folder_check(t.path, "/", false, &err), ERR_IO);
    cr_expect(strstr(err.text, "--force"), "%s", err.text);
    cr_expect_eq(new_folder_check(t.path, "/", true, &err), OK);
    cr_expect_eq(new_folder_check(t.path, t.path, true, &err), ERR_INPUT, "it is read from");
    remove_made(t.path, "queries.jsonl");
    temp_end(&t);
}

Test(new_folder, what_holds_more_than_a_data_set_stays)
{
    struct temp t;
    struct error err;
    temp_begin(&t, "set");
    make_folder(t.path, "thesis.tex");
    cr_expect_eq(new_folder_check(t.path, "/", true, &err), ERR_IO);
    cr_expect(strstr(err.text, "thesis.tex"), "%s", err.text);
    remove_made(t.path, "thesis.tex");
    temp_end(&t);
}

Test(new_folder, appears_under_its_name_when_it_is_whole)
{
    struct temp t;
    struct new_folder f;
    char path[160];
    temp_begin(&t, "set");
    snprintf(path, sizeof(path), "%s//", t.path);
    cr_assert_eq(new_folder_begin(path, false, &f, NULL), OK);
    cr_expect_str_eq(f.path, t.path);
    make_folder(f.temporary, "queries.jsonl");
    cr_expect_not(holds(t.path, "queries.jsonl"));
    cr_assert_eq(new_folder_commit(&f, NULL), OK);
    cr_expect(holds(t.path, "queries.jsonl"));
    remove_made(t.path, "queries.jsonl");
    temp_end(&t);
}

Test(new_folder, what_stood_there_goes_when_it_is_replaced)
{
    struct temp t;
    struct new_folder f;
    temp_begin(&t, "set");
    make_folder(t.path, "outcomes.csv");
    cr_assert_eq(new_folder_begin(t.path, true, &f, NULL), OK);
    make_folder(f.temporary, "queries.jsonl");
    cr_assert_eq(new_folder_commit(&f, NULL), OK);
    cr_expect(holds(t.path, "queries.jsonl"));
    cr_expect_not(holds(t.path, "outcomes.csv"));
    remove_made(t.path, "queries.jsonl");
    temp_end(&t);
}

Test(new_folder, a_failure_leaves_what_stood_there)
{
    struct temp t;
    struct new_folder f;
    struct error err;
    temp_begin(&t, "set");
    make_folder(t.path, "queries.jsonl");
    cr_assert_eq(new_folder_begin(t.path, true, &f, NULL), OK);
    cr_expect_eq(new_folder_commit(&f, &err), ERR_IO, "nobody has made it");
    cr_expect(holds(t.path, "queries.jsonl"));
    make_folder(f.temporary, "queries.jsonl");
    new_folder_abort(&f);
    cr_expect_neq(access(f.temporary, F_OK), 0);
    remove_made(t.path, "queries.jsonl");
    temp_end(&t);
}

Test(new_folder, a_name_that_is_none_is_refused)
{
    struct new_folder f;
    char longest[PATH_MAX + 100];
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    cr_expect_eq(new_folder_begin("", false, &f, NULL), ERR_INPUT);
    cr_expect_eq(new_folder_begin(longest, false, &f, NULL), ERR_INPUT);
}
