/* Names and prices of plans: see arm.h. Names are how people, configurations and requests speak of plans, so reading
 * is lenient (blanks, "->" for the arrow, the share left out) and writing is not: what is written here identifies a
 * plan in records and reports. Functions of their arguments; any thread, nothing kept. Whether a plan exists in a
 * model is the caller's question. */
#include "predict/arm.h"

#include "base/check.h"

const char *plan_kind_name(enum plan_kind kind)
{
    static const char *const names[] = {"single", "cascade", "panel", "sequential", "verified"};
    CHECK(kind < sizeof(names) / sizeof(names[0]));
    return names[kind];
}

static int64_t to_nano(double nano_usd)
{
    return nano_usd < 9e18 ? (int64_t)(nano_usd + 0.5) : INT64_MAX;
}

void estimate_reprice(struct estimate *e, int64_t cost_nano_usd)
{
    double weighed = (double)cost_nano_usd;
    if (e->unweighed_nano_usd && e->cost_nano_usd > 0)
        weighed *= (double)estimate_weighed_nano_usd(e) / (double)e->cost_nano_usd;
    e->unweighed_nano_usd = e->unweighed_nano_usd ? cost_nano_usd - to_nano(weighed) : 0;
    e->cost_nano_usd = e->cost_max_nano_usd = cost_nano_usd;
}

/* Of member i, each counted as what it costs where it is asked. */
static double expected_calls(const struct plan *p, const struct estimate *e, size_t i)
{
    if (p->kind == PLAN_SEQUENTIAL)
        return (double)e->asked[i] * (double)p->cost_ratio[i];
    return i < plan_first_count(p) ? 1 : (double)e->escalation * (double)p->next_cost_ratio;
}

/* Expected, but never more than if everyone is asked. */
static int64_t expected_cost(const struct plan *p, const struct estimate *e, const int64_t *costs,
                             int64_t *ret_most)
{
    double expected = 0, most = 0;
    for (size_t i = 0; i < p->member_count; i++) {
        double cost = (double)costs[i];
        most += cost;
        expected += cost * expected_calls(p, e, i);
    }
    *ret_most = to_nano(most);
    return to_nano(expected) < *ret_most ? to_nano(expected) : *ret_most;
}

void plan_price(const struct plan *p, const struct estimate *const members[PLAN_MEMBERS_MAX],
                struct estimate *e)
{
    int64_t costs[PLAN_MEMBERS_MAX], weighed[PLAN_MEMBERS_MAX], most;
    for (size_t i = 0; i < p->member_count; i++) {
        costs[i] = members[i]->cost_nano_usd;
        weighed[i] = estimate_weighed_nano_usd(members[i]);
    }
    e->unweighed_nano_usd = -expected_cost(p, e, weighed, &most);
    e->cost_nano_usd = expected_cost(p, e, costs, &e->cost_max_nano_usd);
    e->unweighed_nano_usd += e->cost_nano_usd;
}

void plan_name_add(struct buf *out, const struct plan *p, const struct str *names)
{
    if (p->kind == PLAN_SINGLE) {
        buf_add(out, names[p->members[0]]);
        return;
    }
    buf_addf(out, "%s(", plan_kind_name(p->kind));
    for (size_t i = 0; i < p->member_count; i++) {
        bool arrow =
            p->kind == PLAN_VERIFIED || (p->kind != PLAN_SEQUENTIAL && i == plan_first_count(p));
        buf_add_c(out, i == 0 ? "" : arrow ? "→" : ",");
        buf_add(out, names[p->members[i]]);
    }
    if (p->kind == PLAN_SEQUENTIAL && p->calls > 0)
        buf_addf(out, " ~%.2f calls", (double)p->calls);
    else if (p->kind < PLAN_SEQUENTIAL && p->rule == PLAN_TRUST)
        buf_addf(out, " ~%.0f%%", 100 * (double)p->share);
    buf_add_char(out, ')');
}

void plan_label_add(struct buf *out, struct str name)
{
    static const struct str arrow = {"→", sizeof("→") - 1};
    for (size_t at = 0; at < name.len;) {
        size_t next = str_find(name, arrow, at);
        bool found = next != SIZE_MAX;
        buf_add(out, str_slice(name, at, found ? next : name.len));
        buf_add_c(out, found ? "->" : "");
        at = found ? next + arrow.len : name.len;
    }
}

/* The next byte of a name, blanks left out and "→" read as "->"; '\0' at the end. */
struct reader {
    struct str text;
    size_t at;
    bool inside_arrow; /* of "→", '-' was given and '>' is next */
};

