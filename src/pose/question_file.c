/* Reads questions of files: see question_file.h. The first line that is not blank says what a file is: JSONL where it
 * begins with a brace, plain lines else. A data set directory is its queries.jsonl.
 *
 * It blocks on the file and belongs to the thread that owns the arena. A line that cannot be used ends nothing: it is
 * dropped under its reason, and the first complaint is kept for whoever wants to see it. */
#include "pose/question_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/gz.h"
#include "judge/answer_check.h"
#include "judge/stated.h"
#include "pose/question_fields.h"

#define FILE_PATH_BYTES   4096
#define QUESTION_TEXT_MAX (1u << 20) /* bytes of one question of a file */

/* One line */

/* Where a line stands, for complaints, and which reason they are counted under. */
struct place {
    const char *name;
    size_t line;
    enum drop_reason *reason;
    struct error *err;
};

static enum status complain(const struct place *p, enum drop_reason reason, const char *what)
{
    *p->reason = reason;
    return error_set_at(p->err, ERR_INPUT, p->name, p->line, 0, "%s", what);
}

static enum status field_read(const struct place *p, struct json_value v, const char *what,
                              struct arena *a, struct str *ret)
{
    enum status status = question_field_text(v, a, ret);
    if (status == ERR_MEMORY)
        return error_set(p->err, ERR_MEMORY, "out of memory for questions");
    return status == OK ? OK : complain(p, DROP_FIELD_WRONG, what);
}

static enum status text_read(const struct place *p, const struct question_fields *f,
                             struct arena *a, struct str *ret)
{
    enum status status = OK;
    if (json_is_set(f->text))
        status = field_read(p, f->text, "the question's text must be a string", a, ret);
    else if (json_is_set(f->messages))
        status = question_field_messages(f->messages, a, ret);
    else
        return complain(p, DROP_FIELD_MISSING,
                        "there is no \"text\", \"question\", \"prompt\" or \"messages\"");
    if (status == ERR_INPUT && json_is_set(f->messages) && !json_is_set(f->text))
        return complain(p, DROP_FIELD_WRONG, "no message of the user has a text");
    if (status != OK)
        return status;
    if (ret->len == 0)
        return complain(p, DROP_FIELD_MISSING, "the question's text is empty");
    if (ret->len > QUESTION_TEXT_MAX)
        return complain(p, DROP_TOO_LONG, "the question is longer than 1 MiB");
    return OK;
}

/* The letter of a choice, for which data sets also write its index, from 0. What else stands behind "####" in a
 * worked answer is the reference. */
static enum status reference_settle(const struct place *p, const struct question_fields *f,
                                    struct query *q)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    int64_t index;
    if (q->answer.len == 0)
        return OK;
    if (q->choice_count == 0) {
        struct str stated;
        if (str_find(q->answer, STR("####"), 0) != SIZE_MAX && stated_read(q->answer, &stated))
            q->answer = stated;
        return OK;
    }
    if (posed_choice_letter(q))
        return OK;
    if (f->reference.type == JSON_NUMBER && json_to_int64(f->reference, &index) == OK &&
        index >= 0 && index < (int64_t)q->choice_count) {
        q->answer = (struct str){&letters[index], 1};
        return OK;
    }
    return complain(p, DROP_NOT_A_CHOICE, "the reference is not among the choices");
}

static enum status kind_read(const struct place *p, const struct question_fields *f,
                             struct arena *a, struct posed *q)
{
    struct str level;
    q->kind = posed_kind_of(&q->query);
    enum status status =
        field_read(p, f->level, "the difficulty must be a number or a word", a, &level);
    if (status == OK)
        q->level = posed_level_read(level);
    return status;
}

/* A check that cannot be understood would be found out only when the answers are paid for. */
static enum status check_settle(const struct place *p, struct str raw, struct arena *a,
                                struct str *ret)
{
    struct judge_check check;
    struct error why = {0};
    enum status status = check_read(raw, a, &check, &why);
    if (status == ERR_MEMORY)
        return error_set(p->err, ERR_MEMORY, "out of memory for questions");
    if (status != OK)
        return complain(p, DROP_FIELD_WRONG, why.text);
    *ret = raw;
    return OK;
}

