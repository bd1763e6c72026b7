/* The data set of a run: see run.h.
 *
 * In memory it is a struct dataset whose arrays grow, so that training and measuring read it as they read any other; on
 * the disk it is written whole, file by file, each by a rename. Texts of answers belong to whoever made the calls. One
 * thread owns an open run, and it waits for the disk: nothing here is for an event loop. */
#include "play/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/file.h"
#include "data/dataset_write.h"

#define RUN_BYTES_MAX (UINT64_C(16) << 30)
#define GROWTH_MIN    256

struct run {
    char path[PATH_MAX], folder[PATH_MAX + 16];
    int lock_fd;
    struct arena *arena; /* of all strings */
    struct dataset d;    /* queries and outcomes are [capacity] of the heap */
    size_t capacity;
    struct str *texts[DATASET_EXPERTS_MAX]; /* [capacity] each */
    struct certainty *certainty[DATASET_EXPERTS_MAX];
    struct map *by_text, *by_id;
    size_t rounds;
};

/* Growing */

static bool grow_one(void **array, size_t size, size_t from, size_t to)
{
    CHECK(to > from && size > 0);
    char *grown = realloc(*array, to * size);
    if (!grown)
        return false;
    memset(grown + from * size, 0, (to - from) * size);
    *array = grown;
    return true;
}

/* Room for a query more. All or nothing matters only for the capacity: what has grown is used next time. */
static enum status grow(struct run *r, struct error *err)
{
    size_t from = r->capacity, to = from ? from * 2 : GROWTH_MIN;
    void *queries = r->d.queries, *outcomes = r->d.outcomes;
    if (r->d.query_count < r->capacity)
        return OK;
    if (to > RUN_QUERIES_MAX * UINT64_C(2))
        return error_set(err, ERR_TOO_LARGE, "a run has at most %d questions", RUN_QUERIES_MAX);
    bool grown = grow_one(&queries, sizeof(struct query), from, to);
    r->d.queries = queries;
    grown = grown && grow_one(&outcomes, r->d.expert_count * sizeof(struct outcome), from, to);
    r->d.outcomes = outcomes;
    for (size_t e = 0; e < r->d.expert_count && grown; e++) {
        void *texts = r->texts[e];
        grown = grow_one(&texts, sizeof(struct str), from, to);
        r->texts[e] = texts;
        void *certainty = r->certainty[e];
        grown = grown && grow_one(&certainty, sizeof(struct certainty), from, to);
        r->certainty[e] = certainty;
    }
    if (!grown)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    r->capacity = to;
    return OK;
}

/* Queries */

static bool keep(struct run *r, struct str *s)
{
    *s = s->len ? arena_copy(r->arena, *s) : STR("");
    return s->ptr;
}

/* The query with all that it points to. */
static enum status copy_query(struct run *r, const struct query *from, struct query *ret,
                              struct error *err)
{
    struct query q = *from;
    struct str *choices = ARENA_ARRAY(r->arena, q.choice_count + 1, struct str);
    bool kept = choices && keep(r, &q.id) && keep(r, &q.text) && keep(r, &q.answer) &&
                keep(r, &q.task) && keep(r, &q.domain) && keep(r, &q.check) && keep(r, &q.prompt);
    for (uint32_t i = 0; i < q.choice_count && kept; i++) {
        choices[i] = from->choices[i];
        kept = keep(r, &choices[i]);
    }
    if (!kept)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    q.choices = choices;
    *ret = q;
    return OK;
}

/* An id that no other query has and that a table takes: its own, else one by its number. */
static enum status name_query(struct run *r, struct query *q, struct error *err)
{
    uint32_t other;
    size_t number = r->d.query_count + 1;
    while (!query_id_fits(q->id) || map_get(r->by_id, q->id, &other)) {
        char *id = arena_printf(r->arena, "q%zu", number++);
        if (!id)
            return error_set(err, ERR_MEMORY, "out of memory for questions");
        q->id = str_from(id);
    }
    return OK;
}

