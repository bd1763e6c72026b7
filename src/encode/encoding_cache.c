/* Encodings on disk: see encoding_cache.h. A file is
 *
 *   "leeroo encodings 1\n", u32 bytes of the fingerprint and these, u32 numbers of a row, u64 rows,
 *   the rows' keys, the rows, u64 hash of all before
 *
 * in the machine's byte order, which is little-endian wherever this runs. Texts are asked for in parts, so that little
 * is lost when training is killed; the file is written whole each time, under another name first. On the thread that
 * trains. */
#include "encode/encoding_cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/map.h"

#define MAGIC      "leeroo encodings 1\n"
#define PART       256 /* texts that the encoder is asked for at once */
#define PARTS_KEPT 16  /* after so many the file is written */
#define PATH_BYTES 4096

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are written as memory has them");

/* Reading */

static bool take(struct str *bytes, void *into, size_t size)
{
    if (bytes->len < size)
        return false;
    memcpy(into, bytes->ptr, size);
    *bytes = str_slice(*bytes, size, bytes->len);
    return true;
}

/* One piece: every number is checked before the next is read. */
enum status encoding_file_read(struct str bytes, struct str fingerprint, size_t dims,
                               struct encoding_file *ret, struct error *err)
{
    uint64_t sum = 0, rows;
    uint32_t length, width;
    struct str rest = bytes, tail;
    if (!str_starts(rest, STR(MAGIC)) || bytes.len < strlen(MAGIC) + sizeof(sum))
        return error_set(err, ERR_CORRUPT, "no file of encodings");
    tail = str_slice(rest, rest.len - sizeof(sum), rest.len);
    rest = str_slice(rest, strlen(MAGIC), rest.len - sizeof(sum));
    (void)take(&tail, &sum, sizeof(sum));
    if (!take(&rest, &length, sizeof(length)) || rest.len < length ||
        !str_equal(str_slice(rest, 0, length), fingerprint))
        return error_set(err, ERR_CORRUPT, "of another encoder");
    rest = str_slice(rest, length, rest.len);
    if (!take(&rest, &width, sizeof(width)) || !take(&rest, &rows, sizeof(rows)) || width != dims)
        return error_set(err, ERR_CORRUPT, "of another encoder");
    size_t row = ENCODING_KEY_BYTES + dims * sizeof(float);
    if (rows != rest.len / row || rest.len % row != 0 || rows > UINT32_MAX ||
        hash64(str_slice(bytes, 0, bytes.len - sizeof(sum)), 1) != sum)
        return error_set(err, ERR_CORRUPT, "damaged");
    *ret = (struct encoding_file){.dims = dims,
                                  .count = (size_t)rows,
                                  .keys = (const unsigned char *)rest.ptr,
                                  .rows = (const unsigned char *)rest.ptr +
                                          (size_t)rows * ENCODING_KEY_BYTES};
    return OK;
}

/* The texts of a call */

struct asked {
    const struct encoder *encoder;
    char path[PATH_BYTES];
    struct file_copy copy;     /* what was there */
    struct encoding_file file; /* in it; no rows where there was none */
    size_t count;
    unsigned char *keys; /* [count × ENCODING_KEY_BYTES] */
    uint32_t *first;     /* [count] the first text that equals it */
    bool *known;         /* [count] its row is there */
    bool *again;         /* [file.count] the row was asked for */
    float *dense;
};

static struct str key_at(const unsigned char *keys, size_t i)
{
    return (struct str){(const char *)keys + i * ENCODING_KEY_BYTES, ENCODING_KEY_BYTES};
}

static void close_asked(struct asked *a)
{
    file_copy_close(&a->copy);
    free(a->keys);
    free(a->first);
    free(a->known);
    free(a->again);
}

/* Which texts are equal to which. */
static enum status find_equals(struct asked *a, const struct str *texts, struct map *map)
{
    enum status status = OK;
    for (size_t i = 0; i < a->count && status == OK; i++) {
        uint64_t halves[2] = {hash64(texts[i], 0x1eef), hash64(texts[i], 0x2eef)};
        memcpy(a->keys + i * ENCODING_KEY_BYTES, halves, ENCODING_KEY_BYTES);
        a->first[i] = (uint32_t)i;
        if (!map_get(map, key_at(a->keys, i), &a->first[i]))
            status = map_put(map, key_at(a->keys, i), (uint32_t)i);
    }
    return status;
}

