/* What `leeroo spend` prints, and the times that it takes.
 *
 * Amounts are exact to the nano-dollar in JSON and have six decimals in the table, rounded half away from zero. Times
 * are UTC, whatever the machine's zone. Nothing is printed here: it goes to a buffer, whose limit the caller chooses
 * and whose status the caller looks at. */
#include "watch/spend_output.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/money.h"

#define NAME_WIDTH_MAX 40
#define COLUMNS        10
#define CELL_BYTES     48

const char *spend_by_name(enum spend_by by)
{
    static const char *const names[] = {
        [SPEND_KEY] = "key",       [SPEND_EXPERT] = "expert", [SPEND_DAY] = "day",
        [SPEND_POLICY] = "policy", [SPEND_FRONT] = "front",   [SPEND_TOTAL] = "total"};
    return names[by];
}

/* Times */

void spend_time_write(struct buf *out, int64_t ms)
{
    time_t at = (time_t)(ms / 1000);
    struct tm utc;
    char text[32];
    gmtime_r(&at, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    buf_add_c(out, text);
}

/* A date, or with `clock` a time, in exactly that form and one that exists. */
static bool parse_utc(const char *text, bool clock, int64_t *ret_ms)
{
    struct tm utc = {0};
    struct buf again;
    buf_init(&again, 64);
    const char *end = strptime(text, clock ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d", &utc);
    int64_t ms = (int64_t)timegm(&utc) * 1000;
    spend_time_write(&again, ms);
    struct str same = str_slice(buf_str(&again), 0, clock ? again.len : strlen("2026-11-22"));
    bool fits = end && !*end && str_equal(same, str_from(text));
    buf_done(&again);
    if (fits)
        *ret_ms = ms;
    return fits;
}

enum status spend_time_parse(const char *text, int64_t now_ms, int64_t *ret_ms)
{
    static const struct {
        char letter;
        int64_t ms;
    } units[] = {{'d', 86400000}, {'h', 3600000}, {'m', 60000}};
    struct str s = str_from(text);
    int64_t number = 0, ms = 0;
    for (size_t i = 0; i < 3 && s.len > 1; i++)
        if (s.ptr[s.len - 1] == units[i].letter && s.len < 8 &&
            str_to_int64(str_slice(s, 0, s.len - 1), &number) == OK && number >= 0) {
            *ret_ms = now_ms - number * units[i].ms;
            return OK;
        }
    if (!parse_utc(text, false, &ms) && !parse_utc(text, true, &ms))
        return ERR_INPUT;
    *ret_ms = ms;
    return OK;
}

/* The table */

static const char *const titles[COLUMNS] = {"requests",  "input tokens", "cached",  "output tokens",
                                            "spent $",   "reference $",  "saved $", "saved",
                                            "estimated", "failed"};

static void format_count(int64_t n, char into[CELL_BYTES])
{
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)n), at = 0;
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
            into[at++] = ',';
        into[at++] = digits[i];
    }
    into[at] = 0;
}

/* Six decimals, rounded half away from zero. */
static void format_usd(int64_t nano_usd, char into[CELL_BYTES])
{
    bool negative = nano_usd < 0;
    uint64_t micro = ((negative ? 0 - (uint64_t)nano_usd : (uint64_t)nano_usd) + 500) / 1000;
    snprintf(into, CELL_BYTES, "%s%llu.%06llu", negative && micro ? "-" : "",
             (unsigned long long)(micro / 1000000), (unsigned long long)(micro % 1000000));
}

static void format_share(int64_t part, int64_t whole, char into[CELL_BYTES])
{
    if (whole > 0)
        snprintf(into, CELL_BYTES, "%.1f %%", 100.0 * (double)part / (double)whole);
    else
        snprintf(into, CELL_BYTES, "-");
}

