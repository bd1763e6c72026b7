/* Real commands, shut in: what their ends mean, and that nothing they do reaches anybody. Scripts are of /bin/sh and
 * python3. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/valgrind.h"
#include "verify/verify_scene.h"

static struct scene s;
static const char *command[8];

static void setup(void)
{
    scene_init(&s, VERIFY_COMMAND);
    s.settings.command = command;
    s.settings.timeout_ms = 20000;
}

static void teardown(void)
{
    scene_done(&s);
}

TestSuite(verify_command, .init = setup, .fini = teardown, .timeout = 120);

static void starts(const char *program, const char *option, const char *script)
{
    command[0] = program;
    command[1] = option;
    command[2] = script;
    scene_start(&s);
}

static const struct verify_end *shell(const char *script)
{
    starts("sh", "-c", script);
    return scene_ask(&s, "2 + 2?", "4");
}

static const struct verify_end *python(const char *script)
{
    starts("python3", "-c", script);
    return scene_ask(&s, "2 + 2?", "4");
}

static void is(const struct verify_end *end, enum verify_verdict verdict, const char *why)
{
    cr_expect_eq(end->verdict, verdict, "%s: %s", verify_verdict_name(end->verdict), end->why);
    cr_expect_str_eq(end->why, why);
}

/* What it says */

Test(verify_command, is_given_the_document_and_says_yes_or_no)
{
    NEEDS_CONFINEMENT;
    starts("python3", "-c",
           "import json, sys\n"
           "d = json.load(sys.stdin)\n"
           "print('it is', d['answer'], d['question'])\n"
           "sys.exit(0 if d['answer'] == '4' else 1)\n");
    is(scene_ask(&s, "2 + 2?", "4"), VERIFY_PASS, "it is 4 2 + 2?");
    is(scene_ask(&s, "2 + 2?", "5"), VERIFY_REJECT, "it is 5 2 + 2?");
}

Test(verify_command, that_says_nothing_says_it_by_its_exit_code)
{
    NEEDS_CONFINEMENT;
    starts("sh", "-c", "grep -q '\"answer\":\"4\"'");
    is(scene_ask(&s, "2 + 2?", "4"), VERIFY_PASS, "");
    is(scene_ask(&s, "2 + 2?", "5"), VERIFY_REJECT, "exit code 1");
}

Test(verify_command, that_cannot_say_is_down)
{
    NEEDS_CONFINEMENT;
    is(shell("echo no compiler; exit 3"), VERIFY_DOWN, "exit code 3: no compiler");
    cr_expect(s.ends[0].abstains);
}

Test(verify_command, that_is_not_there_is_down)
{
    const struct verify_end *end;
    starts("leeroo-no-such-program", NULL, NULL);
    end = scene_ask(&s, "q", "a");
    cr_expect_eq(end->verdict, VERIFY_DOWN);
    cr_expect_not_null(strstr(end->why, "no program 'leeroo-no-such-program'"), "%s", end->why);
}

Test(verify_command, whose_shell_finds_no_program_is_down)
{
    NEEDS_CONFINEMENT;
    is(shell("leeroo-no-such-program"), VERIFY_DOWN, "exit code 127");
    cr_expect_not(s.ends[0].abstains);
}

Test(verify_command, what_a_shell_tells_of_a_signal_is_a_signal)
{
    NEEDS_CONFINEMENT;
    is(shell("exit 134"), VERIFY_REJECT, "ended by signal 6");
}

/* What it does */

Test(verify_command, that_hangs_rejects)
{
    NEEDS_CONFINEMENT;
    s.settings.timeout_ms = 300;
    is(shell("echo begun; sleep 100"), VERIFY_REJECT, "timed out after 300 ms");
}

Test(verify_command, that_computes_without_end_rejects)
{
    NEEDS_CONFINEMENT;
    s.settings.cpu_s = 1;
    is(python("while True: pass"), VERIFY_REJECT, "killed: over 1 s of CPU time, or out of memory");
}

Test(verify_command, that_floods_rejects)
{
    NEEDS_CONFINEMENT;
    is(shell("yes"), VERIFY_REJECT, "said more than 65536 bytes");
}

Test(verify_command, that_wants_all_memory_rejects)
{
    NEEDS_CONFINEMENT;
    s.settings.memory_bytes = 256u << 20;
    is(python("print('before')\nx = bytearray(1 << 30)\n"), VERIFY_REJECT, "before");
}

/* That were started with such a word. */
static size_t processes_with(const char *word)
{
    size_t count = 0;
    char path[300], words[4096];
    DIR *d = opendir("/proc");
    cr_assert_not_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        snprintf(path, sizeof(path), "/proc/%s/cmdline", e->d_name);
        const int fd = e->d_name[0] >= '1' && e->d_name[0] <= '9' ? open(path, O_RDONLY) : -1;
        const ssize_t n = fd >= 0 ? read(fd, words, sizeof(words)) : 0;
        count += n > 0 && memmem(words, (size_t)n, word, strlen(word)) != NULL;
        if (fd >= 0)
            close(fd);
    }
    closedir(d);
    return count;
}

