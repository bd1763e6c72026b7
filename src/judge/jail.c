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
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

/* Namespaces of its own: no network interfaces, and processes that are counted apart from those of its user. Not every
 * kernel lets everybody have them. */
static void leave_network(void)
{
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) == 0)
        (void)limit(RLIMIT_NPROC, CONFINED_PROCESSES);
    else if (unshare(CLONE_NEWNET) != 0 || geteuid() == NOBODY)
        (void)limit(RLIMIT_NPROC, CONFINED_PROCESSES * 32); /* with others of its user */
}

/* Files */

#define LANDLOCK_WRITES                                                                            \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define LANDLOCK_TRUNCATE ((uint64_t)1 << 14) /* from the third version on; older headers lack it */

static int allow_beneath(int rules, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr beneath = {.allowed_access = access,
                                                 .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    if (beneath.parent_fd < 0)
        return errno;
    const long added =
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    const int failed = added == 0 ? 0 : errno;
    close(beneath.parent_fd);
    return failed;
}

/* Only its own folder can be written to. Kernels without Landlock have no such thing. */
static int confine_files(const char *folder)
{
    const long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return 0;
    const uint64_t truncate = version >= 3 ? LANDLOCK_TRUNCATE : 0;
    const struct landlock_ruleset_attr handled = {.handled_access_fs = LANDLOCK_WRITES | truncate};
    const int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
    if (rules < 0)
        return errno;
    int failed = allow_beneath(rules, folder, LANDLOCK_WRITES | truncate);
    if (!failed)
        failed = allow_beneath(rules, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE | truncate);
    if (!failed && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        failed = errno;
    close(rules);
    return failed;
}

/* System calls */

static const struct {
    int number;
    uint32_t flags; /* refused only where the first argument has one of these; 0: always */
} denied[] = {
    {SYS_socket, 0},
    {SYS_io_uring_setup, 0},
    {SYS_ptrace, 0},
    {SYS_process_vm_readv, 0},
    {SYS_process_vm_writev, 0},
    {SYS_bpf, 0},
    {SYS_perf_event_open, 0},
    {SYS_keyctl, 0},
    {SYS_add_key, 0},
    {SYS_request_key, 0},
    {SYS_userfaultfd, 0},
    {SYS_mount, 0},
    {SYS_umount2, 0},
    {SYS_move_mount, 0},
    {SYS_fsopen, 0},
    {SYS_open_tree, 0},
    {SYS_pivot_root, 0},
    {SYS_chroot, 0},
    {SYS_unshare, 0},
    {SYS_setns, 0},
    {SYS_setsid, 0},
    {SYS_setpgid, 0},
    {SYS_kill, 0},
    {SYS_tkill, 0},
    {SYS_tgkill, 0},
    {SYS_rt_sigqueueinfo, 0},
    {SYS_rt_tgsigqueueinfo, 0},
    {SYS_pidfd_send_signal, 0},
    {SYS_pidfd_getfd, 0},
    {SYS_pidfd_open, 0},
    {SYS_clone, 0x7e020080}, /* CLONE_NEW* */
};

/* In one piece: a program of the kernel's filter machine, written from the table. Another machine's calls, and x86-64's
 * second numbering, are refused whole; clone3 hides its flags from filters and is said not to exist, so that the C
 * library takes clone. */
static int filter_calls(void)
{
    struct sock_filter code[8 + 4 * sizeof(denied) / sizeof(*denied)];
    const uint32_t number = offsetof(struct seccomp_data, nr),
                   machine = offsetof(struct seccomp_data, arch),
                   first = offsetof(struct seccomp_data, args);
    const struct sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    size_t n = 0;
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, machine);
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
    code[n++] = refuse;
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number);
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
    code[n++] = refuse;
    for (size_t i = 0; i < sizeof(denied) / sizeof(*denied); i++) {
        const uint32_t call = (uint32_t)denied[i].number;
        if (denied[i].flags == 0) {
            code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
            code[n++] = refuse;
            continue;
        }
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, first);
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, denied[i].flags, 0, 1);
        code[n++] = refuse;
        code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number);
    }
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
    if (MACHINE == 0)
        return ENOSYS;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 ? 0 : errno;
}

int jail_enter(const char *folder, uint64_t cpu_s, uint64_t memory_bytes)
{
    int failed = limit_all(cpu_s, memory_bytes);
    if (!failed)
        failed = become_nobody(folder);
    if (!failed)
        leave_network();
    if (!failed && chdir(folder) != 0)
        failed = errno;
    if (!failed && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        failed = errno;
    if (!failed)
        failed = confine_files(folder);
    return failed ? failed : filter_calls();
}
