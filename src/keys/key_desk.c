/* The file of keys under its lock: found, added to, ended, saved whole. */
#include "keys/key_desk.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

struct key_desk key_desk_at(struct arena *a, const char *path, const char *folder, int64_t now_ms)
{
    return (struct key_desk){
        .arena = a, .path = path, .folder = folder, .lock = -1, .now_ms = now_ms};
}

enum status key_desk_open(struct key_desk *d, bool create, struct error *err)
{
    static const struct key_file none;
    if (create && d->folder && mkdir(d->folder, 0700) != 0 && errno != EEXIST)
        return error_set_errno(err, ERR_IO, errno, "cannot make %s", d->folder);
    enum status status = create || access(d->path, F_OK) == 0
                             ? key_file_lock(d->path, &d->lock, err)
                             : error_set(err, ERR_NOT_FOUND,
                                         "%s: there are no keys yet; `leeroo keys create --name "
                                         "NAME` makes one",
                                         d->path);
    if (status != OK)
        return status;
    status = key_file_load(d->path, d->arena, &d->file, err);
    if (status != ERR_NOT_FOUND || !create)
        return status;
    d->file = none;
    d->file.rows = ARENA_NEW(d->arena, struct key_row);
    return d->file.rows ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

void key_desk_close(struct key_desk *d)
{
    if (d->lock >= 0)
        close(d->lock);
    d->lock = -1;
}

enum status key_desk_find(const struct key_desk *d, struct str who, struct key_row **ret,
                          struct error *err)
{
    struct key_row *found = NULL;
    struct str shown = str_slice(who, 0, KEY_NAME_BYTES_MAX);
    for (size_t i = 0; i < d->file.count; i++) {
        struct key_row *row = &d->file.rows[i];
        if (str_equal(row->id, who)) {
            *ret = row;
            return OK;
        }
        if (row->revoked_ms != 0 || !str_equal(row->name, who))
            continue;
        if (found)
            return error_set(err, ERR_INPUT,
                             "more than one key is called '%.*s'; give the id of one (%.*s, "
                             "%.*s, ...)",
                             STR_FMT(shown), STR_FMT(found->id), STR_FMT(row->id));
        found = row;
    }
    if (!found)
        return error_set(err, ERR_NOT_FOUND, "%s has no live key '%.*s'; `leeroo keys list`",
                         d->path, STR_FMT(shown));
    *ret = found;
    return OK;
}

struct key_row key_desk_blank(const struct key_desk *d, struct str name, enum key_role role)
{
    return (struct key_row){
        .name = name,
        .created_ms = d->now_ms - d->now_ms % 1000, /* as the file keeps it */
        .role = role,
        .limits = {.budget_nano_usd = {KEY_UNLIMITED, KEY_UNLIMITED, KEY_UNLIMITED},
                   .requests_per_minute = KEY_UNLIMITED,
                   .tokens_per_minute = KEY_UNLIMITED}};
}

static enum status check_name(const struct key_desk *d, struct str name, struct error *err)
{
    if (name.len == 0 || name.len > KEY_NAME_BYTES_MAX || !utf8_valid(name))
        return error_set(err, ERR_USAGE, "name: say whose key it is, in at most %d bytes",
                         KEY_NAME_BYTES_MAX);
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < ' ' || name.ptr[i] == 127)
            return error_set(err, ERR_USAGE, "name: no control characters");
    for (size_t i = 0; i < d->file.count; i++)
        if (d->file.rows[i].revoked_ms == 0 && str_equal(d->file.rows[i].name, name))
            return error_set(err, ERR_INPUT,
                             "there is a key '%.*s' (%.*s); revoke it, or give another name",
                             STR_FMT(name), STR_FMT(d->file.rows[i].id));
    if (d->file.count >= KEY_COUNT_MAX)
        return error_set(err, ERR_TOO_LARGE,
                         "%s: there is room for %d keys; revoked ones may be "
                         "deleted from it",
                         d->path, KEY_COUNT_MAX);
    return OK;
}

enum status key_desk_add(struct key_desk *d, struct key_row *row, char secret[KEY_SECRET_BYTES],
                         struct error *err)
{
    enum status status = check_name(d, row->name, err);
    if (status == OK)
        status = key_secret_make(d->arena, row, secret, err);
    if (status != OK)
        return status;
    d->file.rows[d->file.count++] = *row;
    return key_file_save(d->path, &d->file, err);
}

enum status key_desk_revoke(struct key_desk *d, struct key_row *row, struct error *err)
{
    if (row->revoked_ms != 0)
        return error_set(err, ERR_INPUT, "%.*s is revoked already", STR_FMT(row->id));
    row->revoked_ms = d->now_ms;
    return key_file_save(d->path, &d->file, err);
}

enum status key_desk_save(struct key_desk *d, struct error *err)
{
    return key_file_save(d->path, &d->file, err);
}

size_t key_desk_count(const struct key_desk *d, enum key_role role)
{
    size_t n = 0;
    for (size_t i = 0; i < d->file.count; i++)
        n += d->file.rows[i].role == role && !key_row_refused(&d->file.rows[i], d->now_ms);
    return n;
}
