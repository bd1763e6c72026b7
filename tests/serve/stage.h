/* A running gateway with canned experts behind it. The experts' URLs lead to one server of this process, which
 * plays for each expert a list of canned answers, one a call; the last one repeats. Clients are plain sockets, so
 * that a test sees the very bytes: headers, chunks, trailers. */
#pragma once

#include "net/net_test.h"
#include "serve/local.h"

#include "serve_test.h"

#define CANNED_MAX 24

enum canned_manner {
    CANNED_WHOLE,   /* body with its length */
    CANNED_STREAM,  /* body as a stream that ends */
    CANNED_BEGIN,   /* body, then nothing until stage_more, stage_finish or stage_cut */
    CANNED_NOTHING, /* not a byte */
};

struct canned {
    int http_status; /* 0: 200 */
    const char *body;
    enum canned_manner manner;
    struct http_header header; /* one more; no name: none */
};

enum stage_expert { CHEAP, MID, DEAR, STAGE_EXPERTS };

struct stage_script {
    struct canned list[CANNED_MAX];
    size_t count;
    atomic_size_t asked;
    struct http_exchange *held; /* its last one, as below; the upstream's loop has it */
};

struct stage {
    struct test_server *upstream;
    struct local *local;
    struct model *model;
    struct config *config;
    int port; /* of the gateway */
    struct stage_script scripts[STAGE_EXPERTS];
    struct http_exchange *held; /* the last one with CANNED_BEGIN or CANNED_NOTHING */
    sem_t asked, gone;          /* one post a call of the gateway, one a call that it gave up */
    char seen_body[4096], seen_key[64], seen_authorization[64]; /* of the last call */
};

/* What each expert's entry says besides name and url, NULL for nothing (", retries: 1"); then more of the file. */
struct stage *stage_begin(const char *each_expert, const char *more_yaml);
/* With a model that has plans, and a default policy that chooses the one of this name for "hello cat"; the name as for
 * serve_test_policies. */
struct stage *stage_begin_plan(const char *each_expert, const char *plan);
void stage_end(struct stage *s);
/* The same, with a chance to change the configuration before the gateway starts. */
struct stage *stage_prepare(const char *each_expert, const char *more_yaml);
struct stage *stage_prepare_plan(const char *each_expert, const char *plan);
void stage_start(struct stage *s);

void stage_play(struct stage *s, enum stage_expert e, struct canned answer);
size_t stage_asked(struct stage *s, enum stage_expert e); /* how many calls it got */
/* Who was held last hangs on who is quicker: this expert's answer is the held one from now on. */
void stage_hold(struct stage *s, enum stage_expert e);
/* Of the held answer; nothing happens when the gateway has given it up. */
void stage_more(struct stage *s, const char *bytes);
void stage_finish(struct stage *s);
void stage_cut(struct stage *s);

/* A request of its own connection; the raw answer is the caller's to free. body NULL: a GET. */
char *stage_ask(struct stage *s, const char *path, const char *body);
int stage_send(struct stage *s, const char *path, const char *body); /* the connection */
/* Asks and compares: the HTTP status, and that each text up to a NULL is in the answer. */
void stage_expect(struct stage *s, const char *path, const char *body, int http_status, ...);

#define CHAT_PATH "/v1/chat/completions"
#define CHAT_TO(model, more)                                                                       \
    "{\"model\":\"" model "\",\"messages\":[{\"role\":\"user\",\"content\":\"hello cat\"}]" more "}"
#define STREAMED  ",\"stream\":true"
#define ASK_USAGE ",\"stream_options\":{\"include_usage\":true}"

/* Canned bodies */
#define WHOLE(text, usage)                                                                         \
    "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" text           \
    "\"},\"finish_reason\":\"stop\"}]" usage "}"
#define EVENT(json)          "data: " json "\n\n"
#define ROLE_EVENT           EVENT("{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}")
#define TEXT_EVENT(t)        EVENT("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" t "\"}}]}")
#define STOP_EVENT           EVENT("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}")
#define USAGE(in, out)       ",\"usage\":{\"prompt_tokens\":" #in ",\"completion_tokens\":" #out "}"
#define USAGE_EVENT(in, out) EVENT("{\"choices\":[]" USAGE(in, out) "}")
#define DONE_EVENT           EVENT("[DONE]")

/* Standard error goes into memory between the two; log_read gives what came until now, NUL-terminated. */
void log_catch(void);
void log_release(void);
const char *log_read(void);
void log_wait(const char *text); /* until it is there; fails after WAIT_SECONDS */
