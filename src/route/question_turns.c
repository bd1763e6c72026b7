/* How far each message refers back to the one before it. */
#include "route/question_turns.h"

#include <string.h>

#include "base/check.h"
#include "encode/follow_up.h"

#define TURN_SHARE_MIN 0.05       /* a turn that says less of what is asked is left out */
#define EARLIER_BYTES  (8u << 10) /* of an earlier turn the first and the last half of this */

/* What is too long of an earlier turn is cut out of its middle. */
static enum status bound_turn(struct turn *t, struct arena *a, struct error *err)
{
    const size_t half = EARLIER_BYTES / 2;
    if (t->text.len <= EARLIER_BYTES)
        return OK;
    char *joined = arena_alloc(a, EARLIER_BYTES);
    if (!joined)
        return error_set(err, ERR_MEMORY, "out of memory for a decision");
    memcpy(joined, t->text.ptr, half);
    memcpy(joined + half, t->text.ptr + t->text.len - half, half);
    t->text = (struct str){joined, EARLIER_BYTES};
    return OK;
}

enum status turns_find(const struct openai_request *r, struct arena *a,
                       struct turn turns[TURNS_MAX], size_t *ret_count, struct error *err)
{
    struct str text = r->query;
    double left = 1;
    size_t count = 0;
    for (size_t back = 0;; back++) {
        double refer = back < r->earlier_count ? follow_up_share(text) : 0;
        if (left * (1 - refer) >= TURN_SHARE_MIN || (refer == 0 && count == 0))
            turns[count++] = (struct turn){text, left * (1 - refer)};
        left *= refer;
        if (left < TURN_SHARE_MIN)
            break;
        enum status status = openai_request_earlier(r, back, a, &text, err);
        if (status != OK)
            return status;
    }
    for (size_t i = 1; i < count; i++) {
        enum status status = bound_turn(&turns[i], a, err);
        if (status != OK)
            return status;
    }
    CHECK(count > 0);
    *ret_count = count;
    return OK;
}
