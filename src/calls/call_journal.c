/* The journal of paid calls: see call_journal.h.
 *
 * Its lines are written by this program alone, yet read as if they came from anybody, because a disk may have lost some
 * of them. One thread owns an open journal; reading entries needs none. Appending waits for the disk about once a
 * second. Nothing here knows what an entry means for the purse: that is calls.c's. */
#include "calls/call_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

/* Lines */

static const char *const kinds[] = {[ENTRY_INTENT] = "intent",
                                    [ENTRY_MORE] = "more",
                                    [ENTRY_ANSWER] = "key",
                                    [ENTRY_FAILURE] = "failed",
                                    [ENTRY_AGAIN] = "again"};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void write_text(struct buf *out, const char *name, struct str text)
{
    buf_addf(out, ",\"%s\":", name);
    json_write_string(out, text);
}

static void write_number(struct buf *out, const char *name, int64_t number)
{
    buf_addf(out, ",\"%s\":%" PRId64, name, number);
}

/* One piece: the members of a line, in the order in which a person reads them. */
void call_entry_write(const struct call_entry *e, struct buf *out)
{
    bool reserves = e->kind == ENTRY_INTENT || e->kind == ENTRY_MORE;
    buf_addf(out, "{\"%s\":", kinds[e->kind]);
    json_write_string(out, e->key);
    if (!reserves)
        write_text(out, "expert", e->expert);
    if (e->paid.ptr)
        write_text(out, "paid", e->paid);
    write_number(out, reserves ? "reserved_nano_usd" : "cost_nano_usd", e->nano_usd);
    if (e->kind == ENTRY_INTENT && e->limit_nano_usd > 0 && e->limit_nano_usd < e->nano_usd)
        write_number(out, "limit_nano_usd", e->limit_nano_usd);
    if (e->kind == ENTRY_FAILURE)
        write_text(out, "problem", e->text);
    if (e->kind == ENTRY_ANSWER) {
        buf_addf(out, ",\"asked\":\"%016" PRIx64 "\"", e->asked);
        write_number(out, "input_tokens", e->input_tokens);
        write_number(out, "output_tokens", e->output_tokens);
        write_text(out, "basis", str_from(cost_basis_name(e->basis)));
        write_number(out, "latency_ms", e->latency_ms);
        if (e->certainty.known) {
            buf_add_c(out, ",\"certainty\":");
            certainty_write(&e->certainty, out);
        }
        write_text(out, "text", e->text);
    }
    buf_add(out, STR("}\n"));
}

struct reading { /* of one line */
    struct json_value root;
    const char *place;
    size_t line;
    struct arena *arena;
    struct error *err;
};

static enum status lacks(const struct reading *r, const char *name, const char *what)
{
    return error_set_at(r->err, ERR_INPUT, r->place, r->line, 0, "\"%s\" should be %s", name, what);
}

static enum status read_text(const struct reading *r, const char *name, struct str *ret)
{
    struct json_value v = json_get(r->root, name);
    if (v.type != JSON_STRING)
        return lacks(r, name, "a text");
    struct str text = {NULL, 0};
    enum status status = json_string_decode(v, r->arena, &text);
    if (status == OK && text.ptr == v.raw.ptr + 1) /* a part of the line, which goes */
        text = arena_copy(r->arena, text);
    if (status != OK || !text.ptr)
        return error_set(r->err, ERR_MEMORY, "%s: out of memory", r->place);
    *ret = text;
    return OK;
}

static enum status read_number(const struct reading *r, const char *name, int64_t *ret)
{
    int64_t number;
    if (json_to_int64(json_get(r->root, name), &number) != OK || number < 0)
        return lacks(r, name, "a whole number");
    *ret = number;
    return OK;
}

static enum status read_asked(const struct reading *r, uint64_t *ret)
{
    struct str hex = {0};
    enum status status = read_text(r, "asked", &hex);
    if (status != OK)
        return status;
    return str_to_hash(hex, ret) == OK ? OK : lacks(r, "asked", "16 hexadecimal digits");
}

static enum status read_basis(const struct reading *r, enum cost_basis *ret)
{
    struct str name = {0};
    enum status status = read_text(r, "basis", &name);
    if (status != OK)
        return status;
    return cost_basis_read(name, ret) ? OK
                                      : lacks(r, "basis", "usage, estimated, predicted or limited");
}

static enum status read_certainty(const struct reading *r, struct certainty *ret)
{
    struct json_value list = json_get(r->root, "certainty");
    if (list.type == JSON_NONE || certainty_read(list, ret))
        return OK;
    return lacks(r, "certainty", "[mean, least, last]");
}

static enum status read_answer(const struct reading *r, struct call_entry *e)
{
    enum status status = read_asked(r, &e->asked);
    if (status == OK)
        status = read_number(r, "input_tokens", &e->input_tokens);
    if (status == OK)
        status = read_number(r, "output_tokens", &e->output_tokens);
    if (status == OK)
        status = read_number(r, "latency_ms", &e->latency_ms);
    if (status == OK)
        status = read_basis(r, &e->basis);
    if (status == OK)
        status = read_certainty(r, &e->certainty);
    return status == OK ? read_text(r, "text", &e->text) : status;
}

static enum status read_limit(const struct reading *r, struct call_entry *e)
{
    e->limit_nano_usd = e->nano_usd;
    if (json_get(r->root, "limit_nano_usd").type == JSON_NONE)
        return OK;
    return read_number(r, "limit_nano_usd", &e->limit_nano_usd);
}

