/* A row of the ledger as a row of a table: columns in the order of the names, amounts in USD, times in milliseconds and
 * as dates. What a row lacks is an empty cell.
 *
 * Writes to a stream a buffer at a time, on a command's thread; pure but for that. */
#include "watch/ledger_export.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/csv.h"
#include "base/json.h"
#include "base/money.h"
#include "watch/request_json.h"

#define OUTPUT_BYTES     65536
#define OUTPUT_BYTES_MAX (1u << 20)
#define DAY_TEXT_BYTES   40

static const char *const names[] = {"id",
                                    "begin",
                                    "begin_ms",
                                    "outcome",
                                    "front",
                                    "key",
                                    "policy",
                                    "model",
                                    "plan",
                                    "expert",
                                    "stream",
                                    "cached",
                                    "quality",
                                    "lambda",
                                    "predicted_cost_usd",
                                    "reference_cost_usd",
                                    "cost_usd",
                                    "cost_basis",
                                    "input_tokens",
                                    "cached_tokens",
                                    "cache_write_tokens",
                                    "output_tokens",
                                    "reasoning_tokens",
                                    "status",
                                    "attempts",
                                    "first_token_ms",
                                    "total_ms",
                                    "error",
                                    "instance",
                                    "score",
                                    "comment",
                                    "feedback_ms"};

enum status ledger_export_format_parse(struct str name, enum ledger_export_format *ret)
{
    bool csv = str_equal(name, STR("csv"));
    if (!csv && !str_equal(name, STR("jsonl")))
        return ERR_INPUT;
    *ret = csv ? LEDGER_EXPORT_CSV : LEDGER_EXPORT_JSONL;
    return OK;
}

/* Cells */

static void next(struct buf *out)
{
    buf_add_char(out, ',');
}

/* What spreadsheets take for a formula. */
static bool is_formula(struct str s)
{
    return s.len > 0 && memchr("=+-@\t\r", s.ptr[0], 6);
}

static void add_text(struct buf *out, struct str text)
{
    struct buf safe;
    if (!is_formula(text)) {
        csv_write_cell(out, text);
        return;
    }
    buf_init(&safe, OUTPUT_BYTES_MAX);
    buf_add_char(&safe, '\'');
    buf_add(&safe, text);
    csv_write_cell(out, buf_str(&safe));
    buf_done(&safe);
}

static void add_integer(struct buf *out, int64_t value, bool known)
{
    next(out);
    if (known)
        buf_addf(out, "%lld", (long long)value);
}

static void add_usd(struct buf *out, int64_t nano_usd)
{
    next(out);
    money_format_usd(out, nano_usd);
}

static void add_real(struct buf *out, double value)
{
    next(out);
    json_write_double(out, value);
}

static void add_texts(struct buf *out, const struct str *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        next(out);
        add_text(out, texts[i]);
    }
}

static void add_begin(struct buf *out, int64_t ms)
{
    char day[DAY_TEXT_BYTES];
    time_t at = (time_t)(ms / 1000);
    struct tm utc;
    next(out);
    if (gmtime_r(&at, &utc) && strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc) > 0)
        buf_addf(out, "%s.%03dZ", day, (int)(ms % 1000 < 0 ? 0 : ms % 1000));
    add_integer(out, ms, true);
}

void ledger_export_names(struct buf *out)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        buf_addf(out, "%s%s", i ? "," : "", names[i]);
    buf_add_char(out, '\n');
}

/* One piece: the cells in the order of the names. */
void ledger_export_row(const struct ledger_found *f, struct buf *out)
{
    const struct str what[] = {f->outcome, f->front, f->key,   f->policy,
                               f->model,   f->plan,  f->expert};
    const struct str end[] = {f->problem, f->instance};
    add_text(out, f->id);
    add_begin(out, f->begin_ms);
    add_texts(out, what, sizeof(what) / sizeof(what[0]));
    add_integer(out, f->stream, true);
    add_integer(out, f->cached, true);
    add_real(out, f->quality);
    add_real(out, f->lambda);
    add_usd(out, f->predicted_nano_usd);
    add_usd(out, f->reference_nano_usd);
    add_usd(out, f->cost_nano_usd);
    add_texts(out, &f->basis, 1);
    add_integer(out, f->input_tokens, true);
    add_integer(out, f->cached_tokens, true);
    add_integer(out, f->cache_write_tokens, true);
    add_integer(out, f->output_tokens, true);
    add_integer(out, f->reasoning_tokens, true);
    add_integer(out, f->http_status, f->http_status != 0);
    add_integer(out, f->attempts, true);
    add_integer(out, f->first_token_ms, f->first_token_ms >= 0);
    add_integer(out, f->total_ms, f->total_ms >= 0);
    add_texts(out, end, 2);
    if (f->has_feedback)
        add_real(out, f->score);
    else
        next(out);
    add_texts(out, &f->comment, 1);
    add_integer(out, f->feedback_ms, f->has_feedback);
    buf_add_char(out, '\n');
}

/* The stream */

struct exporting {
    enum ledger_export_format format;
    struct buf text;
    FILE *out;
    uint64_t rows;
};

static enum status flush(struct exporting *e, struct error *err)
{
    enum status status = buf_status(&e->text, err);
    if (status == OK && e->text.len > 0 &&
        fwrite(e->text.ptr, 1, e->text.len, e->out) != e->text.len)
        status = error_set_errno(err, ERR_IO, errno, "the output takes no more");
    buf_clear(&e->text);
    return status;
}

static enum status take(const struct ledger_found *found, void *arg, struct error *err)
{
    struct exporting *e = arg;
    if (e->format == LEDGER_EXPORT_CSV) {
        ledger_export_row(found, &e->text);
    } else {
        request_json_write(found, NULL, &e->text);
        buf_add_char(&e->text, '\n');
    }
    e->rows++;
    return e->text.len >= OUTPUT_BYTES ? flush(e, err) : buf_status(&e->text, err);
}

enum status ledger_export(struct ledger_reader *r, const struct ledger_filter *f,
                          enum ledger_export_format format, FILE *out, uint64_t *ret_rows,
                          struct error *err)
{
    struct exporting e = {.format = format, .out = out};
    buf_init(&e.text, OUTPUT_BYTES_MAX);
    if (format == LEDGER_EXPORT_CSV)
        ledger_export_names(&e.text);
    enum status status = ledger_each(r, f, take, &e, err);
    if (status == OK)
        status = flush(&e, err);
    buf_done(&e.text);
    *ret_rows = e.rows;
    return status;
}
