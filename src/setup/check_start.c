/* See check_start.h. Each part is looked at by itself, so that one that is wrong hides no other.
 *
 * What is wrong is written into the part's line and noted as a problem in the same words; a gateway that runs already
 * has the port, and that is no problem, for a configuration is checked before it is reloaded. */
#include "setup/check_start.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "net/http_server.h"
#include "net/port_owner.h"
#include "net/tls.h"
#include "store/ledger.h"
#include "store/ledger_probe.h"

#define TLS_WARN_DAYS    30
#define DAY_S            86400
#define FREE_BYTES_FEW   (UINT64_C(256) << 20)
#define PATH_BYTES_MAX   4096
#define OTHERS_MAY_WRITE 0022

struct checking {
    const struct config *config;
    struct check_start *result;
    struct problems *all;
    void (*warn)(void *arg, const struct setup_warning *w);
    void *arg;
};

static struct check_fact *part(struct checking *k, enum check_start_part which)
{
    struct check_fact *f = &k->result->parts[which];
    *f = (struct check_fact){.told = true, .fine = true};
    return f;
}

static void wrong(struct checking *k, struct check_fact *f, enum status status, const char *text)
{
    struct error err;
    f->fine = false;
    snprintf(f->text, sizeof(f->text), "%s", text);
    error_set(&err, status, "%s", text);
    problems_add(k->all, &err);
}

static void warn_of(struct checking *k, const char *what, const char *mend)
{
    const char *kept = arena_printf(k->config->arena, "%s", what);
    if (kept)
        k->warn(k->arg, &(struct setup_warning){.what = kept, .mend = mend});
}

/* The port */

static uint16_t port_of(struct str listen)
{
    const char *colon = memrchr(listen.ptr, ':', listen.len);
    uint64_t port = 0;
    if (colon &&
        str_to_uint64(str_slice(listen, (size_t)(colon - listen.ptr) + 1, listen.len), &port) != OK)
        port = 0;
    return (uint16_t)port;
}

static void check_port(struct checking *k)
{
    struct check_fact *f = part(k, CHECK_PORT);
    struct str listen = k->config->listen;
    struct port_owner owner;
    struct error err = {0};
    char address[300], text[sizeof(f->text)];
    uint16_t port = port_of(listen);
    snprintf(address, sizeof(address), "%.*s", STR_FMT(listen));
    enum status status = http_listen_try(address, &err);
    if (status == OK && port == 0)
        snprintf(f->text, sizeof(f->text), "a free one is taken at the start");
    else if (status == OK)
        snprintf(f->text, sizeof(f->text), "%u is free", port);
    else if (err.sys_errno == EADDRINUSE && port_owner_find(port, &owner) &&
             !strcmp(owner.name, "leeroo"))
        snprintf(f->text, sizeof(f->text), "%u is taken by a gateway that runs (process %ld)", port,
                 (long)owner.pid);
    else {
        snprintf(text, sizeof(text), "listen: %.300s%s", err.text,
                 err.sys_errno == EADDRINUSE ? "; stop that program, or give another port" : "");
        wrong(k, f, status, text);
    }
}

/* The certificate; that it can be read and has its key is setup_complete's to say. */

static void judge_end(struct checking *k, const struct tls_certificate *c, const char *path)
{
    struct check_fact *f = part(k, CHECK_TLS);
    char day[16], text[300];
    time_t end = (time_t)c->not_after_s;
    struct tm utc;
    gmtime_r(&end, &utc);
    if (strftime(day, sizeof(day), "%Y-%m-%d", &utc) == 0)
        day[0] = '\0';
    long long left_s = (long long)(c->not_after_s - clock_wall_ms() / 1000), days = left_s / DAY_S;
    snprintf(text, sizeof(text), "the certificate of %s ends on %s, in %lld day%s", c->name, day,
             days, days == 1 ? "" : "s");
    snprintf(f->text, sizeof(f->text), "%s", text);
    if (left_s >= 0 && days < TLS_WARN_DAYS)
        warn_of(k, text, "renew it; a change of its files is taken up without a restart");
    if (left_s >= 0)
        return;
    snprintf(text, sizeof(text),
             "tls: the certificate of %s ended on %s; renew %.100s, whose change is taken up "
             "by itself",
             c->name, day, path);
    wrong(k, f, ERR_INPUT, text);
}

static void check_tls(struct checking *k)
{
    const struct config_tls *files = &k->config->tls;
    struct tls_context *tls = NULL;
    struct tls_certificate c;
    if (!files->certificate || tls_context_create(files->certificate, files->key, &tls, NULL) != OK)
        return;
    tls_context_shown(tls, &c);
    tls_context_free(tls);
    judge_end(k, &c, files->certificate);
}

