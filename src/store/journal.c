/* A page of header, then the ring. A record is a header of 24 bytes and its payload, padded to 8 bytes, and never
 * wraps: what is left at the end of a lap is skipped. The checksum covers the position, so that a record of an earlier
 * lap is never taken for one of this lap.
 *
 * There is no lock in here. Appenders take turns under the ledger's lock and never wait; the one consumer is the
 * writer's thread. Opening allocates the whole file and waits for the disk, so it is never done on an event loop. */
#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/map_guard.h"

#define HEADER_BYTES   4096u
#define VERSION        1u
#define BYTE_ORDER_TAG 0x01020304u
#define KEEP_BYTES     (2u << 20) /* at the front of the ring: quiet times stay in there */
#define TRIM_BYTES     (1u << 20) /* pages touched before they are handed back */
#define REWIND_BYTES   (512u << 10)
#define RESERVED_MAX   (UINT64_C(1) << 62) /* of positions: far from overflow */

static const char magic[8] = "LEEROO\nJ";

struct header {
    char magic[8]; /* written last */
    uint32_t version, byte_order;
    uint64_t ring_bytes;
    char instance[JOURNAL_INSTANCE_BYTES];
    uint64_t checksum; /* of all before it */
    char pad[32];
    _Atomic uint64_t tail; /* a cache line of its own each: writer and appenders do not meet */
    char pad_tail[56];
    _Atomic uint64_t head;
    char pad_head[56];
    struct journal_loss loss;
};
_Static_assert(offsetof(struct header, tail) == 128, "on-disk layout");
_Static_assert(offsetof(struct header, head) == 192, "on-disk layout");
_Static_assert(offsetof(struct header, loss) == 256, "on-disk layout");
_Static_assert(sizeof(struct header) <= HEADER_BYTES, "on-disk layout");

struct record_header {
    uint64_t position;
    uint64_t checksum;
    uint32_t length, kind;
};
_Static_assert(sizeof(struct record_header) == 24, "on-disk layout");

struct journal {
    int fd;
    unsigned char *map;
    struct header *header;
    unsigned char *ring;
    uint64_t ring_bytes;
    /* As in the header, which is zeros when somebody cuts the file (base/map_guard.h). */
    _Atomic uint64_t head, tail;
    char instance[JOURNAL_INSTANCE_BYTES];
    struct map_guard *guard;
    uint64_t reach;   /* how far into the ring pages were touched since then */
    uint64_t trimmed; /* head and tail, added, when the pages were last handed back */
};

static uint64_t header_checksum(const struct header *h)
{
    return hash64((struct str){(const char *)h, offsetof(struct header, checksum)}, VERSION);
}

static uint64_t record_checksum(uint64_t position, uint32_t kind, struct str payload)
{
    return hash64_mix(hash64(payload, kind), position);
}

static uint64_t padded(uint64_t n)
{
    return (n + 7) & ~UINT64_C(7);
}

uint64_t journal_record_bytes(size_t len)
{
    return sizeof(struct record_header) + padded(len);
}

/* Whether a whole record stands at `position`. */
static bool read_at(const struct journal *j, uint64_t position, struct journal_record *ret)
{
    uint64_t offset = position % j->ring_bytes, left = j->ring_bytes - offset;
    struct record_header h;
    if (left < sizeof(h))
        return false;
    memcpy(&h, j->ring + offset, sizeof(h));
    if (h.position != position || h.length > JOURNAL_RECORD_MAX ||
        journal_record_bytes(h.length) > left)
        return false;
    struct str payload = {(const char *)j->ring + offset + sizeof(h), h.length};
    if (h.checksum != record_checksum(position, h.kind, payload))
        return false;
    *ret = (struct journal_record){h.kind, payload};
    return true;
}

static uint64_t size_of(const struct journal_record *record)
{
    return journal_record_bytes(record->payload.len);
}

/* Opening */

static enum status lock_file(int fd, const char *path, struct error *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return OK;
    if (errno == EWOULDBLOCK)
        return error_set(err, ERR_IO, "%s: another process uses this journal", path);
    return error_set_errno(err, ERR_IO, errno, "%s: cannot lock", path);
}

