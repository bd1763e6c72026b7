/* Writes data sets: see dataset_write.h. Each file is built in a buffer a line at a time and appears under its name
 * only when it is whole, so a failure never leaves half a file.
 *
 * It belongs to one command's thread and waits for the disk, so it is never called by the gateway. The data set is only
 * read. */
#include "data/dataset_write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/csv.h"
#include "base/file.h"
#include "base/json.h"
#include "base/name.h"
#include "data/check_column.h"

#define PATH_BYTES_MAX  4096
#define WRITE_BUF_BYTES (64u << 20) /* one line, at most */

static enum status file_path(char path[PATH_BYTES_MAX], const char *folder, const char *file,
                             struct error *err)
{
    int len = snprintf(path, PATH_BYTES_MAX, "%s/%s", folder, file);
    if (len < 0 || len >= PATH_BYTES_MAX)
        return error_set(err, ERR_TOO_LARGE, "the path %s is too long", folder);
    return OK;
}

/* Moves the buffer to the file. */
static enum status put(struct file_out *out, struct buf *b, struct error *err)
{
    enum status status = buf_status(b, err);
    if (status == OK && b->len > 0 && fwrite(b->ptr, 1, b->len, out->stream) != b->len)
        status = error_set_errno(err, ERR_IO, errno, "cannot write %s", out->path);
    buf_clear(b);
    return status;
}

/* A file in the folder, written line by line: line(d, index, b, arg) appends one. */
typedef void line_writer(const struct dataset *d, size_t index, struct buf *b, const void *arg);

static enum status write_lines(const struct dataset *d, const char *path, const char *header,
                               size_t count, line_writer *line, const void *arg, struct error *err)
{
    struct file_out out;
    struct buf b;
    enum status status = file_out_open(path, &out, err);
    if (status != OK)
        return status;
    buf_init(&b, WRITE_BUF_BYTES);
    buf_add_c(&b, header);
    for (size_t i = 0; i < count && status == OK; i++) {
        line(d, i, &b, arg);
        status = put(&out, &b, err);
    }
    if (status == OK)
        status = put(&out, &b, err);
    buf_done(&b);
    if (status == OK)
        return file_out_commit(&out, err);
    file_out_abort(&out);
    return status;
}

static void write_member(struct buf *b, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_addf(b, ",\"%s\":", name);
    json_write_string(b, value);
}

void query_write(const struct query *q, struct buf *b)
{
    buf_add(b, STR("{\"id\":"));
    json_write_string(b, q->id);
    buf_add(b, STR(",\"text\":"));
    json_write_string(b, q->text);
    for (uint32_t c = 0; c < q->choice_count; c++) {
        buf_add(b, c == 0 ? STR(",\"choices\":[") : STR(","));
        json_write_string(b, q->choices[c]);
    }
    if (q->choice_count > 0)
        buf_add_char(b, ']');
    write_member(b, "answer", q->answer);
    write_member(b, "task", q->task);
    write_member(b, "domain", q->domain);
    if (q->check.len > 0) {
        buf_add(b, STR(",\"check\":"));
        buf_add(b, q->check);
    }
    buf_add(b, STR("}\n"));
}

static void query_line(const struct dataset *d, size_t index, struct buf *b, const void *arg)
{
    (void)arg;
    query_write(&d->queries[index], b);
}

/* Dollars without the zeros that say nothing: 0.1, not 0.100000000. */
static void write_price(struct buf *b, int64_t nano_usd)
{
    money_format_usd(b, nano_usd);
    while (b->len > 1 && b->ptr[b->len - 1] == '0' && b->ptr[b->len - 2] != '.')
        b->ptr[--b->len] = '\0';
}

/* Prices that have a column if at least one expert's differs from what it is without one. */
static const struct {
    const char *column;
    int64_t (*of)(const struct price *);
} other_prices[] = {
    {"usd_per_m_cached_input", price_cached_input_nano_usd_per_m},
    {"usd_per_m_cache_write", price_cache_write_nano_usd_per_m},
    {"usd_per_m_cache_write_1h", price_cache_write_1h_nano_usd_per_m},
    {"usd_per_m_reasoning", price_reasoning_nano_usd_per_m},
};
#define OTHER_PRICES (sizeof(other_prices) / sizeof(other_prices[0]))

