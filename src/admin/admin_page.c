/* The page's files: "/" and "/ui/". They hold nothing of anybody, so no key is asked for; what the page may do in a
 * browser is fenced by its policy. On the loop of the worker that has the request. */
#include "admin/admin_int.h"
#include "serve/errors.h"
#include "web/web_file.h"

/* Nothing but what this gateway itself serves; no form, frame, inline script or style. */
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static void answer_file(struct http_exchange *x, const struct web_file *file)
{
    bool known = web_file_is_known(file, http_header_get(x, "if-none-match"));
    const struct http_header headers[] = {
        {STR("etag"), str_from(file->tag)},
        {STR("cache-control"), STR("no-cache")}, /* ask again, with the tag */
        {STR("content-security-policy"), STR(POLICY)},
        {STR("x-content-type-options"), STR("nosniff")},
        {STR("referrer-policy"), STR("no-referrer")},
        {STR("cross-origin-opener-policy"), STR("same-origin")},
        {STR("cross-origin-resource-policy"), STR("same-origin")},
        {STR("content-type"), str_from(file->content_type)},
    };
    size_t count = sizeof(headers) / sizeof(headers[0]);
    if (known)
        http_respond(x, 304, headers, count - 1, STR(""));
    else
        http_respond(x, 200, headers, count, file->bytes);
}

void admin_page(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    struct web_file file;
    (void)w, (void)caller;
    if (web_file_find(x->path, &file))
        answer_file(x, &file);
    else
        answer_error(x, NULL, ERR_NOT_FOUND, "the page has no such file; it begins at /", NULL,
                     NULL);
}
