/* Private to front_responses_stream.c and front_responses_events.c: the state of a stream, and its events. */
#pragma once

#include "front/front_responses_thought.h"
#include "front/front_responses_toolbox.h"

struct stream_item {
    struct responses_item item;
    struct buf text, logprobs;
    struct buf content; /* of a call that is told whole */
    struct buf sealed;  /* of reasoning, once it is over */
    struct responses_carry carry;
    bool has_part;      /* its part was begun; that of reasoning waits for a text */
    int64_t call_index; /* in the chunks; -1: they have none */
    bool added;         /* the client knows of it */
    bool done;
};

struct responses_stream {
    const struct front_context *context;
    struct arena *a;
    struct json_value fields[RESPONSES_FIELDS];
    struct responses_toolbox tools;
    struct stream_item *items[RESPONSES_ITEMS_MAX];
    size_t item_count;
    struct stream_item *open; /* text, refusal or reasoning; calls stay open to the end */
    size_t held_bytes;        /* of all items */
    uint64_t sequence_number; /* of the next event */
    enum responses_status status;
    const char *incomplete;
    struct str model, service_tier;
    struct buf usage, leeroo;
    bool begun;    /* response.created was sent */
    bool finished; /* a finish_reason or [DONE] came */
    bool over;     /* the last event was sent */
};

/* An event without its end: its type and sequence number; close it by responses_event_close. */
void responses_event_open(struct responses_stream *s, const char *type, struct buf *out);
void responses_event_close(struct buf *out);

/* A response.* event that holds the response object as it is. */
void responses_event_response(struct responses_stream *s, const char *type,
                              const struct front_error *error, struct buf *out);
void responses_event_item_added(struct responses_stream *s, struct stream_item *item,
                                struct buf *out);
/* `logprobs`: a JSON list; JSON_NONE: none. */
void responses_event_delta(struct responses_stream *s, struct stream_item *item, struct str delta,
                           struct json_value logprobs, struct buf *out);
void responses_event_item_done(struct responses_stream *s, struct stream_item *item,
                               struct buf *out);
