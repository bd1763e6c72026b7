/* log_writer.h: lines leave whoever writes them at once, come whole and in order, and what is lost is said. Standard
 * error is a pipe that each test reads when it wants to. */
#include "base/log_writer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/check.h"
#include "base/log.h"
#include "base/thread.h"

#define LONG_MS 60000

struct pipe_end {
    int read_fd, saved;
};

static struct pipe_end pipe_begin(void)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    struct pipe_end p = {ends[0], dup(STDERR_FILENO)};
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    return p;
}

static void pipe_restore(struct pipe_end *p)
{
    dup2(p->saved, STDERR_FILENO);
    close(p->saved);
}

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...)
{
    char line[LOG_LINE_BYTES];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    log_write((struct str){line, (size_t)n});
}

/* What one thread reads until the pipe is closed. */
struct reading {
    int fd;
    char *text;
    size_t len;
};

static void *read_all(void *arg)
{
    struct reading *r = arg;
    size_t room = 64u << 20;
    r->text = malloc(room);
    for (ssize_t n;
         r->len + 1 < room && (n = read(r->fd, r->text + r->len, room - r->len - 1)) > 0;)
        r->len += (size_t)n;
    r->text[r->len] = 0;
    return NULL;
}

static void start(void)
{
    struct error err;
    cr_assert_eq(log_writer_start(&err), OK, "%s", err.text);
}

Test(log_writer, without_one_a_line_is_written_at_once)
{
    char seen[16] = {0};
    struct pipe_end p = pipe_begin();
    put("hello\n");
    cr_expect_eq(read(p.read_fd, seen, sizeof(seen) - 1), 6);
    pipe_restore(&p);
    cr_assert_str_eq(seen, "hello\n");
}

#define THREADS    4
#define LINES_EACH 20000

static void *put_many(void *arg)
{
    for (int i = 0; i < LINES_EACH; i++)
        put("%zu %d %0*d\n", (size_t)arg, i, i % 300, 0);
    return NULL;
}

/* Checks each line of a text: whole, of one thread in order, gaps exactly as long as they are said to be. One piece: it
 * walks one text with what it has seen so far. */
static size_t check_lines(char *text, uint64_t *ret_said)
{
    int next[THREADS] = {0};
    size_t lines = 0;
    char *rest = text;
    *ret_said = 0;
    for (char *line; (line = strsep(&rest, "\n")) && rest;) {
        const char *said = strstr(line, "msg=\"log lines dropped\" lines=");
        if (said) {
            *ret_said += strtoull(strrchr(said, '=') ? strstr(said, "lines=") + 6 : "0", NULL, 10);
            continue;
        }
        int at = 0;
        size_t thread = 0, zeros = 0;
        cr_assert_eq(sscanf(line, "%zu %d", &thread, &at), 2, "'%s'", line);
        cr_assert(thread < THREADS && at >= next[thread], "'%s'", line);
        zeros = strspn(strrchr(line, ' ') + 1, "0");
        cr_assert_eq(zeros, (size_t)(at % 300 ? at % 300 : 1), "'%s'", line);
        next[thread] = at + 1;
        lines++;
    }
    return lines;
}

/* One piece: a pipe, its reader and all writers have to be there together. */
static void run_many(bool reader_first)
{
    struct pipe_end p = pipe_begin();
    struct reading r = {.fd = p.read_fd};
    pthread_t reader, threads[THREADS];
    struct error err;
    uint64_t said = 0, before = log_dropped();
    start();
    if (reader_first)
        cr_assert_eq(thread_start(&reader, read_all, &r, &err), OK);
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_eq(thread_start(&threads[i], put_many, (void *)i, &err), OK);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (!reader_first)
        cr_assert_eq(thread_start(&reader, read_all, &r, &err), OK);
    log_writer_stop(LONG_MS);
    pipe_restore(&p);
    pthread_join(reader, NULL);
    size_t lines = check_lines(r.text, &said);
    cr_assert_eq(said, log_dropped() - before);
    cr_assert_eq(lines + said, THREADS * LINES_EACH);
    if (!reader_first)
        cr_assert_gt(said, 0, "more than the buffer and the pipe hold");
    free(r.text);
}

Test(log_writer, lines_of_many_threads_come_whole_and_in_order)
{
    run_many(true);
}

