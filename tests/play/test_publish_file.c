/* Models that take each other's place: what stands where after publishing, after going back, and when the process was
 * killed in between. */
#include "play/publish_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../train/world.h"
#include "base/file.h"

#define PATH_BYTES 128

struct place {
    char folder[PATH_BYTES / 2], path[PATH_BYTES], previous[PATH_BYTES];
    struct world *world;
    struct trained *models[3];
    uint64_t sums[3];
};

static uint64_t sum_at(const char *path)
{
    struct model *m = NULL;
    struct error err;
    if (access(path, F_OK) != 0)
        return 0;
    cr_assert_eq(model_load(path, &m, &err), OK, "%s", err.text);
    uint64_t sum = model_checksum(m);
    model_free(m);
    return sum;
}

static struct place *place_make(void)
{
    struct place *p = calloc(1, sizeof(*p));
    cr_assert_not_null(p);
    snprintf(p->folder, sizeof(p->folder), "/tmp/leeroo-publish-XXXXXX");
    cr_assert_not_null(mkdtemp(p->folder));
    snprintf(p->path, PATH_BYTES, "%s/model", p->folder);
    snprintf(p->previous, PATH_BYTES, "%s/model.previous", p->folder);
    p->world = world_make(60);
    for (uint64_t i = 0; i < 3; i++) {
        p->models[i] = world_train(p->world, i + 1);
        cr_assert_eq(model_write(p->models[i], p->path, NULL), OK);
        p->sums[i] = sum_at(p->path);
    }
    unlink(p->path);
    return p;
}

static void place_free(struct place *p)
{
    for (int i = 0; i < 3; i++)
        trained_free(p->models[i]);
    unlink(p->path);
    unlink(p->previous);
    cr_assert_eq(rmdir(p->folder), 0, "something was left in %s", p->folder);
    world_free(p->world);
    free(p);
}

static enum publish_change publish(struct place *p, int model)
{
    enum publish_change change = PUBLISH_SAME;
    struct error err;
    cr_assert_eq(publish_write(p->models[model], p->path, &change, &err), OK, "%s", err.text);
    return change;
}

static enum rollback_change rollback(struct place *p)
{
    enum rollback_change change = ROLLBACK_TO_PRIOR;
    struct error err;
    cr_assert_eq(publish_rollback(p->path, &change, &err), OK, "%s", err.text);
    return change;
}

/* 0 for none, else the model's number from 1. */
static void stands(const struct place *p, int now, int before)
{
    cr_assert_eq(sum_at(p->path), now ? p->sums[now - 1] : 0);
    cr_assert_eq(sum_at(p->previous), before ? p->sums[before - 1] : 0);
}

Test(publish_file, the_one_before_is_kept)
{
    struct place *p = place_make();
    cr_assert_eq(publish(p, 0), PUBLISH_FIRST);
    stands(p, 1, 0);
    cr_assert_eq(publish(p, 1), PUBLISH_REPLACED);
    stands(p, 2, 1);
    cr_assert_eq(publish(p, 2), PUBLISH_REPLACED);
    stands(p, 3, 2);
    place_free(p);
}

Test(publish_file, an_edited_model_takes_its_place)
{
    struct place *p = place_make();
    struct model *m = NULL;
    const size_t first = 0;
    const struct model_edit edit = {.remove = &first, .remove_count = 1};
    enum publish_change change = PUBLISH_FIRST;
    publish(p, 0);
    cr_assert_eq(model_load(p->path, &m, NULL), OK);
    cr_assert_eq(publish_edited(m, NULL, p->path, &change, NULL), OK);
    cr_assert_eq(change, PUBLISH_SAME);
    stands(p, 1, 0);
    cr_assert_eq(publish_edited(m, &edit, p->path, &change, NULL), OK);
    cr_assert_eq(change, PUBLISH_REPLACED);
    cr_assert_eq(sum_at(p->previous), p->sums[0]);
    cr_assert_neq(sum_at(p->path), p->sums[0]);
    model_free(m);
    place_free(p);
}

Test(publish_file, a_file_takes_its_place)
{
    struct place *p = place_make();
    char from[PATH_BYTES];
    enum publish_change change = PUBLISH_SAME;
    struct error err = {0};
    struct buf none;
    snprintf(from, sizeof(from), "%s/round", p->folder);
    cr_assert_eq(model_write(p->models[1], from, NULL), OK);
    cr_assert_eq(publish_copy(from, p->path, &change, &err), OK, "%s", err.text);
    cr_assert_eq(change, PUBLISH_FIRST);
    publish(p, 0);
    cr_assert_eq(publish_copy(from, p->path, &change, &err), OK, "%s", err.text);
    cr_assert_eq(change, PUBLISH_REPLACED);
    stands(p, 2, 1);
    cr_assert_eq(publish_copy(from, p->path, &change, NULL), OK);
    cr_assert_eq(change, PUBLISH_SAME);
    buf_init(&none, 8);
    buf_add_c(&none, "nothing");
    cr_assert_eq(file_write(from, &none, NULL), OK);
    cr_assert_neq(publish_copy(from, p->path, &change, &err), OK);
    unlink(from);
    cr_assert_eq(publish_copy(from, p->path, &change, &err), ERR_NOT_FOUND);
    stands(p, 2, 1);
    buf_done(&none);
    place_free(p);
}

