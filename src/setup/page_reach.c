/* What stands before the page, told without a gateway. serve/stranger.c and serve/admission.c hold it to that. */
#include "setup/page_reach.h"

#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"

#define ARENA_BYTES_MAX (64u << 20)

struct counts {
    size_t all, admins;
};

static struct counts count_keys(const struct config *c)
{
    struct counts n = {0};
    struct key_file f = {0};
    struct arena *a = arena_create(ARENA_BYTES_MAX);
    if (a && c->auth != AUTH_OFF && c->keys_path &&
        key_file_load(c->keys_path, a, &f, NULL) == OK) {
        n.all = f.count;
        for (size_t i = 0; i < f.count; i++)
            n.admins +=
                f.rows[i].role == KEY_ADMIN && !key_row_refused(&f.rows[i], clock_wall_ms());
    }
    arena_free(a);
    return n;
}

static enum page_opens opens(const struct config *c, size_t keys)
{
    bool asked = c->auth == AUTH_REQUIRED || (c->auth == AUTH_AUTO && (c->remote || keys > 0));
    if (asked)
        return PAGE_ADMIN_KEY;
    if (c->page == PAGE_ON)
        return PAGE_ANYBODY;
    return c->remote ? PAGE_NOTHING_OPENS : PAGE_THIS_MACHINE;
}

/* An address that stands for all of this machine's is no name to call it by from here. */
static void write_url(const struct config *c, struct str address, char *into, size_t size)
{
    const char *scheme = c->tls.certificate ? "https" : "http";
    size_t colon = address.len;
    while (colon > 0 && address.ptr[colon - 1] != ':')
        colon--;
    struct str host = str_slice(address, 0, colon ? colon - 1 : 0);
    bool all = host.len == 0 || str_equal(host, STR("0.0.0.0")) || str_equal(host, STR("[::]"));
    if (all)
        host = STR("127.0.0.1");
    snprintf(into, size, "%s://%.*s:%.*s/", scheme, STR_FMT(host),
             STR_FMT(str_slice(address, colon, address.len)));
}

struct page_reach page_reach_of(const struct config *c, struct str address)
{
    struct page_reach p = {.on = c->page != PAGE_OFF};
    if (!p.on)
        return p;
    const struct counts n = count_keys(c);
    write_url(c, address, p.url, sizeof(p.url));
    p.opens = opens(c, n.all);
    p.admin_keys = n.admins;
    return p;
}

const char *page_reach_text(const struct page_reach *p)
{
    if (!p->on)
        return "off (`page: false`)";
    switch (p->opens) {
    case PAGE_THIS_MACHINE:
        return "open on this machine, since nobody is asked for a key";
    case PAGE_ANYBODY:
        return "open to whoever reaches it (`page: true`, and nobody is asked for a key)";
    case PAGE_NOTHING_OPENS:
        return "closed, since nobody is asked for a key; `page: true` opens it to whoever comes";
    default:
        return p->admin_keys ? "for admin keys"
                             : "for admin keys, and there is none; make one with `leeroo keys "
                               "create --role admin --name NAME`";
    }
}

const char *page_opens_name(enum page_opens opens)
{
    static const char *const names[] = {"nothing", "this machine", "anybody", "admin key"};
    CHECK(opens <= PAGE_ADMIN_KEY);
    return names[opens];
}
