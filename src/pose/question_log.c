/* The two files of a run's questions: see question_log.h. Everything is held in memory, because both files are written
 * anew each round: a line is a few hundred bytes, and rounds have hundreds.
 *
 * It blocks on the disk and belongs to the thread that plays. */
#include "pose/question_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/gz.h"
#include "base/json.h"

#define LOG_PATH_BYTES 4096

/* Lines */

static enum status texts_read(struct json_value list, struct arena *a, struct query *q)
{
    struct str choices[QUERY_CHOICES_MAX];
    struct json_iter it = json_iter_begin(list);
    uint32_t count = 0;
    for (struct json_value v; json_array_next(&it, &v); count++)
        if (count == QUERY_CHOICES_MAX || json_string_decode(v, a, &choices[count]) != OK)
            return ERR_INPUT;
    return query_choices_keep(q, choices, count, a);
}

static enum status line_begin(struct str line, const char *place, size_t number, struct arena *a,
                              struct json_value *ret, size_t *ret_round, struct error *err)
{
    int64_t round;
    struct str kept = arena_copy(a, line);
    if (!kept.ptr)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    enum status status = json_parse(kept, place, number, ret, err);
    if (status != OK)
        return status;
    if (json_to_int64(json_get(*ret, "round"), &round) != OK || round < 0)
        return error_set_at(err, ERR_INPUT, place, number, 0, "\"round\" is no number");
    *ret_round = (size_t)round;
    return OK;
}

static bool text_read(struct json_value object, const char *key, struct arena *a, struct str *ret)
{
    return json_string_decode(json_get(object, key), a, ret) == OK;
}

enum status question_drop_parse(struct str line, const char *place, size_t number, struct arena *a,
                                struct question_drop *ret, struct error *err)
{
    struct json_value object;
    struct question_drop d = {0};
    struct str reason;
    enum status status = line_begin(line, place, number, a, &object, &d.round, err);
    if (status != OK)
        return status;
    bool whole = text_read(object, "id", a, &d.query.id) &&
                 text_read(object, "reason", a, &reason) && text_read(object, "why", a, &d.why) &&
                 text_read(object, "text", a, &d.query.text) &&
                 texts_read(json_get(object, "choices"), a, &d.query) == OK;
    if (whole)
        d.reason = drop_reason_read(reason);
    if (!whole || d.reason == DROP_REASONS)
        return error_set_at(err, ERR_INPUT, place, number, 0,
                            "no line of a question that was dropped");
    d.query.text_hash = text_hash(d.query.text);
    *ret = d;
    return OK;
}

static enum posed_source source_read(struct str name)
{
    for (size_t s = 0; s < POSED_SOURCES; s++)
        if (str_equal(name, str_from(posed_source_name((enum posed_source)s))))
            return (enum posed_source)s;
    return POSED_SOURCES;
}

enum status question_pose_parse(struct str line, const char *place, size_t number, struct arena *a,
                                struct question_pose *ret, struct error *err)
{
    struct json_value object;
    struct question_pose p = {0};
    struct str source, kind;
    int64_t level;
    enum status status = line_begin(line, place, number, a, &object, &p.round, err);
    if (status != OK)
        return status;
    bool whole = text_read(object, "id", a, &p.id) && text_read(object, "source", a, &source) &&
                 text_read(object, "kind", a, &kind) && posed_kind_read(kind, &p.kind) &&
                 text_read(object, "rationale", a, &p.rationale) &&
                 json_to_int64(json_get(object, "level"), &level) == OK && level >= 0 &&
                 level <= POSED_LEVELS;
    if (whole)
        p.source = source_read(source);
    if (!whole || p.source == POSED_SOURCES)
        return error_set_at(err, ERR_INPUT, place, number, 0, "no line of a question that was put");
    p.level = (unsigned)level;
    *ret = p;
    return OK;
}

static void member(struct buf *out, const char *name, struct str text)
{
    buf_addf(out, ",\"%s\":", name);
    json_write_string(out, text);
}

