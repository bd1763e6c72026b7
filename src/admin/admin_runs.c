/* GET /v1/admin/runs: what runs of self-play have come to, round by round; GET /v1/admin/runs/NAME/page: the page that
 * each has made of itself.
 *
 * A run is a folder with run.json in it, right below the configuration's `runs`, and has a plain name: nothing that a
 * client says becomes more of a path than that. At the desk; its files may be amid being written by somebody else, so
 * one that cannot be read is told as such and hides no other. */
#include "admin/admin_runs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin_int.h"
#include "base/file.h"
#include "base/json.h"
#include "base/name.h"
#include "base/percent.h"
#include "runpage/round_file.h"
#include "runpage/runpage.h"

#define RUNS_PATH       STR("/v1/admin/runs/")
#define RUNS_MAX        100 /* the newest */
#define SCANNED_MAX     4096
#define ROUNDS_MAX      1000
#define ROUND_BYTES_MAX (4u << 20)

static bool is_name(struct str name)
{
    return name_is_plain(name, false) && name.ptr[0] != '.';
}

enum status run_find(const struct config *c, struct str name, char path[PATH_MAX],
                     struct error *err)
{
    char settings[PATH_MAX];
    bool fits = c->runs_path && is_name(name) &&
                snprintf(path, PATH_MAX, "%s/%.*s", c->runs_path, STR_FMT(name)) < PATH_MAX &&
                snprintf(settings, PATH_MAX, "%s/run.json", path) < PATH_MAX;
    if (fits && access(settings, R_OK) == 0)
        return OK;
    return error_set(err, ERR_NOT_FOUND,
                     c->runs_path ? "no run of that name is in the folder of runs"
                                  : "leeroo.yaml names no folder of runs (runs)");
}

static bool round_path(const char *run, size_t round, const char *file, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s/round-%zu/%s", run, round, file) < PATH_MAX;
}

enum status run_model(const char *run, char path[PATH_MAX], struct error *err)
{
    char next[PATH_MAX];
    bool any = false;
    for (size_t round = 1; round <= ROUNDS_MAX; round++) {
        if (!round_path(run, round, "round.json", next) || access(next, F_OK) != 0)
            break;
        if (round_path(run, round, "model.safetensors", next) && access(next, R_OK) == 0) {
            memcpy(path, next, PATH_MAX);
            any = true;
        }
    }
    return any ? OK : error_set(err, ERR_NOT_FOUND, "the run has learnt no model yet");
}

/* Which there are */

struct run_name {
    char name[NAME_BYTES_MAX + 1];
    int64_t changed_ms; /* of its folder */
};

