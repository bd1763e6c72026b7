/* Writing models: the same bytes for the same training, and never half a file. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "stage/guard_fit.h"
#include "world.h"

static void read_all(const char *path, struct buf *b)
{
    buf_init(b, 64u << 20);
    cr_assert_eq(file_read(path, 64u << 20, b, NULL), OK);
}

Test(model_write, same_training_same_bytes)
{
    char folder[] = "/tmp/leeroo-write-XXXXXX", path[2][64];
    struct world *w = world_make(60);
    struct buf bytes[3];
    cr_assert_not_null(mkdtemp(folder));
    for (int i = 0; i < 3; i++) {
        struct trained *t = world_train(w, i < 2 ? 1 : 2);
        snprintf(path[i > 0], sizeof(path[0]), "%s/%d", folder, i > 0);
        cr_assert_eq(model_write(t, path[i > 0], NULL), OK); /* the third replaces the second */
        read_all(path[i > 0], &bytes[i]);
        trained_free(t);
    }
    cr_assert(str_equal(buf_str(&bytes[0]), buf_str(&bytes[1])));
    cr_assert(!str_equal(buf_str(&bytes[0]), buf_str(&bytes[2])));
    for (int i = 0; i < 3; i++)
        buf_done(&bytes[i]);
    unlink(path[0]);
    unlink(path[1]);
    cr_assert_eq(rmdir(folder), 0, "something was left in %s", folder);
    world_free(w);
}

Test(model_write, where_it_cannot_write_it_says_so)
{
    struct world *w = world_make(60);
    struct trained *t = world_train(w, 1);
    struct error err = {0};
    cr_assert_eq(model_write(t, "/nonexistent/folder/m", &err), err.status);
    cr_assert_neq(err.status, OK);
    cr_assert_not_null(strstr(err.text, "/nonexistent/folder/m"), "%s", err.text);
    trained_free(t);
    world_free(w);
}

/* Kinds of which there are few texts; a share that is none is refused. */
Test(model_write, what_is_known_of_kinds_comes_back)
{
    static float few[GUARD_KINDS_MAX] = {0, 0.5f},
                 of_kind[GUARD_KINDS_MAX * GUARD_KIND_TERMS * WORLD_EXPERTS];
    char path[] = "/tmp/leeroo-write-XXXXXX";
    struct world *w = world_make(GUARD_ROWS_MIN + 50);
    struct trained *t = world_train(w, 1);
    struct guard *g = &t->parts.predictor.guard;
    struct model *m = NULL;
    struct error err;
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert_eq(g->kinds, GUARD_KINDS_MAX);
    for (size_t i = 0; i < sizeof(of_kind) / sizeof(of_kind[0]); i++)
        of_kind[i] = (float)i / 64;
    g->few = few;
    g->of_kind = of_kind;
    cr_assert_eq(model_write(t, path, NULL), OK);
    cr_assert_eq(model_load(path, &m, &err), OK, "%s", err.text);
    const struct guard *back = &model_parts(m)->predictor.guard;
    cr_assert_arr_eq(back->few, few, sizeof(few));
    cr_assert_arr_eq(back->of_kind, of_kind, sizeof(of_kind));
    model_free(m);
    few[1] = 1.5f;
    cr_assert_eq(model_write(t, path, NULL), OK);
    cr_assert_eq(model_load(path, &m, &err), ERR_CORRUPT);
    cr_assert_not_null(strstr(err.text, "guard.few"), "%s", err.text);
    unlink(path);
    trained_free(t);
    world_free(w);
}