/* Which of them have a column: wanted[OTHER_PRICES]. */
static void want_prices(const struct dataset *d, bool *wanted)
{
    for (size_t e = 0; e < d->expert_count; e++) {
        const struct price *p = &d->experts[e].price;
        wanted[0] |= p->cached_saving_nano_usd_per_m != 0;
        wanted[1] |= p->cache_write_extra_nano_usd_per_m != 0;
        wanted[2] |= p->cache_write_1h_extra_nano_usd_per_m != 0;
        wanted[3] |= p->reasoning_extra_nano_usd_per_m != 0;
    }
}

static void expert_line(const struct dataset *d, size_t index, struct buf *b, const void *arg)
{
    const struct dataset_expert *e = &d->experts[index];
    const bool *wanted = arg;
    bool known = dataset_price_basis(d, index) != PRICE_UNKNOWN;
    csv_write_cell(b, e->name);
    buf_add_char(b, ',');
    if (known)
        write_price(b, e->price.input_nano_usd_per_m);
    buf_add_char(b, ',');
    if (known)
        write_price(b, e->price.output_nano_usd_per_m);
    for (size_t i = 0; i < OTHER_PRICES; i++) {
        if (!wanted[i])
            continue;
        buf_add_char(b, ',');
        if (known)
            write_price(b, other_prices[i].of(&e->price));
    }
    buf_add_char(b, '\n');
}

static enum status write_experts(const struct dataset *d, const char *file, struct error *err)
{
    bool wanted[OTHER_PRICES] = {false};
    char header[160] = "model,usd_per_m_input,usd_per_m_output";
    size_t len = strlen(header);
    want_prices(d, wanted);
    for (size_t i = 0; i < OTHER_PRICES; i++)
        if (wanted[i])
            len +=
                (size_t)snprintf(header + len, sizeof(header) - len, ",%s", other_prices[i].column);
    snprintf(header + len, sizeof(header) - len, "\n");
    return write_lines(d, file, header, d->expert_count, expert_line, wanted, err);
}

/* Columns of outcomes.csv that are there if at least one outcome says something in them. */
struct outcome_extras {
    bool method, confidence;
};

static struct outcome_extras want_extras(const struct dataset *d)
{
    struct outcome_extras wanted = {0};
    for (size_t i = 0; d->outcomes && i < d->query_count * d->expert_count; i++) {
        const struct outcome *o = &d->outcomes[i];
        wanted.method |= o->present && o->method.len > 0;
        wanted.confidence |= o->present && outcome_confidence(o) < 1;
    }
    return wanted;
}

static void write_extras(const struct outcome *o, const struct outcome_extras *wanted,
                         struct buf *b)
{
    if (wanted->method) {
        buf_add_char(b, ',');
        csv_write_cell(b, o->method);
    }
    if (wanted->confidence) {
        buf_add_char(b, ',');
        if (outcome_confidence(o) < 1)
            buf_addf(b, "%.9g", (double)o->confidence);
    }
}

static void write_check(uint8_t said, struct buf *b)
{
    buf_add_char(b, ',');
    if (said != CHECK_UNKNOWN)
        buf_add_char(b, said == CHECK_PASSES ? '1' : '0');
}

/* One row of outcomes.csv. The cells stand one after the other as in the header, so that the order can be checked at a
 * glance; a missing value is an empty cell, never a zero. */
static void outcome_line(const struct dataset *d, size_t index, struct buf *b, const void *arg)
{
    size_t expert = index / d->query_count, query = index % d->query_count;
    CHECK(expert < d->expert_count);
    const struct outcome *o = dataset_outcome(d, query, expert);
    if (!o->present)
        return;
    csv_write_cell(b, d->queries[query].id);
    buf_add_char(b, ',');
    csv_write_cell(b, d->experts[expert].name);
    buf_add_char(b, ',');
    if (o->known)
        buf_addf(b, "%.9g", (double)o->score);
    buf_add_char(b, ',');
    if (o->cost_known)
        money_format_usd(b, o->cost_nano_usd);
    buf_add_char(b, ',');
    if (o->tokens_known)
        buf_addf(b, "%d,%d", o->input_tokens, o->output_tokens);
    else
        buf_add_char(b, ',');
    if (d->has_answers) {
        buf_add_char(b, ',');
        csv_write_cell(b, o->answer);
    }
    write_extras(o, arg, b);
    if (d->check)
        write_check(d->check->cells[query * d->expert_count + expert], b);
    buf_add_char(b, '\n');
}