/* state_dir */

static void parent_of(const char *path, char into[PATH_BYTES_MAX])
{
    snprintf(into, PATH_BYTES_MAX, "%s", path);
    for (size_t n = strlen(into); n > 1 && into[n - 1] == '/'; n--)
        into[n - 1] = '\0';
    char *slash = strrchr(into, '/');
    if (!slash)
        snprintf(into, PATH_BYTES_MAX, ".");
    else
        slash[slash == into ? 1 : 0] = '\0';
}

static uint64_t free_bytes(const char *folder)
{
    struct statvfs v;
    return statvfs(folder, &v) == 0 ? (uint64_t)v.f_bavail * v.f_frsize : UINT64_MAX;
}

/* The journal is made with all its bytes, so room for it is wanted once. */
static void check_room(struct checking *k, struct check_fact *f, const char *folder)
{
    const struct config_ledger *l = &k->config->ledger;
    uint64_t room = free_bytes(folder);
    uint64_t journal = l->journal_bytes ? l->journal_bytes : LEDGER_JOURNAL_BYTES;
    char text[sizeof(f->text)];
    if (room == UINT64_MAX)
        return;
    if (l->store && access(l->journal_path, F_OK) != 0 && room < journal) {
        snprintf(text, sizeof(text),
                 "state_dir: %.200s has room for %.0f MB, and the ledger's journal takes %.0f MB; "
                 "make room, or lower ledger.journal",
                 folder, (double)room * 1e-6, (double)journal * 1e-6);
        wrong(k, f, ERR_IO, text);
        return;
    }
    size_t used = strlen(f->text);
    snprintf(f->text + used, sizeof(f->text) - used, ", %.1f GB free", (double)room * 1e-9);
    if (room >= FREE_BYTES_FEW)
        return;
    snprintf(text, sizeof(text), "there are %.0f MB left where state_dir is", (double)room * 1e-6);
    warn_of(k, text, "make room: the ledger grows by about 1 GB for a million requests");
}

/* It is made at the start, one level of it. */
static void check_new_state(struct checking *k, struct check_fact *f, const char *path)
{
    char parent[PATH_BYTES_MAX], text[sizeof(f->text)];
    parent_of(path, parent);
    if (access(parent, W_OK | X_OK) == 0) {
        snprintf(f->text, sizeof(f->text), "%.300s, made at the start", path);
        check_room(k, f, parent);
        return;
    }
    snprintf(text, sizeof(text), "state_dir: %.140s cannot be made in %.140s: %s; `mkdir -p` it",
             path, parent, strerror(errno));
    wrong(k, f, ERR_IO, text);
}

static void check_rights(struct checking *k, struct check_fact *f, const struct stat *st)
{
    const char *path = k->config->state_dir;
    char text[sizeof(f->text)];
    if (!S_ISDIR(st->st_mode) || access(path, R_OK | W_OK | X_OK) != 0) {
        snprintf(
            text, sizeof(text), "state_dir: %.200s %s (it belongs to user %u, this is user %u)%s",
            path, S_ISDIR(st->st_mode) ? "cannot be written" : "is no folder", (unsigned)st->st_uid,
            (unsigned)geteuid(), S_ISDIR(st->st_mode) ? "; `chown` it, or run as its owner" : "");
        wrong(k, f, ERR_FORBIDDEN, text);
        return;
    }
    snprintf(f->text, sizeof(f->text), "%.300s, can be written", path);
    check_room(k, f, path);
    if (st->st_uid != geteuid()) {
        snprintf(text, sizeof(text), "state_dir belongs to user %u, and this is user %u",
                 (unsigned)st->st_uid, (unsigned)geteuid());
        warn_of(k, text, "check and serve as that user, or files will not be the gateway's own");
    }
    if (st->st_mode & OTHERS_MAY_WRITE)
        warn_of(k, "others may write in state_dir, where keys and the ledger are",
                "`chmod 700` it");
}

static void check_state(struct checking *k)
{
    const char *path = k->config->state_dir;
    struct stat st;
    struct check_fact *f = part(k, CHECK_STATE);
    if (!path)
        snprintf(f->text, sizeof(f->text), "kept in memory only");
    else if (stat(path, &st) != 0)
        check_new_state(k, f, path);
    else
        check_rights(k, f, &st);
}

/* The ledger */

