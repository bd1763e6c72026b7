/* Private to the HTTP client: one call, the client it belongs to, and the two ways a call can go. Only http_client.c,
 * http_curl.c and http_plain.c include this.
 *
 * Callbacks may start, pause, resume and cancel any call, so these only mark the call and put it on a to-do list,
 * worked off at the end of the loop's round; `inside` counts how deep we are in something that must not lose its
 * call. */
#pragma once

#include "base/buf.h"
#include "net/http_call_text.h"
#include "net/http_client.h"
#include "net/loop_int.h"

struct curl_call;
struct curl_side;
struct plain_conn;
struct plain_host;
struct plain_side;

struct http_call {
    struct http_client *client;
    struct http_call_options o;
    struct curl_call *curl;   /* made when a call first needs it, then kept */
    struct plain_conn *plain; /* the connection it has; NULL: none yet */
    bool is_plain;            /* which way this one goes */
    bool is_head;             /* plain: of the request */
    struct plain_host *host;  /* plain: never freed before the client */
    struct buf request; /* plain: the head to send, copied: the caller's headers are not kept */
    struct loop_timer *timer;
    struct buf head; /* raw lines of the final response head */
    uint64_t started_ms, last_ms, armed_ms;
    bool added, cancelled, finished, paused, resume, head_done, got_body, sent;
    bool connecting; /* plain: no connection yet, which has a deadline of its own */
    bool listed;     /* on the to-do list */
    struct http_call *todo_next;
    struct http_call *next, *previous; /* all calls that are not spare */
    struct http_call *wait_next;       /* plain: for a connection */
};

struct http_client {
    struct loop *loop;
    struct loop_hook round_end;
    unsigned inside;
    bool use_proxy, no_plain, deny_private;
    struct curl_side *curl;
    struct plain_side *plain;
    struct http_call *calls, *spare, *todo_first, **todo_last;
    size_t spare_count;
};

/* http_client.c, for both */
void call_finish(struct http_call *c, enum status status, const struct error *err);
void call_arm(struct http_call *c); /* its deadlines have changed */
void call_recycle(struct http_call *c);
void call_list(struct http_call *c); /* on the to-do list */

/* http_curl.c */
NODISCARD enum status curl_side_create(struct http_client *client,
                                       const struct http_client_options *o, struct curl_side **ret,
                                       struct error *err);
void curl_side_free(struct curl_side *s); /* after all calls; NULL is fine */
NODISCARD enum status curl_call_prepare(struct http_call *c, struct error *err);
void curl_call_add(struct http_call *c);
void curl_call_continue(struct http_call *c);
void curl_call_detach(struct http_call *c); /* out of curl; safe when it never was in it */
void curl_call_free(struct curl_call *c);   /* NULL is fine */
bool curl_call_sent(const struct http_call *c);
void curl_round(struct curl_side *s); /* at the end of the loop's round */

/* http_plain.c */
NODISCARD enum status plain_side_create(struct http_client *client,
                                        const struct http_client_options *o,
                                        struct plain_side **ret, struct error *err);
void plain_side_free(struct plain_side *s); /* after all calls; NULL is fine */
bool plain_can(const struct http_call_options *o);
NODISCARD enum status plain_call_prepare(struct http_call *c, struct error *err);
void plain_call_add(struct http_call *c);
void plain_call_continue(struct http_call *c);
void plain_call_detach(struct http_call *c);
bool plain_call_sent(const struct http_call *c);
