/* Commands that are shut in: what they may do, and what ends them. Scripts are of /bin/sh and python3. */
#include "judge/confined.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/valgrind.h"

static struct buf output;

static void setup(void)
{
    buf_init(&output, 1u << 20);
}

static void teardown(void)
{
    buf_done(&output);
}

TestSuite(confined, .init = setup, .fini = teardown, .timeout = 60);

static struct confined_end run(const char *const *argv, const char *input,
                               const struct confined_limits *limits)
{
    struct confined_end end = {0};
    struct error err = {0};
    cr_assert_eq(confined_run(argv, str_from(input), limits, &output, &end, &err), OK, "%s",
                 err.text);
    return end;
}

static struct confined_end shell(const char *script, const char *input)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    return run(argv, input, NULL);
}

static struct confined_end python(const char *script, const struct confined_limits *limits)
{
    const char *const argv[] = {"python3", "-c", script, NULL};
    return run(argv, "", limits);
}

static void said(const char *text)
{
    cr_expect(str_equal(buf_str(&output), str_from(text)), "said '%.*s'",
              STR_FMT(buf_str(&output)));
}

Test(confined, reads_its_input_and_says_something)
{
    NEEDS_CONFINEMENT;
    const struct confined_end end = shell("tr a-z A-Z; exit 1", "right answer");
    cr_expect_eq(end.exit_code, 1);
    cr_expect_eq(end.signal, 0);
    cr_expect_not(end.timed_out || end.output_cut);
    said("RIGHT ANSWER");
}

Test(confined, has_little_of_an_environment_and_a_folder_of_its_own)
{
    NEEDS_CONFINEMENT;
    setenv("LEEROO_SECRET", "tell nobody", 1);
    shell("echo $LEEROO_SECRET$LANG; ls -A; echo yes > x && cat x; [ \"$HOME\" = \"$PWD\" ] && pwd",
          "");
    const struct str text = buf_str(&output);
    cr_expect(str_starts(text, STR("C.UTF-8\nyes\n/tmp/leeroo-check-")), "'%.*s'", STR_FMT(text));
    struct stat info;
    char folder[100];
    snprintf(folder, sizeof(folder), "%.*s", (int)(text.len - 13), text.ptr + 12);
    cr_expect_eq(stat(folder, &info), -1, "%s is still there", folder);
}

Test(confined, reaches_no_network_not_even_this_machine)
{
    NEEDS_CONFINEMENT;
    python("import socket\n"
           "for f in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):\n"
           "    try:\n"
           "        socket.socket(f)\n"
           "        print('open')\n"
           "    except PermissionError:\n"
           "        print('shut')\n",
           NULL);
    said("shut\nshut\nshut\n");
}

Test(confined, writes_nowhere_else)
{
    NEEDS_CONFINEMENT;
    char path[] = "/tmp/leeroo-test-XXXXXX", script[400];
    const int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(fchmod(fd, 0666), 0);
    cr_assert_eq(write(fd, "mine", 4), 4);
    snprintf(script, sizeof(script),
             "(echo x > %s) 2> /dev/null || echo kept; (echo x > /tmp/leeroo-x) || echo kept",
             path);
    shell(script, "");
    said("kept\nkept\n");
    buf_clear(&output);
    snprintf(script, sizeof(script),
             "import os\n"
             "for cut in (lambda: os.truncate('%s', 0),\n"
             "            lambda: os.open('%s', os.O_RDONLY | os.O_TRUNC),\n"
             "            lambda: os.open('%s', 3 | os.O_TRUNC)):\n"
             "    try:\n"
             "        print(cut())\n"
             "    except PermissionError:\n"
             "        print('kept')\n",
             path, path, path);
    python(script, NULL);
    said("kept\nkept\nkept\n");
    struct stat info;
    cr_expect_eq(fstat(fd, &info), 0);
    cr_expect_eq(info.st_size, 4);
    close(fd);
    unlink(path);
}

/* Whether this kernel lets a user that is nobody special have mounts of its own. */
static bool has_mounts_of_its_own(void)
{
    const pid_t child = fork();
    int how = -1;
    if (child == 0)
        _exit((geteuid() == 0 && setuid(65534) != 0) || unshare(CLONE_NEWUSER) != 0 ||
              unshare(CLONE_NEWNS) != 0 || mount("/tmp", "/tmp", NULL, MS_BIND, NULL) != 0);
    return child > 0 && waitpid(child, &how, 0) == child && how == 0;
}

