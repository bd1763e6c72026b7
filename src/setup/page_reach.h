/* How the page and the admin API of a configuration are reached, and what opens them, in the words of `check` and of
 * the first lines of `serve`. */
#pragma once

#include "config/config.h"
#include "keys/key_file.h"

enum page_opens {
    PAGE_NOTHING_OPENS, /* nobody is asked for a key, and not all who come are meant */
    PAGE_THIS_MACHINE,  /* being here */
    PAGE_ANYBODY,       /* coming: `page: true`, and nobody is asked for a key */
    PAGE_ADMIN_KEY,     /* an admin key */
};

struct page_reach {
    bool on;
    char url[280]; /* empty: it is off */
    enum page_opens opens;
    size_t admin_keys; /* that are good now */
};

/* `address` is where it listens, as the configuration says or as it was bound. Reads the file of keys; one that cannot
 * be read has none. */
struct page_reach page_reach_of(const struct config *c, struct str address);
/* What opens it and what is to be done first, as the end of a sentence. */
const char *page_reach_text(const struct page_reach *p);
const char *
page_opens_name(enum page_opens opens); /* "nothing", "this machine", "anybody", "admin key" */
