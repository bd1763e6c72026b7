/* The encoders that this process has open: each once, whoever asks for it and how often a configuration is read again,
 * until everybody has closed it. Any thread.
 *
 * A model file names the encoders that it was trained with: their specs and fingerprints. encoder_open_of_model opens
 * them for model_load (encode.h's encoder_opener). Where a configuration has an encoder of that name, or of that file,
 * the configuration says where it is, how it is asked and how long requests wait; the fingerprint must be the model's
 * all the same. An endpoint that no configuration names is not told any text by a gateway, and no key but
 * $LEEROO_ENCODER_KEY by a command: a model file comes from elsewhere. */
#pragma once

#include "reader/encoder_spec.h"

#define ENCODERS_OPEN_MAX    16
#define ENCODERS_NAMED_MAX   16 /* of a configuration */
#define ENCODER_KEY_VARIABLE "LEEROO_ENCODER_KEY"

/* Opens it, or finds it open and puts its limits in force. Blocks. *ret stays until it is closed. */
NODISCARD enum status encoder_open(const struct encoder_spec *s, const struct encoder **ret,
                                   struct error *err);

/* What a configuration names, from now on; copied. `place` is its name, for messages; `only`: no other endpoint is to
 * be asked. ERR_MEMORY: as before. */
NODISCARD enum status encoders_name(const struct encoder_spec *specs, size_t count,
                                    const char *place, bool only, struct error *err);

/* An encoder_opener. ERR_UNSUPPORTED, ERR_NOT_FOUND, ERR_CORRUPT: with what to do about it. */
NODISCARD enum status encoder_open_of_model(struct str name, struct str fingerprint,
                                            struct str spec, const struct encoder **ret,
                                            struct error *err);

/* Ends what one of the two above gave, when no task of it runs any more. Never waits. Its threads, its memory and what
 * it was said to have said go when another encoder is opened. */
void encoder_close(const struct encoder *e);

struct encoder_reading {
    char name[ENCODER_NAME_MAX + 1];
    uint64_t place; /* how many were opened before it */
    struct late_reading late;
};
/* Those that are open: into list[ENCODERS_OPEN_MAX]; returns how many. Never waits for one that is being opened. */
size_t encoders_read(struct encoder_reading *list);
