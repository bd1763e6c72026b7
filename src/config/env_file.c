/* NAME=VALUE lines: see env_file.h.
 *
 * Parsing is a pure function of the text; loading reads the file and changes the environment, so it is done by the
 * command's thread before any other is started. Messages name file, line and column and never show a value, which is a
 * key as a rule. Copies of the text are wiped; what the environment holds stays in it. */
#include "config/env_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"

#define ARENA_BYTES_MAX (4u << 20)
#define NAME_SHOWN      60

struct line {
    const char *place;
    size_t number;
    struct str text;
    struct problems *all;
    struct error *err;
};

static enum status wrong(const struct line *l, size_t at, const char *what)
{
    enum status status = error_set_at(l->err, ERR_INPUT, l->place, l->number, at + 1, "%s", what);
    problems_add(l->all, l->err);
    return status;
}

static bool is_name_byte(char c, bool first)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (!first && c >= '0' && c <= '9');
}

static size_t skip_blanks(struct str s, size_t at)
{
    while (at < s.len && (s.ptr[at] == ' ' || s.ptr[at] == '\t'))
        at++;
    return at;
}

static size_t name_end(struct str s, size_t at)
{
    size_t from = at;
    while (at < s.len && is_name_byte(s.ptr[at], at == from))
        at++;
    return at;
}

/* Behind a value there may be blanks, and behind those a comment. */
static enum status expect_end(const struct line *l, size_t at)
{
    size_t next = skip_blanks(l->text, at);
    if (next == l->text.len || (next > at && l->text.ptr[next] == '#'))
        return OK;
    return wrong(l, next,
                 next > at ? "a value with blanks must be in quotes: NAME=\"a value\""
                           : "there is something behind the closing quote");
}

/* What stands for itself behind a backslash in double quotes; 0: nothing does. */
static char unescaped(char c)
{
    static const char from[] = "nt\"\\$", into[] = "\n\t\"\\$";
    const char *found = c ? strchr(from, c) : NULL;
    return found ? into[found - from] : '\0';
}

static enum status read_quoted(const struct line *l, size_t at, struct buf *value)
{
    char quote = l->text.ptr[at];
    size_t begin = at++;
    for (; at < l->text.len && l->text.ptr[at] != quote; at++) {
        char c = l->text.ptr[at];
        if (quote == '"' && c == '\\') {
            c = at + 1 < l->text.len ? unescaped(l->text.ptr[++at]) : '\0';
            if (!c)
                return wrong(l, at,
                             "in double quotes a backslash must stand before n, t, \", \\ or "
                             "$; in single quotes it is itself");
        }
        buf_add_char(value, c);
    }
    if (at == l->text.len)
        return wrong(l, begin,
                     "the quote is not closed on this line; a line break is written \"\\n\"");
    return expect_end(l, at + 1);
}

static enum status read_bare(const struct line *l, size_t at, struct buf *value)
{
    size_t end = at;
    for (; end < l->text.len && l->text.ptr[end] != ' ' && l->text.ptr[end] != '\t'; end++)
        if (l->text.ptr[end] == '"' || l->text.ptr[end] == '\'')
            return wrong(l, end, "a value with quotes inside must be in quotes itself");
    buf_add(value, str_slice(l->text, at, end));
    return expect_end(l, end);
}

static enum status check_new(const struct line *l, size_t at, struct str name,
                             const struct env_file *f)
{
    char text[200];
    for (size_t i = 0; i < f->count; i++) {
        if (!str_equal(name, str_from(f->list[i].name)))
            continue;
        snprintf(text, sizeof(text), "%.*s is given twice (first on line %zu)",
                 (int)(name.len < NAME_SHOWN ? name.len : NAME_SHOWN), name.ptr, f->list[i].line);
        return wrong(l, at, text);
    }
    return f->count < ENV_FILE_VARIABLES_MAX ? OK : wrong(l, at, "over 512 variables");
}

static enum status keep(struct arena *a, const struct line *l, struct str name,
                        const struct buf *value, struct env_file *f)
{
    const char *copy = arena_printf(a, "%.*s", STR_FMT(name));
    const char *text = arena_printf(a, "%.*s", STR_FMT(buf_str(value)));
    if (!copy || !text || value->status != OK)
        return error_set(l->err, ERR_MEMORY, "out of memory for %s", l->place);
    f->list[f->count++] = (struct env_variable){copy, text, l->number};
    return OK;
}

