/* Following the strings of a stream for a key that comes in pieces.
 *
 * A channel is a string that goes on from event to event, read at two levels: as the client reads it, and as JSON that
 * it holds (arguments of tools). What of the secret it ends with is a number, `matched`; the bytes need not be kept,
 * for they are the secret's own. Nearly every event has nothing that could begin the secret, which a search for its
 * first two bytes finds out; only the others are walked. A stream belongs to one call and to its thread. */
#include "expert/redact_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "expert/redact.h"

#define LEVELS       2
#define CHANNELS_MAX 64
#define PIECES_MAX   256
#define EDITS_MAX    256
#define ESCAPE_BYTES 6 /* \u002d */

/* How far a string is, at one level. */
struct tail {
    size_t matched;
    char escape[ESCAPE_BYTES]; /* of the inner JSON, begun in an earlier event */
    size_t escape_len;
};

struct channel {
    uint64_t path;
    struct tail tails[LEVELS];
    unsigned others; /* events since it went on */
};

/* A part of an event that waits, or comes now, by which a channel went on. */
struct piece {
    size_t event, channel, from, to;
    size_t counts[LEVELS]; /* bytes of characters in it */
    struct tail before[LEVELS];
};

struct edit {
    size_t event, from, to;
    bool marked; /* REDACTED stands here; the others are only taken out */
};

struct held {
    size_t name_at, data_at, end; /* in `bytes` */
};

struct redact_state {
    struct channel channels[CHANNELS_MAX];
    struct held events[REDACT_HELD_EVENTS];
    struct piece pieces[PIECES_MAX];
    struct edit edits[EDITS_MAX];
    size_t channel_count, event_count, piece_count, edit_count;
    struct buf bytes, edited;
    struct str now; /* the data of the event that comes: its number is event_count */
};

/* Matching */

/* The longest beginning of the secret that the text ends with, by one more byte of it. */
static size_t step(struct str secret, size_t matched, char c)
{
    while (matched > 0 && secret.ptr[matched] != c) {
        size_t shorter = matched - 1;
        while (shorter > 0 && memcmp(secret.ptr, secret.ptr + matched - shorter, shorter) != 0)
            shorter--;
        matched = shorter;
    }
    return secret.ptr[matched] == c ? matched + 1 : 0;
}

/* A character that the client reads, at the level of the JSON that the string holds: nothing while an escape goes on,
 * then what it stands for. */
static struct str unescape_inner(struct tail *t, struct str c, char into[ESCAPE_BYTES])
{
    if (t->escape_len == 0 && (c.len != 1 || *c.ptr != '\\'))
        return c;
    if (t->escape_len + c.len > ESCAPE_BYTES) { /* no escape at all */
        t->escape_len = 0;
        return c;
    }
    memcpy(t->escape + t->escape_len, c.ptr, c.len);
    t->escape_len += c.len;
    bool goes_on = t->escape_len == 1 || (t->escape[1] == 'u' && t->escape_len < ESCAPE_BYTES);
    if (goes_on)
        return STR("");
    size_t at = 0;
    struct str all = redact_unescape((struct str){t->escape, t->escape_len}, &at, 1, into);
    t->escape_len = 0;
    return all;
}

/* Over bytes that begin neither the secret nor an escape: nearly all there are. */
static size_t skip_others(struct str text, size_t at, struct str secret)
{
    while (at < text.len && text.ptr[at] != *secret.ptr && text.ptr[at] != '\\')
        at++;
    return at;
}

/* Reads on from *at until the secret is complete, `count` more bytes of characters are read, or the text ends. Returns
 * how many were. */
static size_t read_on(struct str text, size_t *at, int level, struct str secret, size_t count,
                      struct tail *t)
{
    size_t n = 0;
    while (*at < text.len && n < count && t->matched < secret.len) {
        char bytes[4], inner[ESCAPE_BYTES];
        if (!t->matched && !t->escape_len && count == SIZE_MAX) {
            size_t next = skip_others(text, *at, secret);
            n += next - *at;
            *at = next;
            if (next == text.len)
                break;
        }
        struct str c = redact_unescape(text, at, 1, bytes);
        if (level > 0)
            c = unescape_inner(t, c, inner);
        for (size_t i = 0; i < c.len && t->matched < secret.len; i++)
            t->matched = step(secret, t->matched, c.ptr[i]);
        n += c.len;
    }
    return n;
}

/* Taking out */

