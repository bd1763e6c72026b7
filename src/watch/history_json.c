/* A row a figure, a number for each step: short, and what a chart wants. */
#include "watch/history_json.h"

#include "base/json.h"
#include "base/money.h"

static void write_ms(struct buf *out, uint32_t ms)
{
    if (ms == HISTORY_MS_UNKNOWN)
        buf_add_c(out, "null");
    else
        buf_add_int(out, ms);
}

static void write_answered(const struct history_rows *r, struct buf *out)
{
    buf_add_c(out, ",\"experts\":[");
    for (size_t k = 0; k < r->expert_count; k++) {
        buf_add_c(out, k ? "," : "");
        json_write_string(out, str_from(r->names[k]));
    }
    buf_add_c(out, "],\"answered\":[");
    for (size_t i = 0; i < r->count; i++) {
        buf_add_c(out, i ? ",[" : "[");
        for (size_t k = 0; k < r->expert_count; k++) {
            buf_add_c(out, k ? "," : "");
            buf_add_int(out, r->answered[k][i]);
        }
        buf_add_char(out, ']');
    }
    buf_add_char(out, ']');
}

enum column { REQUESTS, ERRORS, USD, REFERENCE, P50, P95, FIRST_TOKEN, COLUMNS };

/* One piece: a line for each column. */
static void write_cell(enum column column, const struct history_step *s, struct buf *out)
{
    switch (column) {
    case REQUESTS:
        buf_add_int(out, s->requests);
        break;
    case ERRORS:
        buf_add_int(out, s->failed);
        break;
    case USD:
        money_format_usd(out, s->nano_usd);
        break;
    case REFERENCE:
        money_format_usd(out, s->reference_nano_usd);
        break;
    case P50:
        write_ms(out, s->p50_ms);
        break;
    case P95:
        write_ms(out, s->p95_ms);
        break;
    case FIRST_TOKEN:
    case COLUMNS:
        write_ms(out, s->first_token_p50_ms);
        break;
    }
}

static void write_columns(const struct history_rows *r, struct buf *out)
{
    static const char *const names[COLUMNS] = {
        "requests", "errors", "usd", "reference_usd", "p50_ms", "p95_ms", "first_token_p50_ms"};
    for (size_t c = 0; c < COLUMNS; c++) {
        buf_addf(out, ",\"%s\":[", names[c]);
        for (size_t i = 0; i < r->count; i++) {
            buf_add_c(out, i ? "," : "");
            write_cell((enum column)c, &r->steps[i], out);
        }
        buf_add_char(out, ']');
    }
}

void history_json_write(const struct history_rows *rows, struct buf *out)
{
    buf_addf(out, "{\"step_s\":%u,\"from_ms\":%lld", rows->step_s, (long long)rows->from_ms);
    write_answered(rows, out);
    write_columns(rows, out);
    buf_add_char(out, '}');
}
