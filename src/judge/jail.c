/* How a child process gives up its rights before it becomes a command that judges: see confined.h. Each step is one
 * function. What must hold (no new privileges, no network) fails the whole; what only some kernels have (namespaces,
 * Landlock) is taken where it is there, and seccomp stands alone where it is not.
 *
 * Runs between fork and exec of a process that may have threads: no allocation, no locks, no standard I/O. */
#include "judge/confined_int.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "judge/confined.h"

#define NOBODY 65534

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#else
#define MACHINE 0 /* no filter for it: refused */
#endif

/* Limits */

static int limit(int what, uint64_t value)
{
    const struct rlimit both = {.rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)value};
    return setrlimit((__rlimit_resource_t)what, &both) == 0 ? 0 : errno;
}

static int limit_all(uint64_t cpu_s, uint64_t memory_bytes)
{
    const struct {
        int what;
        uint64_t value;
    } limits[] = {
        {RLIMIT_CPU, cpu_s},
        {RLIMIT_AS, memory_bytes},
        {RLIMIT_FSIZE, CONFINED_FILE_BYTES},
        {RLIMIT_NOFILE, CONFINED_FILES},
        {RLIMIT_CORE, 0},
        {RLIMIT_MEMLOCK, 0},
        {RLIMIT_MSGQUEUE, 0},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits) && !failed; i++)
        failed = limit(limits[i].what, limits[i].value);
    return failed;
}

/* Who it is */

/* Root's limits on processes are none, and its files everybody's. */
static int become_nobody(const char *folder)
{
    if (geteuid() != 0)
        return 0;
    if (chown(folder, NOBODY, NOBODY) != 0 || setgroups(0, NULL) != 0 ||
        setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)
        return errno;
    return 0;
}

/* In a namespace of its own all files but those of its folder are read-only, with their modes, owners and times, of
 * which Landlock knows nothing. */
static int shut_mounts(const char *folder)
{
    struct mount_attr shut = {.attr_set = MOUNT_ATTR_RDONLY},
                      open = {.attr_clr = MOUNT_ATTR_RDONLY};
    if (unshare(CLONE_NEWNS) != 0 || mount(folder, folder, NULL, MS_BIND, NULL) != 0 ||
        mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &shut, sizeof(shut)) != 0)
        return 0; /* not here */
    return mount_setattr(AT_FDCWD, folder, 0, &open, sizeof(open)) == 0 ? 0 : errno;
}

/* Namespaces of its own: no network interfaces, and processes that are counted apart from those of its user. Not every
 * kernel lets everybody have them. */
static int leave_others(const char *folder)
{
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) != 0) {
        (void)limit(RLIMIT_NPROC, CONFINED_PROCESSES * 32); /* with others of its user */
        return 0;
    }
    (void)limit(RLIMIT_NPROC, CONFINED_PROCESSES);
    return shut_mounts(folder);
}

/* Files */

#define LANDLOCK_WRITES                                                                            \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define LANDLOCK_TRUNCATE ((uint64_t)1 << 14) /* from the third version on; older headers lack it */
#define LANDLOCK_READS    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* What programs and interpreters read to run at all. Of /etc not all: it is where secrets of services lie, which may be
 * its user's. Of /proc itself alone: other processes tell there with which words they were started. */
static const char *const readable_always[] = {
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/sbin",
    "/opt",
    "/nix/store",
    "/etc/alternatives",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/ssl/openssl.cnf",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/meminfo",
    "/proc/stat",
    "/sys/devices/system/cpu",
};