static void drop_write(const struct question_drop *d, struct buf *out)
{
    buf_addf(out, "{\"round\":%zu", d->round);
    member(out, "id", d->query.id);
    member(out, "reason", str_from(drop_reason_name(d->reason)));
    member(out, "why", d->why);
    member(out, "text", d->query.text);
    for (uint32_t i = 0; i < d->query.choice_count; i++) {
        buf_add(out, i == 0 ? STR(",\"choices\":[") : STR(","));
        json_write_string(out, d->query.choices[i]);
    }
    buf_add(out, d->query.choice_count > 0 ? STR("]}\n") : STR("}\n"));
}

static void pose_write(const struct question_pose *p, struct buf *out)
{
    buf_addf(out, "{\"round\":%zu", p->round);
    member(out, "id", p->id);
    member(out, "source", str_from(posed_source_name(p->source)));
    member(out, "kind", str_from(posed_kind_name(p->kind)));
    buf_addf(out, ",\"level\":%u", p->level);
    member(out, "rationale", p->rationale);
    buf_add(out, STR("}\n"));
}

/* In memory */

/* Room for one more of `size` bytes. */
static bool grow(void **items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity ? 2 * *capacity : 64;
    if (count >= QUESTION_LOG_LINES_MAX)
        return false;
    void *more = realloc(*items, wanted * size);
    if (!more)
        return false;
    *items = more;
    *capacity = wanted;
    return true;
}

static enum status keep_drop(struct question_log *l, const struct question_drop *d,
                             struct error *err)
{
    void *items = l->drops;
    if (!grow(&items, l->drop_count, &l->drop_capacity, sizeof(*d)))
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    l->drops = items;
    l->drops[l->drop_count++] = *d;
    l->sum.of[d->reason]++;
    return OK;
}

static enum status keep_pose(struct question_log *l, const struct question_pose *p,
                             struct error *err)
{
    void *items = l->poses;
    bool grown = grow(&items, l->pose_count, &l->pose_capacity, sizeof(*p));
    l->poses = items;
    if (!grown || map_put(l->ids, p->id, p->level) != OK)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    l->poses[l->pose_count++] = *p;
    return OK;
}

void question_log_begin(struct question_log *l, size_t round)
{
    size_t kept = 0;
    l->round = round;
    l->sum = (struct drop_counts){{0}};
    for (size_t i = 0; i < l->drop_count; i++)
        if (l->drops[i].round < round) {
            l->sum.of[l->drops[i].reason]++;
            l->drops[kept++] = l->drops[i];
        }
    l->drop_count = kept;
    kept = 0;
    for (size_t i = 0; i < l->pose_count; i++)
        if (l->poses[i].round < round)
            l->poses[kept++] = l->poses[i];
    l->pose_count = kept;
}

static struct str copy_cut(struct arena *a, struct str text)
{
    return arena_copy(a, utf8_cut(text, QUESTION_LOG_TEXT_MAX));
}

enum status question_log_drop(struct question_log *l, const struct query *q,
                              enum drop_reason reason, struct str why, struct error *err)
{
    struct question_drop d = {.round = l->round, .reason = reason};
    struct str *choices = ARENA_ARRAY(l->arena, q->choice_count, struct str);
    bool whole = choices != NULL;
    for (uint32_t i = 0; whole && i < q->choice_count; i++) {
        choices[i] = copy_cut(l->arena, q->choices[i]);
        whole = choices[i].ptr != NULL;
    }
    d.query.id = arena_copy(l->arena, q->id);
    d.query.text = copy_cut(l->arena, q->text);
    d.why = copy_cut(l->arena, why);
    if (!whole || !d.query.id.ptr || !d.query.text.ptr || !d.why.ptr)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    d.query.choices = choices;
    d.query.choice_count = q->choice_count;
    d.query.text_hash = text_hash(d.query.text);
    return keep_drop(l, &d, err);
}

enum status question_log_pose(struct question_log *l, const struct posed *p, struct error *err)
{
    struct question_pose kept = {
        .round = l->round, .source = p->source, .kind = p->kind, .level = p->level};
    kept.id = arena_copy(l->arena, p->query.id);
    kept.rationale = copy_cut(l->arena, p->rationale);
    if (!kept.id.ptr || !kept.rationale.ptr)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    return keep_pose(l, &kept, err);
}

