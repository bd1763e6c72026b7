/* gz.h: plain and gzip files read alike; damage is told from the end. */
#include "base/gz.h"

#include <fcntl.h>
#include <zlib.h>

#include "base/temp.h"

/* `text` as one gzip member in `into`; returns its size. */
static size_t deflate_text(const char *text, size_t len, unsigned char *into, size_t capacity)
{
    z_stream z = {0};
    cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)text;
    z.avail_in = (unsigned)len;
    z.next_out = into;
    z.avail_out = (unsigned)capacity;
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t size = z.total_out;
    deflateEnd(&z);
    return size;
}

static void expect_lines(const char *path, const char *const *lines, size_t count)
{
    struct line_reader *r = NULL;
    struct str line;
    cr_assert_eq(line_reader_open(path, &r, NULL), OK);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(line_reader_next(r, &line, NULL), OK);
        cr_assert(str_equal(line, str_from(lines[i])), "line %zu is '%.*s'", i, STR_FMT(line));
        cr_assert_eq(line_reader_number(r), i + 1);
    }
    cr_assert_eq(line_reader_next(r, &line, NULL), CLOSED);
    cr_assert_eq(line_reader_next(r, &line, NULL), CLOSED, "the end stays the end");
    line_reader_close(r);
}

Test(gz, plain_lines_with_every_line_end)
{
    static const char *const lines[] = {"a", "", "b\rc", "d", "last"};
    struct temp t;
    temp_begin(&t, "plain.txt");
    temp_write(t.path, "a\n\nb\rc\r\nd\nlast", 14);
    expect_lines(t.path, lines, 5);
    temp_write(t.path, "a\n\nb\rc\r\nd\nlast\r\n", 16);
    expect_lines(t.path, lines, 5);
    temp_write(t.path, "", 0);
    expect_lines(t.path, NULL, 0);
    temp_end(&t);
    line_reader_close(NULL);
}

Test(gz, gzip_is_told_by_content_and_members_join)
{
    static const char *const lines[] = {"one", "two", "three"};
    unsigned char bytes[400];
    size_t size = deflate_text("one\ntw", 6, bytes, sizeof(bytes));
    size += deflate_text("o\nthree\n", 8, bytes + size, sizeof(bytes) - size);
    struct temp t;
    temp_begin(&t, "named.txt");
    temp_write(t.path, bytes, size);
    expect_lines(t.path, lines, 3);
    temp_end(&t);
}

Test(gz, the_name_without_gz_finds_the_file)
{
    unsigned char bytes[200];
    size_t size = deflate_text("x\n", 2, bytes, sizeof(bytes));
    struct temp t;
    temp_begin(&t, "q.jsonl.gz");
    temp_write(t.path, bytes, size);
    char path[128];
    snprintf(path, sizeof(path), "%s/q.jsonl", t.folder);
    struct line_reader *r = NULL;
    cr_assert_eq(line_reader_open(path, &r, NULL), OK);
    cr_assert_str_eq(line_reader_path(r), t.path);
    line_reader_close(r);
    temp_end(&t);
}

Test(gz, a_file_that_is_not_there)
{
    struct line_reader *r = (struct line_reader *)&r;
    struct error err;
    cr_assert_eq(line_reader_open("/nowhere/at-all.csv", &r, &err), ERR_NOT_FOUND);
    cr_assert_eq((void *)r, (void *)&r, "outputs stay as they were");
    cr_assert_not_null(strstr(err.text, "/nowhere/at-all.csv"));
}

/* The status that ends a file of `size` bytes. */
static enum status last_status(const char *path, const void *bytes, size_t size, struct error *err)
{
    temp_write(path, bytes, size);
    struct line_reader *r = NULL;
    struct str line;
    enum status status = line_reader_open(path, &r, err);
    cr_assert_eq(status, OK);
    while (status == OK)
        status = line_reader_next(r, &line, err);
    line_reader_close(r);
    return status;
}

Test(gz, every_truncation_is_noticed)
{
    unsigned char bytes[400];
    size_t size = deflate_text("one\ntwo\nthree\nfour\n", 19, bytes, sizeof(bytes));
    struct temp t;
    struct error err = {0};
    temp_begin(&t, "cut.gz");
    cr_assert_eq(last_status(t.path, bytes, size, &err), CLOSED);
    for (size_t cut = 10; cut < size; cut++) {
        cr_assert_eq(last_status(t.path, bytes, cut, &err), ERR_CORRUPT, "cut at %zu", cut);
        cr_assert_not_null(strstr(err.text, "cut.gz"));
    }
    temp_end(&t);
}

Test(gz, damage_is_noticed)
{
    unsigned char bytes[400];
    size_t size = deflate_text("one\ntwo\nthree\nfour\n", 19, bytes, sizeof(bytes));
    struct temp t;
    temp_begin(&t, "damaged.gz");
    for (size_t at = size - 8; at < size; at++) { /* the checksum and the length */
        bytes[at] ^= 0x10;
        cr_assert_eq(last_status(t.path, bytes, size, NULL), ERR_CORRUPT, "byte %zu", at);
        bytes[at] ^= 0x10;
    }
    temp_end(&t);
}

