/* Whole files: read, copy into memory, and write so that a reader never sees half of one. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

NODISCARD enum status file_read(const char *path, size_t limit, struct buf *into,
                                struct error *err);

/* The bytes of a file in memory of one's own, read-only: whatever is done to the file later, they stay as they are. */
struct file_copy {
    const unsigned char *ptr; /* page-aligned; NULL for an empty file */
    size_t len;
};
/* ERR_IO also where the file was written to while it was read: what was copied may be half old, half new. */
NODISCARD enum status file_copy_open(const char *path, struct file_copy *ret, struct error *err);
void file_copy_close(struct file_copy *c);

/* An output that appears under its name only when it is whole: written to "PATH.tmp.PID", fsynced, renamed.
 * "-" writes straight to standard output, a device or pipe is written as it is. */
struct file_out {
    FILE *stream;
    char *path, *temporary; /* both NULL for standard output; no temporary for a device */
};
/* Says before long work what opening it would say after: that the folder is not there or lets nobody write. */
NODISCARD enum status file_out_check(const char *path, struct error *err);
NODISCARD enum status file_out_open(const char *path, struct file_out *ret, struct error *err);
/* Closes, also on failure. */
NODISCARD enum status file_out_commit(struct file_out *out, struct error *err);
/* The same where nothing may be overwritten: ERR_IO with sys_errno EEXIST when the name is taken. Not for standard
 * output or devices. */
NODISCARD enum status file_out_commit_new(struct file_out *out, struct error *err);
/* All three for a text that is there already. The buffer's status where that has failed. */
NODISCARD enum status file_write(const char *path, const struct buf *b, struct error *err);
void file_out_abort(struct file_out *out); /* removes the temporary; a no-op after commit */
/* Removes the temporaries of outputs whose process was killed: NAME.tmp.PID in the folder; name NULL: of all. Only
 * where nobody else writes them. */
void file_out_sweep(const char *folder, const char *name);

/* Writes what was gathered to a stream, mostly standard output, and is done with it, whatever comes of it. The buffer's
 * status where that has failed; ERR_IO where the stream takes no more. */
NODISCARD enum status file_print(FILE *out, struct buf *b, struct error *err);

/* Whether both names lead to one file; one that is not there is the same by its name alone. */
bool file_is_same(const char *a, const char *b);

/* Makes every folder of `path` up to its last slash; with `whole`, also the last part. */
NODISCARD enum status file_make_folders(const char *path, bool whole, struct error *err);
/* A fresh folder in TMPDIR, or /tmp; `name` is a part of its own. The caller removes it. */
NODISCARD enum status file_make_temporary(const char *name, char *ret, size_t size,
                                          struct error *err);
