/* Between share.c, which has the thread, the messages and the connection, and the two sides of a run. */
#pragma once

#include "base/arena.h"
#include "base/worker.h"
#include "share/redis.h"
#include "share/share.h"

#define SHARE_KEY_BYTES 2048
#define SHARE_BEAT_MS   5000 /* claims are kept alive, and those of the dead looked for */

/* A call that is out (leader), or that is at hand (worker). */
struct share_item {
    struct share_item *next;
    struct arena *arena; /* of its texts */
    struct share_call call;
    size_t expert;
    char id[SHARE_ID_BYTES]; /* of its entry; "": it has not been sent yet */
    bool mine;               /* leader: it is made here */
    bool seen;               /* leader, while it looks what Redis has */
    uint64_t missing_ms;     /* leader: since when Redis has not got it; 0: it has */
};

enum share_task { TASK_ADD, TASK_SETTLE, TASK_ANSWER, TASK_REFUSE, TASK_STOP };

struct share_message { /* from the loop's thread to the other */
    struct share_message *next;
    struct arena *arena;
    enum share_task task;
    struct share_call call;
    struct share_result result;
    struct str key, id;
    size_t expert;
};

struct share_sent {      /* a result that Redis may forget before the leader reads it */
    struct arena *arena; /* NULL: none */
    struct share_result result;
    uint64_t sent_ms;
};

struct share_off {
    size_t expert; /* SIZE_MAX: a result */
    char id[SHARE_ID_BYTES];
};

struct share_posted { /* an event on its way to the loop */
    struct share_posted *next;
    struct share *share;
    struct arena *arena;
    struct share_event event;
};

struct share {
    struct share_options o;
    struct arena *arena;
    struct redis_url url;
    char run[SHARE_NAME_BYTES]; /* "": a worker that has not found one yet */
    char consumer[SHARE_ID_BYTES];

    struct worker_thread thread; /* its lock guards the four below */
    struct share_message *first, *last;
    struct share_posted *posted;
    bool over;

    /* The thread's own; before share_start its opener's. */
    bool started;
    struct redis *redis;
    struct share_item *items;
    size_t item_count;
    char last_result[SHARE_ID_BYTES];
    bool *takes_of;          /* [expert_count] worker: it makes calls of this expert */
    struct share_sent *sent; /* [SHARE_CALLS_MAX] worker: the last ones, in a ring */
    size_t sent_next;
    bool *refused; /* ... and these refuse its key */
    size_t turn;   /* the expert whose calls are looked at first */
    /* When the last connection was lost, or 0; when to keep claims alive, and to look what has become of others. */
    uint64_t lost_ms, beat_ms, look_ms;
    /* Leader: entries to take off when the reply at hand is read. */
    struct share_off off[SHARE_CALLS_MAX];
    size_t off_count;
    bool stopping, over_there, told_over, away;
    char said[400];
};

/* share.c */
void share_say(struct share *s, const char *text); /* nothing that was said last */
void share_tell(struct share *s, const struct share_event *e);
/* leeroo:{RUN}:NAME, or with EXPERT behind it. */
struct str share_key(const struct share *s, const char *name, struct str expert,
                     char into[SHARE_KEY_BYTES]);
NODISCARD enum status share_run(struct share *s, const struct str *words, size_t count,
                                struct redis_value *ret, struct error *err);
struct share_item *share_item_add(struct share *s, const struct share_call *call, struct str id,
                                  struct error *err); /* NULL: no memory, or too many */
void share_item_remove(struct share *s, struct share_item *item);
/* Copies into `a` all that a result points to. False: no memory. */
bool share_result_keep(struct arena *a, struct share_result *r);
struct share_item *share_item_find(const struct share *s, struct str key);
/* Ids are unique among the calls of one expert. */
struct share_item *share_item_by_id(const struct share *s, size_t expert, struct str id);
/* One value of an entry's [id, [name, value, ...]]. ERR_INPUT. */
NODISCARD enum status share_entry_words(struct redis_value entry, struct str *ret_id,
                                        struct str words[SHARE_FIELDS_MAX], size_t *ret_count,
                                        struct error *err);
/* Claims at most `limit` new calls of the experts that it takes; each becomes `fn`'s. */
typedef enum status share_claimed_fn(struct share *s, size_t expert, struct redis_value entry,
                                     struct error *err);
NODISCARD enum status share_claim(struct share *s, size_t limit, share_claimed_fn *fn,
                                  bool *ret_any, struct error *err);
/* Takes the entry off the calls of an expert. */
NODISCARD enum status share_take_off(struct share *s, size_t expert, struct str id,
                                     struct error *err);
uint64_t share_now_ms(void);

/* share_leader.c, share_worker.c: after a connection was made; a message; once in a while. *ret_busy: there may be more
 * to do at once. */
NODISCARD enum status leader_connected(struct share *s, struct error *err);
NODISCARD enum status leader_message(struct share *s, const struct share_message *m,
                                     struct error *err);
NODISCARD enum status leader_turn(struct share *s, bool *ret_busy, struct error *err);
NODISCARD enum status leader_over(struct share *s, struct error *err);
NODISCARD enum status worker_connected(struct share *s, struct error *err);
NODISCARD enum status worker_message(struct share *s, const struct share_message *m,
                                     struct error *err);
NODISCARD enum status worker_turn(struct share *s, bool *ret_busy, struct error *err);
/* The price of an expert as the run's list of experts has it. */
struct str share_price(const struct expert *e, char into[192]);
