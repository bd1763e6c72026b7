/* What the page says is read here, from a run's files: see runpage_int.h. One thread; nothing is written. */
#include <limits.h>
#include <stdio.h>

#include "base/file.h"
#include "runpage/runpage_int.h"

#define ROUND_BYTES_MAX (256u << 20)

/* *ret_there false: there is no such round. */
static enum status read_round(const char *folder, size_t round, struct arena *a, bool *ret_there,
                              struct round_file *ret, struct error *err)
{
    char path[PATH_MAX];
    struct buf b;
    struct str text = {NULL, 0};
    buf_init(&b, ROUND_BYTES_MAX);
    snprintf(path, sizeof(path), "%s/round-%zu/round.json", folder, round);
    enum status status = file_read(path, ROUND_BYTES_MAX, &b, err);
    *ret_there = status != ERR_NOT_FOUND;
    if (status == OK) {
        text = arena_copy(a, buf_str(&b));
        status = text.ptr ? round_file_parse(text, path, a, ret, err)
                          : error_set(err, ERR_MEMORY, "out of memory for %s", path);
    }
    buf_done(&b);
    return *ret_there ? status : OK;
}

static enum status read_rounds(struct run_record *r, struct arena *a, struct error *err)
{
    bool there = true;
    r->rounds = ARENA_ARRAY(a, RUNPAGE_ROUNDS_MAX, struct round_file);
    enum status status = r->rounds ? OK : error_set(err, ERR_MEMORY, "out of memory for rounds");
    while (status == OK && r->round_count < RUNPAGE_ROUNDS_MAX) {
        status =
            read_round(r->folder, r->round_count + 1, a, &there, &r->rounds[r->round_count], err);
        if (!there)
            break;
        r->round_count++;
    }
    return status;
}

enum status run_record_read(const char *folder, struct arena *a, struct run_record *ret,
                            struct dataset **ret_data, struct error *err)
{
    struct run_record r = {.folder = folder};
    enum status status = read_rounds(&r, a, err);
    if (status == OK && r.round_count > 0)
        status = dataset_load(folder, DATASET_ALL, ret_data, err);
    if (status == OK && r.round_count > 0) {
        r.data = *ret_data;
        status = lessons_read(folder, r.round_count, r.data, a, &r.lessons, err);
        if (status == OK)
            status = provenance_read(folder, r.data, a, &r.provenance, err);
    }
    if (status == OK)
        *ret = r;
    return status;
}
