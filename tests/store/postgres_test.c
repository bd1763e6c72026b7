/* Each command is a shell script that Debian's tools do the work of. */
#include "postgres_test.h"

#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

extern char **environ;

static char folder[64], url[200];

/* $1 is the folder. */
static const char prelude[] =
    "set -e; cd /; bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1); "
    "as() { if [ \"$(id -u)\" = 0 ]; then runuser -u postgres -- \"$@\"; else \"$@\"; fi; }; ";

static int shell(const char *script, const char *argument)
{
    char text[2048];
    pid_t child;
    int status = -1;
    snprintf(text, sizeof(text), "exec >\"$1/log.txt\" 2>&1; %s%s", prelude, script);
    const char *const argv[] = {"sh", "-c", text, "sh", folder, argument, NULL};
    cr_assert_eq(
        posix_spawn(&child, "/bin/sh", NULL, NULL, (char *const *)(uintptr_t)argv, environ), 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return status;
}

void postgres_test_begin(void)
{
    strcpy(folder, "/tmp/leeroo-pg-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(url, sizeof(url), "postgresql:///postgres?host=%s&user=postgres", folder);
    cr_assert_eq(shell("[ \"$(id -u)\" != 0 ] || chown postgres \"$1\"; "
                       "as $bin/initdb -D \"$1/data\" -U postgres -A trust -N",
                       ""),
                 0, "initdb failed; is postgresql installed? see %s/log.txt", folder);
    postgres_test_start();
}

void postgres_test_start(void)
{
    cr_assert_eq(shell("as $bin/pg_ctl -D \"$1/data\" -w -t 60 -l \"$1/server.txt\" start "
                       "-o \"-c listen_addresses='' -c unix_socket_directories=$1 -c fsync=off "
                       "-c shared_buffers=16MB -c max_connections=20\"",
                       ""),
                 0, "PostgreSQL does not start; see %s/server.txt", folder);
}

void postgres_test_stop(void)
{
    cr_assert_eq(shell("as $bin/pg_ctl -D \"$1/data\" -m immediate -w stop", ""), 0);
}

void postgres_test_end(void)
{
    (void)shell("as $bin/pg_ctl -D \"$1/data\" -m immediate -w stop || true", "");
    (void)shell("rm -rf \"$1\"", "");
}

const char *postgres_test_url(void)
{
    return url;
}

void postgres_test_run(const char *sql)
{
    cr_assert_eq(
        shell("as $bin/psql -h \"$1\" -U postgres -v ON_ERROR_STOP=1 -c \"$2\" postgres", sql), 0,
        "%s; see %s/log.txt", sql, folder);
}
