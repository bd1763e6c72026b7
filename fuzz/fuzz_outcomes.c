/* outcomes.csv, and its column "verified", against a data set of two queries and two experts; the first byte that is
 * "%" splits the input in experts.csv and outcomes.csv. The readers take paths, so the bytes go through files in
 * memory. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "data/check_column.h"
#include "data/dataset_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int memory_file(const uint8_t *data, size_t size, char path[64])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(size == 0 || write(fd, data, size) == (ssize_t)size);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void check_outcomes(const struct dataset *d)
{
    for (size_t i = 0; i < d->query_count * d->expert_count; i++) {
        CHECK(d->outcomes[i].score >= 0 && d->outcomes[i].score <= 1);
        CHECK(d->outcomes[i].cost_nano_usd >= 0);
        CHECK(d->outcomes[i].present || !d->outcomes[i].known);
        CHECK(d->has_answers || d->outcomes[i].answer.len == 0);
    }
}

static void check_column(const struct dataset *d, const char *path)
{
    uint8_t cells[2 * DATASET_EXPERTS_MAX];
    struct error err;
    if (check_column_read_file(d, path, "verified", cells, &err) != OK)
        return;
    for (size_t i = 0; i < d->query_count * d->expert_count; i++) {
        CHECK(cells[i] <= CHECK_PASSES);
        CHECK(d->outcomes[i].present || cells[i] == CHECK_UNKNOWN);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct query queries[2] = {{.id = STR("a")}, {.id = STR("b")}};
    const uint8_t *cut = size ? memchr(data, '%', size) : NULL;
    size_t head = cut ? (size_t)(cut - data) : size;
    char experts[64], outcomes[64];
    struct dataset *d;
    struct error err;
    if (dataset_create("fuzz", &d, NULL) != OK)
        return 0;
    d->queries = queries;
    d->query_count = 2;
    int fd1 = memory_file(data, head, experts);
    int fd2 = memory_file(cut ? cut + 1 : data, cut ? size - head - 1 : 0, outcomes);
    if (experts_read(d, experts, &err) == OK && outcomes_read(d, outcomes, &err) == OK) {
        check_outcomes(d);
        check_column(d, outcomes);
    }
    close(fd1);
    close(fd2);
    dataset_free(d);
    return 0;
}
