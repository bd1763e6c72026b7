/* /v1/admin/session: who the caller is here. */
#include "admin/admin_int.h"
#include "base/json.h"

#define SESSION_BYTES_MAX 2048

void admin_session_get(struct worker *w, struct http_exchange *x, struct caller *caller)
{
    const struct admin_build *build = &admin_of(w)->build;
    struct buf out;
    buf_init(&out, SESSION_BYTES_MAX);
    buf_addf(&out, "{\"auth\":\"%s\",\"key\":", caller->key ? "key" : "open");
    if (caller->key) {
        buf_add_c(&out, "{\"id\":");
        json_write_string(&out, caller_key_id(caller));
        buf_add_char(&out, '}');
    } else {
        buf_add_c(&out, "null");
    }
    buf_add_c(&out, ",\"version\":");
    json_write_string(&out, str_from(build->version));
    buf_add_c(&out, ",\"commit\":");
    json_write_string(&out, str_from(build->commit));
    buf_add_char(&out, '}');
    admin_answer(x, 200, &out);
}
