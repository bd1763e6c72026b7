/* Features of several encoders, some of which answer later: a toy that counts bytes, when it is told to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "encode/encode.h"
#include "encode/ngram_encoder.h"

/* The text under way in a toy; there is at most one for each. */
struct encode_task {
    struct encoding *ret;
    encode_done *done;
    void *arg;
    float *work;
    float bytes;
};

static struct scheduler someones; /* handed through, no more */
static struct encode_task *waiting;
static int cancelled, works;
static enum status next_begin = AGAIN;

static void *toy_create(const struct encoder *e)
{
    (void)e;
    works++;
    return calloc(1, sizeof(float));
}

static void toy_free(void *work)
{
    works--;
    free(work);
}

static enum status toy_encode(const struct encoder *e, void *work, struct str text,
                              struct encoding *ret, struct error *err)
{
    (void)e;
    (void)err;
    float *bytes = work;
    *bytes = (float)text.len;
    *ret = (struct encoding){.dense = bytes};
    return OK;
}

static enum status toy_begin(const struct encoder *e, void *work, struct str text,
                             struct encoding *ret, const struct encode_listener *l,
                             struct encode_task **ret_task, struct error *err)
{
    if (next_begin == OK)
        return toy_encode(e, work, text, ret, err);
    if (next_begin != AGAIN)
        return error_set(err, next_begin, "not now");
    cr_assert_eq(l->on, &someones);
    waiting = malloc(sizeof(*waiting));
    *waiting = (struct encode_task){ret, l->done, l->arg, work, (float)text.len};
    *ret_task = waiting;
    return AGAIN;
}

static void toy_cancel(struct encode_task *task)
{
    cr_assert_eq(task, waiting);
    free(waiting);
    waiting = NULL;
    cancelled++;
}

static void toy_answer(enum status status, const struct error *err)
{
    struct encode_task t = *waiting;
    free(waiting);
    waiting = NULL;
    *t.work = t.bytes;
    *t.ret = (struct encoding){.dense = t.work};
    t.done(status, err, t.arg);
}

static const struct encoder blocking = {.name = "blocking",
                                        .dense_count = 1,
                                        .work_create = toy_create,
                                        .work_free = toy_free,
                                        .encode = toy_encode};
static const struct encoder later = {.name = "later",
                                     .dense_count = 1,
                                     .work_create = toy_create,
                                     .work_free = toy_free,
                                     .encode = toy_encode,
                                     .begin = toy_begin,
                                     .cancel = toy_cancel};
static const struct encoder *const both[] = {&later, &ngram_encoder};
static const struct str text = {"four", 4};

static struct {
    int calls;
    enum status status;
    char words[64];
} heard;

static void hear(enum status status, const struct error *err, void *arg)
{
    cr_assert_eq(arg, &heard);
    heard.calls++;
    heard.status = status;
    if (err)
        snprintf(heard.words, sizeof(heard.words), "%s", err->text);
}

static enum status begin(struct features *f, struct features_task **task, struct error *err)
{
    return features_begin(f, both, 2, text, hear, &heard, task, err);
}

static void expect_both(const struct features *f)
{
    cr_assert_eq((double)f->said[0].dense[0], 4);
    cr_assert_eq(f->said[1].count, 2); /* the word, and its pair with the beginning */
    cr_assert_eq(f->characters, 4);
}

Test(features, every_encoder_says_its_own)
{
    struct features f = {.on = &someones};
    cr_assert_eq(features_encode(&f, both, 2, text, NULL), OK);
    expect_both(&f);
    features_done(&f);
    features_done(&f);
    cr_assert_eq(works, 0);
}

Test(features, characters_are_counted_by_script_over_the_whole_text)
{
    struct features f = {.on = &someones};
    char *longer = calloc(1, 3 * NGRAM_TEXT_BYTES_MAX);
    const struct str mixed = STR("h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x98\x80");
    cr_assert_eq(features_encode(&f, both + 1, 1, mixed, NULL), OK);
    cr_assert_eq(f.characters, 8 + 8, "an emoji counts eight");
    cr_assert_eq(features_encode(&f, both + 1, 1, (struct str){NULL, 0}, NULL), OK);
    cr_assert_eq(f.characters, 0);
    struct str whole = {longer, 3 * NGRAM_TEXT_BYTES_MAX};
    cr_assert_eq(features_encode(&f, both + 1, 1, whole, NULL), OK);
    cr_assert_eq(f.characters, whole.len);
    free(longer);
    features_done(&f);
}

Test(features, of_another_model_they_are_begun_anew)
{
    static const struct encoder *const one[] = {&blocking};
    struct features f = {.on = &someones};
    cr_assert_eq(features_encode(&f, both, 2, text, NULL), OK);
    cr_assert_eq(features_encode(&f, one, 1, STR("12345"), NULL), OK);
    cr_assert_eq((double)f.said[0].dense[0], 5);
    cr_assert_eq(works, 1);
    features_done(&f);
    cr_assert_eq(works, 0);
}

Test(features, who_answers_at_once_calls_nobody)
{
    struct features f = {.on = &someones};
    struct features_task *task = NULL;
    cr_assert_eq(features_begin(&f, both + 1, 1, text, hear, &heard, &task, NULL), OK);
    next_begin = OK;
    cr_assert_eq(begin(&f, &task, NULL), OK);
    expect_both(&f);
    cr_assert(!task && !heard.calls);
    features_cancel(task);
    features_done(&f);
}

Test(features, who_answers_later_is_waited_for)
{
    struct features f = {.on = &someones};
    struct features_task *task = NULL;
    cr_assert_eq(begin(&f, &task, NULL), AGAIN);
    cr_assert(task && waiting && !heard.calls);
    toy_answer(OK, NULL);
    cr_assert(heard.calls == 1 && heard.status == OK);
    expect_both(&f);
    features_done(&f);
}

Test(features, a_failure_is_handed_on)
{
    struct features f = {.on = &someones};
    struct features_task *task = NULL;
    struct error err = {0};
    next_begin = ERR_OVERLOAD;
    cr_assert_eq(begin(&f, &task, &err), ERR_OVERLOAD);
    cr_assert_str_eq(err.text, "not now");
    cr_assert_null(task);
    next_begin = AGAIN;
    cr_assert_eq(begin(&f, &task, NULL), AGAIN);
    error_set(&err, ERR_UPSTREAM, "gone");
    toy_answer(ERR_UPSTREAM, &err);
    cr_assert(heard.calls == 1 && heard.status == ERR_UPSTREAM);
    cr_assert_str_eq(heard.words, "gone");
    features_done(&f);
}

Test(features, who_cancels_hears_nothing)
{
    struct features f = {.on = &someones};
    struct features_task *task = NULL;
    cr_assert_eq(begin(&f, &task, NULL), AGAIN);
    features_cancel(task);
    cr_assert(cancelled == 1 && !waiting && !heard.calls);
    features_done(&f);
    cr_assert_eq(works, 0);
}
