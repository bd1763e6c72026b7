"""A library that is loaded in front of the C library, in which calls can be made to wait.

What is named by a file in $STALL_DIR waits until that file is gone: "getaddrinfo" for names that begin with "slow", "fsync"
for every file, "open" and "stat" for paths that hold the text in the file. That somebody waits is said by a file
"WHAT.waiting" beside it."""

import subprocess

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* What the control file says; false: there is none. System calls, because the functions are replaced here. */
static int control(const char *what, char *into, size_t size)
{
    char path[4096];
    const char *folder = getenv("STALL_DIR");
    if (!folder)
        return 0;
    snprintf(path, sizeof(path), "%s/%s", folder, what);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    long n = syscall(SYS_read, fd, into, size - 1);
    into[n > 0 ? n : 0] = 0;
    syscall(SYS_close, fd);
    return 1;
}

/* Says that it waits, by a file "WHAT.waiting". */
static void stall(const char *what, const char *path)
{
    char text[4096], mark[4096];
    const struct timespec moment = {.tv_nsec = 10000000};
    int saved = errno;
    while (control(what, text, sizeof(text)) && (!path || (text[0] && strstr(path, text)))) {
        snprintf(mark, sizeof(mark), "%s/%s.waiting", getenv("STALL_DIR"), what);
        long fd = syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (fd >= 0)
            syscall(SYS_close, (int)fd);
        nanosleep(&moment, NULL);
    }
    errno = saved;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    if (node && !strncmp(node, "slow", 4))
        stall("getaddrinfo", NULL);
    return NEXT(getaddrinfo)(node, service, hints, found);
}

int fsync(int fd)
{
    stall("fsync", NULL);
    return NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
    stall("fsync", NULL);
    return NEXT(fdatasync)(fd);
}

static int open_with(int (*next)(const char *, int, ...), const char *path, int flags, va_list args)
{
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
    stall("open", path);
    return next(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int fd = open_with(NEXT(open), path, flags, args);
    va_end(args);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int fd = open_with(NEXT(open64), path, flags, args);
    va_end(args);
    return fd;
}

FILE *fopen(const char *path, const char *mode)
{
    stall("open", path);
    return NEXT(fopen)(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    stall("open", path);
    return NEXT(fopen64)(path, mode);
}

int stat(const char *path, struct stat *into)
{
    stall("stat", path);
    return NEXT(stat)(path, into);
}

int stat64(const char *path, struct stat64 *into)
{
    stall("stat", path);
    return NEXT(stat64)(path, into);
}
"""


def build(folder):
    source, library = folder / "stall.c", folder / "stall.so"
    source.write_text(SOURCE)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True, capture_output=True)
    return library
