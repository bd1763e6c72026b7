/* keys.json on the disk: loaded, locked, saved whole; and the secrets that go with new rows. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "keys/key_file.h"

#define PATH_BYTES_MAX    4096
#define ID_RANDOM_LETTERS 10

enum status key_file_load(const char *path, struct arena *a, struct key_file *ret,
                          struct error *err)
{
    struct buf text;
    buf_init(&text, KEY_FILE_BYTES_MAX);
    enum status status = file_read(path, KEY_FILE_BYTES_MAX, &text, err);
    if (status == OK)
        status = key_file_parse(buf_str(&text), path, a, ret, err);
    buf_done(&text);
    return status;
}

/* An administrator makes keys as root, but the gateway runs as another user, which must be able to read them. */
static void give_to_owner(const char *path, int fd)
{
    struct stat st;
    char copy[PATH_BYTES_MAX];
    snprintf(copy, sizeof(copy), "%s", path);
    if (geteuid() == 0 && (stat(path, &st) == 0 || stat(dirname(copy), &st) == 0) &&
        fchown(fd, st.st_uid, st.st_gid) != 0)
        return; /* the file stays root's; the gateway will say that it cannot read it */
}

enum status key_file_save(const char *path, const struct key_file *f, struct error *err)
{
    struct buf text;
    struct file_out out;
    buf_init(&text, KEY_FILE_BYTES_MAX);
    key_file_write(f, &text);
    enum status status = buf_status(&text, err);
    if (status == OK)
        status = file_out_open(path, &out, err);
    if (status == OK) {
        if (fchmod(fileno(out.stream), 0600) != 0) { /* before there is anything in it */
            status = error_set_errno(err, ERR_IO, errno, "%s", path);
            file_out_abort(&out);
        } else {
            give_to_owner(path, fileno(out.stream));
            fwrite(text.ptr, 1, text.len, out.stream); /* commit looks at the stream's error */
            status = file_out_commit(&out, err);
        }
    }
    buf_done(&text);
    return status;
}

enum status key_file_lock(const char *path, int *ret_fd, struct error *err)
{
    char name[PATH_BYTES_MAX];
    int n = snprintf(name, sizeof(name), "%s.lock", path);
    if (n < 0 || (size_t)n >= sizeof(name))
        return error_set(err, ERR_TOO_LARGE, "%s: the name is too long", path);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set_errno(err, ERR_IO, errno, "%s", name);
    int failed;
    do
        failed = flock(fd, LOCK_EX) != 0 ? errno : 0;
    while (failed == EINTR);
    if (failed) {
        close(fd);
        return error_set_errno(err, ERR_IO, failed, "cannot lock %s", name);
    }
    *ret_fd = fd;
    return OK;
}

/* Secrets */

static char *make_id(struct arena *a, struct error *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char bytes[ID_RANDOM_LETTERS];
    char id[ID_RANDOM_LETTERS + 1] = {0};
    if (digest_random(bytes, sizeof(bytes), err) != OK)
        return NULL;
    for (size_t i = 0; i < ID_RANDOM_LETTERS; i++)
        id[i] = letters[bytes[i] & 31];
    char *made = arena_printf(a, "key_%s", id);
    if (!made)
        error_set(err, ERR_MEMORY, "out of memory for keys");
    return made;
}

/* In one piece because the secret stands in two buffers on the way, and both must be wiped on every way out after they
 * have been filled. *row and `secret` are set last, when nothing can fail any more. */
enum status key_secret_make(struct arena *a, struct key_row *row, char secret[KEY_SECRET_BYTES],
                            struct error *err)
{
    unsigned char bytes[32];
    struct error why = {.status = ERR_IO};
    struct buf text;
    struct digest digest;
    char *id = make_id(a, &why);
    if (!id)
        return error_set(err, why.status, "%s", why.text);
    enum status status = digest_random(bytes, sizeof(bytes), err);
    if (status != OK)
        return status;
    buf_init(&text, KEY_SECRET_BYTES);
    buf_reserve(&text, KEY_SECRET_BYTES - 1); /* so that growing leaves no copy behind */
    buf_add_c(&text, KEY_SECRET_PREFIX);
    digest_write_base64url(&text, bytes, sizeof(bytes));
    status = buf_status(&text, err);
    if (status == OK)
        status = digest_sha256(buf_str(&text), &digest, err);
    if (status == OK) {
        CHECK(text.len == KEY_SECRET_BYTES - 1);
        row->id = str_from(id);
        row->sha256 = digest;
        memcpy(secret, text.ptr, KEY_SECRET_BYTES);
    }
    if (text.ptr)
        explicit_bzero(text.ptr, text.len);
    explicit_bzero(bytes, sizeof(bytes));
    buf_done(&text);
    return status;
}