Test(confined, changes_nothing_of_its_users_files_where_it_has_mounts_of_its_own)
{
    NEEDS_CONFINEMENT;
    char path[] = "/tmp/leeroo-test-XXXXXX", script[300];
    const int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert(geteuid() != 0 || fchown(fd, 65534, 65534) == 0);
    snprintf(script, sizeof(script),
             "chmod 0666 %s 2> /dev/null || echo kept; touch -d 1999-01-01 %s 2> /dev/null || echo "
             "kept; echo x > x && chmod 0700 x && echo mine",
             path, path);
    shell(script, "");
    struct stat info;
    cr_expect_eq(fstat(fd, &info), 0);
    close(fd);
    unlink(path);
    if (!has_mounts_of_its_own())
        cr_skip("no mounts of its own here");
    said("kept\nkept\nmine\n");
    cr_expect_eq(info.st_mode & 0777, 0600);
}

Test(confined, harms_no_other_process)
{
    NEEDS_CONFINEMENT;
    char script[100];
    snprintf(script, sizeof(script), "kill -9 %d || echo refused", (int)getpid());
    shell(script, "");
    said("refused\n");
}

Test(confined, changes_nothing_of_another_process_by_the_back_door_either)
{
    NEEDS_CONFINEMENT;
    python("import ctypes, fcntl, os, resource, socket\n"
           "other, (end, _) = os.getppid(), os.pipe()\n"
           "call = ctypes.CDLL(None, use_errno=True)\n"
           "def clone_a_child_of_ours():\n"
           "    return call.syscall(56 if os.uname().machine == 'x86_64' else 220, 0x8011, 0, 0, "
           "0, 0)\n"
           "for what in (lambda: fcntl.fcntl(end, fcntl.F_SETOWN, other),\n"
           "             lambda: fcntl.fcntl(end, fcntl.F_SETSIG, 9),\n"
           "             lambda: resource.prlimit(other, resource.RLIMIT_NOFILE, (9, 9)),\n"
           "             lambda: os.sched_setaffinity(other, {0}),\n"
           "             lambda: os.setpriority(os.PRIO_PROCESS, other, 19),\n"
           "             lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)):\n"
           "    try:\n"
           "        print(what())\n"
           "    except PermissionError:\n"
           "        print('shut', end=' ')\n"
           "print(clone_a_child_of_ours(), call.shmget(0, 4096, 0o1600))\n",
           NULL);
    said("shut shut shut shut shut shut -1 -1\n");
}

Test(confined, may_do_to_itself_what_it_may_not_to_others)
{
    NEEDS_CONFINEMENT;
    python("import os, resource, socket\n"
           "resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))\n"
           "os.sched_setaffinity(0, os.sched_getaffinity(0))\n"
           "socket.socketpair()\n"
           "open('x', 'w').write('long')\n"
           "open('x', 'w').write('new')\n"
           "print(open('x').read())\n",
           NULL);
    said("new\n");
}

Test(confined, is_killed_when_its_time_is_over_with_all_it_started)
{
    NEEDS_CONFINEMENT;
    const struct confined_limits short_time = {.wall_ms = 300};
    const char *const argv[] = {"sh", "-c", "sleep 60 & sleep 60", NULL};
    const struct confined_end end = run(argv, "", &short_time);
    cr_expect(end.timed_out);
    cr_expect_eq(end.exit_code, -1);
}

Test(confined, is_killed_when_it_closes_its_output_and_goes_on)
{
    NEEDS_CONFINEMENT;
    const struct confined_limits short_time = {.wall_ms = 300};
    const char *const argv[] = {"sh", "-c", "exec >/dev/null; sleep 60", NULL};
    cr_expect(run(argv, "", &short_time).timed_out);
}

Test(confined, ends_when_it_ends_whatever_it_has_left_running)
{
    NEEDS_CONFINEMENT;
    const struct confined_limits long_time = {.wall_ms = 50000};
    const char *const argv[] = {"sh", "-c", "(sleep 55; echo late) & echo done; exit 1", NULL};
    const struct confined_end end = run(argv, "", &long_time);
    cr_expect_eq(end.exit_code, 1);
    cr_expect_not(end.timed_out);
    said("done\n");
}

static void *stop_soon(void *arg)
{
    const int *fd = arg;
    const struct timespec soon = {.tv_nsec = 100000000};
    nanosleep(&soon, NULL);
    cr_expect_eq(write(*fd, "x", 1), 1);
    return NULL;
}

Test(confined, is_killed_when_it_is_told_to_stop)
{
    NEEDS_CONFINEMENT;
    int pipe_of[2];
    pthread_t thread;
    cr_assert_eq(pipe(pipe_of), 0);
    const struct confined_limits limits = {.wall_ms = 50000, .stop = &pipe_of[0]};
    const char *const argv[] = {"sh", "-c", "echo begun; sleep 55", NULL};
    cr_assert_eq(pthread_create(&thread, NULL, stop_soon, &pipe_of[1]), 0);
    const struct confined_end end = run(argv, "", &limits);
    pthread_join(thread, NULL);
    cr_expect(end.stopped && !end.timed_out);
    cr_expect_eq(end.exit_code, -1);
    said("begun\n");
    close(pipe_of[0]);
    close(pipe_of[1]);
}

