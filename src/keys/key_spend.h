/* What each key has spent: a mapped file of fixed size that outlives a kill -9, so that a budget needs no database.
 *
 * Each key has a slot of two copies, written in turn: a torn copy is known by its checksum, and then the other one
 * counts. Slots are looked up by one thread at a time; each slot is written by one thread at a time. A lock keeps a
 * file to one process; replicas have files of their own and each counts its own spending. Knows numbers, not limits. */
#pragma once

#include "keys/key_file.h"

struct key_spent {
    int32_t day, month; /* which those of the next line are: days and months since 1970, UTC */
    int64_t nano_usd[KEY_PERIODS];
    int64_t open_nano_usd; /* predicted for requests in flight */
};

/* A key whose entry was damaged, so that nobody knows what it has spent: its budgets count as spent until an operator
 * says otherwise. A value of its own, so that it is kept in the file as any other. */
#define KEY_SPENT_LOST INT32_MAX /* as the day */
struct key_spent key_spent_lost(int64_t wall_ms);
bool key_spent_is_lost(const struct key_spent *spent, int64_t *ret_since_ms);

struct key_spend;

struct key_spend_damage { /* found when the file was opened */
    size_t entries;       /* of which both copies are broken: what they held is lost */
    size_t unnamed;       /* of them: whose they were cannot be read either */
    size_t copies; /* broken where the other one is whole: the last request at most is lost */
};

/* path NULL: in memory only. The file is made with all its bytes, so that a full disk is noticed now and not later.
 * Requests that were in flight when an earlier process was killed are charged as predicted; *ret_killed_nano_usd is
 * their sum. ERR_IO, ERR_OVERLOAD (another process has the file), ERR_CORRUPT (a foreign file), ERR_MEMORY. */
NODISCARD enum status key_spend_open(const char *path, struct key_spend **ret,
                                     int64_t *ret_killed_nano_usd, struct error *err);
void key_spend_close(struct key_spend *s); /* NULL is fine */
struct key_spend_damage key_spend_damage(const struct key_spend *s);
/* Marks the keys of damaged entries as lost. A key of an entry that cannot be told is one that has no entry, though it
 * was made before the file was opened: key_spend_may_be_lost tells of it, before it gets one. */
void key_spend_condemn(struct key_spend *s, int64_t wall_ms);
bool key_spend_may_be_lost(const struct key_spend *s, struct str id, int64_t created_ms);

/* The key's slot; a new one where it has none. When all slots are taken, one is reused whose key is no longer needed,
 * as `is_needed` tells. ERR_TOO_LARGE: all are needed. */
NODISCARD enum status key_spend_slot(struct key_spend *s, struct str id,
                                     bool (*is_needed)(void *arg, struct str id), void *arg,
                                     uint32_t *ret, struct error *err);
void key_spend_get(const struct key_spend *s, uint32_t slot, struct key_spent *ret);
void key_spend_put(struct key_spend *s, uint32_t slot, const struct key_spent *spent);

/* Begins a new day and month where the clock says so. */
void key_spent_roll(struct key_spent *spent, int64_t wall_ms);
/* When the period ends, in ms since 1970; 0: never. */
int64_t key_period_end_ms(enum key_period p, int64_t wall_ms);

/* Reads the file, also beside a running gateway: fills spent[i] for rows[i], with zero for a key that the file does not
 * have. A file that does not exist holds no keys. ERR_IO, ERR_CORRUPT. */
NODISCARD enum status key_spend_read(const char *path, const struct key_row *rows, size_t count,
                                     struct key_spent *spent, struct error *err);