static void format_row(const struct spend *s, char cells[COLUMNS][CELL_BYTES])
{
    int64_t saved = s->reference_nano_usd - s->cost_nano_usd;
    format_count(s->requests, cells[0]);
    format_count(s->input_tokens, cells[1]);
    format_count(s->cached_tokens, cells[2]);
    format_count(s->output_tokens, cells[3]);
    format_usd(s->cost_nano_usd, cells[4]);
    format_usd(s->reference_nano_usd, cells[5]);
    format_usd(saved, cells[6]);
    format_share(saved, s->reference_nano_usd, cells[7]);
    format_share(s->estimated_nano_usd, s->cost_nano_usd, cells[8]);
    format_count(s->failed, cells[9]);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static struct str shown(struct str group)
{
    return group.len > 0 ? str_slice(group, 0, NAME_WIDTH_MAX) : STR("-");
}

struct shown_table {
    size_t name_width, widths[COLUMNS];
    bool hidden[COLUMNS], empty[COLUMNS]; /* empty: 0 in every row */
};

static void add_row(struct buf *out, struct str name, const struct shown_table *t,
                    const struct spend *s)
{
    char cells[COLUMNS][CELL_BYTES];
    format_row(s, cells);
    buf_addf(out, "%-*.*s", (int)t->name_width, STR_FMT(name));
    for (size_t i = 0; i < COLUMNS; i++)
        if (!t->hidden[i])
            buf_addf(out, "  %*s", (int)t->widths[i], cells[i]);
    buf_add_char(out, '\n');
}

static void measure(const struct spend *s, struct shown_table *t)
{
    char cells[COLUMNS][CELL_BYTES];
    format_row(s, cells);
    for (size_t i = 0; i < COLUMNS; i++) {
        t->widths[i] = larger(t->widths[i], strlen(cells[i]));
        t->empty[i] &= !strpbrk(cells[i], "123456789");
    }
}

/* With one blank between columns, which is what remains when it is fitted. */
static size_t least_width(const struct shown_table *t)
{
    size_t width = t->name_width;
    for (size_t i = 0; i < COLUMNS; i++)
        width += t->hidden[i] ? 0 : 1 + t->widths[i];
    return width;
}

/* First the columns that say nothing, then those that matter least. */
static void hide(struct shown_table *t, size_t columns)
{
    static const size_t order[] = {2, 8, 9, 3, 1};
    const size_t count = sizeof(order) / sizeof(order[0]);
    for (size_t i = 0; i < 2 * count && columns && least_width(t) > columns; i++)
        t->hidden[order[i % count]] |= i >= count || t->empty[order[i % count]];
}

static void write_hidden(const struct shown_table *t, struct buf *out)
{
    const char *before = "\nno room for: ";
    for (size_t i = 0; i < COLUMNS; i++) {
        if (t->hidden[i])
            buf_addf(out, "%s%s", before, titles[i]);
        before = t->hidden[i] ? ", " : before;
    }
    if (*before == ',')
        buf_add_c(out, "; a wider terminal or --json has it\n");
}

static void write_notes(const struct spend_list *l, struct buf *out)
{
    char usd[CELL_BYTES];
    if (l->total.requests == 0)
        buf_add_c(out,
                  "\nno requests: what `leeroo serve` serves is counted, `leeroo ask` is not\n");
    if (l->total.open > 0)
        buf_addf(out, "\n%lld still running, not counted in what was spent\n",
                 (long long)l->total.open);
    if (l->loss.rows == 0)
        return;
    format_usd(l->loss.nano_usd, usd);
    buf_addf(out, "\n%lld rows were lost while storage was away: $%s\n", (long long)l->loss.rows,
             usd);
}

void spend_write_table(const struct spend_list *l, size_t columns, struct buf *out)
{
    const char *by = spend_by_name(l->by);
    struct shown_table t = {.name_width = larger(strlen(by), strlen("total"))};
    for (size_t i = 0; i < COLUMNS; i++) {
        t.widths[i] = strlen(titles[i]);
        t.empty[i] = true;
    }
    measure(&l->total, &t);
    for (size_t i = 0; i < l->count; i++) {
        t.name_width = larger(t.name_width, shown(l->rows[i].group).len);
        measure(&l->rows[i], &t);
    }
    hide(&t, columns);
    buf_addf(out, "%-*s", (int)t.name_width, by);
    for (size_t i = 0; i < COLUMNS; i++)
        if (!t.hidden[i])
            buf_addf(out, "  %*s", (int)t.widths[i], titles[i]);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < l->count; i++)
        add_row(out, shown(l->rows[i].group), &t, &l->rows[i]);
    add_row(out, STR("total"), &t, &l->total);
    write_hidden(&t, out);
    write_notes(l, out);
}

/* JSON */

static void write_usd(struct buf *out, const char *key, int64_t nano_usd)
{
    buf_addf(out, ",\"%s\":", key);
    money_format_usd(out, nano_usd);
}

static void write_figures(struct buf *out, const struct spend *s)
{
    int64_t saved = s->reference_nano_usd - s->cost_nano_usd;
    buf_addf(out,
             "\"requests\":%lld,\"open\":%lld,\"failed\":%lld,\"input_tokens\":%lld,"
             "\"cached_tokens\":%lld,\"output_tokens\":%lld",
             (long long)s->requests, (long long)s->open, (long long)s->failed,
             (long long)s->input_tokens, (long long)s->cached_tokens, (long long)s->output_tokens);
    write_usd(out, "spent_usd", s->cost_nano_usd);
    write_usd(out, "reference_usd", s->reference_nano_usd);
    write_usd(out, "saved_usd", saved);
    buf_add_c(out, ",\"saved_share\":");
    if (s->reference_nano_usd > 0)
        json_write_double(out, (double)saved / (double)s->reference_nano_usd);
    else
        buf_add_c(out, "null");
    write_usd(out, "estimated_usd", s->estimated_nano_usd);
}

static void write_time(struct buf *out, const char *key, int64_t ms, int64_t never)
{
    buf_addf(out, ",\"%s\":", key);
    buf_add_c(out, ms == never ? "null" : "\"");
    if (ms != never) {
        spend_time_write(out, ms);
        buf_add_char(out, '"');
    }
}

void spend_write_json(const struct spend_list *l, struct buf *out)
{
    buf_addf(out, "{\"by\":\"%s\"", spend_by_name(l->by));
    write_time(out, "since", l->since_ms, INT64_MIN);
    write_time(out, "until", l->until_ms, INT64_MAX);
    buf_add_c(out, ",\"groups\":[");
    for (size_t i = 0; i < l->count; i++) {
        buf_add_c(out, i ? ",{\"name\":" : "{\"name\":");
        json_write_string(out, l->rows[i].group);
        buf_add_char(out, ',');
        write_figures(out, &l->rows[i]);
        buf_add_char(out, '}');
    }
    buf_add_c(out, "],\"total\":{");
    write_figures(out, &l->total);
    buf_addf(out, "},\"lost\":{\"rows\":%lld", (long long)l->loss.rows);
    write_usd(out, "usd", l->loss.nano_usd);
    buf_add_c(out, "}}\n");
}
