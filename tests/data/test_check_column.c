/* What checks have said: cells, holes, and the place of every mistake. */
#include "data/check_column.h"

#include "scratch.h"

static struct dataset *load(const struct scratch *s)
{
    struct dataset *d = NULL;
    struct error err = {0};
    cr_assert_eq(dataset_load(s->path, DATASET_ALL, &d, &err), OK, "%s", err.text);
    return d;
}

Test(check_column, is_read_by_its_name)
{
    struct scratch s = scratch_dataset(NULL, NULL,
                                       "id,verified,model,score,unit tests\n"
                                       "b,1,org/small,1,0.5\n"
                                       "a,0,big,0.25,0.49\n"
                                       "a,1,nobody,0,never read\n"
                                       "b,,big,,1\n");
    struct dataset *d = load(&s);
    uint8_t cells[4] = {9, 9, 9, 9};
    struct error err = {0};
    cr_assert_eq(check_column_read(d, "verified", cells, &err), OK, "%s", err.text);
    cr_assert_eq(cells[0], CHECK_REJECTS); /* a, big */
    cr_assert_eq(cells[1], CHECK_UNKNOWN); /* no row */
    cr_assert_eq(cells[2], CHECK_UNKNOWN); /* an empty cell */
    cr_assert_eq(cells[3], CHECK_PASSES);
    cr_assert_eq(check_column_read(d, "unit tests", cells, &err), OK, "%s", err.text);
    cr_assert_eq(cells[0], CHECK_REJECTS);
    cr_assert_eq(cells[2], CHECK_PASSES);
    cr_assert_eq(cells[3], CHECK_PASSES);
    dataset_free(d);
    scratch_remove(&s);
}

static void expect_error(const char *outcomes, const char *place, const char *what)
{
    struct scratch s = scratch_dataset(NULL, NULL, outcomes);
    struct dataset *d = load(&s);
    uint8_t cells[4];
    struct error err = {0};
    cr_expect_eq(check_column_read(d, "verified", cells, &err), ERR_INPUT);
    cr_expect_not_null(strstr(err.text, place), "'%s' does not name %s", err.text, place);
    cr_expect_not_null(strstr(err.text, what), "'%s' does not say %s", err.text, what);
    dataset_free(d);
    scratch_remove(&s);
}

Test(check_column, bad_cells_and_missing_columns_are_named)
{
    expect_error("id,model,score,verified\na,big,1,1\nb,big,1,yes\n", "outcomes.csv:3:9", "'yes'");
    expect_error("id,model,score,verified\na,big,1,1.5\n", "outcomes.csv:2:9", "'1.5'");
    expect_error("id,model,score,verified\na,big,1,nan\n", "outcomes.csv:2:9", "it passes");
    expect_error("id,model,score,checked\na,big,1,1\n", "outcomes.csv:1",
                 "no column 'verified'; the header is: id,model,score,checked");
}

Test(check_column, a_table_has_none)
{
    struct dataset d = {.path = STR("results.csv"), .is_table = true};
    struct error err = {0};
    cr_assert_eq(check_column_read(&d, "verified", NULL, &err), ERR_INPUT);
    cr_assert_not_null(strstr(err.text, "results.csv is a table"));
}
