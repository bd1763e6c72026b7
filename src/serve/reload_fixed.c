/* What sockets, threads and files were opened with stays until the next start. Values are secret (a database's URL may
 * hold a password): only keys are named. */
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "serve/reload.h"

enum fixed_type { FIXED_BOOL, FIXED_U32, FIXED_SIZE, FIXED_STR, FIXED_PATH };

#define CONFIG(field) offsetof(struct config, field)

static const struct fixed {
    const char *key;
    enum fixed_type type;
    size_t offset;
} fixed[] = {
    {"listen", FIXED_STR, CONFIG(listen)},
    {"listen", FIXED_BOOL, CONFIG(remote)},
    {"auth", FIXED_U32, CONFIG(auth)},
    {"page", FIXED_U32, CONFIG(page)},
    {"keys", FIXED_PATH, CONFIG(keys_file)},
    {"threads", FIXED_U32, CONFIG(threads)},
    {"state_dir", FIXED_PATH, CONFIG(state_dir)},
    {"strict_budgets", FIXED_BOOL, CONFIG(strict_budgets)},
    {"state_dir", FIXED_PATH, CONFIG(spend_path)},
    {"ledger", FIXED_PATH, CONFIG(ledger.store)},
    {"ledger", FIXED_PATH, CONFIG(ledger.journal_path)},
    {"ledger", FIXED_SIZE, CONFIG(ledger.journal_bytes)},
    {"ledger", FIXED_SIZE, CONFIG(ledger.keep_ms)},
    {"keep", FIXED_BOOL, CONFIG(keep.on)},
    {"keep", FIXED_U32, CONFIG(keep.days)},
    {"keep", FIXED_PATH, CONFIG(keep.given)},
    {"cache.size", FIXED_SIZE, CONFIG(cache.bytes)},
    {"cache.entry", FIXED_SIZE, CONFIG(cache.entry_bytes)},
    {"limits.connections", FIXED_U32, CONFIG(limits.connections)},
    {"limits.header", FIXED_SIZE, CONFIG(limits.header_bytes)},
    {"limits.body", FIXED_SIZE, CONFIG(limits.body_bytes)},
    {"limits.bodies", FIXED_SIZE, CONFIG(limits.bodies_bytes)},
    {"limits.body_time", FIXED_U32, CONFIG(limits.body_time_ms)},
    {"limits.body_rate", FIXED_SIZE, CONFIG(limits.body_rate)},
    {"upstream.ca_file", FIXED_STR, CONFIG(upstream.ca_file)},
    {"upstream.proxy", FIXED_BOOL, CONFIG(upstream.proxy)},
    {"upstream.private_addresses", FIXED_BOOL, CONFIG(upstream.deny_private)},
    {"upstream.connections", FIXED_U32, CONFIG(upstream.connections)},
};

static struct str text_of(enum fixed_type type, const void *at)
{
    return type == FIXED_STR ? *(const struct str *)at : str_from(*(const char *const *)at);
}

static size_t size_of(enum fixed_type type)
{
    return type == FIXED_BOOL  ? sizeof(bool)
           : type == FIXED_U32 ? sizeof(uint32_t)
                               : sizeof(size_t);
}

static bool same(enum fixed_type type, const void *a, const void *b)
{
    if (type == FIXED_STR || type == FIXED_PATH)
        return str_equal(text_of(type, a), text_of(type, b));
    return memcmp(a, b, size_of(type)) == 0;
}

/* Texts move into the new arena: the old one goes. Without memory the new value stays, which nobody reads. */
static void put_back(struct arena *arena, enum fixed_type type, const void *from, void *into)
{
    if (type != FIXED_STR && type != FIXED_PATH) {
        memcpy(into, from, size_of(type));
        return;
    }
    struct str text = text_of(type, from);
    const char *copy = text.len ? arena_printf(arena, "%.*s", STR_FMT(text)) : NULL;
    if (type == FIXED_STR)
        *(struct str *)into = str_from(copy);
    else
        *(const char **)into = copy;
}

size_t reload_keep_fixed(const struct config *running, struct config *fresh, struct buf *changed)
{
    size_t n = 0;
    const char *last = "";
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        const void *from = (const char *)running + fixed[i].offset;
        void *into = (char *)fresh + fixed[i].offset;
        if (same(fixed[i].type, from, into))
            continue;
        put_back(fresh->arena, fixed[i].type, from, into);
        if (strcmp(fixed[i].key, last) != 0) /* several rows may stand for one key */
            buf_addf(changed, "%s%s", n++ ? "," : "", fixed[i].key);
        last = fixed[i].key;
    }
    return n;
}
