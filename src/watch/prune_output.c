/* Counts in a sentence or an object; times as dates. */
#include "watch/prune_output.h"

#include "base/money.h"
#include "watch/spend_output.h"

static void write_range(const struct ledger_old *old, struct buf *out)
{
    buf_add_c(out, ": from ");
    spend_time_write(out, old->first_ms);
    buf_add_c(out, " to ");
    spend_time_write(out, old->last_ms);
    buf_addf(out, ", %lld with feedback, USD ", (long long)old->feedback);
    money_format_usd(out, old->nano_usd);
}

void prune_write_text(const struct prune_told *t, struct buf *out)
{
    uint64_t requests = t->dry_run ? (uint64_t)t->old.requests : t->erased;
    buf_addf(out, "%llu request%s%s erased that began before ", (unsigned long long)requests,
             requests == 1 ? "" : "s", t->dry_run ? " would be" : "");
    spend_time_write(out, t->before_ms);
    if (t->old.requests > 0)
        write_range(&t->old, out);
    buf_add_char(out, '\n');
    if (t->old.open)
        buf_addf(out, "%lld as old that %s open stay%s\n", (long long)t->old.open,
                 t->old.open == 1 ? "is" : "are", t->old.open == 1 ? "s" : "");
    if (t->compact && !t->dry_run)
        buf_addf(out, "%.1f MB given back\n", (double)t->freed_bytes * 1e-6);
}

static void write_time(const char *name, int64_t ms, bool there, struct buf *out)
{
    buf_addf(out, ",\"%s\":%s", name, there ? "\"" : "null");
    if (!there)
        return;
    spend_time_write(out, ms);
    buf_add_char(out, '"');
}

void prune_write_json(const struct prune_told *t, struct buf *out)
{
    buf_addf(out, "{\"dry_run\":%s,\"erased\":%llu", t->dry_run ? "true" : "false",
             (unsigned long long)t->erased);
    write_time("before", t->before_ms, true, out);
    buf_addf(out, ",\"requests\":%lld,\"feedback\":%lld,\"open\":%lld,\"cost_usd\":",
             (long long)t->old.requests, (long long)t->old.feedback, (long long)t->old.open);
    money_format_usd(out, t->old.nano_usd);
    write_time("first", t->old.first_ms, t->old.requests > 0, out);
    write_time("last", t->old.last_ms, t->old.requests > 0, out);
    buf_addf(out, ",\"freed_bytes\":%llu}\n", (unsigned long long)t->freed_bytes);
}
