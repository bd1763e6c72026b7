/* A transport that carries nothing: a test sees each request and says what comes back, on no socket and no clock. */
#pragma once

#include "expert/transport.h"

#define SCRIPTED_CALLS_MAX   32
#define SCRIPTED_HEADERS_MAX 8
#define SCRIPTED_HELD_MAX    1024

struct scripted_transport;

struct scripted_call {
    struct scripted_transport *script;
    const struct transport_request *request;          /* of the caller; valid while it runs */
    struct http_header headers[SCRIPTED_HEADERS_MAX]; /* of the answer */
    size_t header_count;
    char held[SCRIPTED_HELD_MAX]; /* what came during a pause */
    size_t held_len;
    unsigned progress; /* how often the caller said that there is some */
    bool head_done, runs, paused, cancelled, unsent;
};

struct scripted_transport {
    struct transport transport; /* first */
    struct scripted_call calls[SCRIPTED_CALLS_MAX];
    size_t count;
    unsigned starts_to_refuse; /* the next so many cannot start: ERR_MEMORY */
    void *user;
    /* May be NULL. Told of what the caller does: "ask", "cancel", "pause", "resume". */
    void (*on_act)(void *user, const struct scripted_call *c, const char *act);
};

void scripted_init(struct scripted_transport *s);
/* The call that was started as the `i`th; fails the test when there was none. */
struct scripted_call *scripted_at(struct scripted_transport *s, size_t i);
/* A header of the answer, before its head. */
void scripted_header(struct scripted_call *c, const char *name, const char *value);
void scripted_head(struct scripted_call *c, int http_status, const char *content_type);
/* Nothing comes during a pause: it is held back until more is sent, or the end, after resume. */
void scripted_body(struct scripted_call *c, const char *bytes);
void scripted_event(struct scripted_call *c, const char *data);  /* of a stream, behind its head */
void scripted_done(struct scripted_call *c, enum status status); /* not OK: the connection broke */
/* Head, body and end at once. */
void scripted_answer(struct scripted_call *c, int http_status, const char *body);
/* A header of the request; ptr NULL: it has none. */
struct str scripted_asked(const struct scripted_call *c, const char *name);
