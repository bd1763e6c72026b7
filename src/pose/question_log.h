/* What became of every question, round by round, in two files of a run's folder:
 *
 *     dropped.jsonl   {"round","id","reason","why","text","choices"}    round 0: before the first
 *     posed.jsonl     {"round","id","source","kind","level","rationale"}
 *
 * A round that is begun again is written again: its lines take the place of those that it had. Each file appears whole
 * or not at all. Belongs to one thread. */
#pragma once

#include "base/map.h"
#include "pose/drop.h"
#include "pose/posed.h"

#define QUESTION_LOG_BYTES_MAX (UINT64_C(1) << 30)
#define QUESTION_LOG_LINES_MAX (UINT32_C(4) << 20)
#define QUESTION_LOG_TEXT_MAX  8192 /* of what was dropped, kept; what is longer is cut */

struct question_drop {
    size_t round;
    enum drop_reason reason;
    struct query query; /* id, text, choices; its text may be no question */
    struct str why;
};

struct question_pose {
    size_t round;
    struct str id, rationale;
    enum posed_source source;
    enum posed_kind kind;
    unsigned level;
};

struct question_log {
    struct arena *arena;
    const char *folder; /* NULL: memory only */
    struct question_drop *drops;
    struct question_pose *poses;
    size_t drop_count, drop_capacity, pose_count, pose_capacity;
    struct map *ids; /* of the poses → their level */
    struct drop_counts sum;
    size_t round; /* that is being written */
};

/* An empty log, in round 0. `folder` must outlive it. */
NODISCARD enum status question_log_open(struct question_log *l, const char *folder,
                                        struct error *err);
/* Adds what the files have of rounds from 1 on: those of round 0 are found anew by every process. ERR_CORRUPT: a line
 * that no log has written. */
NODISCARD enum status question_log_read(struct question_log *l, struct error *err);
void question_log_close(struct question_log *l); /* of one that was never opened, all zero, too */
/* Forgets what the log has of this round and of later ones. */
void question_log_begin(struct question_log *l, size_t round);
/* Both copy. */
NODISCARD enum status question_log_drop(struct question_log *l, const struct query *q,
                                        enum drop_reason reason, struct str why, struct error *err);
NODISCARD enum status question_log_pose(struct question_log *l, const struct posed *p,
                                        struct error *err);
/* 0: not known. */
unsigned question_log_level(const struct question_log *l, struct str id);
/* Writes both files. */
NODISCARD enum status question_log_commit(const struct question_log *l, struct error *err);

/* One line of each, for their tests and fuzzing; texts live in `a`. ERR_INPUT. */
NODISCARD enum status question_drop_parse(struct str line, const char *place, size_t number,
                                          struct arena *a, struct question_drop *ret,
                                          struct error *err);
NODISCARD enum status question_pose_parse(struct str line, const char *place, size_t number,
                                          struct arena *a, struct question_pose *ret,
                                          struct error *err);
