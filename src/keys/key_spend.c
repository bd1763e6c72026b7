/* The mapped file of what keys have spent: a page of header, then one slot a key, each of two copies that are written
 * in turn.
 *
 * There are no locks here. Opening, closing and looking slots up belong to the thread that reads keys.json; a slot is
 * written by the one thread that holds its account's lock (client_keys.c). A write is a memcpy into the mapping and
 * never waits for the disk, so it may be done on an event loop; opening may wait and must not. */
#include "keys/key_spend.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/map_guard.h"
#include "base/saturate.h"

#define MAGIC        "LRSPEND1"
#define HEADER_BYTES 4096
#define COPY_BYTES   128 /* divides a disk's sector, so no copy lies in two of them */
#define FILE_BYTES   (HEADER_BYTES + (size_t)KEY_COUNT_MAX * sizeof(struct slot))
#define DAY_MS       INT64_C(86400000)

struct header {
    char magic[8];
    uint32_t slots, copy_bytes;
    uint32_t
        used; /* slots before this one have been written, so that zeros there are damage; 0: not told */
};

#define HEADER_FIXED offsetof(struct header, used)

struct copy {
    uint64_t sequence; /* the higher of two good ones counts; 0: never written */
    char id[KEY_ID_BYTES];
    struct key_spent spent;
    uint64_t check; /* of all before it */
};

struct slot {
    union {
        struct copy copy;
        char bytes[COPY_BYTES];
    } two[2];
};

struct owner { /* what this process knows of a slot, so that it need not read what others write */
    char id[KEY_ID_BYTES]; /* empty: free. Set by the thread that looks slots up */
    uint64_t sequence;     /* of the copy that counts. Set by the thread that writes the slot */
    bool damaged;          /* the id is what is left of a broken entry; nothing counts yet */
};

struct key_spend {
    int fd; /* locked; -1: in memory only */
    unsigned char *map;
    struct map_guard *guard; /* NULL in memory only */
    struct slot *slots;
    struct owner *owners; /* [KEY_COUNT_MAX] */
    struct key_spend_damage damage;
    int64_t condemned_ms; /* 0: not */
};

static uint64_t check_of(const struct copy *c)
{
    return hash64((struct str){(const char *)c, offsetof(struct copy, check)}, 0);
}

/* The copy that counts; NULL: the slot belongs to no key. */
static const struct copy *latest(const struct slot *s, struct copy into[2])
{
    const struct copy *best = NULL;
    CHECK(s);
    for (size_t i = 0; i < 2; i++) {
        memcpy(&into[i], &s->two[i].copy, sizeof(into[i])); /* another process may be writing */
        if (into[i].sequence == 0 || into[i].check != check_of(&into[i]))
            continue;
        if (!best || into[i].sequence > best->sequence)
            best = &into[i];
    }
    return best;
}

/* The two copies are written in turn, so the earlier one is whole, whatever happens while this one is written. */
static void put(struct slot *s, struct owner *o, const struct key_spent *spent)
{
    struct copy next;
    CHECK(o->id[0]);
    memset(&next, 0, sizeof(next)); /* the padding, too: it is checked */
    next.sequence = ++o->sequence;
    memcpy(next.id, o->id, sizeof(next.id));
    next.spent = *spent;
    next.check = check_of(&next);
    memcpy(&s->two[next.sequence & 1].copy, &next, sizeof(next));
}

static struct str id_of(const struct copy *c)
{
    return (struct str){c->id, strnlen(c->id, KEY_ID_BYTES)};
}

/* Periods */

static bool utc(int64_t wall_ms, struct tm *ret)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    return gmtime_r(&seconds, ret);
}

static int32_t month_of(int64_t wall_ms)
{
    struct tm tm;
    return utc(wall_ms, &tm) ? (tm.tm_year - 70) * 12 + tm.tm_mon : 0;
}