static void name_instance(const char *wanted, char into[JOURNAL_INSTANCE_BYTES])
{
    char host[33] = "";
    uint32_t random = 0;
    memset(into, 0, JOURNAL_INSTANCE_BYTES);
    if (wanted) {
        snprintf(into, JOURNAL_INSTANCE_BYTES, "%s", wanted);
        return;
    }
    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = 0;
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        random = (uint32_t)getpid();
    snprintf(into, JOURNAL_INSTANCE_BYTES, "%s-%08x", host[0] ? host : "host", random);
}

static enum status map_file(struct journal *j, const char *path, struct error *err)
{
    size_t bytes = (size_t)(HEADER_BYTES + j->ring_bytes);
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, j->fd, 0);
    if (map == MAP_FAILED)
        return error_set_errno(err, ERR_IO, errno, "%s: cannot map", path);
    j->map = map;
    j->header = map;
    j->ring = j->map + HEADER_BYTES;
    atomic_store(&j->head, atomic_load(&j->header->head));
    atomic_store(&j->tail, atomic_load(&j->header->tail));
    return map_guard_begin(map, bytes, path, &j->guard, err);
}

/* Makes a new file. The order is the point: the bytes are allocated, the header is written whole, and only then its
 * magic says that this is a journal; a failure on the way leaves no half of one. */
static enum status make(struct journal *j, const char *path, uint64_t bytes, const char *instance,
                        struct error *err)
{
    if (ftruncate(j->fd, 0) != 0)
        return error_set_errno(err, ERR_IO, errno, "%s: cannot write", path);
    int failed = posix_fallocate(j->fd, 0, (off_t)(HEADER_BYTES + bytes));
    if (failed) {
        int ignored = ftruncate(j->fd, 0); /* what was allocated until then helps nobody */
        (void)ignored;
        return error_set_errno(err, ERR_IO, failed, "%s: no room for a journal of %llu MiB", path,
                               (unsigned long long)(bytes >> 20));
    }
    j->ring_bytes = bytes;
    enum status status = map_file(j, path, err);
    if (status != OK)
        return status;
    struct header *h = j->header;
    CHECK(h);
    struct header whole = {.version = VERSION, .byte_order = BYTE_ORDER_TAG, .ring_bytes = bytes};
    memcpy(whole.magic, magic, sizeof(magic));
    name_instance(instance, whole.instance);
    whole.checksum = header_checksum(&whole);
    memcpy((char *)h + sizeof(magic), (char *)&whole + sizeof(magic),
           sizeof(whole) - sizeof(magic));
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(h->magic, magic, sizeof(magic));
    if (msync(h, HEADER_BYTES, MS_SYNC) != 0)
        return error_set_errno(err, ERR_IO, errno, "%s: cannot write", path);
    return OK;
}

static bool is_plausible(const struct header *h, uint64_t file_bytes)
{
    CHECK(h);
    uint64_t tail = atomic_load(&h->tail), head = atomic_load(&h->head);
    return h->version == VERSION && h->byte_order == BYTE_ORDER_TAG &&
           h->checksum == header_checksum(h) && h->ring_bytes == file_bytes - HEADER_BYTES &&
           h->ring_bytes >= JOURNAL_BYTES_MIN && h->ring_bytes <= JOURNAL_BYTES_MAX &&
           h->ring_bytes % HEADER_BYTES == 0 && !memchr(h->instance, 0, 1) &&
           memchr(h->instance, 0, sizeof(h->instance)) && tail % 8 == 0 && head % 8 == 0 &&
           tail <= head && head <= RESERVED_MAX && head - tail <= h->ring_bytes;
}

