/* Writes the rows: what they are made of is picked in export_pick.c, texts come from export_texts.c.
 *
 * A row is written when it is made, and nothing of it is kept. The names of members are those of TRL and of OpenAI, and
 * there are no others: OpenAI refuses what it does not know. One thread. */
#include "export/export_int.h"

#include <errno.h>

#include "base/json.h"

const char *export_reason_text(enum export_reason reason)
{
    static const char *const texts[EXPORT_REASONS] = {
        [EXPORT_EMPTY] = "without a text",
        [EXPORT_REPEATED] = "asked before in the same words",
        [EXPORT_UNKNOWN] = "without a known outcome",
        [EXPORT_UNSOLVED] = "that nobody answered right",
        [EXPORT_NO_PAIR] = "where nobody is worse by more than the margin",
    };
    return texts[reason];
}

struct writing {
    struct exporting *x;
    struct export_texts *texts; /* NULL: routing */
    FILE *out;
    struct buf preamble, tail, line, chosen, rejected;
};

/* Opens a list of messages, that of the user in it. */
static void add_user(struct writing *w, const char *member, const struct query *q)
{
    buf_addf(&w->line, "\"%s\":[{\"role\":\"user\",\"content\":\"", member);
    buf_add(&w->line, buf_str(&w->preamble));
    json_write_inside(&w->line, q->prompt);
    buf_add(&w->line, buf_str(&w->tail));
    buf_add_c(&w->line, "\"}");
}

static void add_assistant(struct writing *w, struct str text)
{
    buf_add_c(&w->line, "{\"role\":\"assistant\",\"content\":");
    json_write_string(&w->line, text);
    buf_add_c(&w->line, "}]");
}

static void add_reply(struct writing *w, const char *member, struct str text)
{
    buf_addf(&w->line, ",\"%s\":[", member);
    add_assistant(w, text);
}

/* The whole conversation in one list. */
static void add_both(struct writing *w, const char *member, const struct query *q, struct str text)
{
    add_user(w, member, q);
    buf_add_char(&w->line, ',');
    add_assistant(w, text);
}

static void add_line(struct writing *w, const struct query *q, struct str chosen,
                     struct str rejected)
{
    enum export_format format = w->x->o->format;
    buf_clear(&w->line);
    buf_add_char(&w->line, '{');
    if (format == EXPORT_OPENAI) {
        add_both(w, "messages", q, chosen);
    } else if (format == EXPORT_PREFERENCE) {
        add_both(w, "chosen", q, chosen);
        buf_add_char(&w->line, ',');
        add_both(w, "rejected", q, rejected);
    } else {
        add_user(w, "prompt", q);
        buf_add_char(&w->line, ']');
        add_reply(w, format == EXPORT_SFT ? "completion" : "chosen", chosen);
        if (format == EXPORT_DPO)
            add_reply(w, "rejected", rejected);
    }
    buf_add_c(&w->line, "}\n");
}

/* The expert's label, or what it said. */
static enum status read_reply(struct writing *w, uint32_t query, uint32_t expert, struct buf *into,
                              struct error *err)
{
    if (expert == EXPORT_NOBODY)
        return OK;
    if (w->texts)
        return export_text_read(w->texts, query, expert, into, err);
    char label;
    buf_clear(into);
    buf_add(into, export_label(w->x, expert, &label));
    return buf_status(into, err);
}

static enum status write_row(struct writing *w, const struct export_row *row, struct error *err)
{
    enum status status = read_reply(w, row->query, row->chosen, &w->chosen, err);
    if (status == OK)
        status = read_reply(w, row->query, row->rejected, &w->rejected, err);
    if (status != OK)
        return status;
    if (row->rejected != EXPORT_NOBODY && str_equal(buf_str(&w->chosen), buf_str(&w->rejected))) {
        w->x->figures->same_answers++;
        return OK;
    }
    add_line(w, &w->x->d->queries[row->query], buf_str(&w->chosen), buf_str(&w->rejected));
    status = buf_status(&w->line, err);
    if (status != OK)
        return status;
    if (fwrite(w->line.ptr, 1, w->line.len, w->out) != w->line.len)
        return error_set_errno(err, ERR_IO, errno, "cannot write the rows");
    w->x->figures->rows++;
    return OK;
}

static enum status write_rows(struct exporting *x, struct export_texts *texts, FILE *out,
                              struct error *err)
{
    struct writing w = {.x = x, .texts = texts, .out = out};
    struct buf *const bufs[] = {&w.preamble, &w.tail, &w.line, &w.chosen, &w.rejected};
    const size_t count = sizeof(bufs) / sizeof(bufs[0]);
    for (size_t i = 0; i < count; i++)
        buf_init(bufs[i], EXPORT_ROW_BYTES_MAX);
    enum status status = export_preamble_write(x, &w.preamble, err);
    export_tail_write(x, &w.tail);
    for (size_t i = 0; i < x->row_count && status == OK; i++)
        status = write_row(&w, &x->rows[i], err);
    if (status == OK && x->figures->rows == 0)
        status =
            error_set(err, ERR_INPUT,
                      "%.*s: no query has a row: in all of %zu pairs both answers are the same",
                      STR_FMT(x->d->path), x->row_count);
    for (size_t i = 0; i < count; i++)
        buf_done(bufs[i]);
    return status;
}

/* A file without a line helps nobody, and the `datasets` library cannot read it. */
static enum status check_rows(const struct exporting *x, struct error *err)
{
    size_t most = 0;
    if (x->row_count > 0)
        return OK;
    for (size_t i = 1; i < EXPORT_REASONS; i++)
        if (x->figures->left_out[i] > x->figures->left_out[most])
            most = i;
    return error_set(err, ERR_INPUT, "%.*s: no query has a row: %zu of %zu are queries %s",
                     STR_FMT(x->d->path), x->figures->left_out[most], x->d->query_count,
                     export_reason_text((enum export_reason)most));
}

static enum status open_cells(struct exporting *x, struct error *err)
{
    size_t cells = x->d->query_count * x->d->expert_count;
    x->arena = arena_create(EXPORT_BYTES_MAX);
    if (x->arena)
        x->cells = ARENA_ARRAY(x->arena, cells + 1, uint8_t);
    x->figures->labels = ARENA_ARRAY(x->d->arena, x->d->expert_count + 1, size_t);
    return x->cells && x->figures->labels ? OK : error_set(err, ERR_MEMORY, "out of memory");
}

enum status export_write(const struct dataset *d, const struct export_options *o, FILE *out,
                         struct export_figures *ret, struct error *err)
{
    struct export_figures figures = {0};
    struct exporting x = {.d = d, .o = o, .figures = &figures};
    struct export_texts *texts = NULL;
    enum status status = open_cells(&x, err);
    if (status == OK && o->subject == EXPORT_ANSWERS)
        status = export_texts_find(&x, &texts, err);
    if (status == OK) {
        export_candidates_mark(&x);
        status = export_rows_pick(&x, err);
    }
    if (status == OK)
        status = check_rows(&x, err);
    if (status == OK && texts)
        status = export_texts_gather(texts, err);
    if (status == OK)
        status = write_rows(&x, texts, out, err);
    export_texts_free(texts);
    arena_free(x.arena);
    if (status == OK)
        *ret = figures;
    return status;
}