Test(confined, reads_nothing_but_what_it_is_given)
{
    NEEDS_CONFINEMENT;
    char given[] = "/tmp/leeroo-test-XXXXXX", other[] = "/tmp/leeroo-test-XXXXXX", script[900];
    const int a = mkstemp(given), b = mkstemp(other);
    cr_assert(a >= 0 && b >= 0 && !fchmod(a, 0644) && !fchmod(b, 0644));
    cr_assert(write(a, "given\n", 6) == 6 && write(b, "other\n", 6) == 6);
    snprintf(script, sizeof(script),
             "import os\n"
             "print(open('%s').read(), end='')\n"
             "for what in (lambda: open('%s'), lambda: os.listdir('/tmp'),\n"
             "             lambda: open('/proc/%d/cmdline'), lambda: open('/etc/hostname')):\n"
             "    try:\n"
             "        print(what())\n"
             "    except PermissionError:\n"
             "        print('shut')\n"
             "open('x', 'w').write('mine')\n"
             "print(open('x').read(), os.listdir('.'), len(os.urandom(3)))\n",
             given, other, (int)getpid());
    const char *const readable[] = {given, NULL};
    const struct confined_limits limits = {.readable = readable};
    python(script, &limits);
    said("given\nshut\nshut\nshut\nshut\nmine ['x'] 3\n");
    close(a);
    close(b);
    unlink(other);
    unlink(given);
    struct confined_end end;
    struct error err = {0};
    const char *const argv[] = {"true", NULL};
    cr_expect_eq(confined_run(argv, STR(""), &limits, &output, &end, &err), ERR_NOT_FOUND);
    cr_expect_not_null(strstr(err.text, given), "%s", err.text);
}

Test(confined, of_root_says_who_cannot_reach_its_files)
{
    NEEDS_CONFINEMENT;
    if (geteuid() != 0)
        cr_skip("root alone starts commands as somebody else");
    char folder[] = "/tmp/leeroo-test-XXXXXX", file[40];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/check", folder);
    const int fd = open(file, O_CREAT | O_WRONLY, 0644);
    cr_assert_geq(fd, 0);
    close(fd);
    const char *const readable[] = {file, NULL}, *const argv[] = {"true", NULL};
    const struct confined_limits limits = {.readable = readable};
    struct confined_end end;
    struct error err = {0};
    cr_expect_eq(confined_run(argv, STR(""), &limits, &output, &end, &err), ERR_IO);
    cr_expect_not_null(strstr(err.text, "'true' runs as nobody"), "%s", err.text);
    cr_assert_eq(chmod(folder, 0711), 0);
    cr_expect_eq(confined_run(argv, STR(""), &limits, &output, &end, &err), OK, "%s", err.text);
    unlink(file);
    rmdir(folder);
}

Test(confined, cpu_memory_and_output_have_ends)
{
    NEEDS_CONFINEMENT;
    const struct confined_limits limits = {.cpu_s = 1, .output_bytes = 100};
    struct confined_end end = python("while True: pass", &limits);
    cr_expect(end.signal != 0 && !end.timed_out);
    end = python("x = bytearray(1 << 31)", &limits);
    cr_expect_eq(end.exit_code, 1); /* MemoryError */
    buf_clear(&output);
    end = python("print('x' * 100000)", &limits);
    cr_expect(end.output_cut);
    cr_expect_eq(output.len, 100);
}

Test(confined, cannot_fill_the_machine_with_processes)
{
    NEEDS_CONFINEMENT;
    const struct confined_end end = python("import os, time\n"
                                           "n = 0\n"
                                           "try:\n"
                                           "    while n < 3000:\n"
                                           "        if os.fork() == 0:\n"
                                           "            time.sleep(30)\n"
                                           "        n += 1\n"
                                           "except OSError:\n"
                                           "    print('enough' if n < 1100 else n)\n",
                                           NULL);
    cr_expect_eq(end.exit_code, 0);
    said("enough\n");
}

Test(confined, without_such_a_program_says_so)
{
    const char *const argv[] = {"leeroo-no-such-program", NULL};
    struct confined_end end = {.exit_code = 77};
    struct error err = {0};
    cr_expect_eq(confined_run(argv, STR(""), NULL, &output, &end, &err), ERR_NOT_FOUND);
    cr_expect_not_null(strstr(err.text, "leeroo-no-such-program"));
    cr_expect_eq(end.exit_code, 77);
}
