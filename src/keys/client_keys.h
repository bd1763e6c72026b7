/* The keys of clients, as the gateway knows them: the file of keys in memory, what each key has taken and spent, and a
 * thread that looks at the file twice a second. A file that cannot be read is refused with a line in the log, and the
 * earlier keys remain in force.
 *
 * A client_key is a key as it stood when the file was read; it is held for as long as a request needs it, and all
 * client_keys of the same key share what it has spent. Everything here may be called from any thread, and only opening
 * and closing wait for a disk. */
#pragma once

#include "config/config.h"
#include "keys/key_desk.h"
#include "keys/key_meter.h"

#define KEYS_LOOK_MS 500

struct keys;
struct client_key;

/* ERR_INPUT: other machines can reach the gateway, but there are no keys; or the file is wrong. */
NODISCARD enum status keys_open(const struct config *c, struct keys **ret, struct error *err);
/* Entries of the file of what was spent that were damaged when it was opened. Any thread. */
size_t keys_damaged(const struct keys *k);
void keys_close(struct keys *k); /* after every client_key is released; NULL is fine */
/* What keys_open would say of the configuration and its file. */
NODISCARD enum status keys_check(const struct config *c, struct error *err);

/* Whether callers are asked for a key now. Once they were, they are until the end, whatever becomes of the file. */
bool keys_wanted(const struct keys *k);
/* The key is held. ERR_AUTH: no key has this secret, or it is no longer good; ERR_MEMORY: nobody can say. */
NODISCARD enum status keys_find(struct keys *k, struct str secret, int64_t wall_ms,
                                struct client_key **ret);
/* The same by the secret's digest, for what has stood for the key since it was shown (sign_in.h). */
NODISCARD enum status keys_find_digest(struct keys *k, const struct digest *d, int64_t wall_ms,
                                       struct client_key **ret);
/* The desk of the file, not opened. False: there is no place for one, or nobody is ever asked for a key. */
bool keys_desk(const struct keys *k, struct arena *a, int64_t now_ms, struct key_desk *ret);
/* Looks at the file now, and what is there is in force when it returns. For whoever has just written it; waits for a
 * disk. OK also where it has not changed, or is not there. */
NODISCARD enum status keys_refresh(struct keys *k, struct error *err);
/* All keys in force, with what each has spent as of now. */
void keys_each(struct keys *k, int64_t wall_ms,
               void (*fn)(void *arg, const struct key_row *row, const struct key_spent *spent),
               void *arg);
/* A caller was turned away; the log says so once a second. */
void keys_note_refused(struct keys *k, bool had_one);

struct client_key *client_key_hold(struct client_key *key); /* returns it */
void client_key_release(struct client_key *key);            /* NULL is fine */
struct str client_key_id(const struct client_key *key);     /* "key_..."; of NULL empty */
struct str client_key_name(const struct client_key *key);
const struct digest *client_key_digest(const struct client_key *key); /* of its secret */
const struct key_limits *client_key_limits(const struct client_key *key);
enum key_role client_key_role(const struct client_key *key);

/* key_meter.h says what each does; here with locks and clocks. */
bool client_key_admit(struct client_key *key, struct key_refusal *ret);
bool client_key_reserve(struct client_key *key, struct key_reserved *reserved,
                        struct key_reserved want, struct key_refusal *ret);
void client_key_settle(struct client_key *key, struct key_reserved *reserved,
                       struct key_reserved cost);
void client_key_rates(struct client_key *key, struct key_rate *requests, struct key_rate *tokens);