static enum status adopt(struct journal *j, const char *path, uint64_t file_bytes,
                         const char *instance, struct error *err)
{
    j->ring_bytes = file_bytes - HEADER_BYTES;
    enum status status = map_file(j, path, err);
    if (status != OK)
        return status;
    if (!is_plausible(j->header, file_bytes))
        return error_set(err, ERR_CORRUPT,
                         "%s is not a journal, or a damaged one; move it away to begin a new one",
                         path);
    const struct journal_loss *loss = &j->header->loss;
    if (loss->rows < 0 || loss->nano_usd < 0) /* damaged; nobody knows */
        j->header->loss = (struct journal_loss){0};
    if (instance && strcmp(instance, j->header->instance) != 0) {
        name_instance(instance, j->header->instance);
        j->header->checksum = header_checksum(j->header);
    }
    return OK;
}

static void set_head(struct journal *j, uint64_t position)
{
    atomic_store(&j->header->head, position);
    atomic_store(&j->head, position);
}

static void set_tail(struct journal *j, uint64_t position)
{
    atomic_store_explicit(&j->header->tail, position, memory_order_release);
    atomic_store_explicit(&j->tail, position, memory_order_release);
}

static void unmap(struct journal *j)
{
    map_guard_end(j->guard);
    j->guard = NULL;
    if (j->map)
        munmap(j->map, (size_t)(HEADER_BYTES + j->ring_bytes));
    j->map = NULL;
}

/* Records behind the head as it was written: after a power failure the header's page may be older than theirs. The next
 * one stands at the head, or at the front of the ring when it did not fit. */
static void find_head(struct journal *j)
{
    uint64_t head = journal_head(j), limit = journal_tail(j) + j->ring_bytes;
    struct journal_record record;
    for (;;) {
        uint64_t at = head;
        if (!read_at(j, at, &record))
            at += j->ring_bytes - at % j->ring_bytes;
        uint64_t end = at + sizeof(struct record_header);
        if (end > limit || !read_at(j, at, &record))
            break;
        end = at + journal_record_bytes(record.payload.len);
        if (end > limit)
            break;
        head = end;
    }
    set_head(j, head);
}

static enum status open_or_make(struct journal *j, const char *path, uint64_t bytes,
                                const char *instance, struct error *err)
{
    struct stat file;
    char found[sizeof(magic)] = "";
    static const char blank[sizeof(magic)] = "";
    if (fstat(j->fd, &file) != 0 || !S_ISREG(file.st_mode))
        return error_set(err, ERR_IO, "%s is not a file", path);
    uint64_t file_bytes = (uint64_t)file.st_size;
    ssize_t n = pread(j->fd, found, sizeof(found), 0);
    if (n < 0)
        return error_set_errno(err, ERR_IO, errno, "%s: cannot read", path);
    if (n == 0 || (n == sizeof(found) && !memcmp(found, blank, sizeof(found))))
        return make(j, path, bytes, instance, err); /* new, or never finished */
    if (memcmp(found, magic, sizeof(magic)) != 0 || file_bytes <= HEADER_BYTES)
        return error_set(err, ERR_CORRUPT, "%s is not a journal", path);
    enum status status = adopt(j, path, file_bytes, instance, err);
    if (status != OK)
        return status;
    find_head(j);
    if (j->ring_bytes == bytes || journal_head(j) != journal_tail(j) || j->header->loss.rows)
        return OK;
    char name[JOURNAL_INSTANCE_BYTES];
    memcpy(name, j->header->instance, sizeof(name));
    unmap(j);
    return make(j, path, bytes, name, err);
}

enum status journal_open(const char *path, uint64_t bytes, const char *instance,
                         struct journal **ret, struct error *err)
{
    bytes = bytes / HEADER_BYTES * HEADER_BYTES;
    if (bytes < JOURNAL_BYTES_MIN || bytes > JOURNAL_BYTES_MAX)
        return error_set(err, ERR_USAGE, "a journal has at least %u bytes and at most 16 GiB",
                         JOURNAL_BYTES_MIN);
    struct journal *j = calloc(1, sizeof(*j));
    if (!j)
        return error_set(err, ERR_MEMORY, "out of memory for a journal");
    enum status status = OK;
    j->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (j->fd < 0)
        status = error_set_errno(err, ERR_IO, errno, "cannot open %s", path);
    if (status == OK)
        status = lock_file(j->fd, path, err);
    if (status == OK)
        status = open_or_make(j, path, bytes, instance && *instance ? instance : NULL, err);
    if (status != OK) {
        journal_close(j);
        return status;
    }
    j->trimmed = journal_head(j) + journal_tail(j);
    memcpy(j->instance, j->header->instance, sizeof(j->instance));
    *ret = j;
    return OK;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    unmap(j);
    if (j->fd >= 0)
        close(j->fd); /* and gives up the lock */
    free(j);
}

