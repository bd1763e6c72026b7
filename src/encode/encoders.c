/* Which encoders there are. */
#include <stddef.h>

#include "encode/encode.h"
#include "encode/ngram_encoder.h"

#define REGISTERED_MAX 8

static const struct encoder *const rows[] = {
    &ngram_encoder,
};

/* What a program added, before it had threads. */
static const struct encoder *registered[REGISTERED_MAX];
static size_t registered_count;

const struct encoder *encoder_named(struct str name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (str_equal(name, str_from(rows[i]->name)))
            return rows[i];
    for (size_t i = 0; i < registered_count; i++)
        if (str_equal(name, str_from(registered[i]->name)))
            return registered[i];
    return NULL;
}

enum status encoder_register(const struct encoder *e, struct error *err)
{
    if (encoder_named(str_from(e->name)))
        return error_set(err, ERR_INPUT, "there is an encoder '%s' already", e->name);
    if (registered_count == REGISTERED_MAX)
        return error_set(err, ERR_INPUT, "more than %d encoders", REGISTERED_MAX);
    registered[registered_count++] = e;
    return OK;
}

static encoder_opener *opens;
static encoder_closer *closes;

void encoder_open_by(encoder_opener *opener, encoder_closer *closer)
{
    opens = opener;
    closes = closer;
}

void encoder_close_foreign(const struct encoder *e)
{
    closes(e);
}

enum status encoder_open_foreign(struct str name, struct str fingerprint, struct str spec,
                                 const struct encoder **ret, struct error *err)
{
    if (opens)
        return opens(name, fingerprint, spec, ret, err);
    return error_set(err, ERR_UNSUPPORTED,
                     "encoder '%.*s' is a language model, which only the program leeroo can ask: "
                     "train a model without it",
                     STR_FMT(str_slice(name, 0, 60)));
}

const char *encode_silence_name(enum encode_silence why)
{
    static const char *const names[] = {[ENCODE_SPOKE] = "spoke",
                                        [ENCODE_LATE] = "late",
                                        [ENCODE_FULL] = "full",
                                        [ENCODE_FAILED] = "failed"};
    return names[why];
}