/* Of a file that is no folder there is nothing to list. */
static int allow_beneath(int rules, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr beneath = {.allowed_access = access,
                                                 .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    struct stat info;
    if (beneath.parent_fd < 0)
        return errno;
    if (fstat(beneath.parent_fd, &info) == 0 && !S_ISDIR(info.st_mode))
        beneath.allowed_access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
    const long added =
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    const int failed = added == 0 ? 0 : errno;
    close(beneath.parent_fd);
    return failed;
}

/* What a machine does not have of the usual, need not be readable; what was named, must. */
static int allow_reading(int rules, const struct jail *j)
{
    for (size_t i = 0; i < sizeof(readable_always) / sizeof(*readable_always); i++)
        (void)allow_beneath(rules, readable_always[i], LANDLOCK_READS);
    int failed = allow_beneath(rules, j->program, LANDLOCK_READS);
    for (size_t i = 0; j->readable[i] && !failed; i++)
        failed = allow_beneath(rules, j->readable[i], LANDLOCK_READS);
    return failed;
}

/* Only its own folder can be written to, and where it is said what can be read, nothing else can. Kernels without
 * Landlock have no such thing. */
static int confine_files(const struct jail *j)
{
    const long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return j->readable ? ENOSYS : 0;
    const uint64_t truncate = version >= 3 ? LANDLOCK_TRUNCATE : 0;
    const uint64_t reads = j->readable ? LANDLOCK_READS : 0;
    const uint64_t read_file = j->readable ? LANDLOCK_ACCESS_FS_READ_FILE : 0;
    const struct landlock_ruleset_attr handled = {.handled_access_fs =
                                                      LANDLOCK_WRITES | truncate | reads};
    const int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
    if (rules < 0)
        return errno;
    int failed = allow_beneath(rules, j->folder, LANDLOCK_WRITES | truncate | reads);
    if (!failed)
        failed =
            allow_beneath(rules, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE | truncate | read_file);
    if (!failed && j->readable)
        failed = allow_reading(rules, j);
    if (!failed && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        failed = errno;
    close(rules);
    return failed;
}

/* System calls */

static const int denied[] = {
    SYS_socket,
    SYS_io_uring_setup,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_userfaultfd,
    SYS_mount,
    SYS_umount2,
    SYS_move_mount,
    SYS_fsopen,
    SYS_open_tree,
    SYS_pivot_root,
    SYS_chroot,
    SYS_unshare,
    SYS_setns,
    SYS_setsid,
    SYS_setpgid,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal,
    SYS_pidfd_getfd,
    SYS_pidfd_open,
    SYS_setpriority,
    SYS_ioprio_set,
    SYS_shmget,
    SYS_semget,
    SYS_msgget,
    SYS_mq_open,
    SYS_truncate,
};

/* Of an argument only its lower half is looked at: it is an int in all of these calls. */
enum when {
    WHERE_HAS, /* the argument has one of the bits */
    WHERE_IS,  /* of the bits, it has just those of the value */
};

#define ALL_BITS       UINT32_MAX
#define CLONE_AWAY     (0x7e020080u | CLONE_PARENT) /* CLONE_NEW*, or a child of ours */
#define ACCESS_OF_NONE 3                            /* neither reads nor writes, but cuts */

/* Signals come not from kill alone: a file can be told whom to signal when there is something to read. What of others
 * of its user a process may set (limits, priorities, processors), it may set of itself alone. A socket that is one of
 * two is of no danger, unless it can be sent from to anybody. And Landlock before its third version lets files be cut
 * that it keeps from being written. */
static const struct {
    int number;
    unsigned argument;
    enum when when;
    uint32_t bits, value;
} denied_where[] = {
    {SYS_socketpair, 0, WHERE_HAS, ~(uint32_t)AF_UNIX, 0},
    {SYS_socketpair, 1, WHERE_HAS, SOCK_DGRAM, 0}, /* a bit of SOCK_RAW, too */
    {SYS_fcntl, 1, WHERE_IS, ALL_BITS, F_SETOWN},
    {SYS_fcntl, 1, WHERE_IS, ALL_BITS, F_SETOWN_EX},
    {SYS_fcntl, 1, WHERE_IS, ALL_BITS, F_SETSIG},
    {SYS_ioctl, 1, WHERE_IS, ALL_BITS, FIOSETOWN},
    {SYS_ioctl, 1, WHERE_IS, ALL_BITS, SIOCSPGRP},
    {SYS_clone, 0, WHERE_HAS, CLONE_AWAY, 0},
    {SYS_prlimit64, 0, WHERE_HAS, ALL_BITS, 0},
    {SYS_sched_setaffinity, 0, WHERE_HAS, ALL_BITS, 0},
    {SYS_sched_setattr, 0, WHERE_HAS, ALL_BITS, 0},
    {SYS_sched_setparam, 0, WHERE_HAS, ALL_BITS, 0},
    {SYS_sched_setscheduler, 0, WHERE_HAS, ALL_BITS, 0},
    {SYS_openat, 2, WHERE_IS, O_TRUNC | O_ACCMODE, O_TRUNC | O_RDONLY},
    {SYS_openat, 2, WHERE_IS, O_TRUNC | O_ACCMODE, O_TRUNC | ACCESS_OF_NONE},
#ifdef SYS_open
    {SYS_open, 1, WHERE_IS, O_TRUNC | O_ACCMODE, O_TRUNC | O_RDONLY},
    {SYS_open, 1, WHERE_IS, O_TRUNC | O_ACCMODE, O_TRUNC | ACCESS_OF_NONE},
#endif
};

/* These hide their flags from filters and are said not to exist, so that the C library takes clone and openat. */
static const int unheard_of[] = {SYS_clone3, SYS_openat2};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define WHERE_STEPS  6 /* of the filter, for a row of denied_where; any other takes two */
#define STEP(...)    ((struct sock_filter)BPF_STMT(__VA_ARGS__))
#define BRANCH(...)  ((struct sock_filter)BPF_JUMP(__VA_ARGS__))

struct filter {
    struct sock_filter
        code[8 + 2 * (COUNT(denied) + COUNT(unheard_of)) + WHERE_STEPS * COUNT(denied_where)];
    size_t len;
};

static void add(struct filter *f, struct sock_filter step)
{
    f->code[f->len++] = step;
}

static void add_load(struct filter *f, size_t offset)
{
    add(f, STEP(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void add_refusal(struct filter *f, uint32_t error)
{
    add(f, STEP(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
}

static void add_call(struct filter *f, int number, uint32_t error)
{
    add(f, BRANCH(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1));
    add_refusal(f, error);
}

/* The argument takes the place of the call's number, which is loaded again behind it. */
static void add_call_where(struct filter *f, size_t i)
{
    const uint32_t number = (uint32_t)denied_where[i].number, value = denied_where[i].value;
    const bool is = denied_where[i].when == WHERE_IS;
    add(f, BRANCH(BPF_JMP | BPF_JEQ | BPF_K, number, 0, WHERE_STEPS - 1));
    add_load(f, offsetof(struct seccomp_data, args) + 8 * denied_where[i].argument);
    add(f, STEP(BPF_ALU | BPF_AND | BPF_K, denied_where[i].bits));
    add(f, BRANCH(BPF_JMP | BPF_JEQ | BPF_K, is ? value : 0, !is, is));
    add_refusal(f, EPERM);
    add_load(f, offsetof(struct seccomp_data, nr));
}

/* A program of the kernel's filter machine, written from the tables. Another machine's calls, and x86-64's second
 * numbering, are refused whole. */
static int filter_calls(void)
{
    struct filter f = {.len = 0};
    add_load(&f, offsetof(struct seccomp_data, arch));
    add(&f, BRANCH(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0));
    add_refusal(&f, EPERM);
    add_load(&f, offsetof(struct seccomp_data, nr));
    add(&f, BRANCH(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));
    add_refusal(&f, EPERM);
    for (size_t i = 0; i < COUNT(denied); i++)
        add_call(&f, denied[i], EPERM);
    for (size_t i = 0; i < COUNT(denied_where); i++)
        add_call_where(&f, i);
    for (size_t i = 0; i < COUNT(unheard_of); i++)
        add_call(&f, unheard_of[i], ENOSYS);
    add(&f, STEP(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    const struct sock_fprog program = {.len = (unsigned short)f.len, .filter = f.code};
    if (MACHINE == 0)
        return ENOSYS;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 ? 0 : errno;
}

int jail_enter(const struct jail *j)
{
    int failed = limit_all(j->cpu_s, j->memory_bytes);
    if (!failed)
        failed = become_nobody(j->folder);
    if (!failed)
        failed = leave_others(j->folder);
    if (!failed && chdir(j->folder) != 0)
        failed = errno;
    if (!failed && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        failed = errno;
    if (!failed)
        failed = confine_files(j);
    return failed ? failed : filter_calls();
}