/* What the file has of them. */
static void recall(struct asked *a, const struct map *map)
{
    size_t bytes = a->encoder->dense_count * sizeof(float);
    for (size_t r = 0; r < a->file.count; r++) {
        uint32_t i;
        if (!map_get(map, key_at(a->file.keys, r), &i))
            continue;
        memcpy(a->dense + i * a->encoder->dense_count, a->file.rows + r * bytes, bytes);
        a->known[i] = a->again[r] = true;
    }
}

static void read_file(struct asked *a)
{
    struct error err;
    if (file_copy_open(a->path, &a->copy, &err) != OK)
        return; /* there is none yet */
    struct str bytes = {(const char *)a->copy.ptr, a->copy.len};
    if (encoding_file_read(bytes, str_from(a->encoder->fingerprint), a->encoder->dense_count,
                           &a->file, &err) != OK)
        log_event(LOG_WARN, "encodings are made anew", "file=\"%s\" reason=\"%s\"", a->path,
                  err.text);
}

static enum status name_file(struct asked *a, const char *folder, struct error *err)
{
    uint64_t hash = hash64(str_from(a->encoder->fingerprint), a->encoder->dense_count);
    int length = snprintf(a->path, sizeof(a->path), "%s/%016" PRIx64 ".encodings", folder, hash);
    return length > 0 && (size_t)length < sizeof(a->path)
               ? OK
               : error_set(err, ERR_INPUT, "the folder '%.60s…' has too long a name", folder);
}

static enum status open_asked(struct asked *a, const char *folder, const struct str *texts,
                              struct error *err)
{
    enum status status = folder ? name_file(a, folder, err) : OK;
    if (status != OK)
        return status;
    if (folder)
        read_file(a);
    struct map *map = map_create(a->count + 1);
    a->keys = malloc(a->count * ENCODING_KEY_BYTES + 1);
    a->first = calloc(a->count + 1, sizeof(*a->first));
    a->known = calloc(a->count + 1, sizeof(*a->known));
    a->again = calloc(a->file.count + 1, sizeof(*a->again));
    status = map && a->keys && a->first && a->known && a->again ? OK : ERR_MEMORY;
    if (status == OK)
        status = find_equals(a, texts, map);
    if (status == OK)
        recall(a, map);
    map_free(map);
    return status == OK ? OK : error_set(err, status, "out of memory");
}

/* Writing */

/* Rows that are kept: those asked for, then others of the file while there is room. Their keys, or the rows. */
static size_t add_rows(const struct asked *a, size_t max, bool keys, struct buf *b)
{
    size_t n = 0, dims = a->encoder->dense_count, bytes = dims * sizeof(float);
    for (size_t i = 0; i < a->count && n < max; i++)
        if (a->known[i] && a->first[i] == i) {
            buf_add(b, keys ? key_at(a->keys, i)
                            : (struct str){(const char *)(a->dense + i * dims), bytes});
            n++;
        }
    for (size_t r = 0; r < a->file.count && n < max; r++)
        if (!a->again[r]) {
            buf_add(b, keys ? key_at(a->file.keys, r)
                            : (struct str){(const char *)a->file.rows + r * bytes, bytes});
            n++;
        }
    return n;
}

static void add_number(struct buf *b, const void *number, size_t bytes)
{
    buf_add(b, (struct str){number, bytes});
}

/* Nothing is lost but time where it cannot be written. */
static void write_file(const struct asked *a)
{
    struct error err;
    struct buf b;
    struct str fingerprint = str_from(a->encoder->fingerprint);
    uint32_t length = (uint32_t)fingerprint.len, dims = (uint32_t)a->encoder->dense_count;
    size_t row = ENCODING_KEY_BYTES + dims * sizeof(float);
    size_t max = (ENCODING_CACHE_BYTES_MAX - PATH_BYTES) / row;
    buf_init(&b, ENCODING_CACHE_BYTES_MAX);
    buf_add_c(&b, MAGIC);
    add_number(&b, &length, sizeof(length));
    buf_add(&b, fingerprint);
    add_number(&b, &dims, sizeof(dims));
    uint64_t rows = 0;
    size_t at = b.len;
    add_number(&b, &rows, sizeof(rows));
    rows = add_rows(a, max, true, &b);
    add_rows(a, max, false, &b);
    if (buf_status(&b, &err) == OK) {
        memcpy(b.ptr + at, &rows, sizeof(rows));
        uint64_t sum = hash64(buf_str(&b), 1);
        add_number(&b, &sum, sizeof(sum));
    }
    if (file_make_folders(a->path, false, &err) != OK || file_write(a->path, &b, &err) != OK)
        log_event(LOG_WARN, "encodings are not kept", "reason=\"%s\"", err.text);
    buf_done(&b);
}