const char *journal_instance(const struct journal *j)
{
    return j->instance;
}

uint64_t journal_head(const struct journal *j)
{
    return atomic_load(&j->head);
}

uint64_t journal_tail(const struct journal *j)
{
    return atomic_load(&j->tail);
}

uint64_t journal_bytes(const struct journal *j)
{
    return j->ring_bytes;
}

struct journal_loss *journal_loss(struct journal *j)
{
    return &j->header->loss;
}

/* Appending */

bool journal_append(struct journal *j, uint32_t kind, struct str payload, uint64_t keep_free)
{
    CHECK(payload.len <= JOURNAL_RECORD_MAX);
    uint64_t head = atomic_load_explicit(&j->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&j->tail, memory_order_acquire);
    uint64_t need = journal_record_bytes(payload.len);
    uint64_t left = j->ring_bytes - head % j->ring_bytes;
    uint64_t position = left < need ? head + left : head;
    if (position + need + keep_free > tail + j->ring_bytes)
        return false;
    struct record_header h = {position, record_checksum(position, kind, payload),
                              (uint32_t)payload.len, kind};
    unsigned char *into = j->ring + position % j->ring_bytes;
    memcpy(into, &h, sizeof(h));
    if (payload.len > 0)
        memcpy(into + sizeof(h), payload.ptr, payload.len);
    set_head(j, position + need);
    return true;
}

/* Consuming */

bool journal_next(const struct journal *j, uint64_t *at, uint64_t until, struct journal_record *ret,
                  uint64_t *damaged)
{
    uint64_t from = *at, position = from;
    while (position < until && !(read_at(j, position, ret) && position + size_of(ret) <= until))
        position += 8;
    if (position >= until)
        position = until;
    /* What is left of a lap belongs there: the next record did not fit. */
    uint64_t lap_end = from + (j->ring_bytes - from % j->ring_bytes);
    if (position > from && position != lap_end)
        *damaged += position - from;
    if (position == until) {
        *at = until;
        return false;
    }
    *at = position + size_of(ret);
    return true;
}

void journal_release(struct journal *j, uint64_t position)
{
    CHECK(position >= journal_tail(j));
    CHECK(position <= journal_head(j));
    set_tail(j, position);
}

void journal_rewind(struct journal *j)
{
    uint64_t head = journal_head(j), offset = head % j->ring_bytes;
    if (head != journal_tail(j) || offset < REWIND_BYTES)
        return;
    uint64_t next = head + (j->ring_bytes - offset);
    set_head(j, next); /* first: a kill in between leaves a skipped lap */
    set_tail(j, next);
}

void journal_trim(struct journal *j)
{
    uint64_t head = journal_head(j), tail = journal_tail(j);
    uint64_t touched = head + tail; /* by writing, by reading */
    /* Of the two, the one that is further on in the file; what waits over the file's end reaches to it. */
    bool same_lap = head / j->ring_bytes == tail / j->ring_bytes;
    uint64_t reach = same_lap ? head % j->ring_bytes : j->ring_bytes;
    if (reach > j->reach)
        j->reach = reach;
    if (j->reach < KEEP_BYTES || touched - j->trimmed < TRIM_BYTES || map_guard_is_cut(j->guard))
        return;
    j->trimmed = touched;
    j->reach = 0;
    int ignored = madvise(j->ring, (size_t)j->ring_bytes, MADV_DONTNEED); /* shared: kept */
    (void)ignored;
}
