/* Trying the encoders of a configuration: each reads a sentence. */
#pragma once

#include "config/config.h"
#include "predict/model.h"
#include "reader/encoder_open.h"

struct check_encoder {
    const char *name, *where; /* a path or a URL */
    bool used;                /* the model was trained with it */
    bool tried;               /* else it is an endpoint, and nobody was to be asked */
    enum status status;       /* of the trial */
    char text[400];           /* what went wrong, beginning with `where` */
    size_t width;             /* numbers of a vector */
    double ms;                /* for a sentence, once it was warm */
    uint64_t file_bytes;      /* of a GGUF file; 0: there is none */
};

/* Into list[ENCODERS_NAMED_MAX]; returns how many. `connect`: endpoints are asked, too. Names are the configuration's.
 * Blocks while files are read. */
size_t check_encoders(const struct config *config, const struct model *model, bool connect,
                      struct check_encoder *list);

/* Memory of this process, in bytes, where it has a language model loaded, of an encoder or an expert; else 0. */
uint64_t check_memory(const struct config *config);
