/* Encodings on disk: what is kept is not asked for again, and no file is trusted. */
#include "encode/encoding_cache.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/file.h"
#include "base/log.h"

#define DIMS  3
#define TEXTS 700 /* more than are asked for at once */

static size_t asked, fails_at = SIZE_MAX;

static enum status encode_many(const struct encoder *e, const struct str *texts, size_t count,
                               float *dense, encode_progress *progress, void *arg,
                               struct error *err)
{
    (void)e;
    for (size_t i = 0; i < count; i++) {
        if (asked == fails_at)
            return error_set(err, ERR_UPSTREAM, "gone");
        asked++;
        for (size_t d = 0; d < DIMS; d++)
            dense[i * DIMS + d] = (float)texts[i].len + (float)d / 4 + (float)texts[i].ptr[0];
        if (!progress(i + 1, arg))
            return error_set(err, ERR_CANCELLED, "stopped");
    }
    return OK;
}

static const struct encoder encoder = {
    .name = "toy", .fingerprint = "toy/1", .dense_count = DIMS, .encode_many = encode_many};

static char folder[PATH_MAX], texts_of[TEXTS][16];
static struct str texts[TEXTS];
static float dense[TEXTS * DIMS], wanted[TEXTS * DIMS];

static void setup(void)
{
    log_set_level(LOG_OFF);
    cr_assert_eq(file_make_temporary("encodings", folder, sizeof(folder), NULL), OK);
    for (size_t i = 0; i < TEXTS; i++) {
        snprintf(texts_of[i], sizeof(texts_of[i]), "%c text %zu", (char)('a' + i % 26), i / 2);
        texts[i] = str_from(texts_of[i]);
        for (size_t d = 0; d < DIMS; d++)
            wanted[i * DIMS + d] = (float)texts[i].len + (float)d / 4 + (float)texts[i].ptr[0];
    }
    texts[TEXTS - 1] = texts[0];
    memcpy(wanted + (TEXTS - 1) * DIMS, wanted, DIMS * sizeof(float));
}

/* The one file of the folder. */
static void find_file(char *path, size_t size)
{
    DIR *d = opendir(folder);
    struct dirent *entry;
    *path = 0;
    cr_assert_not_null(d);
    while ((entry = readdir(d)))
        if (entry->d_name[0] != '.') {
            cr_assert_eq(*path, 0, "two files");
            snprintf(path, size, "%s/%s", folder, entry->d_name);
        }
    closedir(d);
}

static void teardown(void)
{
    char path[2 * PATH_MAX];
    find_file(path, sizeof(path));
    if (*path)
        unlink(path);
    rmdir(folder);
}

TestSuite(encoding_cache, .init = setup, .fini = teardown);

static enum status run(size_t count, struct error *err)
{
    memset(dense, 0, sizeof(dense));
    return encoding_cache_encode(folder, &encoder, texts, count, dense, NULL, NULL, err);
}

Test(encoding_cache, what_is_kept_is_not_asked_for_again)
{
    cr_assert_eq(run(400, NULL), OK);
    cr_assert_arr_eq(dense, wanted, 400 * DIMS * sizeof(float));
    cr_assert_eq(asked, 400);
    cr_assert_eq(run(TEXTS, NULL), OK);
    cr_assert_arr_eq(dense, wanted, sizeof(wanted));
    cr_assert_eq(asked, TEXTS - 1); /* the last is the first again */
    cr_assert_eq(run(10, NULL), OK);
    cr_assert_eq(run(TEXTS, NULL), OK); /* what was not asked for last time is there still */
    cr_assert_arr_eq(dense, wanted, sizeof(wanted));
    cr_assert_eq(asked, TEXTS - 1);
}

Test(encoding_cache, what_was_done_before_a_failure_is_kept)
{
    struct error err;
    fails_at = 600;
    cr_assert_eq(run(TEXTS, &err), ERR_UPSTREAM);
    cr_assert_str_eq(err.text, "gone");
    fails_at = SIZE_MAX;
    asked = 0;
    cr_assert_eq(run(TEXTS, NULL), OK);
    cr_assert_arr_eq(dense, wanted, sizeof(wanted));
    cr_assert_eq(asked, TEXTS - 1 - 512);
}

static bool stop_at(size_t done, void *arg)
{
    *(size_t *)arg = done;
    return done < 300;
}

Test(encoding_cache, progress_counts_what_is_known_and_may_stop_it)
{
    size_t done = 0;
    cr_assert_eq(run(100, NULL), OK);
    cr_assert_eq(encoding_cache_encode(folder, &encoder, texts, TEXTS, dense, stop_at, &done, NULL),
                 ERR_CANCELLED);
    cr_assert_eq(done, 300);
    cr_assert_eq(asked, 300 - 1); /* the last text is known with the first */
}

Test(encoding_cache, of_a_damaged_file_nothing_is_believed)
{
    char path[2 * PATH_MAX];
    struct buf b;
    cr_assert_eq(run(TEXTS, NULL), OK);
    find_file(path, sizeof(path));
    for (size_t at = 0; at < 4; at++) {
        buf_init(&b, 1 << 20);
        cr_assert_eq(file_read(path, 1 << 20, &b, NULL), OK);
        size_t places[] = {0, 30, b.len / 2, b.len - 1};
        b.ptr[places[at]] ^= 1;
        cr_assert_eq(file_write(path, &b, NULL), OK);
        buf_done(&b);
        asked = 0;
        cr_assert_eq(run(TEXTS, NULL), OK);
        cr_assert_arr_eq(dense, wanted, sizeof(wanted));
        cr_assert_eq(asked, TEXTS - 1, "byte %zu", places[at]);
        asked = 0;
        cr_assert_eq(run(TEXTS, NULL), OK);
        cr_assert_eq(asked, 0);
    }
}

Test(encoding_cache, a_file_is_of_one_encoder)
{
    char path[2 * PATH_MAX];
    struct buf b;
    struct encoding_file f;
    struct error err;
    cr_assert_eq(run(TEXTS, NULL), OK);
    find_file(path, sizeof(path));
    buf_init(&b, 1 << 20);
    cr_assert_eq(file_read(path, 1 << 20, &b, NULL), OK);
    cr_assert_eq(encoding_file_read(buf_str(&b), STR("toy/1"), DIMS, &f, &err), OK);
    cr_assert_eq(f.count, TEXTS - 1);
    cr_assert_eq(encoding_file_read(buf_str(&b), STR("toy/2"), DIMS, &f, &err), ERR_CORRUPT);
    cr_assert_eq(encoding_file_read(buf_str(&b), STR("toy/1"), DIMS + 1, &f, &err), ERR_CORRUPT);
    for (size_t len = 0; len < b.len; len += len < 64 ? 1 : 97)
        cr_assert_eq(
            encoding_file_read(str_slice(buf_str(&b), 0, len), STR("toy/1"), DIMS, &f, &err),
            ERR_CORRUPT);
    buf_done(&b);
}

Test(encoding_cache, without_a_folder_nothing_is_kept)
{
    cr_assert_eq(encoding_cache_encode(NULL, &encoder, texts, TEXTS, dense, NULL, NULL, NULL), OK);
    cr_assert_arr_eq(dense, wanted, sizeof(wanted));
    cr_assert_eq(encoding_cache_encode("/dev/null/x", &encoder, texts, 10, dense, NULL, NULL, NULL),
                 OK); /* cannot be written: asked anew each time */
    cr_assert_arr_eq(dense, wanted, 10 * DIMS * sizeof(float));
}
