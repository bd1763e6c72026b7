/* file.h: limits on reading, and outputs that appear whole or not at all. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/temp.h"
#include "base/thread.h"

static struct temp temp;

static void begin(void)
{
    temp_begin(&temp, "f");
}

static void end(void)
{
    temp_end(&temp);
}

TestSuite(file, .init = begin, .fini = end);

static void expect_content(const char *path, const char *text)
{
    struct buf b;
    buf_init(&b, 1000);
    cr_assert_eq(file_read(path, 1000, &b, NULL), OK);
    cr_assert(str_equal(buf_str(&b), str_from(text)), "'%s'", b.ptr ? b.ptr : "");
    buf_done(&b);
}

static int entries(void)
{
    int count = 0;
    DIR *d = opendir(temp.folder);
    while (readdir(d))
        count++;
    closedir(d);
    return count - 2;
}

Test(file, reads_up_to_its_limit)
{
    struct buf b;
    struct error err;
    buf_init(&b, 100);
    temp_write(temp.path, "abc\0e", 5);
    buf_add(&b, STR(">"));
    cr_assert_eq(file_read(temp.path, 5, &b, NULL), OK);
    cr_assert(str_equal(buf_str(&b), STR(">abc\0e")), "it appends");
    cr_assert_eq(file_read(temp.path, 4, &b, &err), ERR_TOO_LARGE);
    cr_assert_not_null(strstr(err.text, temp.path));
    cr_assert_eq(b.len, 6, "outputs stay as they were");
    cr_assert_eq(file_read("/nowhere/at-all", 4, &b, &err), ERR_NOT_FOUND);
    cr_assert_eq(file_read("/tmp", 4, &b, &err), ERR_IO);
    buf_done(&b);
}

Test(file, reads_more_than_a_chunk)
{
    enum { SIZE = 300000 };
    char *bytes = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 7);
    temp_write(temp.path, bytes, SIZE);
    struct buf b;
    buf_init(&b, SIZE);
    cr_assert_eq(file_read(temp.path, SIZE, &b, NULL), OK);
    cr_assert_eq(b.len, SIZE);
    cr_assert_eq(memcmp(b.ptr, bytes, SIZE), 0);
    buf_done(&b);
    free(bytes);
}

Test(file, copies)
{
    struct file_copy copy = {NULL, 7};
    cr_assert_eq(file_copy_open("/nowhere/at-all", &copy, NULL), ERR_NOT_FOUND);
    cr_assert_eq(copy.len, 7);
    cr_assert_eq(file_copy_open("/tmp", &copy, NULL), ERR_IO);
    temp_write(temp.path, "abc", 3);
    cr_assert_eq(file_copy_open(temp.path, &copy, NULL), OK);
    cr_assert_eq(copy.len, 3);
    cr_assert_eq(memcmp(copy.ptr, "abc", 3), 0);
    file_copy_close(&copy);
    file_copy_close(&copy);
    temp_write(temp.path, "", 0);
    cr_assert_eq(file_copy_open(temp.path, &copy, NULL), OK);
    cr_assert_null(copy.ptr);
    file_copy_close(&copy);
}

Test(file, a_copy_stays_as_it_is_whatever_is_done_to_the_file)
{
    enum { SIZE = 1 << 20 };
    char *bytes = malloc(SIZE);
    struct file_copy copy;
    memset(bytes, 'a', SIZE);
    temp_write(temp.path, bytes, SIZE);
    cr_assert_eq(file_copy_open(temp.path, &copy, NULL), OK);
    memset(bytes, 'b', SIZE);
    temp_write(temp.path, bytes, SIZE / 2);
    cr_assert_eq(copy.len, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        cr_assert_eq(copy.ptr[i], 'a');
    cr_assert_eq(truncate(temp.path, 0), 0);
    cr_assert_eq(copy.ptr[SIZE - 1], 'a');
    file_copy_close(&copy);
    free(bytes);
}

Test(file, a_pipe_is_not_waited_for)
{
    struct error err;
    struct file_copy copy;
    cr_assert_eq(mkfifo(temp.path, 0600), 0);
    cr_assert_eq(file_copy_open(temp.path, &copy, &err), ERR_IO);
    cr_assert_not_null(strstr(err.text, "not a regular file"));
}

Test(file, a_folder_is_called_one)
{
    struct error err;
    struct file_copy copy;
    cr_assert_eq(mkdir(temp.path, 0700), 0);
    cr_assert_eq(file_copy_open(temp.path, &copy, &err), ERR_IO);
    cr_assert_not_null(strstr(err.text, "a folder, where a file is expected"), "%s", err.text);
    cr_assert_eq(rmdir(temp.path), 0);
}

/* Writes to the file without end, until `stop`. */
static atomic_bool stop;

static void *write_on(void *arg)
{
    FILE *f = fopen(arg, "r+b");
    for (size_t i = 0; !atomic_load(&stop); i++) {
        fseek(f, 0, SEEK_SET);
        fprintf(f, "%zu", i);
        fflush(f);
    }
    fclose(f);
    return NULL;
}