/* Every part in its turn; each has its own complaint, and the rest is not read after the first. */
static enum status fields_read(const struct place *p, struct json_value object, struct arena *a,
                               struct posed *ret)
{
    struct question_fields f;
    struct posed q = {.source = POSED_FILE};
    question_fields_find(object, &f);
    enum status status = text_read(p, &f, a, &q.query.text);
    if (status == OK)
        status = field_read(p, f.id, "the id must be a string or a number", a, &q.query.id);
    if (status == OK)
        status = field_read(p, f.task, "the task must be a string", a, &q.query.task);
    if (status == OK)
        status = field_read(p, f.domain, "the domain must be a string", a, &q.query.domain);
    if (status == OK)
        status = field_read(p, f.reference, "the reference must be a string or a number", a,
                            &q.query.answer);
    if (status == OK && json_is_set(f.choices)) {
        status = question_field_choices(f.choices, false, a, &q.query);
        if (status == ERR_INPUT)
            return complain(p, DROP_CHOICES, "the choices must be two to 26 texts in a list");
    }
    if (status == OK && json_is_set(f.check))
        status = check_settle(p, f.check.raw, a, &q.query.check);
    if (status == OK)
        status = reference_settle(p, &f, &q.query);
    if (status == OK)
        status = kind_read(p, &f, a, &q);
    if (status == OK)
        status = posed_finish(&q.query, a, p->err);
    if (status == OK)
        *ret = q;
    return status;
}

enum status question_line_json(struct str line, const char *place, size_t number, struct arena *a,
                               struct posed *ret, enum drop_reason *ret_reason, struct error *err)
{
    struct json_value object;
    struct place p = {place, number, ret_reason, err};
    enum status status = json_parse(line, place, number, &object, err);
    if (status != OK) {
        *ret_reason = DROP_MALFORMED;
        return status == ERR_MEMORY ? status : ERR_INPUT;
    }
    if (object.type != JSON_OBJECT)
        return complain(&p, DROP_MALFORMED, "expected a JSON object like {\"text\"}");
    return fields_read(&p, object, a, ret);
}

enum status question_line_plain(struct str line, const char *place, size_t number, struct arena *a,
                                struct posed *ret, enum drop_reason *ret_reason, struct error *err)
{
    struct place p = {place, number, ret_reason, err};
    struct str rest = line, text = str_trim(str_split(&rest, '\t'));
    struct posed q = {.source = POSED_FILE, .query = {.text = text, .answer = str_trim(rest)}};
    if (!utf8_valid(line) || memchr(line.ptr, '\0', line.len))
        return complain(&p, DROP_MALFORMED, "the line is no text in UTF-8");
    if (text.len == 0)
        return complain(&p, DROP_FIELD_MISSING, "the question's text is empty");
    if (text.len > QUESTION_TEXT_MAX)
        return complain(&p, DROP_TOO_LONG, "the question is longer than 1 MiB");
    q.kind = posed_kind_of(&q.query);
    enum status status = posed_finish(&q.query, a, err);
    if (status == OK)
        *ret = q;
    return status;
}

/* Files */

struct reading {
    struct line_reader *lines;
    const char *prefix;
    struct arena *arena;
    const struct drop_sink *sink;
    struct buf list; /* of struct posed */
    struct question_file_result result;
    bool begun, json;
};

static enum status id_settle(struct reading *r, struct posed *q, struct error *err)
{
    if (query_id_fits(q->query.id))
        return OK;
    char *id = arena_printf(r->arena, "%s-%zu", r->prefix, line_reader_number(r->lines));
    if (!id)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    q->query.id = str_from(id);
    return OK;
}

static enum status keep(struct reading *r, const struct posed *q, struct error *err)
{
    if (r->list.len / sizeof(*q) >= QUESTION_FILE_MAX)
        return error_set_at(err, ERR_TOO_LARGE, line_reader_path(r->lines),
                            line_reader_number(r->lines), 0, "more than %u questions in one file",
                            QUESTION_FILE_MAX);
    buf_add(&r->list, (struct str){(const char *)q, sizeof(*q)});
    return buf_status(&r->list, err);
}

static void drop(struct reading *r, enum drop_reason reason, struct str line,
                 const struct error *why)
{
    if (r->result.first.status == OK)
        r->result.first = *why;
    drop_tell(r->sink, &r->result.dropped, STR(""), reason, line, str_from(why->text));
}