static struct str data_of(const struct redact_state *s, size_t event)
{
    const struct held *h = &s->events[event];
    return event < s->event_count ? str_slice(buf_str(&s->bytes), h->data_at, h->end) : s->now;
}

/* Where in the event the character begins that is `skip` bytes of characters behind the piece's begin. */
static size_t place_in(const struct redact_state *s, const struct piece *p, int level, size_t skip,
                       struct str secret)
{
    struct tail t = p->before[level];
    size_t at = p->from;
    const struct str text = str_slice(data_of(s, p->event), 0, p->to);
    while (skip > 0 && at < p->to) {
        size_t n = read_on(text, &at, level, secret, 1, &t);
        skip -= n < skip ? n : skip;
        t.matched = 0;
    }
    return at;
}

static void add_edit(struct redact_state *s, const struct piece *p, size_t from)
{
    if (s->edit_count < EDITS_MAX)
        s->edits[s->edit_count++] = (struct edit){p->event, from, p->to, false};
}

/* The last `need` bytes of a channel's characters. What of them was told already stays told. */
static void take_out(struct redact_stream *r, size_t channel, int level, size_t need)
{
    struct redact_state *s = r->state;
    size_t before = s->edit_count;
    for (size_t k = s->piece_count; k-- > 0 && need > 0;) {
        const struct piece *p = &s->pieces[k];
        if (p->channel != channel)
            continue;
        size_t n = p->counts[level];
        add_edit(s, p, n > need ? place_in(s, p, level, n - need, r->secret) : p->from);
        need -= n < need ? n : need;
    }
    if (s->edit_count > before)
        s->edits[s->edit_count - 1].marked = true;
    memset(s->channels[channel].tails, 0, sizeof(s->channels[channel].tails));
}

/* Telling */

static void write_edited(struct redact_state *s, size_t event, struct str data)
{
    size_t at = 0;
    buf_clear(&s->edited);
    for (;;) {
        const struct edit *next = NULL;
        for (size_t i = 0; i < s->edit_count; i++) {
            const struct edit *e = &s->edits[i];
            if (e->event == event && e->from >= at && e->to > at && (!next || e->from < next->from))
                next = e;
        }
        buf_add(&s->edited, str_slice(data, at, next ? next->from : data.len));
        if (!next)
            return;
        if (next->marked)
            buf_add(&s->edited, STR(REDACTED));
        at = next->to;
    }
}

static void tell_held(struct redact_stream *r)
{
    struct redact_state *s = r->state;
    for (size_t i = 0; i < s->event_count; i++) {
        const struct held *h = &s->events[i];
        struct str name = str_slice(buf_str(&s->bytes), h->name_at, h->data_at);
        struct str data = data_of(s, i);
        if (s->edit_count > 0) {
            write_edited(s, i, data);
            data = s->edited.status == OK ? buf_str(&s->edited) : STR(REDACTED);
        }
        r->tell(name, data, r->arg);
    }
    s->event_count = s->piece_count = s->edit_count = 0;
    buf_clear(&s->bytes);
}

/* Reading */

static bool is_idle(const struct channel *c)
{
    return !c->tails[0].matched && !c->tails[1].matched && !c->tails[1].escape_len;
}

static size_t channel_at(struct redact_state *s, uint64_t path)
{
    size_t free_one = s->channel_count;
    for (size_t i = 0; i < s->channel_count; i++) {
        if (s->channels[i].path == path)
            return i;
        if (is_idle(&s->channels[i]))
            free_one = i;
    }
    if (free_one == CHANNELS_MAX)
        free_one = 0; /* so many strings at once are no answer; one of them is not followed on */
    else if (free_one == s->channel_count)
        s->channel_count++;
    s->channels[free_one] = (struct channel){.path = path};
    return free_one;
}

/* Without escapes there is no inner JSON: both levels say the same. */
static bool is_alike(const struct channel *c, struct str text)
{
    return !c->tails[1].escape_len && c->tails[0].matched == c->tails[1].matched &&
           !memchr(text.ptr, '\\', text.len);
}

/* Reads what the piece has, at all levels. The level at which the secret is complete, first; -1: at none. */
static int read_piece(struct channel *c, struct str text, struct str secret, struct piece *p)
{
    bool alike = is_alike(c, str_slice(text, p->from, text.len));
    int complete = -1;
    memcpy(p->before, c->tails, sizeof(p->before));
    for (int level = 0; level < (alike ? 1 : LEVELS); level++) {
        size_t behind = p->from;
        p->counts[level] = read_on(text, &behind, level, secret, SIZE_MAX, &c->tails[level]);
        if (c->tails[level].matched == secret.len && behind <= p->to) {
            complete = level;
            p->to = behind;
        }
    }
    if (alike) {
        c->tails[1] = c->tails[0];
        p->counts[1] = p->counts[0];
    }
    return complete;
}