static bool is_in_new_state(const struct config *c)
{
    struct str state = str_from(c->state_dir), store = str_from(c->ledger.store);
    return state.len > 0 && access(c->state_dir, F_OK) != 0 && str_starts(store, state) &&
           store.len > state.len && store.ptr[state.len] == '/';
}

static void tell_ledger(const struct ledger_probe *p, const char *store, struct check_fact *f)
{
    size_t used =
        (size_t)snprintf(f->text, sizeof(f->text), "%.250s", p->is_server ? "PostgreSQL" : store);
    if (!p->there)
        snprintf(f->text + used, sizeof(f->text) - used, "%s, %s made at the start",
                 p->is_server ? " can be reached" : "", p->is_server ? "its schema is" : "it is");
    else if (p->requests >= 0)
        snprintf(f->text + used, sizeof(f->text) - used, ", %s%lld requests, %.1f MB",
                 p->is_server ? "about " : "", (long long)p->requests, (double)p->bytes * 1e-6);
    else
        snprintf(f->text + used, sizeof(f->text) - used, ", %.1f MB", (double)p->bytes * 1e-6);
}

static void check_ledger(struct checking *k)
{
    const char *store = k->config->ledger.store;
    struct check_fact *f = part(k, CHECK_LEDGER);
    struct ledger_probe p = {0};
    struct error err = {0};
    char text[sizeof(f->text)];
    if (!store) {
        snprintf(f->text, sizeof(f->text), "none");
        return;
    }
    if (is_in_new_state(k->config)) {
        snprintf(f->text, sizeof(f->text), "%.300s, made at the start", store);
        return;
    }
    enum status status = ledger_probe(store, &p, &err);
    if (status == OK) {
        tell_ledger(&p, store, f);
        return;
    }
    bool away = status == ERR_IO || status == ERR_TIMEOUT;
    snprintf(text, sizeof(text), "%.280s%s", err.text,
             away ? "; `serve` would start, and keep requests in its journal until it is there"
                  : "");
    wrong(k, f, status, text);
}

/* Runs of self-play. The admin API shows them as they come, so a folder that is not there yet keeps nobody from
 * starting. */
static void check_runs(struct checking *k)
{
    const char *path = k->config->runs_path;
    struct stat st;
    char text[sizeof(((struct check_fact *)0)->text)];
    if (!path)
        return;
    struct check_fact *f = part(k, CHECK_RUNS);
    bool there = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    bool readable = there && access(path, R_OK | X_OK) == 0;
    snprintf(f->text, sizeof(f->text), "%.300s%s", path,
             readable ? ""
             : there  ? ", may not be read"
                      : ", no such folder");
    if (readable)
        return;
    snprintf(text, sizeof(text), "runs: %.300s %s, so the admin API has no runs to show", path,
             there ? "may not be read" : "is no folder");
    warn_of(k, text, "name the folder that the runs of `leeroo play` are in");
}

void check_start(const struct config *config, struct check_start *ret, struct problems *all,
                 void (*warn)(void *arg, const struct setup_warning *w), void *arg)
{
    struct checking k = {config, ret, all, warn, arg};
    *ret = (struct check_start){0};
    check_port(&k);
    check_tls(&k);
    check_state(&k);
    check_ledger(&k);
    check_runs(&k);
}

/* Telling it */

static const char *const names[CHECK_START_PARTS] = {[CHECK_PORT] = "port",
                                                     [CHECK_TLS] = "tls",
                                                     [CHECK_STATE] = "state",
                                                     [CHECK_LEDGER] = "ledger",
                                                     [CHECK_RUNS] = "runs"};

/* Of what is wrong without the word in front, which the line begins with anyhow. */
static const char *text_of(const struct check_fact *f)
{
    const char *colon = f->fine ? NULL : strstr(f->text, ": ");
    return colon ? colon + 2 : f->text;
}

void check_start_print(const struct check_start *s, FILE *out)
{
    for (size_t i = 0; i < CHECK_START_PARTS; i++)
        if (s->parts[i].told)
            fprintf(out, "%-10s%s\n", names[i], text_of(&s->parts[i]));
}

void check_start_json(const struct check_start *s, struct buf *out)
{
    const char *before = "";
    for (size_t i = 0; i < CHECK_START_PARTS; i++) {
        if (!s->parts[i].told)
            continue;
        buf_addf(out, "%s\"%s\":{\"fine\":%s,\"text\":", before, names[i],
                 s->parts[i].fine ? "true" : "false");
        json_write_string(out, str_from(s->parts[i].text));
        buf_add_char(out, '}');
        before = ",";
    }
}
