/* Asks each expert's endpoint for its list of models, which costs nothing: is it there, does it take the key, does it
 * have the model. All at once, each within CHECK_CONNECT_MS. */
#pragma once

#include "config/config.h"

#define CHECK_CONNECT_MS 10000

enum check_reach {
    REACH_FINE,
    REACH_NO_LIST,   /* it answers, and has no list of models to tell more by */
    REACH_NO_MODEL,  /* it has a list, in which the model is not */
    REACH_WRONG_URL, /* neither a list nor a chat is below the URL; `text` says what it should be */
    REACH_REFUSED,   /* 401, 402, 403 */
    REACH_LOADING,   /* 503: not yet, or not now */
    REACH_BROKEN,    /* 5xx, or not HTTP */
    REACH_NOBODY,    /* no connection */
};

struct check_reply {
    enum check_reach reach;
    int http_status; /* 0: none came */
    uint64_t took_ms;
    size_t models;  /* in its list */
    char text[400]; /* why, for REACH_WRONG_URL, REACH_BROKEN and REACH_NOBODY; without the key */
};

/* ret[expert_count] */
NODISCARD enum status check_connect(const struct config *config, struct check_reply *ret,
                                    struct error *err);
/* Where a URL has no list of models: whether chats are below it, or where they are. ret[expert_count] is of
 * check_connect. Asks the same host only, at no cost: the chat that it posts has nothing in it. */
NODISCARD enum status check_urls(const struct config *config, struct check_reply *ret,
                                 struct error *err);
bool check_reach_fine(enum check_reach reach);        /* nothing that must be mended */
const char *check_reach_name(enum check_reach reach); /* "ok", ... */
