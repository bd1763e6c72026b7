/* /proc/net/tcp tells which sockets listen, by their inodes; /proc/PID/fd whose they are.
 *
 * Processes of others cannot be looked into without rights, so an answer may be missing. What is found may have changed
 * when it is read: it is for a message to a person, and nothing is decided by it. Blocks on the disk of /proc; for
 * commands and the start of the gateway. */
#include "net/port_owner.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

#define TABLE_BYTES_MAX (8u << 20)
#define PATH_BYTES_MAX  64
#define READ_BYTES      65536
#define STATE_LISTEN    "0A"

static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};

/* The next word of a line, and what follows it. */
static struct str next_word(struct str *rest)
{
    *rest = str_trim(*rest);
    size_t end = 0;
    while (end < rest->len && rest->ptr[end] != ' ')
        end++;
    struct str word = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->len);
    return word;
}

/* "0100007F:1F90" → 8080. */
static bool has_port(struct str address, uint16_t port)
{
    char hex[8];
    snprintf(hex, sizeof(hex), ":%04X", port);
    return address.len >= 5 &&
           str_equal_nocase(str_slice(address, address.len - 5, address.len), str_from(hex));
}

/* sl local remote state queues timer retransmits uid timeout inode ... */
struct port_socket port_socket_find(struct str table, uint16_t port)
{
    struct port_socket found;
    while (table.len > 0) {
        struct str line = str_split(&table, '\n'), words[10];
        for (size_t i = 0; i < 10; i++)
            words[i] = next_word(&line);
        if (has_port(words[1], port) && str_equal(words[3], STR(STATE_LISTEN)) &&
            str_to_uint64(words[7], &found.uid) == OK &&
            str_to_uint64(words[9], &found.inode) == OK && found.inode)
            return found;
    }
    return (struct port_socket){0};
}

/* These files have no size before they are read. */
static bool read_all(const char *path, struct buf *into)
{
    FILE *f = fopen(path, "re");
    for (size_t got = 1; f && got > 0;) {
        char *at = buf_reserve(into, READ_BYTES);
        got = at ? fread(at, 1, READ_BYTES, f) : 0;
        into->len += got;
    }
    if (f)
        (void)!fclose(f);
    return f && into->status == OK;
}

static struct port_socket find_socket(uint16_t port)
{
    struct port_socket found = {0};
    for (size_t i = 0; i < 2 && !found.inode; i++) {
        struct buf table;
        buf_init(&table, TABLE_BYTES_MAX);
        if (read_all(tables[i], &table))
            found = port_socket_find(buf_str(&table), port);
        buf_done(&table);
    }
    return found;
}

static bool holds(const char *pid, const char *socket)
{
    char path[PATH_BYTES_MAX], target[PATH_BYTES_MAX];
    bool found = false;
    snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
    DIR *folder = opendir(path);
    for (struct dirent *e; folder && !found && (e = readdir(folder));) {
        ssize_t n = readlinkat(dirfd(folder), e->d_name, target, sizeof(target) - 1);
        target[n > 0 ? n : 0] = '\0';
        found = !strcmp(target, socket);
    }
    if (folder)
        closedir(folder);
    return found;
}

static void read_name(const char *pid, struct port_owner *ret)
{
    char path[PATH_BYTES_MAX];
    struct buf name;
    buf_init(&name, 2 * READ_BYTES);
    snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
    if (!read_all(path, &name))
        buf_clear(&name);
    size_t n = utf8_make_printable(ret->name, sizeof(ret->name) - 1, str_trim(buf_str(&name)));
    ret->name[n] = '\0';
    ret->pid = (pid_t)strtol(pid, NULL, 10);
    buf_done(&name);
}

/* The first number behind "Uid:". */
static bool has_uid(struct str status, uint64_t uid)
{
    uint64_t found = 0;
    size_t at = str_find(status, STR("\nUid:\t"), 0);
    if (at == SIZE_MAX)
        return false;
    struct str rest = str_slice(status, at + 6, status.len);
    return str_to_uint64(str_split(&rest, '\t'), &found) == OK && found == uid;
}

/* Whether it runs as that user; everybody may read that. */
static bool is_run_by(const char *pid, uint64_t uid)
{
    char path[PATH_BYTES_MAX];
    struct buf status;
    buf_init(&status, 2 * READ_BYTES);
    snprintf(path, sizeof(path), "/proc/%.16s/status", pid);
    bool same = read_all(path, &status) && has_uid(buf_str(&status), uid);
    buf_done(&status);
    return same;
}

struct search {
    struct port_socket socket;
    struct port_owner self;
};

static bool holds_socket(const char *pid, const struct search *s)
{
    char socket[PATH_BYTES_MAX];
    snprintf(socket, sizeof(socket), "socket:[%llu]", (unsigned long long)s->socket.inode);
    return holds(pid, socket);
}

static bool is_alike(const char *pid, const struct search *s)
{
    struct port_owner other;
    read_name(pid, &other);
    return other.pid != s->self.pid && !strcmp(other.name, s->self.name) &&
           is_run_by(pid, s->socket.uid);
}

static bool find_process(bool (*is_it)(const char *pid, const struct search *s),
                         const struct search *s, struct port_owner *ret)
{
    bool found = false;
    DIR *processes = opendir("/proc");
    for (struct dirent *e; processes && !found && (e = readdir(processes));) {
        found = e->d_name[0] >= '1' && e->d_name[0] <= '9' && is_it(e->d_name, s);
        if (found)
            read_name(e->d_name, ret);
    }
    if (processes)
        closedir(processes);
    return found;
}

bool port_owner_find(uint16_t port, struct port_owner *ret)
{
    struct search s = {.socket = find_socket(port)};
    if (!s.socket.inode)
        return false;
    read_name("self", &s.self);
    s.self.pid = getpid();
    return find_process(holds_socket, &s, ret) || find_process(is_alike, &s, ret);
}
