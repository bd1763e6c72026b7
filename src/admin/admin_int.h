/* Private to admin/: one for the whole gateway, and its handlers, a file for each group of paths. A handler runs on the
 * loop of its worker, several at a time on different ones; it may not wait. */
#pragma once

#include "admin/admin.h"
#include "admin/admin_figures.h"
#include "serve/serving.h"

struct errands;

struct admin {
    struct gateway *gateway;
    struct admin_build build;
    struct errands *errands; /* what may wait for a disk */
    atomic_size_t wrong;     /* keys that nobody has, whose senders wait to hear of it */
    struct figures *figures;
};

static inline struct admin *admin_of(const struct worker *w)
{
    return w->gateway->above.user;
}

static inline struct figures *figures_of(const struct worker *w)
{
    return admin_of(w)->figures;
}

const struct path_table *admin_paths(void);

/* JSON that no cache keeps and no browser takes for anything else. */
void admin_respond(struct http_exchange *x, int http_status, struct str body);
/* HTML that others have made: it may show itself, and do nothing. */
void admin_respond_page(struct http_exchange *x, struct str body);
/* Answers with what was written to `body`, or that there was no memory for it, and is done with it. */
void admin_answer(struct http_exchange *x, int http_status, struct buf *body);

/* For what no enum status says, such as 409; with a code of its own. */
void admin_answer_error(struct http_exchange *x, int http_status, const char *code,
                        const char *message);

void admin_keys_list(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_keys_create(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_keys_change(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_keys_revoke(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_page(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_session_get(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_session_post(struct worker *w, struct http_exchange *x, struct caller *caller);
void admin_session_delete(struct worker *w, struct http_exchange *x, struct caller *caller);