static enum status index_query(struct run *r, const struct query *q, size_t index,
                               struct error *err)
{
    struct str key =
        arena_copy(r->arena, (struct str){(const char *)&q->text_hash, sizeof(q->text_hash)});
    if (!key.ptr || map_put(r->by_text, key, (uint32_t)index) != OK ||
        map_put(r->by_id, q->id, (uint32_t)index) != OK)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    return OK;
}

enum status run_add_query(struct run *r, const struct query *q, size_t *ret, struct error *err)
{
    uint32_t there;
    struct query copy;
    if (map_get(r->by_text, (struct str){(const char *)&q->text_hash, sizeof(q->text_hash)},
                &there)) {
        *ret = there;
        return OK;
    }
    enum status status = grow(r, err);
    if (status == OK)
        status = copy_query(r, q, &copy, err);
    if (status == OK)
        status = name_query(r, &copy, err);
    if (status == OK)
        status = index_query(r, &copy, r->d.query_count, err);
    if (status != OK)
        return status;
    r->d.queries[r->d.query_count] = copy;
    *ret = r->d.query_count++;
    return OK;
}

size_t run_find_query(const struct run *r, struct str id)
{
    uint32_t at;
    return map_get(r->by_id, id, &at) ? at : SIZE_MAX;
}

/* Outcomes */

enum status run_set_outcome(struct run *r, size_t query, size_t expert, const struct outcome *o,
                            struct str text, struct error *err)
{
    struct outcome copy = *o;
    CHECK(query < r->d.query_count && expert < r->d.expert_count);
    if (!keep(r, &copy.answer) || !keep(r, &copy.method))
        return error_set(err, ERR_MEMORY, "out of memory for outcomes");
    r->d.outcomes[query * r->d.expert_count + expert] = copy;
    r->texts[expert][query] = text;
    return OK;
}

void run_set_text(struct run *r, size_t query, size_t expert, struct str text)
{
    CHECK(query < r->d.query_count && expert < r->d.expert_count);
    r->texts[expert][query] = text;
}

void run_set_certainty(struct run *r, size_t query, size_t expert,
                       const struct certainty *certainty)
{
    CHECK(query < r->d.query_count && expert < r->d.expert_count);
    r->certainty[expert][query] = *certainty;
}

struct str run_text(const struct run *r, size_t query, size_t expert)
{
    CHECK(query < r->d.query_count && expert < r->d.expert_count);
    return r->texts[expert][query];
}

const struct str *run_texts(const struct run *r, size_t expert)
{
    CHECK(expert < r->d.expert_count);
    return r->texts[expert];
}

const struct dataset *run_dataset(const struct run *r)
{
    return &r->d;
}

const char *run_path(const struct run *r)
{
    return r->path;
}

size_t run_rounds(const struct run *r)
{
    return r->rounds;
}

/* Opening */

static enum status lock(struct run *r, struct error *err)
{
    r->lock_fd = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->lock_fd < 0)
        return error_set_errno(err, ERR_IO, errno, "cannot open %s", r->path);
    if (flock(r->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return OK;
    if (errno == EWOULDBLOCK)
        return error_set(err, ERR_OVERLOAD,
                         "%s: another process runs there; wait for it, or name another folder",
                         r->path);
    return error_set_errno(err, ERR_IO, errno, "cannot lock %s", r->path);
}

static void round_path(const struct run *r, size_t round, const char *ending,
                       char into[PATH_MAX + 16])
{
    snprintf(into, PATH_MAX + 16, "%s/round-%zu%s", r->path, round, ending);
}

static void count_rounds(struct run *r)
{
    char path[PATH_MAX + 16];
    do
        round_path(r, r->rounds + 1, "", path);
    while (r->rounds < RUN_ROUNDS_MAX && access(path, F_OK) == 0 && ++r->rounds);
}

/* The folder's files, and nothing in folders of it. */
static void remove_folder(const char *path)
{
    char file[2 * PATH_MAX];
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)unlink(file);
    }
    if (dir)
        closedir(dir);
    (void)rmdir(path);
}

