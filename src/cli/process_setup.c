/* Standard streams and core dumps. */
#include "cli/process_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/options.h"

/* The lowest descriptor that is free is the one that is closed, because those below are open. */
static void fill_standard_streams(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY,
                                O_RDONLY}; /* the wrong ones: using them fails */
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", modes[fd]);
}

/* The leak check of AddressSanitizer reads the process as a debugger would. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

/* The limit keeps files from being written; where dumps go to a program, only the other keeps them from it. */
static void forbid_core_dumps(void)
{
    const char *wanted = getenv(CORE_DUMPS_VARIABLE);
    const struct rlimit none = {0, 0};
    if (IS_SANITIZED || (wanted && *wanted && strcmp(wanted, "0") != 0))
        return;
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void process_begin(void)
{
    fill_standard_streams();
    forbid_core_dumps();
}

int process_end(const char *command, int status)
{
    struct error err;
    bool failed_before = ferror(stdout);
    errno = 0;
    if ((fflush(stdout) == 0 && !failed_before) || status != 0)
        return status;
    if (errno)
        error_set_errno(&err, ERR_IO, errno, "standard output");
    else
        error_set(&err, ERR_IO, "standard output: not all could be written");
    return cli_fail(command, &err);
}

static const char *last_words;

static void on_alarm(int number)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    (void)number;
    if (poll(&p, 1, 0) > 0)
        (void)!write(STDERR_FILENO, last_words, strlen(last_words));
    _exit(1);
}

void process_end_on_alarm(const char *words)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    last_words = words;
    (void)sigaction(SIGALRM, &action, NULL);
}
