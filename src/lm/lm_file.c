/* Opening, checking and fingerprinting the files of a model. */
#include "lm/lm_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lm/gguf_file.h"

static enum status open_one(const char *path, bool is_adapter, struct lm_file *ret,
                            struct error *err)
{
    struct gguf_head head;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return error_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "%s", path);
    enum status status = gguf_file_check(fd, path, &head, err);
    if (status == OK && head.is_adapter != is_adapter)
        status = error_set(err, ERR_CORRUPT, "%s: %s", path,
                           is_adapter ? "no adapter, which a model's `lora` is"
                                      : "an adapter: it belongs to a model, as its `lora`");
    if (status != OK) {
        close(fd);
        return status;
    }
    *ret = (struct lm_file){.path = path, .fd = fd};
    snprintf(ret->fd_path, sizeof(ret->fd_path), "/dev/fd/%d", fd);
    return OK;
}

static enum status add_digest(const struct lm_file *f, struct digest *digest, struct buf *lines,
                              struct error *err)
{
    char hex[DIGEST_HEX_BYTES];
    enum status status = digest_sha256_file(f->fd, digest, err);
    if (status != OK)
        return error_prefix(err, "%s", f->path);
    digest_hex(digest, hex);
    buf_addf(lines, "%s\n", hex);
    return OK;
}

static enum status set_fingerprint(struct lm_files *f, struct error *err)
{
    struct digest digest;
    struct buf lines;
    buf_init(&lines, (f->lora_count + 1) * DIGEST_HEX_BYTES + 1);
    enum status status = add_digest(&f->model, &digest, &lines, err);
    for (size_t i = 0; i < f->lora_count && status == OK; i++) {
        struct digest lora;
        status = add_digest(&f->loras[i], &lora, &lines, err);
    }
    if (status == OK)
        status = buf_status(&lines, err);
    if (status == OK && f->lora_count)
        status = digest_sha256(buf_str(&lines), &digest, err);
    if (status == OK)
        digest_hex(&digest, f->fingerprint);
    buf_done(&lines);
    return status;
}

enum status lm_files_open(const char *path, const struct lm_options *o, struct lm_files *ret,
                          struct error *err)
{
    struct lm_files f = {.model.fd = -1};
    f.loras = calloc(o->lora_count + 1, sizeof(*f.loras));
    if (!f.loras)
        return error_set(err, ERR_MEMORY, "out of memory");
    enum status status = open_one(path, false, &f.model, err);
    while (status == OK && f.lora_count < o->lora_count) {
        status = open_one(o->loras[f.lora_count], true, &f.loras[f.lora_count], err);
        f.lora_count += status == OK;
    }
    if (status == OK && !o->vocabulary_only)
        status = set_fingerprint(&f, err);
    if (status == OK)
        *ret = f;
    else
        lm_files_close(&f);
    return status;
}

void lm_files_close(struct lm_files *f)
{
    if (f->model.fd >= 0)
        close(f->model.fd);
    for (size_t i = 0; i < f->lora_count; i++)
        close(f->loras[i].fd);
    free(f->loras);
    *f = (struct lm_files){.model.fd = -1};
}
