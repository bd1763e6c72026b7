/* A damaged journal: opened or refused, never read outside; what it gives back is whole, and it can be written to and
 * read again. The input is laid over a sound journal: 4 bytes of place, then what stands there. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "store/journal.h"
#include "store/row.h"

#define RING        JOURNAL_BYTES_MIN
#define HEADER      4096u
#define RECORDS_MAX (RING / 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];

static void make_sound(void)
{
    struct journal *j = NULL;
    char bytes[ROW_BYTES_MAX];
    const char *folder =
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* no disk, if possible */
    snprintf(path, sizeof(path), "%s/leeroo-fuzz-journal-%d", folder, (int)getpid());
    unlink(path);
    CHECK(journal_open(path, RING, "fuzz", &j, NULL) == OK);
    for (int i = 0; i < 4; i++) {
        struct row row = {.kind = ROW_END, .numbers = {.cost_nano_usd = i}};
        row.texts[ROW_ID] = STR("req_1");
        row.texts[ROW_PROBLEM] = STR("something to be damaged");
        CHECK(journal_append(j, ROW_END, (struct str){bytes, row_encode(&row, bytes)}, 0));
    }
    journal_close(j);
}

static void damage(const uint8_t *data, size_t size)
{
    uint32_t place = 0;
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0);
    while (size > 8) {
        size_t len = data[4] < size - 5 ? data[4] : size - 5;
        memcpy(&place, data, sizeof(place));
        CHECK(pwrite(fd, data + 5, len, place % (HEADER + RING - 256)) == (ssize_t)len);
        data += 5 + len;
        size -= 5 + len;
    }
    close(fd);
}

static void read_all(struct journal *j)
{
    uint64_t at = journal_tail(j), head = journal_head(j), damaged = 0;
    struct journal_record record;
    struct row row;
    size_t count = 0;
    CHECK(head - at <= RING);
    while (journal_next(j, &at, head, &record, &damaged)) {
        CHECK(++count <= RECORDS_MAX);
        if (row_decode(&record, &row) == OK)
            CHECK(row.texts[ROW_ID].len > 0);
        journal_release(j, at <= head ? at : head);
    }
    CHECK(at == head);
    journal_release(j, head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct journal *j = NULL;
    struct error err;
    make_sound();
    damage(data, size);
    if (journal_open(path, RING, NULL, &j, &err) == OK) {
        read_all(j);
        CHECK(journal_append(j, ROW_BEGIN, STR("new"), 0));
        uint64_t at = journal_tail(j), damaged = 0;
        struct journal_record record;
        CHECK(journal_next(j, &at, journal_head(j), &record, &damaged));
        CHECK(str_equal(record.payload, STR("new")));
    }
    journal_close(j);
    unlink(path);
    return 0;
}
