/* Lines of plain and gzip files: any bytes are read to an end, and for plain text the lines add up to the input.
 * Gzip in memory stops at its limit. */
#include "base/gz.h"

#include <string.h>

#include "base/check.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t line_count(const uint8_t *data, size_t size)
{
    size_t count = size && data[size - 1] != '\n';
    for (size_t i = 0; i < size; i++)
        count += data[i] == '\n';
    return count;
}

/* The same bytes in memory: never more than the limit, and nothing is lost by a higher one. */
static void inflate_in_memory(const uint8_t *data, size_t size)
{
    struct str gzip = {(const char *)data, size};
    struct error err = {0};
    struct buf small, large;
    buf_init(&small, 100);
    buf_init(&large, 1u << 20);
    enum status first = gz_inflate(gzip, &small, &err), second = gz_inflate(gzip, &large, &err);
    CHECK(small.len <= 100);
    CHECK(large.len <= 1u << 20);
    if (first == OK)
        CHECK(second == OK && str_equal(buf_str(&small), buf_str(&large)));
    else
        CHECK(first == second || first == ERR_TOO_LARGE);
    buf_done(&small);
    buf_done(&large);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    inflate_in_memory(data, size);
    char path[64];
    struct line_reader *r = NULL;
    struct str line;
    struct error err = {0};
    int fd = memory_file(data, size, path, sizeof(path));
    if (fd < 0)
        return 0;
    CHECK(line_reader_open(path, &r, &err) == OK);
    size_t lines = 0;
    enum status status;
    while ((status = line_reader_next(r, &line, &err)) == OK) {
        CHECK(!line.len || !memchr(line.ptr, '\n', line.len));
        CHECK(line_reader_number(r) == ++lines);
        if (lines > 100000) /* a small gzip file may hold very many */
            break;
    }
    bool plain = size < 2 || data[0] != 0x1f || data[1] != 0x8b;
    if (plain) {
        CHECK(status == CLOSED || lines > 100000);
        CHECK(lines == line_count(data, size) || lines > 100000);
    } else {
        CHECK(status == OK || status == CLOSED || status == ERR_CORRUPT || status == ERR_TOO_LARGE);
    }
    line_reader_close(r);
    close(fd);
    return 0;
}
