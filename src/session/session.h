/* Whose turn it is. An agent's turn is many requests: the model asks for tools, the client runs them and sends the
 * results, until an answer has no calls. What the model said in between is half a thought, often with state that only
 * its maker reads: signed thinking, encrypted reasoning, Gemini's thought signatures. So a turn that was begun goes on
 * with the expert that began it; the next one is free again.
 *
 * What counts is what is in the history: the ids of calls and the signatures that an expert gave are kept for a time,
 * as hashes, each with its expert. So two agents that share a session do not mix up, and neither do two keys. Calls
 * that clients renumber are told by the session's name and what the user said first. Entries end after a time, and the
 * oldest go when there is no room. Experts are known by what they are upstream, so that a reload changes nothing. Any
 * thread. */
#pragma once

#include "dialect/openai_request.h"
#include "expert/expert.h"

#define SESSION_ENTRIES 131072 /* 3 MB; a call has up to three */

struct sessions;

struct session { /* of one request; 0 is no hash */
    uint64_t tenant;
    uint64_t
        root; /* of the conversation: the tenant, and what the user said before the first answer */
    uint64_t named; /* that, and what the client calls the session; 0: it does not */
    uint64_t
        called; /* the tenant and that name alone, for clients that shorten their history; 0: it does not */
    bool learns;    /* what is made comes back: there are tools, or it thinks */
    bool in_turn;   /* the last answer waits for its tools, or is to be continued */
    bool has_state; /* some expert made state in this conversation */
    uint64_t maker; /* of the last answer; 0: not known, or not in a turn */
    struct json_value
        origin; /* its name, where the history says so itself; JSON_NONE: it does not */
};

NODISCARD enum status sessions_create(struct sessions **ret, struct error *err);
void sessions_free(struct sessions *t); /* NULL is fine */

/* Whether there can be a turn at all: it has tools, may think, or goes on. */
bool session_is_worth_it(const struct openai_request *r);
/* `name`: what the client calls its session, out of a header; empty: its body may say it (prompt_cache_key, user). The
 * arena is scratch. */
void session_read(struct sessions *t, const struct openai_request *r, struct str name,
                  uint64_t tenant, uint64_t now_ms, struct arena *a, struct session *ret);
/* Of experts[count] the one whose turn it is; SIZE_MAX: it is nobody's, or that one is gone. */
size_t session_holder(const struct session *s, const struct expert *experts, size_t count);
/* Whether somebody is known whose turn it is, there or gone. */
bool session_is_held(const struct session *s);
/* The expert has made this: a chat completion, a chunk of one, or the same in Messages' words. Costs nothing where
 * nothing that is made comes back. */
void session_learn(struct sessions *t, const struct session *s, const struct expert *e,
                   struct json_value made, uint64_t now_ms, uint32_t ttl_ms);
/* Who made this opaque text, among the tenant's; 0: not known. */
uint64_t session_state_maker(struct sessions *t, const struct session *s, struct json_value text,
                             uint64_t now_ms);
/* The same of a call, by its id. */
uint64_t session_call_maker(struct sessions *t, const struct session *s, struct json_value id,
                            uint64_t now_ms);
