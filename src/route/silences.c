/* See silences.h. */
#include "route/silences.h"

#include "base/json.h"
#include "base/money.h"
#include "route/pool_int.h"

#define HEADER_BYTES_MAX 512

bool silences_any(const struct pool_choice *c)
{
    for (size_t i = 0; i < ENCODERS_MAX; i++)
        if (c->silences[i] != ENCODE_SPOKE)
            return true;
    return false;
}

void silences_write(const struct pool *p, const struct pool_choice *c, struct buf *out)
{
    const struct encoder *const *encoders;
    size_t count = model_encoders(pool_model(p), &encoders);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (!encoders[i]->begin)
            continue;
        buf_add_c(out, any ? "," : ",\"encoders\":{");
        json_write_string(out, str_from(encoders[i]->name));
        buf_addf(out, ":\"%s\"", encode_silence_name(c->silences[i]));
        any = true;
    }
    if (any)
        buf_add_char(out, '}');
}

void silences_write_paid(const struct pool *p, const struct pool_choice *c, struct buf *out)
{
    const struct encoder *const *encoders;
    size_t count = model_encoders(pool_model(p), &encoders);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (!c->reading[i].nano_usd)
            continue;
        buf_add_c(out, any ? "," : ",\"reading_usd\":{");
        json_write_string(out, str_from(encoders[i]->name));
        buf_add_char(out, ':');
        money_format_usd(out, c->reading[i].nano_usd);
        any = true;
    }
    if (any)
        buf_add_char(out, '}');
}

struct str silences_header(const struct pool *p, const struct pool_choice *c, struct arena *a)
{
    const struct encoder *const *encoders;
    struct buf b;
    if (!silences_any(c)) /* also an answer of the cache, which no model decided */
        return STR("");
    size_t count = model_encoders(pool_model(p), &encoders);
    buf_init(&b, HEADER_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        if (c->silences[i] != ENCODE_SPOKE)
            buf_addf(&b, "%s%s=%s", b.len ? ", " : "", encoders[i]->name,
                     encode_silence_name(c->silences[i]));
    struct str copy = b.len ? arena_copy(a, buf_str(&b)) : STR("");
    buf_done(&b);
    return copy.ptr ? copy : STR("");
}