static enum status set_experts(struct run *r, const struct expert *experts, size_t count,
                               struct error *err)
{
    r->d.experts = ARENA_ARRAY(r->arena, count + 1, struct dataset_expert);
    if (!r->d.experts)
        return error_set(err, ERR_MEMORY, "out of memory");
    for (size_t e = 0; e < count; e++) {
        struct dataset_expert *own = &r->d.experts[e];
        *own = (struct dataset_expert){.name = experts[e].name, .price = experts[e].price};
        if (!keep(r, &own->name))
            return error_set(err, ERR_MEMORY, "out of memory");
    }
    r->d.expert_count = count;
    return OK;
}

/* columns[expert of `from`] in this run. */
static enum status match_experts(const struct run *r, const struct dataset *from, size_t *columns,
                                 struct error *err)
{
    for (size_t e = 0; e < from->expert_count; e++) {
        columns[e] = dataset_expert_index(&r->d, from->experts[e].name);
        if (columns[e] == SIZE_MAX)
            return error_set(err, ERR_INPUT,
                             "%s has outcomes of expert %.*s, which is not among those of this "
                             "run: add it to the configuration, and to --experts where that is "
                             "given, or begin another run",
                             r->path, STR_FMT(from->experts[e].name));
    }
    return OK;
}

static enum status take_row(struct run *r, const struct dataset *from, size_t row,
                            const size_t *columns, struct error *err)
{
    size_t query;
    enum status status = run_add_query(r, &from->queries[row], &query, err);
    for (size_t e = 0; e < from->expert_count && status == OK; e++) {
        const struct outcome *o = dataset_outcome(from, row, e);
        if (o->present)
            status = run_set_outcome(r, query, columns[e], o, (struct str){NULL, 0}, err);
    }
    return status;
}

enum status run_round_read(const struct run *r, enum status status, struct error *err)
{
    const bool damaged = status == ERR_INPUT || status == ERR_CORRUPT || status == ERR_NOT_FOUND;
    if (damaged)
        error_prefix(
            err,
            "the last round is damaged; without the folder round-%zu it is done again, and "
            "what calls.jsonl has is not paid for twice",
            r->rounds);
    return status;
}

/* As it was after the last round. */
static enum status read_round(struct run *r, struct error *err)
{
    size_t columns[DATASET_EXPERTS_MAX];
    struct dataset *from = NULL;
    char path[PATH_MAX + 16];
    if (r->rounds == 0)
        return OK;
    round_path(r, r->rounds, "", path);
    enum status status = run_round_read(r, dataset_load(path, DATASET_ALL, &from, err), err);
    if (status == OK)
        status = match_experts(r, from, columns, err);
    for (size_t q = 0; status == OK && q < from->query_count; q++)
        status = take_row(r, from, q, columns, err);
    dataset_free(from);
    return status;
}

static enum status prepare(struct run *r, const char *path, struct error *err)
{
    int len = snprintf(r->path, sizeof(r->path), "%s", path);
    if (len <= 0 || (size_t)len >= sizeof(r->path) - NAME_MAX)
        return error_set(err, ERR_USAGE, "the folder of the run has no name, or too long a name");
    r->arena = arena_create(RUN_BYTES_MAX);
    r->by_text = map_create(1024);
    r->by_id = map_create(1024);
    if (!r->arena || !r->by_text || !r->by_id)
        return error_set(err, ERR_MEMORY, "out of memory");
    r->d.arena = r->arena;
    r->d.path = str_from(r->path);
    return OK;
}

static bool has(const struct run *r, const char *file)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/%s", r->path, file);
    return access(path, F_OK) == 0;
}

