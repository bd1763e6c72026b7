/* Writing models: the same bytes for the same training, and never half a file. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
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