/* One piece: the kind of the line, which is the name of its key, decides which other members it must have. */
static enum status read_entry(const struct reading *r, struct call_entry *e)
{
    size_t kind = 0;
    while (kind < KINDS && json_get(r->root, kinds[kind]).type == JSON_NONE)
        kind++;
    if (kind == KINDS)
        return error_set_at(r->err, ERR_INPUT, r->place, r->line, 0,
                            "a line has \"intent\", \"more\", \"key\", \"failed\" or \"again\"");
    e->kind = (enum call_entry_kind)kind;
    bool reserves = e->kind == ENTRY_INTENT || e->kind == ENTRY_MORE;
    enum status status = read_text(r, kinds[kind], &e->key);
    if (status == OK)
        status = read_number(r, reserves ? "reserved_nano_usd" : "cost_nano_usd", &e->nano_usd);
    if (status == OK && e->kind == ENTRY_INTENT)
        status = read_limit(r, e);
    if (status == OK && !reserves)
        status = read_text(r, "expert", &e->expert);
    if (status == OK && !reserves && json_get(r->root, "paid").type != JSON_NONE)
        status = read_text(r, "paid", &e->paid);
    if (status == OK && e->kind == ENTRY_FAILURE)
        status = read_text(r, "problem", &e->text);
    if (status == OK && e->kind == ENTRY_ANSWER)
        status = read_answer(r, e);
    return status;
}

enum status call_entry_parse(struct str line, const char *place, size_t line_number,
                             struct arena *a, struct call_entry *ret, struct error *err)
{
    struct reading r = {.place = place, .line = line_number, .arena = a, .err = err};
    struct call_entry e = {0};
    enum status status = json_parse(line, place, line_number, &r.root, err);
    if (status == OK)
        status = read_entry(&r, &e);
    if (status == OK)
        *ret = e;
    return status;
}

/* One piece: whether a line may be broken hangs on where it stands. */
enum status call_journal_read(struct str bytes, const char *place, struct arena *a,
                              call_entry_fn *fn, void *arg, size_t *ret_len, struct error *err)
{
    size_t at = 0, line = 0;
    const char *end;
    while (at < bytes.len && (end = memchr(bytes.ptr + at, '\n', bytes.len - at))) {
        struct call_entry e;
        size_t next = (size_t)(end - bytes.ptr) + 1;
        enum status status =
            call_entry_parse(str_slice(bytes, at, next - 1), place, ++line, a, &e, err);
        if (status == ERR_INPUT && next == bytes.len)
            break; /* pages that a power failure has kept from the disk */
        if (status == OK)
            status = fn(arg, &e, err);
        if (status == ERR_INPUT) {
            error_prefix(err, "a damaged line; the run can go on without it, at the price of one "
                              "call, when it is taken out");
            status = ERR_CORRUPT;
            if (err)
                err->status = status;
        }
        if (status != OK)
            return status;
        at = next;
    }
    *ret_len = at;
    return OK;
}

/* The file */

static enum status no_write(const struct call_journal *j, struct error *err)
{
    return error_set_errno(err, ERR_IO, errno, "cannot write %s", j->path);
}

static enum status read_file(struct call_journal *j, struct arena *a, call_entry_fn *fn, void *arg,
                             struct error *err)
{
    struct file_copy copy;
    size_t len = 0;
    enum status status = file_copy_open(j->path, &copy, err);
    if (status != OK)
        return status;
    status = call_journal_read((struct str){(const char *)copy.ptr, copy.len}, j->path, a, fn, arg,
                               &len, err);
    if (status == OK && len < copy.len && ftruncate(j->fd, (off_t)len) != 0)
        status = no_write(j, err);
    file_copy_close(&copy);
    return status;
}

enum status call_journal_open(struct call_journal *j, const char *path, struct arena *a,
                              call_entry_fn *fn, void *arg, struct error *err)
{
    *j = (struct call_journal){.path = path, .fd = -1};
    buf_init(&j->line, CALL_JOURNAL_LINE_MAX);
    if (!path)
        return OK;
    j->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (j->fd < 0)
        return no_write(j, err);
    return read_file(j, a, fn, arg, err);
}

/* A line that is written in part, where the disk is full, ends the file: whatever came behind it would make it a
 * damaged line amid others. */

static enum status write_line(struct call_journal *j, struct error *err)
{
    struct str rest = buf_str(&j->line);
    while (rest.len > 0) {
        ssize_t n = write(j->fd, rest.ptr, rest.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return no_write(j, err);
        rest = str_slice(rest, (size_t)n, rest.len);
    }
    return OK;
}

enum status call_journal_append(struct call_journal *j, const struct call_entry *e, uint64_t now_ms,
                                struct error *err)
{
    if (j->fd < 0)
        return OK;
    if (j->broken)
        return error_set(err, ERR_IO, "cannot write %s: an earlier write has failed", j->path);
    buf_clear(&j->line);
    call_entry_write(e, &j->line);
    enum status status = buf_status(&j->line, err);
    if (status == OK)
        status = write_line(j, err);
    j->broken = status != OK;
    j->dirty = true;
    if (status == OK && now_ms - j->synced_ms >= CALL_JOURNAL_SYNC_MS) {
        status = call_journal_sync(j, err);
        j->synced_ms = now_ms;
    }
    return status;
}

enum status call_journal_sync(struct call_journal *j, struct error *err)
{
    if (j->fd >= 0 && j->dirty && fdatasync(j->fd) != 0)
        return no_write(j, err);
    j->dirty = false;
    return OK;
}

void call_journal_close(struct call_journal *j)
{
    if (j->path && j->fd >= 0)
        close(j->fd);
    buf_done(&j->line);
    *j = (struct call_journal){.fd = -1};
}