static enum status line_read(struct reading *r, struct str line, struct error *err)
{
    struct posed q = {0};
    enum drop_reason reason = DROP_MALFORMED;
    struct error why = {0};
    const char *path = line_reader_path(r->lines);
    size_t number = line_reader_number(r->lines);
    struct str kept = arena_copy(r->arena, line);
    if (!kept.ptr)
        return error_set_at(err, ERR_MEMORY, path, number, 0, "out of memory for questions");
    enum status status = r->json
                             ? question_line_json(kept, path, number, r->arena, &q, &reason, &why)
                             : question_line_plain(kept, path, number, r->arena, &q, &reason, &why);
    if (status == ERR_INPUT) {
        drop(r, reason, kept, &why);
        return OK;
    }
    if (status != OK)
        return error_set_at(err, status, path, number, 0, "out of memory for questions");
    status = id_settle(r, &q, err);
    return status == OK ? keep(r, &q, err) : status;
}

/* By the first line; a list in one value is no JSONL, and whoever gives it is told how to make it so. */
static enum status begin(struct reading *r, struct str line, struct error *err)
{
    r->begun = true;
    r->json = line.ptr[0] == '{';
    struct str inside = str_trim(str_slice(line, 1, line.len));
    if (line.ptr[0] == '[' && (inside.len == 0 || inside.ptr[0] == '{'))
        return error_set_at(
            err, ERR_INPUT, line_reader_path(r->lines), line_reader_number(r->lines), 1,
            "one JSON object a line is wanted, not a list: jq -c '.[]' makes it so");
    return OK;
}

static enum status lines_read(struct reading *r, struct error *err)
{
    struct str line;
    enum status status;
    while ((status = line_reader_next(r->lines, &line, err)) == OK) {
        if (!r->begun && str_starts(line, STR("\xEF\xBB\xBF")))
            line = str_slice(line, 3, line.len); /* a byte order mark */
        struct str whole =
            str_trim(line); /* of a plain one a tab in front says that it has no text */
        if (whole.len == 0)
            continue;
        status = r->begun ? OK : begin(r, whole, err);
        if (status == OK)
            status = line_read(r, line, err);
        if (status != OK)
            return status;
    }
    return status == CLOSED ? OK : status;
}

static enum status file_path(const char *path, char into[FILE_PATH_BYTES], struct error *err)
{
    struct stat about;
    bool folder = strcmp(path, "-") != 0 && stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    int len = snprintf(into, FILE_PATH_BYTES, "%s%s", path, folder ? "/queries.jsonl" : "");
    if (len < 0 || len >= FILE_PATH_BYTES)
        return error_set(err, ERR_TOO_LARGE, "the path %s is too long", path);
    return OK;
}

static enum status list_take(struct reading *r, const char *path, struct question_list *ret,
                             struct error *err)
{
    size_t count = r->list.len / sizeof(struct posed);
    if (count == 0 && r->result.first.status != OK) {
        if (err)
            *err = r->result.first;
        return ERR_INPUT;
    }
    if (count == 0)
        return error_set(err, ERR_INPUT, "%s holds no question", path);
    struct posed *items = ARENA_ARRAY(r->arena, count, struct posed);
    if (!items)
        return error_set(err, ERR_MEMORY, "out of memory for questions");
    memcpy(items, r->list.ptr, r->list.len);
    *ret = (struct question_list){items, count};
    return OK;
}

enum status question_file_read(const char *path, const char *prefix, struct arena *a,
                               const struct drop_sink *sink, struct question_list *ret,
                               struct question_file_result *result, struct error *err)
{
    char file[FILE_PATH_BYTES];
    struct reading r = {.prefix = prefix, .arena = a, .sink = sink};
    enum status status = file_path(path, file, err);
    if (status == OK)
        status = line_reader_open(file, &r.lines, err);
    if (status != OK)
        return status;
    buf_init(&r.list, (size_t)QUESTION_FILE_MAX * sizeof(struct posed));
    status = lines_read(&r, err);
    if (status == OK)
        status = list_take(&r, path, ret, err);
    if (status == OK)
        *result = r.result;
    buf_done(&r.list);
    line_reader_close(r.lines);
    return status;
}
