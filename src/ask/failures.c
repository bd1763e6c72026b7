/* What became of each expert that was asked and failed, in words for the client: its name, its status, its reason.
 *
 * An attempt's last failure is noted as it ends (ask/attempt.c), on the asking's thread and in its arena. Experts' own
 * words were freed of our key where they were read (expert/redact.h); here addresses go as well, because a client may
 * not know where an expert lives. What is told of an expert is short, and so is the whole. */
#include "ask/asking_int.h"

#include <string.h>

#define WHY_BYTES_MAX 160
#define ALL_BYTES_MAX 1600
#define ADDRESS       STR("[address]")

/* Without addresses */

static bool ends_address(char c)
{
    return c == ' ' || c == '"' || c == '\'' || c == ')' || c == '>' || c == ',' || c == ';';
}

/* "http://10.0.0.5:80/v1" has the host "10.0.0.5". */
static struct str host_of(struct str url)
{
    size_t from = str_find(url, STR("://"), 0);
    from = from < url.len ? from + 3 : 0;
    size_t to = from;
    while (to < url.len && url.ptr[to] != '/' && url.ptr[to] != ':')
        to++;
    return str_slice(url, from, to);
}

static bool begins_at(struct str text, size_t at, struct str word)
{
    return word.len > 0 && str_starts(str_slice(text, at, text.len), word);
}

static bool is_of_word(struct str text, size_t at)
{
    char c = at < text.len ? text.ptr[at] : ' ';
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A host may be called "api", which "rapid" is not. */
static bool word_at(struct str text, size_t at, struct str word)
{
    return begins_at(text, at, word) && (at == 0 || !is_of_word(text, at - 1)) &&
           !is_of_word(text, at + word.len);
}

static void add_without_addresses(struct str text, struct str host, struct buf *out)
{
    for (size_t at = 0; at < text.len;) {
        bool url = begins_at(text, at, STR("http://")) || begins_at(text, at, STR("https://"));
        if (url || word_at(text, at, host)) {
            buf_add(out, ADDRESS);
            at += url ? 0 : host.len;
            while (at < text.len && !ends_address(text.ptr[at]) &&
                   (url || text.ptr[at] == ':' || (text.ptr[at] >= '0' && text.ptr[at] <= '9')))
                at++;
        } else {
            buf_add_char(out, text.ptr[at++]);
        }
    }
}

/* "expert cheap: no answer" and "expert cheap answered 500" without the name, which stands in front already. */
static struct str without_name(struct str text, struct str name)
{
    if (!str_starts(text, STR("expert ")) || !begins_at(text, 7, name))
        return text;
    size_t at = 7 + name.len;
    while (at < text.len && (text.ptr[at] == ':' || text.ptr[at] == ' '))
        at++;
    return str_slice(text, at, text.len);
}

/* Noting */

void failures_note(struct asking *a, const struct attempt *t, const struct attempt_failure *f)
{
    const struct expert *expert = asking_expert(a, t->candidate);
    int status = f->answer->http_status;
    struct buf why;
    if (f->unasked)
        return;
    if (!a->failures)
        a->failures = ARENA_ARRAY(a->o.arena, a->o.count, struct str);
    if (!a->failures)
        return; /* without memory the client hears of the last one alone */
    buf_init(&why, sizeof(f->err->text) * 2);
    if (status >= 401 && status <= 403)
        buf_addf(&why, "answered %d: it refuses this gateway's own key or account", status);
    else
        add_without_addresses(without_name(str_from(f->err->text), expert->name),
                              host_of(expert->url), &why);
    a->failed_count += a->failures[t->candidate].len == 0;
    a->failures[t->candidate] = arena_copy(a->o.arena, utf8_cut(buf_str(&why), WHY_BYTES_MAX));
    buf_done(&why);
}

/* Telling */

/* Why it has not answered; empty: it was not tried. */
static struct str why_not(const struct asking *a, size_t candidate)
{
    uint64_t until = 0;
    if (a->failures && a->failures[candidate].len > 0)
        return a->failures[candidate];
    const char *barred =
        gate_barred(asking_candidate_of(a, candidate)->gate, asking_now_ms(a), &until);
    const char *says = barred ? barred : a->passed[candidate];
    return says && says != plan_run_member ? str_from(says) : STR("");
}

struct str asking_failures(const struct asking *a)
{
    struct buf all;
    size_t count = 0, left_out = 0;
    if (a->failed_count == 0)
        return STR("");
    buf_init(&all, 2 * ALL_BYTES_MAX);
    buf_add_c(&all, "no expert answered (");
    for (size_t i = 0; i < a->o.count; i++) {
        struct str why = why_not(a, i);
        if (why.len > 0 && all.len < ALL_BYTES_MAX)
            buf_addf(&all, "%s%.*s: %.*s", count++ ? "; " : "", STR_FMT(asking_expert(a, i)->name),
                     STR_FMT(why));
        else
            left_out += why.len > 0;
    }
    if (left_out > 0)
        buf_addf(&all, "; and %zu more", left_out);
    buf_add_char(&all, ')');
    struct str told = count > 1 ? arena_copy(a->o.arena, buf_str(&all)) : STR("");
    buf_done(&all);
    return told;
}
