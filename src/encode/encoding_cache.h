/* What an encoder said of texts, kept on disk: a language model takes minutes for some thousand texts, and whoever
 * trains again asks the same. One file for each fingerprint of an encoder, for dense halves alone; a file that is
 * damaged, or of another encoder, is left unread and written anew. For training, not for a request: nothing here is
 * quick. */
#pragma once

#include "encode/encode.h"

#define ENCODING_CACHE_BYTES_MAX                                                                   \
    ((size_t)1 << 30) /* of a file: what was not asked for lately goes */

/* dense [count × dense_count] of texts[count], as e->encode_many fills it: of the file in `folder` where it is there,
 * of the encoder where it is not, and then of the file next time; what is done is kept also where the encoder fails or
 * is stopped. Equal texts are asked once. The folder is made where there is none; `folder` NULL: nothing is kept.
 * `progress` counts the texts that are done, those of the file among them. Where the file cannot be written there is a
 * line in the log, and no failure. */
NODISCARD enum status encoding_cache_encode(const char *folder, const struct encoder *e,
                                            const struct str *texts, size_t count, float *dense,
                                            encode_progress *progress, void *arg,
                                            struct error *err);

/* A file's bytes: its keys (two hashes of each text) and its rows. Nothing is trusted. */
struct encoding_file {
    size_t dims, count;
    const unsigned char *keys; /* [count × ENCODING_KEY_BYTES] */
    const unsigned char *rows; /* [count × dims] floats, little-endian, not aligned */
};
#define ENCODING_KEY_BYTES 16
/* ERR_CORRUPT: damaged, or of another encoder than the one with this fingerprint and so many numbers. */
NODISCARD enum status encoding_file_read(struct str bytes, struct str fingerprint, size_t dims,
                                         struct encoding_file *ret, struct error *err);