unsigned question_log_level(const struct question_log *l, struct str id)
{
    uint32_t level;
    return map_get(l->ids, id, &level) ? level : 0;
}

/* Files */

static enum status file_path(const struct question_log *l, const char *name,
                             char into[LOG_PATH_BYTES], struct error *err)
{
    int len = snprintf(into, LOG_PATH_BYTES, "%s/%s", l->folder, name);
    if (len < 0 || len >= LOG_PATH_BYTES)
        return error_set(err, ERR_TOO_LARGE, "the path %s is too long", l->folder);
    return OK;
}

static enum status line_keep(struct question_log *l, bool dropped, struct str line,
                             const char *place, size_t number, struct error *err)
{
    struct question_drop d = {0};
    struct question_pose p = {0};
    enum status status;
    if (dropped) {
        status = question_drop_parse(line, place, number, l->arena, &d, err);
        return status == OK && d.round > 0 ? keep_drop(l, &d, err) : status;
    }
    status = question_pose_parse(line, place, number, l->arena, &p, err);
    return status == OK && p.round > 0 ? keep_pose(l, &p, err) : status;
}

static enum status file_read_lines(struct question_log *l, const char *name, bool dropped,
                                   struct error *err)
{
    char path[LOG_PATH_BYTES];
    struct line_reader *r = NULL;
    struct str line;
    enum status status = file_path(l, name, path, err);
    if (status != OK)
        return status;
    status = line_reader_open(path, &r, err);
    if (status == ERR_NOT_FOUND)
        return OK;
    while (status == OK && (status = line_reader_next(r, &line, err)) == OK) {
        status = line_keep(l, dropped, line, line_reader_path(r), line_reader_number(r), err);
        if (status == ERR_INPUT || status == ERR_TOO_LARGE) {
            status = ERR_CORRUPT;
            if (err)
                err->status = status;
        }
    }
    line_reader_close(r);
    return status == CLOSED ? OK : status;
}

enum status question_log_open(struct question_log *l, const char *folder, struct error *err)
{
    *l = (struct question_log){.folder = folder, .arena = arena_create(QUESTION_LOG_BYTES_MAX)};
    l->ids = map_create(256);
    if (!l->arena || !l->ids)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    return OK;
}

enum status question_log_read(struct question_log *l, struct error *err)
{
    if (!l->folder)
        return OK;
    enum status status = file_read_lines(l, "dropped.jsonl", true, err);
    return status == OK ? file_read_lines(l, "posed.jsonl", false, err) : status;
}

void question_log_close(struct question_log *l)
{
    map_free(l->ids);
    arena_free(l->arena);
    free(l->drops);
    free(l->poses);
    *l = (struct question_log){0};
}

/* One of the two, a line at a time; both are the same but for the line. */
static enum status lines_write(const struct question_log *l, const char *name, bool dropped,
                               struct error *err)
{
    char path[LOG_PATH_BYTES];
    struct file_out out;
    struct buf line;
    size_t count = dropped ? l->drop_count : l->pose_count;
    enum status status = file_path(l, name, path, err);
    if (status == OK)
        status = file_out_open(path, &out, err);
    if (status != OK)
        return status;
    buf_init(&line, 64u * QUESTION_LOG_TEXT_MAX * QUERY_CHOICES_MAX);
    for (size_t i = 0; i < count && status == OK; i++) {
        buf_clear(&line);
        if (dropped)
            drop_write(&l->drops[i], &line);
        else
            pose_write(&l->poses[i], &line);
        status = buf_status(&line, err);
        if (status == OK && fwrite(line.ptr, 1, line.len, out.stream) != line.len)
            status = error_set_errno(err, ERR_IO, errno, "cannot write %s", path);
    }
    buf_done(&line);
    if (status == OK)
        return file_out_commit(&out, err);
    file_out_abort(&out);
    return status;
}

enum status question_log_commit(const struct question_log *l, struct error *err)
{
    if (!l->folder)
        return OK;
    enum status status = lines_write(l, "dropped.jsonl", true, err);
    return status == OK ? lines_write(l, "posed.jsonl", false, err) : status;
}