static char next_byte(struct reader *r)
{
    static const struct str arrow = {"→", sizeof("→") - 1};
    while (r->at < r->text.len && r->text.ptr[r->at] == ' ')
        r->at++;
    if (r->inside_arrow) {
        r->inside_arrow = false;
        r->at += arrow.len;
        return '>';
    }
    if (r->at == r->text.len)
        return '\0';
    if (str_starts(str_slice(r->text, r->at, r->text.len), arrow)) {
        r->inside_arrow = true;
        return '-';
    }
    return r->text.ptr[r->at++];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether all that is left is "30%)" or "1.8 calls)", the end of a name with a share or a number of calls. */
static bool rest_is_share(struct reader *r)
{
    char c = next_byte(r);
    bool any = false;
    for (; is_digit(c) || (any && c == '.'); c = next_byte(r))
        any = true;
    const char *end = c == '%' ? "%)" : "calls)";
    for (; *end && c == *end; end++)
        c = next_byte(r);
    return any && !*end && c == '\0';
}

/* Whether `name` is `pattern`, blanks and the spelling of the arrow aside; "panel(a,b->c)" means any share, too. */
static bool names_match(struct str name, struct str pattern)
{
    struct reader a = {.text = name}, b = {.text = pattern};
    char x, y;
    do {
        x = next_byte(&a);
        y = next_byte(&b);
    } while (x == y && x != '\0');
    if (x == y)
        return true;
    return x == '~' && y == ')' && rest_is_share(&a) && next_byte(&b) == '\0';
}

bool plan_matches(const struct plan *p, struct str pattern)
{
    pattern = str_trim(pattern);
    return str_equal(pattern, STR("all")) ||
           str_equal(pattern, str_from(plan_kind_name(p->kind))) || names_match(p->name, pattern);
}

/* Reading a name */

static enum status read_member(struct str text, struct str name, const struct str *names,
                               size_t count, size_t *ret, struct error *err)
{
    for (size_t e = 0; e < count; e++)
        if (str_equal(names[e], name)) {
            *ret = e;
            return OK;
        }
    return error_set(err, ERR_NOT_FOUND, "plan '%.*s': there is no expert '%.*s'", STR_FMT(text),
                     STR_FMT(name));
}

static enum status malformed(struct str text, struct error *err)
{
    return error_set(err, ERR_INPUT,
                     "'%.*s' is no plan; write cascade(a->b), panel(a,b->c) or sequential(a,b,c) "
                     "with the names of experts",
                     STR_FMT(text));
}

/* "a,b->c ~30%" → "a,b->c "; of a sequential plan "a,b,c ~1.8 calls" → "a,b,c " */
static struct str without_share(struct str inside, enum plan_kind kind)
{
    struct str t = str_trim(inside), unit = kind == PLAN_SEQUENTIAL ? STR("calls") : STR("%");
    if (!str_ends(t, unit))
        return inside;
    size_t at = t.len - unit.len, end = at;
    while (at > 0 && (is_digit(t.ptr[at - 1]) || t.ptr[at - 1] == '.' || t.ptr[at - 1] == ' '))
        at--;
    return at > 0 && at < end && t.ptr[at - 1] == '~' ? str_slice(t, 0, at - 1) : inside;
}

/* Where the last member's name stands, and how wide what is before it is: an arrow, or of a sequential plan a comma;
 * SIZE_MAX: there is none. */
static size_t find_last(struct str inside, enum plan_kind kind, size_t *width)
{
    static const struct str arrows[] = {STR_INIT("->"), STR_INIT("→")};
    size_t at = SIZE_MAX;
    *width = 1;
    for (size_t i = 0; kind == PLAN_SEQUENTIAL && i < inside.len; i++)
        if (inside.ptr[i] == ',')
            at = i;
    for (size_t i = 0; kind != PLAN_SEQUENTIAL && at == SIZE_MAX && i < 2; i++) {
        at = str_find(inside, arrows[i], 0);
        *width = arrows[i].len;
    }
    return at;
}

static bool read_kind(struct str word, enum plan_kind *ret)
{
    for (enum plan_kind kind = PLAN_CASCADE; kind <= PLAN_SEQUENTIAL; kind++)
        if (str_equal(word, str_from(plan_kind_name(kind)))) {
            *ret = kind;
            return true;
        }
    return false;
}

/* The part inside the brackets, up to the last member and that; "~30%" is left out. */
static bool split_name(struct str text, enum plan_kind *kind, struct str *first, struct str *last)
{
    size_t open = str_find(text, STR("("), 0), width;
    if (open == SIZE_MAX || !str_ends(text, STR(")")) ||
        !read_kind(str_trim(str_slice(text, 0, open)), kind))
        return false;
    struct str inside = without_share(str_slice(text, open + 1, text.len - 1), *kind);
    size_t at = find_last(inside, *kind, &width);
    if (at == SIZE_MAX)
        return false;
    *first = str_trim(str_slice(inside, 0, at));
    *last = str_trim(str_slice(inside, at + width, inside.len));
    return last->len > 0 && !str_ends(*first, STR(","));
}

/* One piece, for each step must know how far the text was read. */
enum status plan_parse(struct str text, const struct str *names, size_t count, struct plan *ret,
                       struct error *err)
{
    struct plan p = {.rule = PLAN_TRUST};
    struct str first, last;
    text = str_trim(text);
    if (!split_name(text, &p.kind, &first, &last))
        return malformed(text, err);
    static const struct {
        size_t least, most;
    } before_last[] = {{0, 0}, {1, 1}, {2, 2}, {1, PLAN_MEMBERS_MAX - 1}};
    enum status status = OK;
    while (first.len > 0 && status == OK) {
        struct str name = str_trim(str_split(&first, ','));
        if (p.member_count == before_last[p.kind].most || !name.len)
            return malformed(text, err);
        status = read_member(text, name, names, count, &p.members[p.member_count++], err);
    }
    if (status == OK && p.member_count < before_last[p.kind].least)
        return malformed(text, err);
    if (status == OK)
        status = read_member(text, last, names, count, &p.members[p.member_count++], err);
    for (size_t i = 1; i < p.member_count && status == OK; i++)
        for (size_t k = 0; k < i; k++)
            if (p.members[i] == p.members[k])
                return error_set(err, ERR_INPUT, "plan '%.*s' asks an expert twice", STR_FMT(text));
    if (status == OK)
        *ret = p;
    return status;
}
