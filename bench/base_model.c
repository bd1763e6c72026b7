/* Makes the base model that ships with the program (docs/prior.md):
 *
 *     base_model OUT DATA DATE        DATA: a folder with mmlu_pro, mmlu, bfcl, livecodebench
 *
 * The same data sets and date give the same bytes. MMLU-Pro's scores are those of its texts, by `judge`. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "judge/rescore.h"
#include "prior/base_file.h"
#include "prior/base_learn.h"

#define ARENA_CAP ((size_t)1 << 30)

static const char *const names[] = {"mmlu_pro", "mmlu", "bfcl", "livecodebench"};
#define SETS (sizeof(names) / sizeof(names[0]))

static void die(const struct error *err)
{
    fprintf(stderr, "base_model: %s\n", err->text);
    exit(1);
}

static void load(const char *data, struct dataset **sets)
{
    struct error err;
    char path[1024];
    struct judge_figures figures[DATASET_EXPERTS_MAX];
    for (size_t s = 0; s < SETS; s++) {
        snprintf(path, sizeof(path), "%s/%s", data, names[s]);
        if (dataset_load(path, DATASET_ALL, &sets[s], &err) != OK)
            die(&err);
    }
    if (judge_rescore(sets[0], NULL, 0, JUDGE_AUTO, NULL, NULL, figures, &err) != OK)
        die(&err);
}

static void write_bytes(const struct base *b, const char *path)
{
    struct error err;
    struct buf bytes;
    struct file_out out;
    buf_init(&bytes, BASE_BYTES_MAX);
    if (base_write(b, &bytes, &err) != OK || file_out_open(path, &out, &err) != OK)
        die(&err);
    fwrite(bytes.ptr, 1, bytes.len, out.stream);
    if (file_out_commit(&out, &err) != OK)
        die(&err);
    printf("%s: %zu bytes, %.*s\n", path, bytes.len, STR_FMT(b->provenance));
    buf_done(&bytes);
}

int main(int argc, char **argv)
{
    struct error err;
    struct dataset *sets[SETS];
    struct base b;
    struct arena *a = arena_create(ARENA_CAP);
    if (argc != 4 || !a) {
        fprintf(stderr, "usage: base_model OUT DATA DATE\n");
        return 2;
    }
    load(argv[2], sets);
    const struct base_learning learning = {
        .sets = sets, .set_count = SETS, .seed = 1, .date = argv[3]};
    if (base_learn(&learning, a, &b, &err) != OK)
        die(&err);
    write_bytes(&b, argv[1]);
    for (size_t s = 0; s < SETS; s++)
        dataset_free(sets[s]);
    arena_free(a);
    return 0;
}
