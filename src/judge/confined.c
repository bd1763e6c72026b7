/* Starting a command that judges, feeding and reading it, and seeing that all of it is gone: see confined.h. What takes
 * its rights away is jail.c.
 *
 * Blocks the calling thread for as long as the command runs. The command and its children are one process group, which
 * the filter of system calls lets nobody leave; so one signal ends them all. */
#include "judge/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "judge/confined_int.h"

#define READ_BYTES  4096
#define PATH_BYTES  4096
#define TREE_DEPTH  32 /* open folders while what it left is removed */
#define BLIND_MS    5  /* between looks at a process that this kernel does not tell of */
#define COMMON_PATH "/usr/local/bin:/usr/bin:/bin"

struct run {
    const char *const *argv;
    char program[PATH_BYTES];
    char folder[64];
    int input, output[2],
        report[2]; /* report: the errno of a child that could not become the command */
    pid_t pid;
    int process; /* tells when it ends; -1: this kernel has no such thing */
    int64_t deadline_ms;
    struct confined_limits limits;
};

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Before */

static bool is_program(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

static enum status find_program(const char *name, char ret[PATH_BYTES], struct error *err)
{
    struct str rest = STR(COMMON_PATH);
    if (strchr(name, '/')) {
        char *real = realpath(name, NULL);
        const bool found = real && is_program(real) && strlen(real) < PATH_BYTES;
        if (found)
            snprintf(ret, PATH_BYTES, "%s", real);
        free(real);
        if (found)
            return OK;
        rest.len = 0;
    }
    while (rest.len > 0) {
        const struct str folder = str_split(&rest, ':');
        snprintf(ret, PATH_BYTES, "%.*s/%s", STR_FMT(folder), name);
        if (is_program(ret))
            return OK;
    }
    return error_set(err, ERR_NOT_FOUND, "there is no program '%s' (PATH is " COMMON_PATH ")",
                     name);
}

/* A file that only this process and its child have. */
static enum status put_input(struct run *r, struct str input, struct error *err)
{
    r->input = memfd_create("answer", MFD_CLOEXEC);
    for (size_t done = 0; r->input >= 0 && done < input.len;) {
        const ssize_t n = write(r->input, input.ptr + done, input.len - done);
        if (n <= 0 && errno != EINTR)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    if (r->input < 0 || lseek(r->input, 0, SEEK_END) != (off_t)input.len ||
        lseek(r->input, 0, SEEK_SET) != 0)
        return error_set_errno(err, ERR_IO, errno, "no room for a command's input");
    return OK;
}

static enum status find_readable(const char *const *paths, struct error *err)
{
    for (; paths && *paths; paths++)
        if (access(*paths, F_OK) != 0)
            return error_set_errno(err, ERR_NOT_FOUND, errno, "a command is to read '%s'", *paths);
    return OK;
}

static enum status prepare(struct run *r, struct str input, struct error *err)
{
    enum status status = find_program(r->argv[0], r->program, err);
    if (status == OK)
        status = find_readable(r->limits.readable, err);
    if (status != OK)
        return status;
    snprintf(r->folder, sizeof(r->folder), "/tmp/leeroo-check-XXXXXX");
    if (!mkdtemp(r->folder)) {
        r->folder[0] = '\0';
        return error_set_errno(err, ERR_IO, errno, "no folder for a command in /tmp");
    }
    if (pipe2(r->output, O_CLOEXEC) != 0 || pipe2(r->report, O_CLOEXEC) != 0)
        return error_set_errno(err, ERR_IO, errno, "no pipe for a command");
    return put_input(r, input, err);
}

/* The child */

/* Only async-signal-safe calls, in one piece, because the parent may have threads and the order matters: files first,
 * then rights. */
__attribute__((noreturn)) static void become(const struct run *r)
{
    char home[80];
    char *environment[] = {(char[]){"PATH=" COMMON_PATH}, (char[]){"LANG=C.UTF-8"}, home, NULL};
    int failed = 0;
    memcpy(home, "HOME=", 5);
    memcpy(home + 5, r->folder, sizeof(r->folder));
    const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    setsid();
    const int report = fcntl(r->report[1], F_DUPFD_CLOEXEC, 10);
    if (dup2(r->input, 0) < 0 || dup2(r->output[1], 1) < 0 || dup2(nothing, 2) < 0 || report < 0 ||
        dup2(report, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) != 0)
        failed = errno;
    if (!failed && syscall(SYS_close_range, 4u, ~0u, 0u) != 0)
        failed = errno;
    const struct jail jail = {.folder = r->folder,
                              .cpu_s = r->limits.cpu_s,
                              .memory_bytes = r->limits.memory_bytes,
                              .readable = r->limits.readable,
                              .program = r->program};
    if (!failed)
        failed = jail_enter(&jail);
    if (!failed) {
        execve(r->program, (char *const *)(uintptr_t)r->argv, environment);
        failed = errno;
    }
    (void)!write(3, &failed, sizeof(failed));
    _exit(127);
}

/* One piece: what the parent shuts and hears is the other half of become(). */
static enum status start(struct run *r, struct error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of ours may run in the child */
    r->pid = fork();
    if (r->pid == 0) {
        for (int s = 1; s < NSIG; s++)
            (void)sigaction(s, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        sigemptyset(&all);
        pthread_sigmask(SIG_SETMASK, &all, NULL);
        become(r);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close_one(&r->output[1]);
    close_one(&r->report[1]);
    if (r->pid < 0)
        return error_set_errno(err, ERR_IO, errno, "no process for a command");
    r->process = (int)syscall(SYS_pidfd_open, r->pid, 0);
    int failed = 0;
    ssize_t n;
    while ((n = read(r->report[0], &failed, sizeof(failed))) < 0 && errno == EINTR)
        continue;
    if (n != sizeof(failed))
        return OK; /* the end of the pipe: it has become the command */
    if (failed == EACCES && r->limits.readable && geteuid() == 0)
        return error_set(
            err, ERR_IO,
            "'%s' runs as nobody, because root has started it, and nobody must be able "
            "to reach its files: chmod a+x the folders that they are in",
            r->argv[0]);
    return error_set_errno(err, failed == ENOSYS || failed == EINVAL ? ERR_UNSUPPORTED : ERR_IO,
                           failed, "cannot run '%s' shut off from network and files", r->argv[0]);
}

/* While it runs */

/* False when there is no more to read; `output` has what fits. */
static bool read_some(struct run *r, struct buf *output, size_t *room, struct confined_end *end)
{
    char bytes[READ_BYTES];
    const ssize_t n = read(r->output[0], bytes, sizeof(bytes));
    if (n < 0)
        return errno == EINTR;
    const size_t kept = (size_t)n < *room ? (size_t)n : *room;
    buf_add(output, (struct str){bytes, kept});
    *room -= kept;
    end->output_cut = kept < (size_t)n;
    return n > 0 && !end->output_cut;
}

static int time_left(const struct run *r)
{
    const int64_t left = r->deadline_ms - (int64_t)clock_now_ms();
    return left > 0 ? (int)left : 0;
}

static bool has_ended(const struct run *r)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid;
}

/* What it has said at last. Whoever could say more is killed first: the group has its number until it is reaped. */
static void drain(struct run *r, struct buf *output, size_t *room, struct confined_end *end)
{
    kill(-r->pid, SIGKILL);
    bool more = fcntl(r->output[0], F_SETFL, O_NONBLOCK) == 0;
    while (more)
        more = read_some(r, output, room, end);
}

/* Until it ends, whether its output is closed or not, or has to be ended. */
static void watch(struct run *r, struct buf *output, struct confined_end *end)
{
    size_t room = r->limits.output_bytes;
    struct pollfd p[] = {{.fd = r->output[0], .events = POLLIN},
                         {.fd = r->process, .events = POLLIN},
                         {.fd = r->limits.stop ? *r->limits.stop : -1, .events = POLLIN}};
    bool ended = false;
    while (!ended && !end->timed_out && !end->output_cut && !end->stopped) {
        const int left = time_left(r);
        const int ready = poll(p, 3, r->process < 0 && left > BLIND_MS ? BLIND_MS : left);
        end->timed_out = ready == 0 && time_left(r) == 0;
        end->stopped = ready > 0 && p[2].revents != 0;
        if (ready > 0 && p[0].revents && !read_some(r, output, &room, end))
            p[0].fd = -1; /* it has closed it, and may go on */
        ended = has_ended(r);
    }
    if (ended && p[0].fd >= 0 && !end->output_cut)
        drain(r, output, &room, end);
}

static void reap(struct run *r, struct confined_end *end)
{
    int how = 0;
    if (r->pid <= 0)
        return;
    kill(-r->pid, SIGKILL); /* whatever it has left behind; itself, when its time is over */
    kill(r->pid, SIGKILL);  /* before it had a group of its own */
    while (waitpid(r->pid, &how, 0) < 0 && errno == EINTR)
        continue;
    end->exit_code = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
    end->signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
}

/* Afterwards */

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    (void)!remove(path);
    return 0;
}

static void clear(struct run *r)
{
    close_one(&r->input);
    for (size_t i = 0; i < 2; i++) {
        close_one(&r->output[i]);
        close_one(&r->report[i]);
    }
    close_one(&r->process);
    if (r->folder[0])
        (void)nftw(r->folder, remove_one, TREE_DEPTH, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static struct confined_limits limits_of(const struct confined_limits *l)
{
    struct confined_limits set = l ? *l : (struct confined_limits){0};
    set.wall_ms = set.wall_ms ? set.wall_ms : CONFINED_WALL_MS;
    set.cpu_s = set.cpu_s ? set.cpu_s : CONFINED_CPU_S;
    set.memory_bytes = set.memory_bytes ? set.memory_bytes : CONFINED_MEMORY_BYTES;
    set.output_bytes = set.output_bytes ? set.output_bytes : CONFINED_OUTPUT_BYTES;
    return set;
}

enum status confined_run(const char *const *argv, struct str input,
                         const struct confined_limits *limits, struct buf *output,
                         struct confined_end *ret, struct error *err)
{
    struct run r = {.argv = argv,
                    .input = -1,
                    .output = {-1, -1},
                    .report = {-1, -1},
                    .process = -1,
                    .limits = limits_of(limits)};
    struct confined_end end = {.exit_code = -1};
    enum status status = prepare(&r, input, err);
    r.deadline_ms = (int64_t)clock_now_ms() + r.limits.wall_ms;
    if (status == OK)
        status = start(&r, err);
    if (status == OK)
        watch(&r, output, &end);
    reap(&r, &end);
    clear(&r);
    if (status == OK)
        status = buf_status(output, err);
    if (status == OK)
        *ret = end;
    return status;
}