Test(gz, long_lines_up_to_the_limit)
{
    char *bytes = malloc(LINE_BYTES_MAX + 2u);
    memset(bytes, 'x', LINE_BYTES_MAX + 2u);
    struct temp t;
    struct error err = {0};
    temp_begin(&t, "long.txt");
    cr_assert_eq(last_status(t.path, bytes, LINE_BYTES_MAX, &err), CLOSED);
    cr_assert_eq(last_status(t.path, bytes, LINE_BYTES_MAX + 1u, &err), ERR_TOO_LARGE);
    bytes[LINE_BYTES_MAX] = '\n';
    cr_assert_eq(last_status(t.path, bytes, LINE_BYTES_MAX + 2u, &err), CLOSED);
    bytes[LINE_BYTES_MAX] = 'x';
    bytes[LINE_BYTES_MAX + 1u] = '\n';
    cr_assert_eq(last_status(t.path, bytes, LINE_BYTES_MAX + 2u, &err), ERR_TOO_LARGE);
    temp_end(&t);
    free(bytes);
}

Test(gz, lines_across_chunks)
{
    struct temp t;
    temp_begin(&t, "many.txt");
    FILE *f = fopen(t.path, "wb");
    for (unsigned i = 0; i < 200000; i++)
        fprintf(f, "%u\n", i);
    fclose(f);
    struct line_reader *r = NULL;
    struct str line;
    cr_assert_eq(line_reader_open(t.path, &r, NULL), OK);
    for (unsigned i = 0; i < 200000; i++) {
        uint64_t value = 0;
        cr_assert_eq(line_reader_next(r, &line, NULL), OK);
        cr_assert_eq(str_to_uint64(line, &value), OK);
        cr_assert_eq(value, i);
    }
    cr_assert_eq(line_reader_next(r, &line, NULL), CLOSED);
    line_reader_close(r);
    temp_end(&t);
}

Test(gz, a_dash_is_standard_input)
{
    struct temp t;
    temp_begin(&t, "in.txt");
    temp_write(t.path, "hello\n", 6);
    int fd = open(t.path, O_RDONLY);
    dup2(fd, STDIN_FILENO);
    close(fd);
    static const char *const lines[] = {"hello"};
    expect_lines("-", lines, 1);
    temp_end(&t);
}

Test(gz, a_folder_is_no_file)
{
    struct line_reader *r = NULL;
    struct str line;
    enum status status = line_reader_open("/tmp", &r, NULL);
    if (status == OK)
        status = line_reader_next(r, &line, NULL);
    cr_assert_eq(status, ERR_IO);
    line_reader_close(r);
}

/* Whoever waits at the other end for an answer to its first line must get it. */
Test(gz, a_line_in_a_pipe_is_there_at_once, .timeout = 10)
{
    int ends[2];
    struct line_reader *r;
    struct str line;
    cr_assert_eq(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    cr_assert_eq(line_reader_open("-", &r, NULL), OK);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(write(ends[1], "hello\nhal", 9), 9);
        cr_assert_eq(line_reader_next(r, &line, NULL), OK);
        cr_assert(str_equal(line, i ? STR("halhello") : STR("hello")));
    }
    close(ends[1]);
    cr_assert_eq(line_reader_next(r, &line, NULL), OK);
    cr_assert(str_equal(line, STR("hal")));
    cr_assert_eq(line_reader_next(r, &line, NULL), CLOSED);
    line_reader_close(r);
    close(ends[0]);
}

/* In memory */

static enum status unpack(const unsigned char *bytes, size_t len, size_t limit, struct buf *out)
{
    struct error err = {0};
    buf_init(out, limit);
    enum status status = gz_inflate((struct str){(const char *)bytes, len}, out, &err);
    cr_assert_eq(status == OK, err.text[0] == '\0', "%s", err.text);
    return status;
}

Test(gz, members_in_memory_join_and_every_cut_is_told)
{
    unsigned char bytes[400];
    struct buf out;
    size_t first = deflate_text("{\"a\":", 5, bytes, sizeof(bytes));
    size_t size = first + deflate_text("1}", 2, bytes + first, sizeof(bytes) - first);
    cr_assert_eq(unpack(bytes, size, 100, &out), OK);
    cr_assert(str_equal(buf_str(&out), STR("{\"a\":1}")));
    buf_done(&out);
    for (size_t cut = 0; cut < size; cut++) {
        enum status status = unpack(bytes, cut, 100, &out);
        cr_assert_eq(status, cut == first ? OK : ERR_CORRUPT, "%zu of %zu", cut, size);
        buf_done(&out);
    }
    bytes[size] = 'x'; /* something behind it */
    cr_assert_eq(unpack(bytes, size + 1, 100, &out), ERR_CORRUPT);
    buf_done(&out);
    bytes[first - 8] ^= 1; /* the checksum of the first */
    cr_assert_eq(unpack(bytes, size, 100, &out), ERR_CORRUPT);
    buf_done(&out);
}

Test(gz, memory_stops_at_the_limit)
{
    enum { PLAIN = 3 << 20 };
    char *zeros = calloc(1, PLAIN);
    unsigned char bytes[16384];
    struct buf out;
    size_t size = deflate_text(zeros, PLAIN, bytes, sizeof(bytes));
    cr_assert_eq(unpack(bytes, size, PLAIN, &out), OK, "as much as may be");
    cr_assert_eq(out.len, PLAIN);
    buf_done(&out);
    cr_assert_eq(unpack(bytes, size, PLAIN - 1, &out), ERR_TOO_LARGE);
    cr_assert_leq(out.len, PLAIN - 1);
    buf_done(&out);
    size = deflate_text("", 0, bytes, sizeof(bytes));
    cr_assert_eq(unpack(bytes, size, 0, &out), OK, "nothing fits into nothing");
    buf_done(&out);
    free(zeros);
}