/* Asking */

struct telling {
    encode_progress *progress;
    void *arg;
    size_t before; /* texts that were done when the part began */
};

static bool on_progress(size_t done, void *arg)
{
    const struct telling *t = arg;
    return !t->progress || t->progress(t->before + done, t->arg);
}

/* The encoder's own words for texts[count], at once where it offers that. */
static enum status ask(const struct encoder *e, const struct str *texts, size_t count, float *dense,
                       struct telling *t, struct error *err)
{
    struct features f;
    if (e->encode_many)
        return e->encode_many(e, texts, count, dense, on_progress, t, err);
    enum status status = features_init(&f, err);
    for (size_t i = 0; i < count && status == OK; i++) {
        status = features_encode(&f, &e, 1, texts[i], err);
        if (status == OK && f.said[0].silent)
            status = error_set(err, ERR_UPSTREAM, "encoder '%s' said nothing of a text", e->name);
        if (status == OK)
            memcpy(dense + i * e->dense_count, f.said[0].dense, e->dense_count * sizeof(float));
        if (status == OK && !on_progress(i + 1, t))
            status = error_set(err, ERR_CANCELLED, "stopped");
    }
    features_done(&f);
    return status;
}

/* The next texts that nobody knows, at most PART; which ones. */
static size_t next_part(const struct asked *a, size_t *from, const struct str *texts,
                        struct str *part, uint32_t *which)
{
    size_t n = 0;
    for (; *from < a->count && n < PART; ++*from)
        if (!a->known[*from] && a->first[*from] == *from) {
            which[n] = (uint32_t)*from;
            part[n++] = texts[*from];
        }
    return n;
}

/* One piece: parts follow one another, and what is done is kept whatever comes of the next. */
static enum status ask_all(struct asked *a, const struct str *texts, struct telling *t,
                           struct error *err)
{
    size_t dims = a->encoder->dense_count, from = 0, unwritten = 0, n;
    struct str part[PART];
    uint32_t which[PART];
    float *said = malloc(PART * dims * sizeof(*said));
    enum status status = said ? OK : error_set(err, ERR_MEMORY, "out of memory");
    while (status == OK && (n = next_part(a, &from, texts, part, which)) > 0) {
        status = ask(a->encoder, part, n, said, t, err);
        for (size_t i = 0; i < n && status == OK; i++) {
            memcpy(a->dense + which[i] * dims, said + i * dims, dims * sizeof(*said));
            a->known[which[i]] = true;
        }
        t->before += status == OK ? n : 0;
        unwritten += status == OK;
        if (*a->path && unwritten == PARTS_KEPT) {
            write_file(a);
            unwritten = 0;
        }
    }
    if (*a->path && unwritten)
        write_file(a);
    free(said);
    return status;
}

enum status encoding_cache_encode(const char *folder, const struct encoder *e,
                                  const struct str *texts, size_t count, float *dense,
                                  encode_progress *progress, void *arg, struct error *err)
{
    CHECK(!e->bucket_count && e->dense_count && count < UINT32_MAX);
    struct asked a = {.encoder = e, .count = count, .dense = dense};
    struct telling t = {.progress = progress, .arg = arg};
    enum status status = open_asked(&a, folder, texts, err);
    for (size_t i = 0; i < count && status == OK; i++)
        t.before += a.known[a.first[i]];
    if (status == OK)
        status = ask_all(&a, texts, &t, err);
    for (size_t i = 0; i < count && status == OK; i++)
        memmove(dense + i * e->dense_count, dense + a.first[i] * e->dense_count,
                e->dense_count * sizeof(*dense));
    close_asked(&a);
    return status;
}
