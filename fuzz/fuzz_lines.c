/* Lines of plain and gzip files: any bytes are read to an end, and for plain text the lines add up to the input. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
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
