/* A timer that reads ledger_state and tells the log what has changed since: storage that went and came, rows that were
 * lost, and what was pruned.
 *
 * The timer is its loop's; opening and closing wait for files and are of the start and the end of the process. */
#include "watch/ledger_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/money.h"

#define LOOK_MS    1000
#define CLOSE_MS   5000
#define REMIND_MS  60000
#define QUOTED_MAX 400

struct ledger_watch {
    struct ledger *ledger;
    struct loop *loop;
    struct loop_timer *timer;
    struct ledger_state last; /* as last logged */
    uint64_t said_ms;         /* when it was last said that something is wrong */
};

static struct str kind_of(const char *store)
{
    return str_starts(str_from(store), STR("postgres")) ? STR("postgresql") : str_from(store);
}

enum status ledger_watch_open(const struct ledger_options *o, const char *folder,
                              struct ledger **ret, struct error *err)
{
    char store[QUOTED_MAX], journal[QUOTED_MAX];
    *ret = NULL;
    if (!o->store) {
        log_event(LOG_INFO, "no ledger",
                  "mend=\"give a state_dir or ledger.store in the configuration\"");
        return OK;
    }
    if (folder && mkdir(folder, 0700) != 0 && errno != EEXIST)
        return error_set_errno(err, ERR_IO, errno, "state_dir: cannot make %s", folder);
    enum status status = ledger_open(o, ret, err);
    if (status != OK)
        return status;
    log_quote(store, sizeof(store), kind_of(o->store));
    log_quote(journal, sizeof(journal), str_from(o->journal_path));
    log_event(LOG_INFO, "ledger", "store=%s journal=%s", store, journal);
    return OK;
}

static void say(enum log_level level, const char *what, const struct ledger_state *s)
{
    char problem[QUOTED_MAX], usd[32];
    struct buf text;
    buf_init(&text, sizeof(usd));
    money_format_usd(&text, s->lost_nano_usd);
    log_quote(usd, sizeof(usd), buf_str(&text));
    buf_done(&text);
    log_quote(problem, sizeof(problem), str_from(s->problem));
    log_event(level, what,
              "lost_rows=%" PRIu64 " lost_usd=%s journal_used=%" PRIu64 " journal=%" PRIu64
              " damaged_bytes=%" PRIu64 " problem=%s",
              s->lost_rows, usd, s->journal_used_bytes, s->journal_bytes, s->damaged_bytes,
              problem);
}

/* What a run took out, and each that failed: a run tries again by itself. */
static void look_at_pruning(struct ledger_watch *w, const struct ledger_state *now)
{
    const struct ledger_pruning *p = &now->pruning, *last = &w->last.pruning;
    if (p->failures > last->failures)
        say(LOG_WARN, "ledger could not be pruned, tried again in a minute", now);
    if (p->runs > last->runs && p->rows > 0) {
        char before[32];
        time_t at = (time_t)(p->before_ms / 1000);
        struct tm utc;
        gmtime_r(&at, &utc);
        if (strftime(before, sizeof(before), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
            before[0] = 0;
        log_event(LOG_INFO, "ledger pruned", "rows=%" PRIu64 " before=%s", p->rows, before);
    }
    w->last.pruning = *p;
}

/* One piece: each kind of trouble is compared with what was seen last, and told once. */
static void look(void *arg)
{
    struct ledger_watch *w = arg;
    struct ledger_state now;
    uint64_t now_ms = loop_now_ms(w->loop);
    ledger_state(w->ledger, &now);
    look_at_pruning(w, &now);
    bool loses = now.lost_rows > w->last.lost_rows;
    bool first_loss = loses && w->last.lost_rows == 0;
    bool went = !now.storage_up && w->last.storage_up;
    bool remind = now_ms - w->said_ms >= REMIND_MS;
    if (now.damaged_bytes > w->last.damaged_bytes) {
        say(LOG_WARN, "ledger journal was damaged", &now);
        w->last.damaged_bytes = now.damaged_bytes;
    }
    if (now.gone_files > w->last.gone_files) {
        say(LOG_WARN, "ledger file was moved or deleted, a new one is begun", &now);
        w->last.gone_files = now.gone_files;
    }
    if (first_loss || (loses && (remind || went))) {
        say(LOG_WARN, "ledger loses rows", &now);
        w->last = now;
        w->said_ms = now_ms;
    } else if (went || (!now.storage_up && remind)) {
        say(LOG_WARN, "ledger storage is away", &now);
        w->last.storage_up = false;
        w->said_ms = now_ms;
    } else if (now.storage_up && !w->last.storage_up) {
        say(LOG_INFO, "ledger storage is back", &now);
        w->last = now;
    }
    loop_timer_start(w->timer, LOOK_MS);
}

enum status ledger_watch_start(struct loop *loop, struct ledger *l, struct ledger_watch **ret,
                               struct error *err)
{
    struct ledger_watch *w = calloc(1, sizeof(*w));
    if (w)
        w->timer = loop_timer_create(loop, look, w);
    if (!w || !w->timer) {
        free(w);
        return error_set(err, ERR_MEMORY, "out of memory for the ledger's watch");
    }
    w->ledger = l;
    w->loop = loop;
    w->last.storage_up = true;
    loop_timer_start(w->timer, LOOK_MS);
    *ret = w;
    return OK;
}

void ledger_watch_stop(struct ledger_watch *w)
{
    if (!w)
        return;
    loop_timer_free(w->timer);
    free(w);
}

void ledger_watch_close(struct ledger *l)
{
    struct ledger_state s;
    if (!l)
        return;
    if (!ledger_flush(l, CLOSE_MS)) {
        ledger_state(l, &s);
        say(LOG_WARN, "ledger rows stay in the journal until the next start", &s);
    }
    ledger_close(l);
}