/* A clock that is set back by up to a day does not open a budget again; one that jumps further is believed. */
void key_spent_roll(struct key_spent *spent, int64_t wall_ms)
{
    int32_t day = (int32_t)(wall_ms / DAY_MS);
    if (day == spent->day || day == spent->day - 1 || spent->day == KEY_SPENT_LOST)
        return;
    int32_t month = month_of(wall_ms);
    spent->nano_usd[KEY_DAY] = 0;
    spent->day = day;
    if (month != spent->month)
        spent->nano_usd[KEY_MONTH] = 0;
    spent->month = month;
}

int64_t key_period_end_ms(enum key_period p, int64_t wall_ms)
{
    struct tm tm;
    CHECK(p < KEY_PERIODS);
    if (p == KEY_DAY)
        return (wall_ms / DAY_MS + 1) * DAY_MS;
    if (p == KEY_TOTAL || !utc(wall_ms, &tm))
        return 0;
    struct tm next = {.tm_year = tm.tm_year, .tm_mon = tm.tm_mon + 1, .tm_mday = 1};
    return (int64_t)timegm(&next) * 1000;
}

/* Opening */

/* Damage */

static bool is_written(const struct copy *c)
{
    static const struct copy nothing;
    return memcmp(c, &nothing, sizeof(nothing)) != 0;
}

/* "key_q3vyo2zc5m": what an id looks like. */
static bool is_id(const struct copy *c)
{
    struct str id = id_of(c);
    for (size_t i = 0; i < id.len; i++)
        if (!((id.ptr[i] >= 'a' && id.ptr[i] <= 'z') || (id.ptr[i] >= '0' && id.ptr[i] <= '9') ||
              id.ptr[i] == '_'))
            return false;
    return id.len > 0 && id.len < KEY_ID_BYTES;
}

static struct header *header_of(const struct key_spend *s)
{
    return (struct header *)(void *)s->map;
}

static void note_damage(struct key_spend *s, size_t i, const struct copy copies[2], bool whole)
{
    struct owner *o = &s->owners[i];
    for (size_t k = 0; k < 2; k++) {
        bool broken = is_written(&copies[k]) &&
                      (copies[k].sequence == 0 || copies[k].check != check_of(&copies[k]));
        s->damage.copies += whole && broken;
        if (!whole && broken && !o->damaged) {
            o->damaged = true;
            s->damage.entries++;
        }
        if (!whole && broken && !o->id[0] && is_id(&copies[k]))
            memcpy(o->id, copies[k].id, KEY_ID_BYTES - 1);
    }
    if (!whole && !o->damaged && i < header_of(s)->used) { /* wiped */
        o->damaged = true;
        s->damage.entries++;
    }
    s->damage.unnamed += o->damaged && !o->id[0];
}

struct key_spend_damage key_spend_damage(const struct key_spend *s)
{
    return s->damage;
}

void key_spend_condemn(struct key_spend *s, int64_t wall_ms)
{
    const struct key_spent lost = key_spent_lost(wall_ms);
    s->condemned_ms = wall_ms;
    for (size_t i = 0; i < KEY_COUNT_MAX; i++)
        if (s->owners[i].damaged && s->owners[i].id[0])
            put(&s->slots[i], &s->owners[i], &lost);
}

struct key_spent key_spent_lost(int64_t wall_ms)
{
    return (struct key_spent){
        .day = KEY_SPENT_LOST, .month = KEY_SPENT_LOST, .nano_usd = {[KEY_TOTAL] = wall_ms}};
}

bool key_spent_is_lost(const struct key_spent *spent, int64_t *ret_since_ms)
{
    if (spent->day != KEY_SPENT_LOST)
        return false;
    if (ret_since_ms)
        *ret_since_ms = spent->nano_usd[KEY_TOTAL];
    return true;
}

