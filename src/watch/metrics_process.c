/* The process as Prometheus' own client libraries describe it, from /proc/self. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "watch/metrics_write.h"

#define PROC_BYTES_MAX 4096
#define STAT_START     22 /* fields of /proc/self/stat, from 1 (proc(5)) */
#define STAT_VSIZE     23
#define STAT_RSS       24

/* False: there is no such file, or it is longer. */
static bool read_proc(const char *path, char into[PROC_BYTES_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, into, PROC_BYTES_MAX - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (n < 0 || n == PROC_BYTES_MAX - 1)
        return false;
    into[n] = '\0';
    return true;
}

/* The number in a field behind the name, which is in brackets and may hold anything. */
static double stat_field(const char *text, int field)
{
    const char *at = strrchr(text, ')');
    for (int i = 2; at && i < field; i++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    return at ? strtod(at, NULL) : 0;
}

static double boot_time(void)
{
    struct timespec real, boot;
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (double)(real.tv_sec - boot.tv_sec) + (double)(real.tv_nsec - boot.tv_nsec) / 1e9;
}

/* Linux 6.2 and later say it as the folder's size. */
static double open_files(void)
{
    struct stat s;
    double n = 0;
    if (stat("/proc/self/fd", &s) == 0 && s.st_size > 0)
        return (double)s.st_size;
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return 0;
    while (readdir(folder))
        n++;
    closedir(folder);
    return n - 3; /* ".", ".." and the folder itself */
}

static double cpu_seconds(void)
{
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) != 0)
        return 0;
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void write_one(struct buf *out, const char *name, const char *type, const char *help,
                      double value)
{
    metrics_write_head(out, name, type, help);
    metrics_write_sample(out, name, "", value);
}

void metrics_write_process(struct buf *out)
{
    char text[PROC_BYTES_MAX];
    struct rlimit limit;
    if (read_proc("/proc/self/stat", text)) {
        double ticks = (double)sysconf(_SC_CLK_TCK), page = (double)sysconf(_SC_PAGESIZE);
        write_one(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
                  stat_field(text, STAT_RSS) * page);
        write_one(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.",
                  stat_field(text, STAT_VSIZE));
        write_one(out, "process_start_time_seconds", "gauge",
                  "When the process began, since the epoch.",
                  boot_time() + stat_field(text, STAT_START) / ticks);
    }
    write_one(out, "process_cpu_seconds_total", "counter", "CPU time, user and system.",
              cpu_seconds());
    write_one(out, "process_open_fds", "gauge", "Open file descriptors.", open_files());
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        write_one(out, "process_max_fds", "gauge", "Most file descriptors that may be open.",
                  (double)limit.rlim_cur);
}