/* Every run begins with its run.json. A data set without one is somebody's, and would be written over. */
static enum status check_ours(const struct run *r, struct error *err)
{
    bool is_run = has(r, "run.json") || has(r, "calls.jsonl") || has(r, "round-1");
    if (is_run || !(has(r, "queries.jsonl") || has(r, "outcomes.csv") || has(r, "experts.csv")))
        return OK;
    return error_set(
        err, ERR_INPUT,
        "%s holds a data set that no run has made, and that this one would write over; "
        "name another folder",
        r->path);
}

/* What a killed process was writing. Nobody else does: the folder is locked. */
static void sweep(const struct run *r)
{
    char responses[PATH_MAX + 16];
    snprintf(responses, sizeof(responses), "%s/responses", r->path);
    file_out_sweep(r->path, NULL);
    file_out_sweep(responses, NULL);
}

/* One piece: in this order, for the lock comes before anything is read; what was opened is closed at one place. */
enum status run_open(const char *path, const struct expert *experts, size_t expert_count,
                     struct run **ret, struct error *err)
{
    struct run *r = calloc(1, sizeof(*r));
    CHECK(expert_count <= DATASET_EXPERTS_MAX);
    if (!r)
        return error_set(err, ERR_MEMORY, "out of memory");
    r->lock_fd = -1;
    enum status status = prepare(r, path, err);
    if (status == OK)
        status = file_make_folders(path, true, err);
    if (status == OK)
        status = lock(r, err);
    if (status == OK)
        status = check_ours(r, err);
    if (status == OK)
        status = set_experts(r, experts, expert_count, err);
    if (status == OK)
        status = grow(r, err);
    if (status == OK) {
        sweep(r);
        count_rounds(r);
        status = read_round(r, err);
    }
    if (status != OK) {
        run_close(r);
        return status;
    }
    *ret = r;
    return OK;
}

void run_close(struct run *r)
{
    if (!r)
        return;
    if (r->lock_fd >= 0)
        close(r->lock_fd);
    for (size_t e = 0; e < DATASET_EXPERTS_MAX; e++) {
        free(r->texts[e]);
        free(r->certainty[e]);
    }
    free(r->d.queries);
    free(r->d.outcomes);
    map_free(r->by_text);
    map_free(r->by_id);
    arena_free(r->arena);
    free(r);
}

/* Writing */

enum status run_save(const struct run *r, struct error *err)
{
    enum status status = OK;
    for (size_t e = 0; e < r->d.expert_count && status == OK; e++)
        status = responses_write(&r->d, r->path, r->d.experts[e].name, r->texts[e], r->certainty[e],
                                 err);
    return status == OK ? dataset_write(&r->d, r->path, err) : status;
}

enum status run_round_begin(struct run *r, const char **ret_folder, struct error *err)
{
    if (r->rounds == RUN_ROUNDS_MAX)
        return error_set(err, ERR_TOO_LARGE, "a run has at most %d rounds", RUN_ROUNDS_MAX);
    round_path(r, r->rounds + 1, ".new", r->folder);
    remove_folder(r->folder);
    if (mkdir(r->folder, 0777) != 0)
        return error_set_errno(err, ERR_IO, errno, "cannot make the folder %s", r->folder);
    *ret_folder = r->folder;
    return OK;
}

void run_round_abort(struct run *r)
{
    if (r->folder[0])
        remove_folder(r->folder);
    r->folder[0] = '\0';
}

enum status run_round_commit(struct run *r, struct error *err)
{
    char path[PATH_MAX + 16];
    round_path(r, r->rounds + 1, "", path);
    enum status status = dataset_write(&r->d, r->folder, err);
    if (status == OK)
        status = run_save(r, err);
    if (status != OK)
        return status;
    if (rename(r->folder, path) != 0 || fsync(r->lock_fd) != 0)
        return error_set_errno(err, ERR_IO, errno, "cannot write %s", path);
    r->rounds++;
    r->folder[0] = '\0';
    return OK;
}