Test(verify_command, that_forks_without_end_rejects_and_leaves_nobody)
{
    NEEDS_CONFINEMENT;
    char word[40], script[300];
    snprintf(word, sizeof(word), "forks-of-%d", (int)getpid());
    snprintf(script, sizeof(script),
             "import os, time # %s\n"
             "while True:\n"
             "    try:\n"
             "        os.fork()\n"
             "    except OSError:\n"
             "        time.sleep(.01)\n",
             word);
    s.settings.timeout_ms = 2000;
    starts("python3", "-c", script);
    const struct verify_input input = verify_sample();
    scene_begin(&s, &input);
    size_t most = 0;
    for (int i = 0; i < 150; i++, nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL))
        most = most > processes_with(word) ? most : processes_with(word);
    scene_wait(&s, 1);
    is(&s.ends[0], VERIFY_REJECT, "timed out after 2000 ms");
    cr_expect_gt(most, 1);
    for (int i = 0; i < 500 && processes_with(word) > 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    cr_expect_eq(processes_with(word), 0);
}

Test(verify_command, that_leaves_somebody_behind_is_done_when_it_is_done)
{
    NEEDS_CONFINEMENT;
    const uint64_t begun_ms = clock_now_ms();
    is(shell("(sleep 15; echo late) & echo fine"), VERIFY_PASS, "fine");
    cr_expect_lt(clock_now_ms() - begun_ms, 10000);
}

Test(verify_command, that_wants_to_be_elsewhere_opens_no_socket)
{
    NEEDS_CONFINEMENT;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    char script[300];
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(fd >= 0 && !bind(fd, (struct sockaddr *)&a, len) && !listen(fd, 1) &&
              !getsockname(fd, (struct sockaddr *)&a, &len));
    snprintf(script, sizeof(script),
             "import socket\n"
             "try:\n"
             "    socket.create_connection(('127.0.0.1', %d))\n"
             "    print('open')\n"
             "except PermissionError:\n"
             "    print('shut')\n",
             ntohs(a.sin_port));
    is(python(script), VERIFY_PASS, "shut");
    close(fd);
}

Test(verify_command, reads_no_file_of_its_user_and_nothing_of_other_processes)
{
    NEEDS_CONFINEMENT;
    char secret[] = "/tmp/leeroo-test-XXXXXX", script[700];
    const int fd = mkstemp(secret);
    cr_assert(fd >= 0 && !fchmod(fd, 0644) && write(fd, "secret", 6) == 6);
    cr_assert(geteuid() != 0 || fchown(fd, 65534, 65534) == 0);
    snprintf(script, sizeof(script),
             "for path in ('%s', '/proc/%d/environ', '/proc/%d/cmdline', '/etc/hostname'):\n"
             "    try:\n"
             "        print(open(path).read(), end=' ')\n"
             "    except PermissionError:\n"
             "        print('shut', end=' ')\n",
             secret, (int)getpid(), (int)getpid());
    is(python(script), VERIFY_PASS, "shut shut shut shut");
    close(fd);
    unlink(secret);
}

Test(verify_command, reads_the_files_that_it_is_given)
{
    NEEDS_CONFINEMENT;
    char given[] = "/tmp/leeroo-test-XXXXXX";
    const char *files[] = {given, NULL};
    const int fd = mkstemp(given);
    cr_assert(fd >= 0 && !fchmod(fd, 0644) && write(fd, "print('given')\n", 15) == 15);
    s.settings.files = files;
    starts("python3", given, NULL);
    is(scene_ask(&s, "q", "a"), VERIFY_PASS, "given");
    close(fd);
    unlink(given);
    const struct verify_end *end = scene_ask(&s, "q", "a");
    cr_expect_eq(end->verdict, VERIFY_DOWN);
    cr_expect_not_null(strstr(end->why, given), "%s", end->why);
}

/* Many, and those who leave */

static void begin_many(struct verify_task **tasks, size_t count)
{
    const struct verify_input input = {.question = STR("q"), .answer = STR("a")};
    for (size_t i = 0; i < count; i++)
        tasks[i] = scene_begin(&s, &input);
}

static void until_running(size_t count)
{
    struct verifier_reading now = {0};
    for (int i = 0; i < 20000 && now.running < count; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        verifier_read(s.verifier, &now);
    }
    cr_assert_eq(now.running, count);
}

static struct verifier_reading until_idle(void)
{
    struct verifier_reading now = {.running = 1};
    for (int i = 0; i < 10000 && now.running; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        verifier_read(s.verifier, &now);
    }
    return now;
}

