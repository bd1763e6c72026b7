/* The file of client keys, keys.json: who may call and how much. It holds digests, never the secrets themselves.
 *
 * Written by `leeroo keys` under a lock and renamed into place, so that a reader never sees half of one; read by the
 * gateway (client_keys.h). A member that this version does not know is refused: it may be a limit. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/json.h"

#define KEY_FILE_BYTES_MAX (4u << 20)
#define KEY_COUNT_MAX      8192 /* revoked ones included */
#define KEY_ID_BYTES       16   /* with the NUL: "key_" and ten letters */
#define KEY_NAME_BYTES_MAX 100
#define KEY_LIST_MAX       256 /* experts, policies */
#define KEY_SECRET_PREFIX  "lr-"
#define KEY_SECRET_BYTES   47 /* with the NUL: the prefix and 256 bits as 43 letters */
#define KEY_UNLIMITED      INT64_C(-1)

enum key_role {
    KEY_USER,    /* asks experts */
    KEY_METRICS, /* reads /metrics, and may do nothing else */
    KEY_ADMIN,   /* whatever others may, and the admin API */
    KEY_ROLES,
};

const char *key_role_name(enum key_role role); /* "user", "metrics", "admin" */
NODISCARD enum status key_role_parse(struct str name, enum key_role *ret); /* ERR_INPUT */

enum key_period { KEY_DAY, KEY_MONTH, KEY_TOTAL, KEY_PERIODS };

const char *key_period_name(enum key_period p); /* "day", "month", "total" */

struct key_names { /* a list of names; list NULL: no limit, which an empty list is not */
    const struct str *list;
    size_t count;
};

struct key_limits { /* each KEY_UNLIMITED where nothing is said; a budget of 0 is one */
    int64_t budget_nano_usd[KEY_PERIODS];
    int64_t requests_per_minute, tokens_per_minute;
    struct key_names experts, policies;
};

struct key_row {
    struct str id, name;
    struct digest sha256;                       /* of the secret */
    int64_t created_ms, revoked_ms, expires_ms; /* since 1970; 0: never */
    int64_t spent_anew_ms; /* what was lost of its spending before then is forgiven */
    enum key_role role;
    struct key_limits limits;
};

struct key_file {
    struct key_row *rows; /* in the arena, with room for one more */
    size_t count;
};

bool key_limits_have_budget(const struct key_limits *l);
bool key_names_have(const struct key_names *names, struct str name); /* true without a limit */
/* NULL where the key is good at that time, else "revoked" or "expired". */
const char *key_row_refused(const struct key_row *row, int64_t now_ms);

/* ERR_INPUT, ERR_UNSUPPORTED (of another version, or more than this version knows), ERR_TOO_LARGE, ERR_MEMORY. The
 * text need not outlive the call. */
NODISCARD enum status key_file_parse(struct str text, const char *place, struct arena *a,
                                     struct key_file *ret, struct error *err);
void key_file_write(const struct key_file *f, struct buf *out);
/* The members of one key, `"id": "key_...", "name": ...`, with or without its digest. */
void key_row_write(const struct key_row *row, bool with_digest, struct buf *out);

/* One limit of the row, by its name in the file ("budget_day_usd": 5); null lifts it. ERR_NOT_FOUND: no limit has that
 * name, and *err is not set; ERR_INPUT. */
NODISCARD enum status key_limit_read(struct json_value key, struct json_value value,
                                     const char *place, struct arena *a, struct key_row *row,
                                     struct error *err);

/* ERR_NOT_FOUND where there is none. */
NODISCARD enum status key_file_load(const char *path, struct arena *a, struct key_file *ret,
                                    struct error *err);
/* Readable by its owner only. When root writes it, it is given to the owner of the earlier file, or else of its
 * folder. */
NODISCARD enum status key_file_save(const char *path, const struct key_file *f, struct error *err);
/* The lock under which the file may be loaded, changed and saved; close(*ret_fd) releases it. Waits for other
 * holders. */
NODISCARD enum status key_file_lock(const char *path, int *ret_fd, struct error *err);

/* A fresh id and secret; *row gets the id and the secret's digest. Wipe the secret after showing it. */
NODISCARD enum status key_secret_make(struct arena *a, struct key_row *row,
                                      char secret[KEY_SECRET_BYTES], struct error *err);
/* "2026-12-31" (its first second, UTC) or "2026-12-31T08:00:00Z". ERR_INPUT. */
NODISCARD enum status key_time_parse(struct str text, int64_t *ret_ms);
void key_time_write(struct buf *out, int64_t ms); /* "2026-12-31T08:00:00Z" */
