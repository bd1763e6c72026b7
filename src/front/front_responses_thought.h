/* Private to front_responses*.c: what an expert thought, on its way to the client and back. The client gets a reasoning
 * item with the text as its summary and with encrypted_content, an opaque text that it sends back: a mark
 * (dialect/reasoning_mark.h) that says which expert thought it, and behind it what else that expert wants back:
 *
 *     nothing           the text came as `reasoning_content`
 *     .reasoning        it came as `reasoning`
 *     {...}             an object of what came beside it: `as` for its name, `thinking_blocks` (Anthropic's, signed),
 *                       `reasoning_details` (OpenRouter's), or `extra_content` of the call that follows (Gemini's)
 *
 * In the history it becomes the members of the assistant's message again, under the same names, with the expert's name
 * in `reasoning_origin`, so that the dialects give it to no other. The mark's name is empty for what a vendor signed
 * itself (dialect.h: signs_thinking). */
#pragma once

#include "front/front_responses_int.h"

struct responses_carry { /* what comes beside a text */
    bool as_reasoning;
    struct buf blocks, details; /* items of lists, with commas between */
    size_t blocks_text;         /* how much of the text is in the blocks */
    struct json_value extra;    /* of the next call */
};

void responses_carry_init(struct responses_carry *c, size_t limit);
void responses_carry_done(struct responses_carry *c);
/* Takes what a message or delta brings. `text`: what was thought until now, for signatures without their text. */
void responses_carry_read(struct responses_carry *c, struct json_value message, struct str text);
bool responses_carry_is_filled(const struct responses_carry *c);
/* The encrypted_content, as the inside of a JSON string; nothing where the expert is not known. */
void responses_carry_write(const struct front_context *context, const struct responses_carry *c,
                           struct buf *out);

struct responses_thought { /* gathered from the items of one turn, for its message */
    bool known;            /* some item said where it came from */
    struct str origin;     /* decoded */
    bool as_reasoning;
    struct buf text, blocks, details;
    struct json_value extra; /* of the next call; JSON_NONE: none */
};

void responses_thought_init(struct responses_thought *t, size_t limit);
void responses_thought_done(struct responses_thought *t);
void responses_thought_clear(struct responses_thought *t);
/* Adds a reasoning item. What has no mark of ours is left out and named; of several experts the first stands. */
NODISCARD enum status responses_thought_read(struct front_reader *x, struct json_value item,
                                             struct responses_thought *t);
/* As members of the message, each with a comma in front, and clears it. */
void responses_thought_write(struct responses_thought *t, struct buf *out);