/* Finds out which key has which slot, and charges the requests that were in flight when an earlier process died. */
static int64_t take_stock(struct key_spend *s)
{
    int64_t all = 0;
    for (size_t i = 0; i < KEY_COUNT_MAX; i++) {
        struct copy copies[2];
        const struct copy *now = latest(&s->slots[i], copies);
        note_damage(s, i, copies, now);
        if (!now)
            continue;
        if (header_of(s)->used <= i)
            header_of(s)->used = (uint32_t)i + 1;
        struct key_spent spent = now->spent;
        memcpy(s->owners[i].id, now->id, KEY_ID_BYTES - 1);
        s->owners[i].sequence = now->sequence;
        if (spent.open_nano_usd <= 0)
            continue;
        for (size_t p = 0; p < KEY_PERIODS; p++)
            spent.nano_usd[p] = add_saturated(spent.nano_usd[p], spent.open_nano_usd);
        all = add_saturated(all, spent.open_nano_usd);
        spent.open_nano_usd = 0;
        put(&s->slots[i], &s->owners[i], &spent);
    }
    return all;
}

static const struct header right = {MAGIC, KEY_COUNT_MAX, COPY_BYTES, 0};

static enum status map_fd(struct key_spend *s, const char *path, struct error *err)
{
    int flags = s->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *map = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, flags, s->fd, 0);
    if (map == MAP_FAILED)
        return error_set_errno(err, ERR_MEMORY, errno, "cannot map %s", path);
    s->map = map;
    s->slots = (struct slot *)(void *)(s->map + HEADER_BYTES);
    return s->fd < 0 ? OK : map_guard_begin(map, FILE_BYTES, path, &s->guard, err);
}

static enum status check_file(int fd, const char *path, bool *ret_fresh, struct error *err)
{
    struct header found = {0}, none = {0};
    struct stat st;
    if (fstat(fd, &st) != 0 || pread(fd, &found, sizeof(found), 0) < 0)
        return error_set_errno(err, ERR_IO, errno, "%s", path);
    *ret_fresh = memcmp(&found, &none, sizeof(none)) == 0;
    if (!*ret_fresh &&
        (memcmp(&found, &right, HEADER_FIXED) != 0 || (size_t)st.st_size != FILE_BYTES))
        return error_set(err, ERR_CORRUPT,
                         "%s does not hold what keys have spent, or was cut; move it away and "
                         "budgets begin anew",
                         path);
    return OK;
}

/* One piece: each step needs the file of the one before. A file that is there and empty was wiped. */
static enum status open_file(struct key_spend *s, const char *path, struct error *err)
{
    bool fresh = false;
    s->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool existed = s->fd < 0 && errno == EEXIST;
    if (existed)
        s->fd = open(path, O_RDWR | O_CLOEXEC);
    if (s->fd < 0)
        return error_set_errno(err, ERR_IO, errno, "%s", path);
    if (flock(s->fd, LOCK_EX | LOCK_NB) != 0)
        return error_set(err, ERR_OVERLOAD,
                         "%s is in use by another gateway; each needs a state_dir of its own",
                         path);
    enum status status = check_file(s->fd, path, &fresh, err);
    if (status != OK)
        return status;
    int failed = fresh ? posix_fallocate(s->fd, 0, (off_t)FILE_BYTES) : 0;
    if (failed)
        return error_set_errno(err, ERR_IO, failed, "%s", path);
    status = map_fd(s, path, err);
    CHECK(status != OK || s->map);
    if (status == OK && fresh) {
        memcpy(s->map, &right, sizeof(right));
        s->damage.entries = s->damage.unnamed = existed; /* emptied or wiped: all may be lost */
    }
    return status;
}

enum status key_spend_open(const char *path, struct key_spend **ret, int64_t *ret_killed_nano_usd,
                           struct error *err)
{
    _Static_assert(sizeof(struct copy) <= COPY_BYTES, "a copy has its room");
    struct key_spend *s = calloc(1, sizeof(*s));
    if (!s)
        return error_set(err, ERR_MEMORY, "out of memory for keys");
    s->fd = -1;
    s->owners = calloc(KEY_COUNT_MAX, sizeof(*s->owners));
    enum status status = s->owners ? OK : error_set(err, ERR_MEMORY, "out of memory for keys");
    if (status == OK)
        status = path ? open_file(s, path, err) : map_fd(s, "memory", err);
    if (status != OK) {
        key_spend_close(s);
        return status;
    }
    *ret_killed_nano_usd = path ? take_stock(s) : 0;
    *ret = s;
    return OK;
}

