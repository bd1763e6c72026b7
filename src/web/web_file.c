/* The table of the page's files. A new one is a row here and a name in meson.build, which has scripts/embed put its
 * bytes behind leeroo_web_NAME. */
#include "web/web_file.h"

#include <stdio.h>

#include "base/hash.h"

#define TAG_SEED 0x77656270616765 /* any */

/* What an assembler file defines (scripts/embed). */
#define EMBEDDED(name) extern const char leeroo_web_##name[], leeroo_web_##name##_end[]

EMBEDDED(index_html);
EMBEDDED(api_js);
EMBEDDED(app_css);
EMBEDDED(app_js);
EMBEDDED(charts_js);
EMBEDDED(colours_js);
EMBEDDED(decision_js);
EMBEDDED(dom_js);
EMBEDDED(format_js);
EMBEDDED(icon_svg);
EMBEDDED(live_js);
EMBEDDED(view_keys_js);
EMBEDDED(view_now_js);
EMBEDDED(view_orchestrator_js);
EMBEDDED(view_playground_js);
EMBEDDED(view_requests_js);
EMBEDDED(view_signin_js);

#define HTML    "text/html; charset=utf-8"
#define CSS     "text/css; charset=utf-8"
#define SCRIPT  "text/javascript; charset=utf-8"
#define PICTURE "image/svg+xml"

static const struct row {
    const char *path, *content_type, *from, *to;
} rows[] = {
#define ROW(path, type, name)                                                                      \
    {                                                                                              \
        path, type, leeroo_web_##name, leeroo_web_##name##_end                                     \
    }
    ROW("/", HTML, index_html),
    ROW("/ui/api.js", SCRIPT, api_js),
    ROW("/ui/app.css", CSS, app_css),
    ROW("/ui/app.js", SCRIPT, app_js),
    ROW("/ui/charts.js", SCRIPT, charts_js),
    ROW("/ui/colours.js", SCRIPT, colours_js),
    ROW("/ui/decision.js", SCRIPT, decision_js),
    ROW("/ui/dom.js", SCRIPT, dom_js),
    ROW("/ui/format.js", SCRIPT, format_js),
    ROW("/ui/icon.svg", PICTURE, icon_svg),
    ROW("/ui/live.js", SCRIPT, live_js),
    ROW("/ui/view_keys.js", SCRIPT, view_keys_js),
    ROW("/ui/view_now.js", SCRIPT, view_now_js),
    ROW("/ui/view_orchestrator.js", SCRIPT, view_orchestrator_js),
    ROW("/ui/view_playground.js", SCRIPT, view_playground_js),
    ROW("/ui/view_requests.js", SCRIPT, view_requests_js),
    ROW("/ui/view_signin.js", SCRIPT, view_signin_js),
#undef ROW
};

size_t web_file_count(void)
{
    return sizeof(rows) / sizeof(rows[0]);
}

struct web_file web_file_at(size_t index)
{
    const struct row *r = &rows[index];
    struct web_file file = {
        .path = r->path,
        .content_type = r->content_type,
        .bytes = {r->from, (size_t)(r->to - r->from)},
    };
    snprintf(file.tag, sizeof(file.tag), "\"%016llx\"",
             (unsigned long long)hash64(file.bytes, TAG_SEED));
    return file;
}

bool web_file_find(struct str path, struct web_file *ret)
{
    for (size_t i = 0; i < web_file_count(); i++) {
        if (!str_equal(path, str_from(rows[i].path)))
            continue;
        *ret = web_file_at(i);
        return true;
    }
    return false;
}

/* A tag has its quotes, so that no other can hold it; "W/" before it makes no difference here. */
bool web_file_is_known(const struct web_file *file, struct str if_none_match)
{
    struct str tag = str_from(file->tag);
    if (str_equal(str_trim(if_none_match), STR("*")))
        return true;
    for (size_t i = 0; i + tag.len <= if_none_match.len; i++)
        if (str_equal(str_slice(if_none_match, i, i + tag.len), tag))
            return true;
    return false;
}
