/* Text → estimates, at once and as a task. */
#include <string.h>
#include <unistd.h>

#include "predict/model.h"
#include "train/world.h"

static struct model *world_model(void)
{
    struct world *w = world_make(60);
    struct trained *t = world_train(w, 1);
    struct model *m = NULL;
    char path[] = "/tmp/leeroo-text-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert_eq(model_write(t, path, NULL), OK);
    cr_assert_eq(model_load(path, &m, NULL), OK);
    unlink(path);
    trained_free(t);
    world_free(w);
    return m;
}

static void never(enum status status, const struct error *err, void *arg)
{
    (void)status;
    (void)err;
    (void)arg;
    cr_assert_fail("n-grams answer at once");
}

Test(model_text, one_function_is_the_two_halves)
{
    struct model *m = world_model();
    struct estimate whole[MODEL_ARMS_MAX], halves[MODEL_ARMS_MAX], begun[MODEL_ARMS_MAX];
    struct estimate_task *task = NULL;
    struct features f;
    const struct str text = STR("prove the lemma of the cat");
    size_t bytes = model_arm_count(m) * sizeof(struct estimate);
    cr_assert_eq(features_init(&f, NULL), OK);
    cr_assert_eq(model_estimate_text(m, text, &f, whole, NULL), OK);
    cr_assert_eq(f.characters, text.len);
    cr_assert_eq(model_encode(m, text, &f, NULL), OK);
    model_estimate(m, &f, halves);
    cr_assert_eq(model_estimate_begin(m, text, &f, begun, never, NULL, &task, NULL), OK);
    cr_assert_null(task);
    model_estimate_cancel(task);
    cr_assert_eq(memcmp(whole, halves, bytes), 0);
    cr_assert_eq(memcmp(whole, begun, bytes), 0);
    features_done(&f);
    model_free(m);
}
