/* The keys as a table for people and as JSON for programs; never a secret, nor a digest of one. */
#include <stdio.h>

#include "base/file.h"
#include "base/money.h"
#include "print/keys_list.h"

#define CELL_BYTES_MAX 64
#define JSON_BYTES_MAX (16u << 20)
#define LIST_BYTES_MAX 4096

static const char *state_of(const struct key_row *row, int64_t now_ms)
{
    const char *refused = key_row_refused(row, now_ms);
    return refused ? refused : "live";
}

static void print_amount(FILE *out, const struct key_spent *spent, enum key_period p,
                         int64_t budget)
{
    struct buf cell;
    buf_init(&cell, CELL_BYTES_MAX);
    if (key_spent_is_lost(spent, NULL))
        buf_add_c(&cell, "lost");
    else
        money_format_usd_short(&cell, spent->nano_usd[p]);
    if (budget != KEY_UNLIMITED) {
        buf_add_char(&cell, '/');
        money_format_usd_short(&cell, budget);
    }
    fprintf(out, " %16s", cell.ptr ? cell.ptr : "");
    buf_done(&cell);
}

static void add_names(struct buf *out, const char *what, const struct key_names *names)
{
    for (size_t i = 0; names->list && i < names->count; i++)
        buf_addf(out, "%s%.*s", i ? "," : what, STR_FMT(names->list[i]));
}

static void print_limits(FILE *out, const struct key_row *row)
{
    const struct key_limits *l = &row->limits;
    struct buf text;
    buf_init(&text, LIST_BYTES_MAX);
    if (l->requests_per_minute != KEY_UNLIMITED)
        buf_addf(&text, " requests/min=%lld", (long long)l->requests_per_minute);
    if (l->tokens_per_minute != KEY_UNLIMITED)
        buf_addf(&text, " tokens/min=%lld", (long long)l->tokens_per_minute);
    add_names(&text, " experts=", &l->experts);
    add_names(&text, " policies=", &l->policies);
    if (row->expires_ms != 0) {
        buf_add_c(&text, " expires=");
        key_time_write(&text, row->expires_ms);
    }
    fprintf(out, "%s%s\n", text.len ? " " : "", text.ptr ? text.ptr : "");
    buf_done(&text);
}

void keys_print_table(const struct key_file *f, const struct key_spent *spent, int64_t now_ms,
                      FILE *out)
{
    fprintf(out, "%-15s %-20s %-7s %-8s %16s %16s %16s  %s\n", "ID", "NAME", "ROLE", "STATE",
            "TODAY USD", "MONTH USD", "TOTAL USD", "LIMITS");
    for (size_t i = 0; i < f->count; i++) {
        const struct key_row *row = &f->rows[i];
        fprintf(out, "%-15.*s %-20.*s %-7s %-8s", STR_FMT(row->id), STR_FMT(row->name),
                key_role_name(row->role), state_of(row, now_ms));
        for (enum key_period p = KEY_DAY; p < KEY_PERIODS; p++)
            print_amount(out, &spent[i], p, row->limits.budget_nano_usd[p]);
        print_limits(out, row);
    }
}

static void write_row(struct buf *out, const struct key_row *row, const struct key_spent *spent,
                      int64_t now_ms)
{
    bool lost = key_spent_is_lost(spent, NULL);
    key_row_write(row, false, out);
    if (row->role != KEY_ADMIN) /* which is a member of its row */
        buf_addf(out, ", \"role\": \"%s\"", key_role_name(row->role));
    buf_addf(out, ", \"state\": \"%s\", \"spent_usd\": {", state_of(row, now_ms));
    for (enum key_period p = KEY_DAY; p < KEY_PERIODS; p++) {
        buf_addf(out, "%s\"%s\": ", p ? ", " : "", key_period_name(p));
        money_format_usd(out, lost ? 0 : spent->nano_usd[p]);
    }
    buf_add_c(out, lost ? "}, \"spent_lost\": true" : "}");
}

enum status keys_print_json(const struct key_file *f, const struct key_spent *spent, int64_t now_ms,
                            FILE *to, struct error *err)
{
    struct buf out;
    buf_init(&out, JSON_BYTES_MAX);
    buf_add_char(&out, '[');
    for (size_t i = 0; i < f->count; i++) {
        buf_add_c(&out, i ? ",\n {" : "{");
        write_row(&out, &f->rows[i], &spent[i], now_ms);
        buf_add_char(&out, '}');
    }
    buf_add_char(&out, ']');
    buf_add_char(&out, '\n');
    return file_print(to, &out, err);
}