Test(publish_file, the_same_model_again_changes_nothing)
{
    struct place *p = place_make();
    publish(p, 0);
    publish(p, 1);
    cr_assert_eq(publish(p, 1), PUBLISH_SAME);
    stands(p, 2, 1);
    place_free(p);
}

Test(publish_file, a_second_rollback_undoes_the_first)
{
    struct place *p = place_make();
    publish(p, 0);
    publish(p, 1);
    cr_assert_eq(rollback(p), ROLLBACK_TO_PREVIOUS);
    stands(p, 1, 2);
    cr_assert_eq(rollback(p), ROLLBACK_TO_PREVIOUS);
    stands(p, 2, 1);
    place_free(p);
}

Test(publish_file, back_to_the_prior_and_again)
{
    struct place *p = place_make();
    publish(p, 0);
    cr_assert_eq(rollback(p), ROLLBACK_TO_PRIOR);
    stands(p, 0, 1);
    cr_assert_eq(rollback(p), ROLLBACK_FROM_PRIOR);
    stands(p, 1, 0);
    rollback(p);
    cr_assert_eq(publish(p, 1), PUBLISH_FIRST); /* the prior was in force, and is what was before */
    stands(p, 2, 0);
    place_free(p);
}

Test(publish_file, where_nothing_was_published_there_is_nothing_to_go_back_to)
{
    struct place *p = place_make();
    enum rollback_change change;
    struct error err;
    cr_assert_eq(publish_rollback(p->path, &change, &err), ERR_NOT_FOUND);
    cr_assert_not_null(strstr(err.text, p->path));
    place_free(p);
}

Test(publish_file, a_damaged_one_before_is_not_put_in_force)
{
    struct place *p = place_make();
    enum rollback_change change;
    struct error err;
    publish(p, 0);
    publish(p, 1);
    cr_assert_eq(truncate(p->previous, 1000), 0);
    cr_assert_neq(publish_rollback(p->path, &change, &err), OK);
    cr_assert_eq(sum_at(p->path), p->sums[1]);
    place_free(p);
}

/* Killed before the last rename: the old one has its second name already, the new one waits under its own. */
Test(publish_file, publishing_goes_on_where_it_was_killed)
{
    struct place *p = place_make();
    char next[PATH_BYTES + 8], kept[PATH_BYTES + 8];
    snprintf(next, sizeof(next), "%s.next", p->path);
    snprintf(kept, sizeof(kept), "%s.kept", p->path);
    publish(p, 0);
    publish(p, 1);
    unlink(p->previous);
    cr_assert_eq(link(p->path, p->previous), 0);
    cr_assert_eq(link(p->path, kept), 0);
    cr_assert_eq(model_write(p->models[2], next, NULL), OK);
    stands(p, 2, 2); /* whole */
    cr_assert_eq(publish(p, 2), PUBLISH_REPLACED);
    stands(p, 3, 2);
    cr_assert_neq(access(next, F_OK), 0);
    cr_assert_neq(access(kept, F_OK), 0);
    place_free(p);
}

Test(publish_file, what_would_be_in_the_way_is_said_before)
{
    struct place *p = place_make();
    struct error err;
    cr_expect_eq(publish_check(p->path, &err), OK, "there may be none yet");
    cr_expect_eq(publish_check("/nowhere/model", &err), ERR_IO);
    cr_expect(strstr(err.text, "/nowhere/model"), "%s", err.text);
    cr_assert_eq(model_write(p->models[0], p->path, NULL), OK);
    cr_expect_eq(publish_check(p->path, &err), OK);
    FILE *f = fopen(p->path, "we");
    cr_assert(f);
    fputs("garbage", f);
    fclose(f);
    cr_expect_neq(publish_check(p->path, &err), OK);
    cr_expect(strstr(err.text, "in force") && strstr(err.text, p->path), "%s", err.text);
    place_free(p);
}

Test(publish_file, where_it_cannot_write_nothing_changes)
{
    struct place *p = place_make();
    enum publish_change change;
    struct error err;
    cr_assert_neq(publish_write(p->models[0], "/nonexistent/folder/model", &change, &err), OK);
    cr_assert_not_null(strstr(err.text, "/nonexistent/folder/model"));
    place_free(p);
}
