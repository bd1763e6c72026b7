/* See npy.h; version 1.0 of the format, in the order of C. */
#include "npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define LEAD                                                                                       \
    10 /* bytes before the description: a magic, the version, how long the description is */
#define DESCRIPTION 118 /* with which numbers begin at a multiple of 64 */
#define BYTES_MAX   ((size_t)1 << 30)

enum status npy_read(const char *path, float **ret, size_t *rows, size_t *columns,
                     struct error *err)
{
    struct buf b;
    buf_init(&b, BYTES_MAX);
    enum status status = file_read(path, BYTES_MAX, &b, err);
    if (status != OK)
        return status;
    size_t head = b.len > LEAD
                      ? LEAD + (unsigned char)b.ptr[8] + ((size_t)(unsigned char)b.ptr[9] << 8)
                      : SIZE_MAX;
    struct str text = str_slice(buf_str(&b), 0, head);
    size_t at = str_find(text, STR("'shape': ("), 0);
    if (head > b.len || !str_starts(text, STR("\x93NUMPY\x01")) ||
        str_find(text, STR("'<f4'"), 0) == SIZE_MAX || at == SIZE_MAX ||
        sscanf(text.ptr + at, "'shape': (%zu, %zu)", rows, columns) != 2 ||
        (b.len - head) / sizeof(float) != *rows * *columns) {
        buf_done(&b);
        return error_set(err, ERR_INPUT, "%s: no table of float32 as numpy writes it", path);
    }
    *ret = malloc(b.len);
    if (*ret)
        memcpy(*ret, b.ptr + head, b.len - head);
    buf_done(&b);
    return *ret ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

enum status npy_write(const char *path, const float *x, size_t rows, size_t columns,
                      struct error *err)
{
    struct file_out out;
    char head[DESCRIPTION];
    int len =
        snprintf(head, sizeof(head),
                 "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", rows, columns);
    memset(head + len, ' ', sizeof(head) - (size_t)len);
    head[sizeof(head) - 1] = '\n';
    enum status status = file_out_open(path, &out, err);
    if (status != OK)
        return status;
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, LEAD, out.stream); /* 0x76: DESCRIPTION */
    fwrite(head, 1, sizeof(head), out.stream);
    fwrite(x, sizeof(*x), rows * columns, out.stream);
    return file_out_commit(&out, err);
}
