/* Texts in an unnamed temporary file: see text_store.h. */
#include "rehearse/text_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"

#define BLOCK_BYTES (256u << 10)

struct text_store {
    int fd;
    const char *map;  /* NULL until sealed, or when empty */
    uint64_t written; /* to the file */
    size_t pending;   /* in the block */
    bool sealed;
    char block[BLOCK_BYTES];
};

static int open_temporary(void)
{
    const char *folder = getenv("TMPDIR");
    int fd =
        open(folder && folder[0] != '\0' ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : memfd_create("leeroo-texts", MFD_CLOEXEC);
}

enum status text_store_create(struct text_store **ret, struct error *err)
{
    struct text_store *s = malloc(sizeof(*s));
    if (!s)
        return error_set(err, ERR_MEMORY, "out of memory for recorded texts");
    s->map = NULL;
    s->written = 0;
    s->pending = 0;
    s->sealed = false;
    s->fd = open_temporary();
    if (s->fd < 0) {
        int failure = errno;
        free(s);
        return error_set_errno(err, ERR_IO, failure, "cannot make a temporary file for texts");
    }
    *ret = s;
    return OK;
}

void text_store_free(struct text_store *s)
{
    if (!s)
        return;
    if (s->map)
        munmap((void *)(uintptr_t)s->map, s->written);
    close(s->fd);
    free(s);
}

static enum status write_all(struct text_store *s, const char *bytes, size_t len, struct error *err)
{
    while (len > 0) {
        ssize_t n = write(s->fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(
                err, ERR_IO, errno,
                "cannot write recorded texts to a temporary file (set TMPDIR to a "
                "folder with more room)");
        bytes += n;
        len -= (size_t)n;
        s->written += (uint64_t)n;
    }
    return OK;
}

static enum status flush(struct text_store *s, struct error *err)
{
    size_t pending = s->pending;
    CHECK(pending <= sizeof(s->block));
    s->pending = 0;
    return write_all(s, s->block, pending, err);
}

enum status text_store_add(struct text_store *s, struct str text, uint64_t *ret_offset,
                           struct error *err)
{
    CHECK(!s->sealed);
    if (s->pending + text.len > sizeof(s->block)) {
        enum status status = flush(s, err);
        if (status != OK)
            return status;
    }
    uint64_t offset = s->written + s->pending;
    if (text.len > sizeof(s->block)) {
        enum status status = write_all(s, text.ptr, text.len, err);
        if (status != OK)
            return status;
    } else if (text.len > 0) {
        memcpy(s->block + s->pending, text.ptr, text.len);
        s->pending += text.len;
    }
    *ret_offset = offset;
    return OK;
}

enum status text_store_seal(struct text_store *s, struct error *err)
{
    CHECK(!s->sealed);
    enum status status = flush(s, err);
    if (status != OK)
        return status;
    s->sealed = true;
    if (s->written == 0)
        return OK;
    void *map = mmap(NULL, s->written, PROT_READ, MAP_SHARED, s->fd, 0);
    if (map == MAP_FAILED)
        return error_set_errno(err, ERR_IO, errno, "cannot map the recorded texts");
    s->map = map;
    return OK;
}

struct str text_store_get(const struct text_store *s, uint64_t offset, size_t len)
{
    CHECK(s->sealed);
    CHECK(offset + len <= s->written);
    return len == 0 ? STR("") : (struct str){s->map + offset, len};
}

uint64_t text_store_bytes(const struct text_store *s)
{
    return s->written + s->pending;
}