/* One piece: the parts of a line from left to right, each with what can be wrong there. */
static enum status read_line(struct arena *a, const struct line *l, struct buf *value,
                             struct env_file *f)
{
    size_t at = skip_blanks(l->text, 0);
    if (at == l->text.len || l->text.ptr[at] == '#')
        return OK;
    if (str_starts(str_slice(l->text, at, l->text.len), STR("export ")))
        at = skip_blanks(l->text, at + 7);
    size_t end = name_end(l->text, at);
    struct str name = str_slice(l->text, at, end);
    if (end == at || end == l->text.len || l->text.ptr[end] != '=') {
        size_t blank = skip_blanks(l->text, end);
        bool spaced = end > at && blank > end && blank < l->text.len && l->text.ptr[blank] == '=';
        return wrong(l, end,
                     spaced
                         ? "no blanks may stand around the = of NAME=VALUE"
                         : "a line must be NAME=VALUE, with letters, digits and _ in the name, or "
                           "a comment that begins with #");
    }
    enum status status = check_new(l, at, name, f);
    if (status != OK)
        return status;
    at = end + 1;
    if (at < l->text.len && (l->text.ptr[at] == ' ' || l->text.ptr[at] == '\t') &&
        skip_blanks(l->text, at) < l->text.len && l->text.ptr[skip_blanks(l->text, at)] != '#')
        return wrong(l, at, "no blanks may stand around the = of NAME=VALUE");
    buf_clear(value);
    bool quoted = at < l->text.len && (l->text.ptr[at] == '"' || l->text.ptr[at] == '\'');
    status = quoted ? read_quoted(l, at, value) : read_bare(l, at, value);
    return status == OK ? keep(a, l, name, value, f) : status;
}

static size_t control_at(struct str s)
{
    size_t at = 0;
    while (at < s.len && ((unsigned char)s.ptr[at] >= 0x20 || s.ptr[at] == '\t') &&
           s.ptr[at] != 0x7f)
        at++;
    return at;
}

/* One piece: lines are read to the last, and the value's copy is wiped whatever they hold. */
enum status env_file_parse(struct str text, const char *place, struct arena *a,
                           struct problems *all, struct env_file *ret, struct error *err)
{
    struct error own = {0};
    struct line l = {.place = place, .all = all, .err = err ? err : &own};
    struct buf value;
    enum status status = OK;
    size_t before = all->count + all->more;
    buf_init(&value, ENV_FILE_BYTES_MAX);
    ret->count = 0;
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.len);
    while (text.len > 0 && status != ERR_MEMORY) {
        l.number++;
        l.text = str_split(&text, '\n');
        if (l.text.len > 0 && l.text.ptr[l.text.len - 1] == '\r')
            l.text.len--;
        size_t control = control_at(l.text);
        status = control < l.text.len ? wrong(&l, control, "a control character")
                                      : read_line(a, &l, &value, ret);
    }
    if (value.ptr)
        explicit_bzero(value.ptr, value.len);
    buf_done(&value);
    if (status == ERR_MEMORY || all->count + all->more == before)
        return status == ERR_MEMORY ? status : OK;
    problems_sort(all);
    return problems_first(all, err);
}

/* Loading */

static void take(const struct env_file *f, struct env_file_taken *ret)
{
    for (size_t i = 0; i < f->count; i++) {
        const char *now = getenv(f->list[i].name);
        if (now && *now)
            ret->there++;
        else if (setenv(f->list[i].name, f->list[i].value, 1) == 0)
            ret->set++;
        explicit_bzero((void *)(uintptr_t)f->list[i].value, strlen(f->list[i].value));
    }
}

static enum status not_found(const char *path, struct error *err)
{
    return error_set(err, ERR_NOT_FOUND,
                     "--env-file %s: No such file or directory; it holds lines NAME=VALUE", path);
}

/* One piece: everything that is held is let go at its end. */
enum status env_file_load(const char *path, struct problems *all, struct env_file_taken *ret,
                          struct error *err)
{
    struct stat st;
    struct buf text;
    struct error own = {0};
    err = err ? err : &own;
    struct env_file *f = calloc(1, sizeof(*f));
    struct arena *a = arena_create(ARENA_BYTES_MAX);
    buf_init(&text, ENV_FILE_BYTES_MAX);
    enum status status = f && a ? file_read(path, ENV_FILE_BYTES_MAX, &text, err)
                                : error_set(err, ERR_MEMORY, "out of memory for %s", path);
    if (status == ERR_NOT_FOUND)
        status = not_found(path, err);
    if (status != OK)
        problems_add(all, err);
    else
        status = env_file_parse(buf_str(&text), path, a, all, f, err);
    if (status == OK) {
        *ret = (struct env_file_taken){0};
        take(f, ret);
        ret->others_read_it =
            stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRGRP | S_IROTH));
    }
    if (text.ptr)
        explicit_bzero(text.ptr, text.len);
    buf_done(&text);
    arena_free(a);
    free(f);
    return status;
}