/* One string of the event. Behind a secret that is complete it begins anew. */
static void follow(struct redact_stream *r, uint64_t path, size_t from, size_t to)
{
    struct redact_state *s = r->state;
    size_t at = channel_at(s, path);
    struct channel *c = &s->channels[at];
    const struct str text = str_slice(s->now, 0, to);
    c->others = 0;
    while (from < to && s->piece_count < PIECES_MAX) {
        struct piece p = {.event = s->event_count, .channel = at, .from = from, .to = to};
        int complete = read_piece(c, text, r->secret, &p);
        if (complete < 0 && is_idle(c))
            return;
        s->pieces[s->piece_count++] = p;
        if (complete >= 0)
            take_out(r, at, complete, r->secret.len);
        from = p.to;
    }
}

static void walk(struct redact_stream *r, struct json_value v, uint64_t path);

/* What opens a block in Anthropic's words goes on in its deltas. */
static uint64_t path_under(struct json_value key, uint64_t path)
{
    bool opens = str_equal(key.raw, STR("\"content_block\""));
    return hash64(opens ? STR("\"delta\"") : key.raw, path);
}

/* Choices and calls of tools go on side by side and say which they are. The event itself is not asked: blocks of
 * Anthropic's follow one another, and clients join their texts. */
static uint64_t path_in(struct json_value item, uint64_t path, uint64_t position)
{
    struct json_value index = json_get(item, "index");
    return index.type == JSON_NUMBER ? hash64(index.raw, path) : hash64_mix(path, position);
}

static void walk_inside(struct redact_stream *r, struct json_value v, uint64_t path)
{
    struct json_iter it = json_iter_begin(v);
    struct json_value key, item;
    if (v.type == JSON_ARRAY)
        for (uint64_t i = 1; json_array_next(&it, &item); i++)
            walk(r, item, path_in(item, path, i));
    else
        while (json_object_next(&it, &key, &item))
            walk(r, item, path_under(key, path));
}

static void walk(struct redact_stream *r, struct json_value v, uint64_t path)
{
    size_t at = (size_t)(v.raw.ptr - r->state->now.ptr);
    if (v.type == JSON_STRING)
        follow(r, path, at + 1, at + v.raw.len - 1);
    else if (v.type == JSON_OBJECT || v.type == JSON_ARRAY)
        walk_inside(r, v, path);
}

/* Whether a string in the event may begin with the secret where it ends, or go on from its first byte on: most do not,
 * and two bytes tell. What a quote behind the first byte ends is a name when a colon follows. */
static bool may_begin_plain(struct str data, struct str secret)
{
    const char *end = data.ptr + data.len, *p = data.ptr;
    while (end - p > 2 && (p = memchr(p, *secret.ptr, (size_t)(end - p - 2)))) {
        if (p[1] == secret.ptr[1] || p[1] == '\\' || (p[1] == '"' && p[2] != ':'))
            return true;
        p++;
    }
    return false;
}

/* An escaped backslash may begin an escape of inner JSON: unless a letter follows that none begins with. */
static bool may_begin_escaped(struct str data, struct str secret)
{
    const char *end = data.ptr + data.len, *p = data.ptr;
    for (; end - p > 3 && (p = memchr(p, '\\', (size_t)(end - p - 3))); p += 2) {
        char bytes[4];
        size_t at = (size_t)(p - data.ptr);
        if (p[1] == '\\' &&
            (p[2] == '"' || p[2] == 'u' || p[2] == '/' || (p[2] == '\\' && p[3] != '"')))
            return true;
        char c = p[1] == 'u' || p[1] == '/' ? *redact_unescape(data, &at, 1, bytes).ptr : 0;
        if (c == *secret.ptr || c == '\\')
            return true;
    }
    return false;
}

/* Whether some string in the event begins with what a channel waits for. Where none does, no channel goes on; which of
 * them begin anew is found out when they are walked next. */