Test(file, a_copy_of_a_file_that_is_written_meanwhile_is_refused, .timeout = 60)
{
    enum { SIZE = 4 << 20 };
    char *bytes = calloc(1, SIZE);
    struct error err;
    pthread_t writer;
    enum status status = OK;
    temp_write(temp.path, bytes, SIZE);
    cr_assert_eq(thread_start(&writer, write_on, temp.path, &err), OK);
    while (status == OK) {
        struct file_copy copy = {NULL, 0};
        status = file_copy_open(temp.path, &copy, &err);
        file_copy_close(&copy);
    }
    atomic_store(&stop, true);
    pthread_join(writer, NULL);
    cr_assert_eq(status, ERR_IO);
    cr_assert_not_null(strstr(err.text, "while it was read"), "%s", err.text);
    free(bytes);
}

Test(file, an_output_appears_when_it_is_whole)
{
    struct file_out out;
    cr_assert_eq(file_out_open(temp.path, &out, NULL), OK);
    fputs("new", out.stream);
    fflush(out.stream);
    cr_assert_neq(access(temp.path, F_OK), 0, "nothing under the name yet");
    cr_assert_eq(file_out_commit(&out, NULL), OK);
    expect_content(temp.path, "new");
    file_out_abort(&out);
    expect_content(temp.path, "new");
    cr_assert_eq(entries(), 1, "no temporary is left");
}

Test(file, until_then_the_old_one_stands)
{
    struct file_out out;
    temp_write(temp.path, "old", 3);
    cr_assert_eq(file_out_open(temp.path, &out, NULL), OK);
    fputs("new", out.stream);
    fflush(out.stream);
    expect_content(temp.path, "old");
    file_out_abort(&out);
    expect_content(temp.path, "old");
    cr_assert_eq(entries(), 1, "no temporary is left");
    file_out_abort(&out);
}

Test(file, a_failed_output_leaves_nothing)
{
    struct file_out out;
    struct error err;
    char path[200];
    snprintf(path, sizeof(path), "%s/no/such", temp.folder);
    cr_assert_eq(file_out_open(path, &out, &err), ERR_IO);
    cr_assert_not_null(strstr(err.text, path));
    cr_assert_eq(mkdir(temp.path, 0700), 0); /* a folder cannot be replaced by a file */
    enum status status = file_out_open(temp.path, &out, &err);
    if (status == OK)
        status = file_out_commit(&out, &err);
    cr_assert_eq(status, ERR_IO);
    cr_assert_eq(entries(), 1);
    cr_assert_eq(rmdir(temp.path), 0);
}

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", temp.folder, name);
    return path;
}

Test(file, what_a_killed_process_was_writing_goes)
{
    static const char *const goes[] = {"a.tmp.12", "b.tmp.7"};
    static const char *const stays[] = {"a", "a.tmp", "a.tmp.", "a.tmp.x", "atmp.3", "c.tmp.4x"};
    for (size_t i = 0; i < 2; i++)
        temp_write(in_folder(goes[i]), "", 0);
    for (size_t i = 0; i < sizeof(stays) / sizeof(stays[0]); i++)
        temp_write(in_folder(stays[i]), "", 0);
    file_out_sweep(temp.folder, "a");
    cr_assert_neq(access(in_folder(goes[0]), F_OK), 0);
    cr_assert_eq(access(in_folder(goes[1]), F_OK), 0, "another's");
    file_out_sweep(temp.folder, NULL);
    cr_assert_neq(access(in_folder(goes[1]), F_OK), 0);
    for (size_t i = 0; i < sizeof(stays) / sizeof(stays[0]); i++)
        cr_assert_eq(unlink(in_folder(stays[i])), 0, "%s", stays[i]);
    file_out_sweep("/nowhere", NULL);
}

Test(file, an_output_that_cannot_be_is_known_before)
{
    struct error err;
    cr_assert_eq(file_out_check(in_folder("new"), &err), OK);
    cr_assert_neq(access(in_folder("new"), F_OK), 0, "nothing is made");
    cr_assert_eq(file_out_check("-", &err), OK);
    cr_assert_eq(file_out_check("/dev/null", &err), OK);
    cr_assert_eq(file_out_check(temp.folder, &err), ERR_IO);
    cr_assert(strstr(err.text, "directory"), "%s", err.text);
    cr_assert_eq(file_out_check(in_folder("none/new"), &err), ERR_IO);
    cr_assert(strstr(err.text, "cannot write there"), "%s", err.text);
}

Test(file, a_device_is_written_not_replaced)
{
    struct file_out out;
    struct stat info;
    cr_assert_eq(file_out_open("/dev/null", &out, NULL), OK);
    fputs("x", out.stream);
    cr_assert_eq(file_out_commit(&out, NULL), OK);
    cr_assert_eq(stat("/dev/null", &info), 0);
    cr_assert(S_ISCHR(info.st_mode));
    cr_assert_eq(file_out_open("/dev/null", &out, NULL), OK);
    file_out_abort(&out);
    cr_assert_eq(access("/dev/null", F_OK), 0);
}