Test(log_writer, nobody_waits_for_a_pipe_that_nobody_reads_and_what_is_lost_is_said)
{
    run_many(false);
}

Test(log_writer, a_gap_is_said_where_it_is)
{
    struct pipe_end p = pipe_begin();
    struct reading r = {.fd = p.read_fd};
    pthread_t reader;
    struct error err;
    start();
    int last = 0;
    while (log_dropped() < 10)
        put("0 %d 0\n", last++);
    cr_assert_eq(thread_start(&reader, read_all, &r, &err), OK);
    log_writer_stop(LONG_MS);
    pipe_restore(&p);
    pthread_join(reader, NULL);
    int kept = last - 10;
    char expected[64];
    snprintf(expected, sizeof(expected), "\n0 %d 0\nts=", kept - 1);
    const char *end = strstr(r.text, expected);
    cr_assert_not_null(end, "the last line that was taken stands before the gap");
    cr_assert_not_null(strstr(end, " level=warn msg=\"log lines dropped\" lines=10 "));
    free(r.text);
}

Test(log_writer, a_pipe_that_nobody_reads_does_not_keep_the_process, .timeout = 30)
{
    struct pipe_end p = pipe_begin();
    start();
    while (log_dropped() == 0)
        put("0 1 2 3 4 5 6 7 8 9\n");
    log_writer_stop(50);
    for (int i = 0; i < 10000; i++)
        put("and nothing later waits\n");
    pipe_restore(&p);
    close(p.read_fd);
}

Test(log_writer, a_write_that_fails_is_counted_and_said_once_it_goes_again, .timeout = 30)
{
    signal(SIGPIPE, SIG_IGN);
    struct pipe_end p = pipe_begin();
    struct reading r = {.fd = p.read_fd};
    pthread_t reader;
    struct error err;
    int full = open("/dev/full", O_WRONLY), ends = dup(STDERR_FILENO);
    dup2(full, STDERR_FILENO);
    start();
    while (log_dropped() == 0)
        put("lost\n");
    dup2(ends, STDERR_FILENO);
    close(ends);
    cr_assert_eq(thread_start(&reader, read_all, &r, &err), OK);
    log_writer_stop(LONG_MS);
    pipe_restore(&p);
    pthread_join(reader, NULL);
    cr_assert_not_null(strstr(r.text, "msg=\"log lines dropped\" lines="), "%s", r.text);
    free(r.text);
}

/* In a child of its own, whose standard error is the pipe. */
static char *of_child(void (*run)(void), int *ret_status)
{
    struct pipe_end p = pipe_begin();
    struct reading r = {.fd = p.read_fd};
    pid_t child = fork();
    if (child == 0) {
        run();
        _exit(7);
    }
    pipe_restore(&p);
    read_all(&r);
    waitpid(child, ret_status, 0);
    return r.text;
}

static void fail_a_check(void)
{
    start();
    for (int i = 0; i < 1000; i++)
        put("before %d\n", i);
    CHECK(1 + 1 == 3);
}

Test(log_writer, a_check_that_fails_speaks_behind_all_lines_before_it)
{
    int status = 0;
    char *seen = of_child(fail_a_check, &status);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    cr_assert_not_null(strstr(seen, "before 999\nleeroo: internal error: "), "%s", seen);
    free(seen);
}

static void fork_amid(void)
{
    int status = 0;
    start();
    put("parent 1\n");
    pid_t child = fork();
    if (child == 0) {
        put("child\n");
        log_writer_stop(LONG_MS);
        _exit(0);
    }
    waitpid(child, &status, 0);
    put("parent 2\n");
    log_writer_stop(LONG_MS);
    put("directly\n");
}

Test(log_writer, a_child_of_fork_writes_by_itself)
{
    int status = 0;
    char *seen = of_child(fork_amid, &status);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    static const char *const lines[] = {"parent 1\n", "child\n", "parent 2\ndirectly\n"};
    for (size_t i = 0; i < 3; i++)
        cr_assert_not_null(strstr(seen, lines[i]), "%s", seen);
    cr_assert_eq(strstr(strstr(seen, "parent 1") + 1, "parent 1"), NULL, "once, by the parent");
    free(seen);
}