void key_spend_close(struct key_spend *s)
{
    if (!s)
        return;
    map_guard_end(s->guard);
    if (s->map)
        munmap(s->map, FILE_BYTES);
    if (s->fd >= 0)
        close(s->fd);
    free(s->owners);
    free(s);
}

/* Slots */

static size_t find_owner(const struct key_spend *s, struct str id)
{
    size_t i = 0;
    while (i < KEY_COUNT_MAX && !str_equal(str_from(s->owners[i].id), id))
        i++;
    return i;
}

bool key_spend_may_be_lost(const struct key_spend *s, struct str id, int64_t created_ms)
{
    return s->damage.unnamed > 0 && created_ms < s->condemned_ms &&
           find_owner(s, id) == KEY_COUNT_MAX;
}

enum status key_spend_slot(struct key_spend *s, struct str id,
                           bool (*is_needed)(void *arg, struct str id), void *arg, uint32_t *ret,
                           struct error *err)
{
    static const struct key_spent nothing;
    CHECK(id.len > 0);
    CHECK(id.len < KEY_ID_BYTES);
    size_t at = find_owner(s, id);
    if (at < KEY_COUNT_MAX) {
        *ret = (uint32_t)at;
        return OK;
    }
    at = find_owner(s, STR(""));
    for (size_t i = 0; at == KEY_COUNT_MAX && i < KEY_COUNT_MAX; i++)
        if (!is_needed(arg, str_from(s->owners[i].id)))
            at = i;
    if (at == KEY_COUNT_MAX)
        return error_set(err, ERR_TOO_LARGE, "there is no room for what more than %d keys spend",
                         KEY_COUNT_MAX);
    memset(s->owners[at].id, 0, KEY_ID_BYTES);
    memcpy(s->owners[at].id, id.ptr, id.len);
    put(&s->slots[at], &s->owners[at], &nothing);
    if (header_of(s)->used <= at)
        header_of(s)->used = (uint32_t)at + 1;
    *ret = (uint32_t)at;
    return OK;
}

void key_spend_get(const struct key_spend *s, uint32_t slot, struct key_spent *ret)
{
    struct copy copies[2];
    CHECK(slot < KEY_COUNT_MAX);
    const struct copy *now = latest(&s->slots[slot], copies);
    *ret = now ? now->spent : (struct key_spent){0};
}

void key_spend_put(struct key_spend *s, uint32_t slot, const struct key_spent *spent)
{
    CHECK(slot < KEY_COUNT_MAX);
    put(&s->slots[slot], &s->owners[slot], spent);
}

static void read_slot(const struct copy *c, const struct key_row *rows, size_t count,
                      struct key_spent *spent)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(rows[i].id, id_of(c)))
            spent[i] = c->spent;
}

enum status key_spend_read(const char *path, const struct key_row *rows, size_t count,
                           struct key_spent *spent, struct error *err)
{
    struct buf
        copy; /* a gateway may write meanwhile: each slot says by itself whether it is whole */
    memset(spent, 0, count * sizeof(*spent));
    buf_init(&copy, FILE_BYTES);
    enum status status = file_read(path, FILE_BYTES, &copy, err);
    if (status != OK && status != ERR_TOO_LARGE) {
        buf_done(&copy);
        return status == ERR_NOT_FOUND ? OK : status;
    }
    if (copy.len != FILE_BYTES || memcmp(copy.ptr, &right, HEADER_FIXED) != 0)
        status = error_set(err, ERR_CORRUPT, "%s does not hold what keys have spent", path);
    for (size_t i = 0; status == OK && i < KEY_COUNT_MAX; i++) {
        struct copy copies[2];
        const char *at = copy.ptr + HEADER_BYTES + i * sizeof(struct slot);
        const struct copy *now = latest((const struct slot *)(const void *)at, copies);
        if (now)
            read_slot(now, rows, count, spent);
    }
    buf_done(&copy);
    return status;
}