static int newest_first(const void *a, const void *b)
{
    const struct run_name *x = a, *y = b;
    if (x->changed_ms != y->changed_ms)
        return x->changed_ms > y->changed_ms ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool take_run(const struct config *c, const char *name, struct run_name *into)
{
    char path[PATH_MAX];
    struct stat st;
    if (run_find(c, str_from(name), path, NULL) != OK || stat(path, &st) != 0)
        return false;
    into->changed_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    snprintf(into->name, sizeof(into->name), "%s", name);
    return true;
}

/* In the arena. A folder that is not there has none. */
static size_t list_runs(const struct config *c, struct arena *a, struct run_name **ret)
{
    struct run_name *all = ARENA_ARRAY(a, SCANNED_MAX, struct run_name);
    DIR *dir = all && c->runs_path ? opendir(c->runs_path) : NULL;
    size_t count = 0;
    for (struct dirent *e; dir && count < SCANNED_MAX && (e = readdir(dir));)
        count += take_run(c, e->d_name, &all[count]);
    if (dir)
        closedir(dir);
    if (count > 0)
        qsort(all, count, sizeof(*all), newest_first);
    *ret = all;
    return count < RUNS_MAX ? count : RUNS_MAX;
}

/* What a run has come to */

static bool is_published(const struct round_file *r)
{
    return str_equal(r->publication, STR("first")) || str_equal(r->publication, STR("published"));
}

static void write_round(const struct round_file *r, struct buf *out)
{
    buf_addf(out, "{\"round\":%zu", r->round);
    figures_write_real(out, "area", r->area);
    figures_write_real(out, "area_error", r->area_error);
    figures_write_usd(out, "spent_usd", r->spent_nano_usd);
    figures_write_usd(out, "spent_all_usd", r->spent_all_nano_usd);
    buf_addf(out, ",\"questions\":%zu,\"outcomes\":%zu,\"published\":%s", r->questions, r->outcomes,
             is_published(r) ? "true" : "false");
    figures_write_text(out, "publication", r->publication);
    figures_write_text(out, "problem", r->problem);
    buf_add_char(out, '}');
}

/* Of the last round: the judge that was believed, else the first. */
static void write_judge(const struct round_file *r, struct buf *out)
{
    const struct round_judge *j = r->judge_count ? &r->judges[0] : NULL;
    for (size_t i = 0; i < r->judge_count; i++)
        if (r->judges[i].trusted) {
            j = &r->judges[i];
            break;
        }
    if (!j) {
        buf_add_c(out, ",\"judge\":null");
        return;
    }
    buf_addf(out, ",\"judge\":{\"trusted\":%s", j->trusted ? "true" : "false");
    figures_write_text(out, "name", j->name);
    figures_write_text(out, "reason", j->reason);
    figures_write_real(out, "agreement", j->agreement);
    figures_write_real(out, "agreement_low", j->agreement_low);
    figures_write_real(out, "agreement_high", j->agreement_high);
    figures_write_real(out, "canary_share", j->canary_share);
    figures_write_real(out, "inconsistent", j->inconsistent);
    figures_write_real(out, "position_bias", j->position_bias);
    buf_addf(out, ",\"canaries\":%zu,\"pairs\":%zu}", j->canaries, j->pairs);
}

/* CLOSED: there is no such round. Strings are in the arena. */
static enum status read_round(const char *run, size_t round, struct arena *a,
                              struct round_file *ret, struct error *err)
{
    char path[PATH_MAX];
    struct buf b;
    if (!round_path(run, round, "round.json", path))
        return CLOSED;
    buf_init(&b, ROUND_BYTES_MAX);
    enum status status = file_read(path, ROUND_BYTES_MAX, &b, err);
    if (status == OK) {
        struct str text = arena_copy(a, buf_str(&b));
        status = text.ptr ? round_file_parse(text, path, a, ret, err)
                          : error_set(err, ERR_MEMORY, "out of memory for %s", path);
    }
    buf_done(&b);
    return status == ERR_NOT_FOUND ? CLOSED : status;
}

/* Each round has the arena for itself, so that a run may have any number of them. */
static void write_rounds(const char *run, struct arena *a, struct buf *out)
{
    struct round_file round;
    struct error err = {0};
    struct buf judge;
    enum status status = OK;
    buf_init(&judge, DESK_BYTES_MAX);
    buf_add_c(&judge, ",\"judge\":null");
    buf_add_c(out, ",\"rounds\":[");
    for (size_t k = 1; k <= ROUNDS_MAX; k++) {
        arena_reset(a);
        status = read_round(run, k, a, &round, &err);
        if (status != OK)
            break;
        buf_add_c(out, k > 1 ? "," : "");
        write_round(&round, out);
        buf_clear(&judge);
        write_judge(&round, &judge);
    }
    buf_add_char(out, ']');
    buf_add(out, buf_str(&judge));
    figures_write_text(out, "problem",
                       status == OK || status == CLOSED ? STR("") : str_from(err.text));
    buf_done(&judge);
}

static void write_run(const struct config *c, const struct run_name *r, struct arena *a,
                      struct buf *out)
{
    char run[PATH_MAX], file[PATH_MAX];
    if (run_find(c, str_from(r->name), run, NULL) != OK)
        run[0] = '\0'; /* it has gone meanwhile */
    buf_add_c(out, "{\"name\":");
    json_write_string(out, str_from(r->name));
    buf_addf(out, ",\"changed_ms\":%lld", (long long)r->changed_ms);
    write_rounds(run, a, out);
    buf_addf(out, ",\"has_model\":%s", run_model(run, file, NULL) == OK ? "true" : "false");
    bool page =
        snprintf(file, sizeof(file), "%s/report.html", run) < PATH_MAX && access(file, R_OK) == 0;
    if (page)
        buf_addf(out, ",\"page\":\"/v1/admin/runs/%s/page\"}", r->name);
    else
        buf_add_c(out, ",\"page\":null}");
}

static enum status write_runs(struct figures *f, struct desk_job *job, struct arena *a,
                              struct error *err)
{
    const struct config *c = job->snapshot->config;
    struct run_name *all;
    struct arena *each = arena_create(DESK_ARENA_BYTES_MAX);
    size_t count = list_runs(c, a, &all);
    (void)f;
    if (!all || !each) {
        arena_free(each);
        return error_set(err, ERR_MEMORY, "out of memory for runs");
    }
    buf_add_c(&job->out, "{\"folder\":");
    if (c->runs_path)
        json_write_string(&job->out, str_from(c->runs_path));
    else
        buf_add_c(&job->out, "null");
    buf_add_c(&job->out, ",\"runs\":[");
    for (size_t i = 0; i < count; i++) {
        buf_add_c(&job->out, i ? "," : "");
        write_run(c, &all[i], each, &job->out);
    }
    buf_add_c(&job->out, "]}");
    arena_free(each);
    return OK;
}

/* A run's page */

static enum status read_page(struct figures *f, struct desk_job *job, struct arena *a,
                             struct error *err)
{
    char run[PATH_MAX], file[PATH_MAX];
    enum status status = run_find(job->snapshot->config, job->asked, run, err);
    (void)f, (void)a;
    job->is_page = true;
    buf_init(&job->out, RUNPAGE_BYTES_MAX);
    if (status == OK && snprintf(file, sizeof(file), "%s/report.html", run) >= PATH_MAX)
        status = error_set(err, ERR_NOT_FOUND, "the run has no page");
    if (status == OK)
        status = file_read(file, RUNPAGE_BYTES_MAX, &job->out, err);
    if (status == ERR_NOT_FOUND)
        return error_set(err, status, "no such page; /v1/admin/runs says which there are");
    return status;
}

void admin_runs(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    figures_ask(w, x, caller, write_runs, STR(""));
}

void admin_run(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct str rest = str_slice(x->path, RUNS_PATH.len, x->path.len);
    struct str name = percent_decode(str_split(&rest, '/'), x->arena);
    if (str_equal(rest, STR("page")) && is_name(name))
        figures_ask(w, x, caller, read_page, name);
    else
        answer_error(x, NULL, ERR_NOT_FOUND, "no such page; /v1/admin/runs says which there are",
                     NULL, NULL);
}
