/* Which model file is in force, and which was before: PATH and PATH.previous. Where one of the two is missing, the
 * prior was, or is, in force (prior/prior.h). Changes are renames: whenever the process is killed, a whole model stands
 * at PATH or, where the prior is in force, nothing. A gateway sees the change by itself (serve/reload.h). */
#pragma once

#include "train/model_edit.h"
#include "train/train.h"

enum publish_change {
    PUBLISH_SAME, /* the model in force has these very bytes: nothing was touched, PATH.previous neither */
    PUBLISH_FIRST,    /* the prior was in force */
    PUBLISH_REPLACED, /* another model was, which is PATH.previous now */
};

/* Whether a model could be put in force: the folder is there and may be written, and what is in force can be read, for
 * it is compared with. To be asked before anything is paid for. */
NODISCARD enum status publish_check(const char *path, struct error *err);

/* Puts a trained model in force. */
NODISCARD enum status publish_write(const struct trained *t, const char *path,
                                    enum publish_change *ret, struct error *err);

/* The same for a model that was loaded and edited (train/model_edit.h). */
NODISCARD enum status publish_edited(const struct model *m, const struct model_edit *edit,
                                     const char *path, enum publish_change *ret, struct error *err);

/* The same for a model file, of a run's round perhaps: its bytes are copied. What cannot be loaded is not published,
 * and nothing was touched then. */
NODISCARD enum status publish_copy(const char *from, const char *path, enum publish_change *ret,
                                   struct error *err);

enum rollback_change {
    ROLLBACK_TO_PREVIOUS, /* the two files have changed places */
    ROLLBACK_TO_PRIOR,    /* there was none before: PATH is PATH.previous now */
    ROLLBACK_FROM_PRIOR,  /* and back again */
};

/* Puts the one before in force, and keeps the one that was: a second time undoes the first. ERR_NOT_FOUND: there is
 * neither file. ERR_CORRUPT and the like: what would be in force cannot be loaded; nothing was touched. */
NODISCARD enum status publish_rollback(const char *path, enum rollback_change *ret,
                                       struct error *err);
