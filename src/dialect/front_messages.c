/* The front "messages": to be written. */
#include "dialect/front_int.h"
#include "dialect/openai.h"

static enum status request(struct str body, struct arena *a, struct front_chat *ret,
                           const char **ret_param, struct error *err)
{
    (void)body, (void)a, (void)ret, (void)ret_param;
    return error_set(err, ERR_UNSUPPORTED, "this API is not offered yet");
}

static void error_body(const struct front_error *e, struct buf *out)
{
    openai_error_write(out, e->message, e->type, e->param, e->code);
}

const struct front_row front_messages = {
    .name = "messages", .request = request, .error = error_body};
