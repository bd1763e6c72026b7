/* Where keys are made, changed and ended: the file of keys under its lock, from one look at it to the next. What the
 * command and the admin API do is the same here, so that neither can do what the other could not undo.
 *
 * It waits for the lock and for the disk, so it is no work for an event loop. A gateway that runs sees the file itself
 * (client_keys.h). */
#pragma once

#include "keys/key_file.h"

struct key_desk {
    struct arena *arena;
    const char *path, *folder; /* folder NULL: it is there; else it is made with the first key */
    struct key_file file;
    int lock; /* -1: not held */
    int64_t now_ms;
};

/* All of it borrowed. Nothing is opened. */
struct key_desk key_desk_at(struct arena *a, const char *path, const char *folder, int64_t now_ms);
/* Loads the file; nobody else changes it from here until key_desk_close. `create`: it need not be there.
 * ERR_NOT_FOUND: it is not. */
NODISCARD enum status key_desk_open(struct key_desk *d, bool create, struct error *err);
void key_desk_close(struct key_desk *d); /* also of a desk that was never opened */

/* By id, or by the name of a key that is not revoked. ERR_NOT_FOUND; ERR_INPUT: several have the name. */
NODISCARD enum status key_desk_find(const struct key_desk *d, struct str who, struct key_row **ret,
                                    struct error *err);
/* A row without limits. */
struct key_row key_desk_blank(const struct key_desk *d, struct str name, enum key_role role);
/* Gives *row an id and the secret, and saves the file with it. ERR_USAGE: the name will not do; ERR_INPUT: it is
 * taken; ERR_TOO_LARGE. Wipe the secret after showing it. */
NODISCARD enum status key_desk_add(struct key_desk *d, struct key_row *row,
                                   char secret[KEY_SECRET_BYTES], struct error *err);
/* The row is the file's; saves. ERR_INPUT: it is revoked already. */
NODISCARD enum status key_desk_revoke(struct key_desk *d, struct key_row *row, struct error *err);
/* Saves what was changed in rows of the file. */
NODISCARD enum status key_desk_save(struct key_desk *d, struct error *err);
/* How many keys of this role are good now. */
size_t key_desk_count(const struct key_desk *d, enum key_role role);