static bool may_go_on(const struct redact_state *s, struct str data, struct str secret)
{
    char wanted[CHANNELS_MAX + 1] = "\\";
    size_t count = 1;
    for (size_t i = 0; i < s->channel_count; i++) {
        const struct channel *c = &s->channels[i];
        for (int level = 0; level < LEVELS; level++)
            if (c->tails[level].matched &&
                !memchr(wanted, secret.ptr[c->tails[level].matched], count))
                wanted[count++] = secret.ptr[c->tails[level].matched];
        if (c->tails[1].escape_len || count + LEVELS > sizeof(wanted))
            return true;
    }
    const char *end = data.ptr + data.len, *p = data.ptr;
    for (; count > 1 && end - p > 1 && (p = memchr(p, '"', (size_t)(end - p - 1))); p++)
        if (memchr(wanted, p[1], count))
            return true;
    return false;
}

static bool is_of_interest(const struct redact_state *s, struct str data, struct str secret)
{
    return (s && (s->event_count > 0 || may_go_on(s, data, secret))) ||
           may_begin_plain(data, secret) || may_begin_escaped(data, secret);
}

/* Deciding */

/* Nothing decides it any more, or too much waits: at least half of the secret is taken out, less is let go. */
static void let_go(struct redact_stream *r, size_t channel)
{
    const struct channel *c = &r->state->channels[channel];
    int level = c->tails[1].matched > c->tails[0].matched;
    size_t matched = c->tails[level].matched;
    if (matched * 2 >= r->secret.len)
        take_out(r, channel, level, matched);
}

static bool is_undecided(const struct channel *c)
{
    return c->tails[0].matched >= REDACT_HOLD_MIN || c->tails[1].matched >= REDACT_HOLD_MIN ||
           c->tails[1].escape_len > 0;
}

/* Whether events have to wait on. */
static bool waits(struct redact_stream *r, bool full)
{
    struct redact_state *s = r->state;
    bool any = false;
    for (size_t i = 0; i < s->channel_count; i++) {
        struct channel *c = &s->channels[i];
        if (!is_undecided(c))
            continue;
        if (full || c->others == REDACT_OTHERS_MAX)
            let_go(r, i);
        else
            any |= c->others < REDACT_OTHERS_MAX;
    }
    return any;
}

static void hold(struct redact_state *s, struct str name, struct str data)
{
    struct held *h = &s->events[s->event_count++];
    h->name_at = s->bytes.len;
    buf_add(&s->bytes, name);
    h->data_at = s->bytes.len;
    buf_add(&s->bytes, data);
    h->end = s->bytes.len;
}

static enum status state_create(struct redact_state **ret)
{
    struct redact_state *s = calloc(1, sizeof(*s));
    if (!s)
        return ERR_MEMORY;
    buf_init(&s->bytes, REDACT_HELD_BYTES);
    buf_init(&s->edited, REDACT_HELD_BYTES + EDITS_MAX * sizeof(REDACTED));
    *ret = s;
    return OK;
}

/* Interface */

void redact_stream_init(struct redact_stream *r, struct str secret, redact_tell *tell, void *arg)
{
    *r = (struct redact_stream){secret, tell, arg, NULL};
}

void redact_stream_done(struct redact_stream *r)
{
    if (!r->state)
        return;
    buf_done(&r->state->bytes);
    buf_done(&r->state->edited);
    free(r->state);
    r->state = NULL;
}

void redact_stream_end(struct redact_stream *r)
{
    if (!r->state)
        return;
    (void)waits(r, true);
    tell_held(r);
}

/* One piece: the ways past, for nearly all events, stand in front. */
enum status redact_stream_feed(struct redact_stream *r, struct str name, struct str data)
{
    struct json_value root;
    if (r->secret.len < REDACT_SECRET_BYTES_MIN || !is_of_interest(r->state, data, r->secret)) {
        r->tell(name, data, r->arg);
        return OK;
    }
    if (json_parse(data, "event", 1, &root, NULL) != OK) {
        redact_stream_end(r);
        r->tell(name, data, r->arg);
        return OK;
    }
    if (!r->state && state_create(&r->state) != OK)
        return ERR_MEMORY;
    struct redact_state *s = r->state;
    for (size_t i = 0; i < s->channel_count; i++)
        s->channels[i].others++;
    s->now = data;
    walk(r, root, 0);
    hold(s, name, data);
    bool full = s->event_count == REDACT_HELD_EVENTS || s->piece_count == PIECES_MAX ||
                s->bytes.len > REDACT_HELD_BYTES / 2;
    if (s->bytes.status != OK)
        return ERR_MEMORY;
    if (!waits(r, full) || full)
        tell_held(r);
    return OK;
}
