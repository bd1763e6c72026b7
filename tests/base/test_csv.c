/* csv.h: RFC 4180 quoting, places in errors, columns by name. */
#include "base/csv.h"

#include "base/temp.h"

static struct temp temp;

static void begin(void)
{
    temp_begin(&temp, "t.csv");
}

static void end(void)
{
    temp_end(&temp);
}

TestSuite(csv, .init = begin, .fini = end);

static struct csv *open_text(const char *text)
{
    struct csv *c = NULL;
    struct error err = {0};
    temp_write(temp.path, text, strlen(text));
    cr_assert_eq(csv_open(temp.path, &c, &err), OK, "%s", err.text);
    return c;
}

static void expect_row(struct csv *c, size_t line, const char *const *cells, int count)
{
    struct error err = {0};
    cr_assert_eq(csv_next(c, &err), OK, "%s", err.text);
    cr_assert_eq(csv_line(c), line);
    for (int i = 0; i < count; i++)
        cr_assert(str_equal(csv_cell(c, i), str_from(cells[i])), "cell %d of line %zu is '%.*s'", i,
                  line, STR_FMT(csv_cell(c, i)));
}

#define ROW(c, line, ...)                                                                          \
    expect_row((c), (line), (const char *const[]){__VA_ARGS__},                                    \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

Test(csv, plain_cells_and_blank_lines)
{
    struct csv *c = open_text("id,model,score\n\n1,a,0.5\r\n  \n2,,\n,,1");
    ROW(c, 3, "1", "a", "0.5");
    ROW(c, 5, "2", "", "");
    ROW(c, 6, "", "", "1");
    cr_assert_eq(csv_next(c, NULL), CLOSED);
    csv_close(c);
    csv_close(NULL);
}

Test(csv, quoted_cells)
{
    struct csv *c = open_text("a,b,c\n\"x,y\",\"\",\"say \"\"hi\"\"\"\n\"\"\"\"\"\",1,\" z \"\n");
    ROW(c, 2, "x,y", "", "say \"hi\"");
    ROW(c, 3, "\"\"", "1", " z ");
    csv_close(c);
}

Test(csv, a_quote_inside_a_plain_cell_is_itself)
{
    struct csv *c = open_text("a,b\n5\" pipe,x\"y\"\n");
    ROW(c, 2, "5\" pipe", "x\"y\"");
    csv_close(c);
}

Test(csv, columns_by_name)
{
    struct csv *c = open_text("\xef\xbb\xbfid, model ,\"odd,name\"\n1,2,3\n");
    cr_assert_eq(csv_column(c, "id"), 0, "behind a byte order mark");
    cr_assert_eq(csv_column(c, "model"), 1, "blanks around a name do not count");
    cr_assert_eq(csv_column(c, "odd,name"), 2);
    cr_assert_eq(csv_column(c, "ID"), -1);
    int column = 42;
    struct error err;
    cr_assert_eq(csv_require(c, "model", &column, NULL), OK);
    cr_assert_eq(column, 1);
    cr_assert_eq(csv_require(c, "score", &column, &err), ERR_INPUT);
    cr_assert_eq(column, 1);
    cr_assert_not_null(strstr(err.text, "t.csv"));
    cr_assert_not_null(strstr(err.text, "'score'"));
    cr_assert_not_null(strstr(err.text, "model"), "it shows the columns found");
    csv_close(c);
}

Test(csv, cells_know_their_columns)
{
    struct csv *c = open_text("a,b,c\n12,\"x\"\"y\",z\n");
    cr_assert_eq(csv_next(c, NULL), OK);
    cr_assert_eq(csv_cell_column(c, 0), 1);
    cr_assert_eq(csv_cell_column(c, 1), 4);
    cr_assert_eq(csv_cell_column(c, 2), 11);
    csv_close(c);
}

static void expect_bad_row(const char *text, size_t line, size_t column)
{
    struct csv *c = open_text(text);
    struct error err;
    cr_assert_eq(csv_next(c, &err), ERR_INPUT);
    cr_assert_eq(err.line, line, "%s", err.text);
    cr_assert_eq(err.column, column, "%s", err.text);
    cr_assert_not_null(strstr(err.text, "t.csv:"));
    csv_close(c);
}

Test(csv, errors_have_a_place)
{
    expect_bad_row("a,b\n1\n", 2, 0);
    expect_bad_row("a,b\n\n1,2,3\n", 3, 0);
    expect_bad_row("a,b\n1,\"x\n", 2, 3);
    expect_bad_row("a,b\n\"x\"y,1\n", 2, 4);
    expect_bad_row("a,b\n1,\"", 2, 3);
    expect_bad_row("a,b\n\"\"\",1\n", 2, 1);
}

Test(csv, a_file_without_a_header)
{
    struct csv *c = NULL;
    struct error err;
    temp_write(temp.path, "\n \n", 3);
    cr_assert_eq(csv_open(temp.path, &c, &err), ERR_INPUT);
    cr_assert_null(c);
    cr_assert_not_null(strstr(err.text, "header"));
}

Test(csv, columns_that_are_called_alike)
{
    struct csv *c = NULL;
    struct error err;
    temp_write(temp.path, "a,b,a\n1,2,3\n", 12);
    cr_assert_eq(csv_open(temp.path, &c, &err), ERR_INPUT);
    cr_assert_not_null(strstr(err.text, "t.csv:1:5: column 'a' is there twice"), "%s", err.text);
    c = open_text(",a,\n1,2,3\n"); /* without a name none is asked for */
    csv_close(c);
}

Test(csv, a_missing_file)
{
    struct csv *c = NULL;
    cr_assert_eq(csv_open("/nowhere/at-all.csv", &c, NULL), ERR_NOT_FOUND);
    cr_assert_null(c);
    temp_write(temp.path, "", 0);
}

Test(csv, the_limit_of_columns)
{
    char text[4 * CSV_COLUMNS_MAX];
    memset(text, ',', sizeof(text));
    text[CSV_COLUMNS_MAX - 1] = 0;
    csv_close(open_text(text));
    struct csv *c = NULL;
    text[CSV_COLUMNS_MAX - 1] = ',';
    text[CSV_COLUMNS_MAX] = 0;
    temp_write(temp.path, text, strlen(text));
    cr_assert_eq(csv_open(temp.path, &c, NULL), ERR_TOO_LARGE);
}

Test(csv, a_cell_that_was_written_reads_back)
{
    static const char *const cells[] = {"plain", "", "a,b", "say \"hi\"", "\"", ",", "tab\there"};
    struct buf b;
    buf_init(&b, 4096);
    buf_add_c(&b, "first,second\n");
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        csv_write_cell(&b, str_from(cells[i]));
        buf_add_c(&b, ",x\n");
    }
    struct csv *c = open_text(b.ptr);
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        cr_assert_eq(csv_next(c, NULL), OK);
        cr_expect(str_equal(csv_cell(c, 0), str_from(cells[i])), "cell %zu", i);
    }
    cr_expect_eq(csv_next(c, NULL), CLOSED);
    csv_close(c);
    buf_clear(&b);
    csv_write_cell(&b, STR("two\nlines"));
    cr_expect_str_eq(b.ptr, "\"two\nlines\"", "a line end is quoted, too");
    buf_done(&b);
}