Test(verify_command, beyond_its_line_is_down_at_once)
{
    NEEDS_CONFINEMENT;
    struct verify_task *tasks[6];
    s.settings.workers = 1;
    s.settings.queue = 2;
    starts("sleep", "100", NULL);
    begin_many(tasks, 1);
    until_running(1);
    begin_many(tasks + 1, 4);
    virtual_clock_settle(&s.clock);
    cr_assert_eq(s.end_count, 2);
    is(&s.ends[0], VERIFY_DOWN, "its line is full: 2 checks wait");
    is(&s.ends[1], VERIFY_DOWN, "its line is full: 2 checks wait");
    for (size_t i = 0; i < 3; i++)
        verifier_cancel(tasks[i]);
    virtual_clock_settle(&s.clock);
    cr_expect_eq(s.end_count, 2);
}

Test(verify_command, nobody_waits_in_line_for_longer_than_a_check_takes)
{
    NEEDS_CONFINEMENT;
    struct verify_task *tasks[2];
    s.settings.workers = 1;
    starts("sleep", "100", NULL);
    begin_many(tasks, 1);
    until_running(1);
    begin_many(tasks + 1, 1);
    virtual_clock_advance(&s.clock, s.settings.timeout_ms - 1);
    cr_assert_eq(s.end_count, 0);
    virtual_clock_advance(&s.clock, 1);
    cr_assert_eq(s.end_count, 1);
    is(&s.ends[0], VERIFY_DOWN, "no worker was free within 20000 ms");
    verifier_cancel(tasks[0]);
}

Test(verify_command, that_cannot_be_ended_is_down_in_the_end)
{
    NEEDS_CONFINEMENT;
    struct verify_task *task;
    starts("sleep", "100", NULL); /* by the clock that stands still, it never ends */
    begin_many(&task, 1);
    until_running(1);
    virtual_clock_advance(&s.clock, 3 * (uint64_t)s.settings.timeout_ms);
    cr_assert_eq(s.end_count, 1);
    is(&s.ends[0], VERIFY_DOWN, "it cannot be killed");
    cr_expect_eq(until_idle().running, 0);
}

Test(verify_command, that_is_cancelled_is_killed_soon)
{
    NEEDS_CONFINEMENT;
    struct verify_task *tasks[2];
    starts("sleep", "100", NULL);
    begin_many(tasks, 2);
    until_running(2);
    const uint64_t begun_ms = clock_now_ms();
    verifier_cancel(tasks[0]);
    verifier_cancel(tasks[1]);
    cr_expect_eq(until_idle().running, 0);
    cr_expect_lt(clock_now_ms() - begun_ms, 5000);
    virtual_clock_advance(&s.clock, 100000);
    cr_expect_eq(s.end_count, 0);
}

Test(verify_command, the_next_is_not_killed_for_the_one_before)
{
    NEEDS_CONFINEMENT;
    struct verify_task *task;
    s.settings.workers = 1;
    starts("sh", "-c", "sleep .2");
    for (int i = 0; i < 5; i++) {
        begin_many(&task, 1);
        until_running(1);
        verifier_cancel(task);
        is(scene_ask(&s, "q", "a"), VERIFY_PASS, "");
    }
}

Test(verify_command, a_verifier_ends_with_what_still_runs_for_nobody)
{
    NEEDS_CONFINEMENT;
    struct verify_task *task;
    starts("sleep", "100", NULL);
    begin_many(&task, 1);
    until_running(1);
    verifier_cancel(task);
    const uint64_t begun_ms = clock_now_ms();
    verifier_free(s.verifier);
    s.verifier = NULL;
    cr_expect_lt(clock_now_ms() - begun_ms, 5000);
}

static size_t entries(const char *folder)
{
    size_t count = 0;
    DIR *d = opendir(folder);
    cr_assert_not_null(d);
    while (readdir(d))
        count++;
    closedir(d);
    return count;
}

/* Some of them are cancelled, wherever they are by then. */
Test(verify_command, a_thousand_leave_no_thread_and_no_descriptor)
{
    NEEDS_CONFINEMENT;
    struct verify_task *tasks[20];
    starts("true", NULL, NULL);
    is(scene_ask(&s, "q", "a"), VERIFY_PASS, "");
    const size_t files = entries("/proc/self/fd"), threads = entries("/proc/self/task");
    for (size_t round = 0; round < 50; round++) {
        begin_many(tasks, 20);
        for (size_t i = round % 5; i < 20; i += 5)
            verifier_cancel(tasks[i]);
        scene_wait(&s, 1 + 16 * (round + 1));
    }
    until_idle();
    for (size_t i = 0; i < s.end_count; i++)
        cr_assert_eq(s.ends[i].verdict, VERIFY_PASS, "%zu: %s", i, s.ends[i].why);
    cr_expect_eq(entries("/proc/self/fd"), files);
    cr_expect_eq(entries("/proc/self/task"), threads);
}
