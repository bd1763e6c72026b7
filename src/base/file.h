/* Whole files: read, map, and write so that a reader never sees half of one. */
#pragma once

#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

NODISCARD enum status file_read(const char *path, size_t limit, struct buf *into,
                                struct error *err);

struct file_map {
    const unsigned char *ptr; /* read-only, page-aligned; NULL for an empty file */
    size_t len;
};
NODISCARD enum status file_map_open(const char *path, struct file_map *ret, struct error *err);
void file_map_close(struct file_map *m);

/* An output that appears under its name only when it is whole: written to "PATH.tmp.PID", fsynced, renamed.
 * "-" writes straight to standard output, a device or pipe is written as it is. */
struct file_out {
    FILE *stream;
    char *path, *temporary; /* both NULL for standard output; no temporary for a device */
};
NODISCARD enum status file_out_open(const char *path, struct file_out *ret, struct error *err);
/* Closes, also on failure. */
NODISCARD enum status file_out_commit(struct file_out *out, struct error *err);
void file_out_abort(struct file_out *out); /* removes the temporary; a no-op after commit */
