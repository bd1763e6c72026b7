/* A whole answer, once all of it is there: whether it is one, what it says in chat's words, and, where events were
 * asked for, telling it as these. The answer's body points into the call's buffers until the call is freed. */
#include "expert/call_int.h"

#include "expert/redact.h"

/* Whether there is an answer in what came: each choice has a message, and something was said or ended on purpose. */
static enum status check_answer(struct expert_call *c, const struct openai_reply *reply,
                                struct error *err)
{
    c->answer.usage = reply->usage;
    c->answer.output_characters = reply->characters;
    if (!reply->has_messages || !reply->has_content)
        return call_malformed(c, EXPERT_RETRY_SAME, "sent an answer with nothing in it", err);
    return OK;
}

/* A chat completion, which passes as it came but for what no client could read. */
static enum status end_chat(struct expert_call *c, const struct openai_reply *reply,
                            struct error *err)
{
    if (openai_answer_mend(reply, &c->chat))
        c->answer.body = buf_str(&c->chat);
    enum status status = buf_status(&c->chat, err);
    return status == OK ? check_answer(c, reply, err) : status;
}

/* The chat completion that an answer stands for: usage is read in it, and it is the answer unless native. */
static enum status end_foreign(struct expert_call *c, struct str body, struct error *err)
{
    struct openai_reply reply;
    if (call_dialect(c)->read(body, &c->chat, err) != OK ||
        openai_reply_read(buf_str(&c->chat), &reply, NULL) != OK)
        return call_malformed(c, EXPERT_RETRY_NEXT, "sent an answer that is no message", err);
    struct str chat = redact(buf_str(&c->chat), c->options.expert->api_key, &c->joined);
    c->answer.body = c->options.native ? body : chat;
    if (reply.is_error)
        return call_reported(c, c->answer.http_status, chat, err);
    return check_answer(c, &reply, err);
}

static void take_split_chunk(void *arg, struct str name, struct str data)
{
    (void)name;
    call_chunk_take(data, arg);
}

static void take_split_event(void *arg, struct str name, struct str data)
{
    struct expert_call *c = arg;
    if (!c->cancelled && !c->done_mark && c->failure.status == OK)
        call_foreign_take(c, name, data);
}

/* A whole answer where events were asked for: it is told as these. `body` must outlast what c->body holds. */
static enum status tell_as_events(struct expert_call *c, struct str body, struct error *err)
{
    const struct dialect *dialect = call_dialect(c);
    struct str chat = body;
    if (dialect->read) {
        if (dialect->read(body, &c->chat, err) != OK)
            return call_malformed(c, EXPERT_RETRY_NEXT, "sent an answer that is no message", err);
        chat = redact(buf_str(&c->chat), c->options.expert->api_key, &c->joined);
    }
    c->over = c->in_callback = c->answer.streamed = true;
    if (c->options.native)
        dialect->forms->split(body, take_split_event, c);
    else
        openai_forms.split(chat, take_split_chunk, c);
    if (!c->cancelled)
        c->options.on_flush(c);
    if (c->failure.status != OK)
        *err = c->failure;
    else if (!c->done_mark && !c->cancelled)
        return call_malformed(c, EXPERT_RETRY_SAME, "sent an answer with nothing in it", err);
    return c->failure.status;
}

static enum status end_as_events(struct expert_call *c, struct str body, struct error *err)
{
    struct buf held = c->body; /* whoever tells a failure writes into c->body */
    buf_init(&c->body, held.limit);
    enum status status = tell_as_events(c, body, err);
    buf_done(&held);
    return status;
}

/* One piece: what an answer is, is found out step by step, and each step may end it. */
enum status call_whole_end(struct expert_call *c, struct error *err)
{
    struct openai_reply reply;
    struct str body = redact(buf_str(&c->body), c->options.expert->api_key, &c->redacted);
    int http_status = c->answer.http_status;
    if (http_status >= 300)
        return call_reported(c, http_status, body, err);
    body = call_margins_take(c, body);
    if (buf_status(&c->stripped, err) != OK)
        return err->status;
    if (openai_reply_read(body, &reply, NULL) != OK)
        return call_malformed(c, EXPERT_RETRY_NEXT, "sent an answer that is not a JSON object",
                              err);
    if (reply.is_error) {
        c->answer.usage = reply.usage;
        return call_reported(c, http_status, body, err);
    }
    if (c->options.stream && !c->options.path)
        return end_as_events(c, body, err);
    if (call_dialect(c)->read && !c->options.path)
        return end_foreign(c, body, err);
    c->answer.body = body;
    if (!c->options.path)
        return end_chat(c, &reply, err);
    c->answer.usage = reply.usage;
    c->answer.output_characters = reply.characters;
    return OK;
}
