/* Where a round's questions come from. */
#include "play/play_int.h"

#include <sys/stat.h>

static enum status load(const char *path, struct dataset **ret, struct error *err)
{
    struct stat found;
    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode))
        return dataset_load(path, DATASET_QUERIES, ret, err);
    return dataset_load_queries(path, ret, err);
}

static enum status add_file(const char *path, struct run *run, struct error *err)
{
    struct dataset *d = NULL;
    size_t at;
    enum status status = load(path, &d, err);
    for (size_t i = 0; status == OK && i < d->query_count; i++)
        status = run_add_query(run, &d->queries[i], &at, err);
    dataset_free(d);
    return status;
}

enum status play_pose_files(const struct play_settings *s, struct run *run, size_t *ret_added,
                            struct error *err)
{
    size_t before = run_dataset(run)->query_count;
    enum status status = OK;
    for (size_t i = 0; i < s->questions.count && status == OK; i++)
        status = add_file(s->questions.items[i], run, err);
    if (status == OK)
        *ret_added = run_dataset(run)->query_count - before;
    return status;
}

enum status play_pose(struct play *p, struct error *err)
{
    return play_pose_files(p->s, p->run, &p->r.questions_new, err);
}
