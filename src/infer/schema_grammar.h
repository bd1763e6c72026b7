/* JSON schemas → a grammar in GBNF, which llama.cpp samples by. Every text of the grammar is valid JSON that the
 * schema accepts; not every such text is in it: members come in the order in which `properties` lists them, members
 * that it does not list are left out, and there are few blanks. What cannot be kept to is refused, with the place
 * where it stands, so that no answer is ever against the schema in silence. oneOf is read as anyOf.
 *
 * By JSON Schema 2020-12 (json-schema.org/specification); GBNF as in llama.cpp's grammars/README.md. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

#define SCHEMA_DEPTH_MAX      32
#define SCHEMA_RULES_MAX      2048
#define SCHEMA_PROPERTIES_MAX 256
#define SCHEMA_REPEATS_MAX    2000 /* llama.cpp takes no more */
#define SCHEMA_TEXT_BYTES_MAX (256u << 10)

struct schema_known;

struct schema_grammar { /* being written */
    struct buf *out;
    struct arena *arena;
    struct json_value root;     /* of the schema that is being added; where "#" points to */
    struct schema_known *known; /* rules of schemas, so that they may name themselves */
    unsigned rules;
};

/* `arena` and `out` outlive it. */
void schema_grammar_begin(struct schema_grammar *g, struct arena *arena, struct buf *out);
/* Adds what `rule` stands for: a text of letters, digits and '-' that begins with none of "r0" to "r9". `schema`
 * true: any value. ERR_INPUT, ERR_UNSUPPORTED: "PLACE#/properties/x: ..."; ERR_TOO_LARGE. */
NODISCARD enum status schema_grammar_add(struct schema_grammar *g, const char *rule,
                                         struct json_value schema, const char *place,
                                         struct error *err);
/* Adds what all of them stand on; "value", "object" and "ws" are among it. Look at buf_status(out) afterwards. */
void schema_grammar_end(struct schema_grammar *g);

/* A text as GBNF has it, in quotes. */
void schema_literal_write(struct buf *out, struct str text);