Test(file, a_dash_is_standard_output)
{
    struct file_out out;
    cr_assert_eq(file_out_open("-", &out, NULL), OK);
    cr_assert_eq((void *)out.stream, (void *)stdout);
    cr_assert_eq(file_out_commit(&out, NULL), OK);
}

Test(file, a_full_device_is_an_error)
{
    struct file_out out;
    cr_assert_eq(file_out_open("/dev/full", &out, NULL), OK);
    fputs("x", out.stream);
    cr_assert_eq(file_out_commit(&out, NULL), ERR_IO);
}

Test(file, a_text_is_written_whole_or_not_at_all)
{
    struct buf b;
    buf_init(&b, 4);
    buf_add_c(&b, "four");
    cr_expect_eq(file_write("/dev/full", &b, NULL), ERR_IO);
    cr_expect_eq(file_write(temp.path, &b, NULL), OK);
    buf_add_c(&b, "five");
    cr_expect_eq(file_write(temp.path, &b, NULL), ERR_TOO_LARGE);
    expect_content(temp.path, "four");
    cr_expect_eq(entries(), 1);
    buf_done(&b);
    cr_expect_eq(file_write(temp.path, &b, NULL), OK);
    expect_content(temp.path, "");
}

Test(file, two_names_may_lead_to_one)
{
    char other[sizeof(temp.path) + 16];
    struct buf b;
    buf_init(&b, 16);
    snprintf(other, sizeof(other), "%s.other", temp.path);
    cr_expect(file_is_same(other, other), "by its name");
    cr_expect_not(file_is_same(temp.path, other), "there is none");
    cr_assert_eq(file_write(temp.path, &b, NULL), OK);
    cr_assert_eq(link(temp.path, other), 0);
    cr_expect(file_is_same(temp.path, other));
    unlink(other);
    cr_assert_eq(symlink(temp.path, other), 0);
    cr_expect(file_is_same(temp.path, other));
    unlink(other);
    cr_assert_eq(file_write(other, &b, NULL), OK);
    cr_expect_not(file_is_same(temp.path, other));
    unlink(other);
}

Test(file, what_is_printed_reaches_the_stream_or_is_an_error)
{
    struct buf b;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    cr_assert_not_null(out);
    buf_init(&b, 4);
    buf_add_c(&b, "four");
    cr_expect_eq(file_print(out, &b, NULL), OK);
    cr_expect_null(b.ptr, "it is done with");
    buf_add_c(&b, "fives");
    cr_expect_eq(file_print(out, &b, NULL), ERR_TOO_LARGE, "nothing is cut short");
    cr_expect_eq(file_print(out, &b, NULL), OK, "nothing is no error");
    fclose(out);
    cr_expect_str_eq(text, "four");
    free(text);
    out = fopen("/dev/full", "w");
    cr_assert_not_null(out);
    buf_add_c(&b, "x");
    cr_expect_eq(file_print(out, &b, NULL), ERR_IO);
    fclose(out);
}

Test(file, a_new_file_overwrites_nothing)
{
    char path[] = "/tmp/leeroo_new_XXXXXX";
    struct file_out out;
    struct error err = {0};
    struct stat info;
    close(mkstemp(path));
    cr_assert_eq(file_out_open(path, &out, NULL), OK);
    fputs("x", out.stream);
    char *temporary = strdup(out.temporary);
    cr_assert_eq(file_out_commit_new(&out, &err), ERR_IO);
    cr_expect_eq(err.sys_errno, EEXIST);
    cr_expect_neq(access(temporary, F_OK), 0);
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_size, 0, "what was there stays");
    unlink(path);
    cr_assert_eq(file_out_open(path, &out, NULL), OK);
    fputs("x", out.stream);
    cr_assert_eq(file_out_commit_new(&out, &err), OK);
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_size, 1);
    cr_expect_neq(access(temporary, F_OK), 0);
    unlink(path);
    free(temporary);
}

Test(file, folders_are_made_up_to_the_last_slash)
{
    char root[] = "/tmp/leeroo_folders_XXXXXX", path[64], long_path[2 * PATH_MAX];
    struct error err = {0};
    cr_assert_not_null(mkdtemp(root));
    snprintf(path, sizeof(path), "%s/a/b", root);
    cr_assert_eq(file_make_folders(path, false, &err), OK, "%s", err.text);
    cr_expect_neq(access(path, F_OK), 0);
    cr_assert_eq(file_make_folders(path, true, &err), OK);
    cr_assert_eq(file_make_folders(path, true, &err), OK, "what is there is fine");
    cr_expect_eq(access(path, F_OK), 0);
    cr_expect_eq(file_make_folders("/dev/null/x", true, &err), ERR_IO);
    cr_expect(strstr(err.text, "/dev/null"), "%s", err.text);
    memset(long_path, 'x', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    cr_expect_eq(file_make_folders(long_path, true, &err), ERR_TOO_LARGE);
    rmdir(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    rmdir(root);
}