static enum status write_outcomes(const struct dataset *d, const char *file, struct error *err)
{
    struct outcome_extras wanted = want_extras(d);
    char header[256];
    snprintf(header, sizeof(header),
             "id,model,score,cost_usd,input_tokens,output_tokens%s%s%s%s%s\n",
             d->has_answers ? ",answer" : "", wanted.method ? ",method" : "",
             wanted.confidence ? ",confidence" : "", d->check ? "," : "",
             d->check ? d->check->column : "");
    return write_lines(d, file, header, d->query_count * d->expert_count, outcome_line, &wanted,
                       err);
}

enum status dataset_write(const struct dataset *d, const char *path, struct error *err)
{
    char file[PATH_BYTES_MAX];
    enum status status = file_make_folders(path, true, err);
    if (status == OK)
        status = file_path(file, path, "queries.jsonl", err);
    if (status == OK)
        status = write_lines(d, file, "", d->query_count, query_line, NULL, err);
    if (status == OK)
        status = file_path(file, path, "experts.csv", err);
    if (status == OK)
        status = write_experts(d, file, err);
    if (status == OK)
        status = file_path(file, path, "outcomes.csv", err);
    if (status == OK && d->outcomes)
        status = write_outcomes(d, file, err);
    return status;
}

struct said { /* by one expert */
    const struct str *texts;
    const struct certainty *certainty; /* NULL: none is known */
};

static void response_line(const struct dataset *d, size_t index, struct buf *b, const void *arg)
{
    const struct said *said = arg;
    if (!said->texts[index].ptr)
        return;
    buf_add(b, STR("{\"id\":"));
    json_write_string(b, d->queries[index].id);
    buf_add(b, STR(",\"text\":"));
    json_write_string(b, said->texts[index]);
    if (said->certainty && said->certainty[index].known) {
        buf_add(b, STR(",\"certainty\":"));
        certainty_write(&said->certainty[index], b);
    }
    buf_add(b, STR("}\n"));
}

enum status responses_write(const struct dataset *d, const char *path, struct str model,
                            const struct str *texts, const struct certainty *certainty,
                            struct error *err)
{
    const struct said said = {texts, certainty};
    char file[PATH_BYTES_MAX];
    if (model.len == 0 || expert_name_mistake(model))
        return error_set(err, ERR_INPUT, "'%.*s' cannot name a file of responses", STR_FMT(model));
    int len = snprintf(file, sizeof(file), "%s/responses/%.*s.jsonl", path, STR_FMT(model));
    if (len < 0 || (size_t)len >= sizeof(file))
        return error_set(err, ERR_TOO_LARGE, "the path %s is too long", path);
    enum status status = file_make_folders(file, false, err);
    return status == OK ? write_lines(d, file, "", d->query_count, response_line, &said, err)
                        : status;
}

static enum status copy_file(const char *from, const char *to, struct error *err)
{
    struct file_copy copy;
    struct file_out out;
    enum status status = file_copy_open(from, &copy, err);
    if (status != OK)
        return status;
    status = file_out_open(to, &out, err);
    if (status == OK && copy.len > 0 && fwrite(copy.ptr, 1, copy.len, out.stream) != copy.len) {
        status = error_set_errno(err, ERR_IO, errno, "cannot write %s", to);
        file_out_abort(&out);
    } else if (status == OK) {
        status = file_out_commit(&out, err);
    }
    file_copy_close(&copy);
    return status;
}

enum status responses_copy(const char *from, const char *path, struct str model, struct error *err)
{
    static const char *const endings[] = {"jsonl", "jsonl.gz"};
    char source[PATH_BYTES_MAX], target[PATH_BYTES_MAX];
    if (model.len == 0 || expert_name_mistake(model))
        return error_set(err, ERR_INPUT, "'%.*s' cannot name a file of responses", STR_FMT(model));
    for (size_t i = 0; i < 2; i++) {
        int a = snprintf(source, sizeof(source), "%s/responses/%.*s.%s", from, STR_FMT(model),
                         endings[i]);
        int b = snprintf(target, sizeof(target), "%s/responses/%.*s.%s", path, STR_FMT(model),
                         endings[i]);
        if (a < 0 || b < 0 || a >= PATH_BYTES_MAX || b >= PATH_BYTES_MAX)
            return error_set(err, ERR_TOO_LARGE, "the path %s is too long", path);
        if (access(source, F_OK) != 0)
            continue;
        enum status status = file_make_folders(target, false, err);
        return status == OK ? copy_file(source, target, err) : status;
    }
    return error_set(err, ERR_NOT_FOUND, "%s/responses/%.*s.jsonl is not there", from,
                     STR_FMT(model));
}