Test(csv, quoted_cells_may_span_lines_where_that_is_asked_for)
{
    static const char text[] =
        "\"i\nd\",text\n\na,\"one\r\n\"\"two\"\"\n\nthree\"\nb,plain\nc,\"never ends\n\n";
    struct csv *c = NULL;
    struct error err = {0};
    temp_write(temp.path, text, sizeof(text) - 1);
    cr_assert_eq(csv_open_spanning(temp.path, &c, &err), OK, "%s", err.text);
    cr_assert_eq(csv_column_count(c), 2);
    cr_assert(str_equal(csv_column_name(c, 0), STR("i\nd")));
    ROW(c, 4, "a", "one\n\"two\"\n\nthree");
    ROW(c, 8, "b", "plain");
    cr_assert_eq(csv_next(c, &err), ERR_INPUT);
    cr_assert(strstr(err.text, ":9:3"), "%s", err.text);
    csv_close(c);
    cr_assert_eq(csv_open(temp.path, &c, &err), ERR_INPUT, "and not else");
}

Test(csv, a_header_that_is_none_says_how_it_should_be)
{
    static const char *const heads[][2] = {{"id;score\n", "parted by commas here, not by ';'"},
                                           {"id\tscore\n", "parted by commas here, not by tabs"},
                                           {"\xff\xfei\n", "this is UTF-16"},
                                           {"q1,0.5\n", "the first line names the columns"}};
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct error err = {0};
        struct csv *c = open_text(heads[i][0]);
        int column;
        cr_assert_eq(csv_require(c, "id", &column, &err), ERR_INPUT);
        cr_expect_not_null(strstr(err.text, heads[i][1]), "%s", err.text);
        csv_close(c);
    }
}

Test(csv, the_first_line_of_a_value_is_found)
{
    csv_close(open_text("id,model,score\n\nq1,a,0\nq1,b,1\nq2,b,1\n"));
    cr_expect_eq(csv_find_line(temp.path, "id", STR("q1"), NULL, STR("")), 3);
    cr_expect_eq(csv_find_line(temp.path, "id", STR("q1"), "model", STR("b")), 4);
    cr_expect_eq(csv_find_line(temp.path, "id", STR("q2"), "model", STR("a")), 0);
    cr_expect_eq(csv_find_line(temp.path, "name", STR("q1"), NULL, STR("")), 0);
    cr_expect_eq(csv_find_line("/no/such/file", "id", STR("q1"), NULL, STR("")), 0);
}
