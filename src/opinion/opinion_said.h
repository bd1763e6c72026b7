/* What a language model's reply to the prompt says, in numbers: the dense half of the encoder of opinions, and what a
 * source makes of it (predict/opinion_source.c). Pure; log-probabilities are natural. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A row is [labels] log-probabilities of the experts' labels among themselves, then these: */
enum opinion_certainty {
    OPINION_ENTROPY,     /* over the labels, as a share of the largest there can be */
    OPINION_MASS,        /* log-probability that the reply is a label at all */
    OPINION_SURPRISE,    /* mean of -log p over the question's tokens; 0: not known */
    OPINION_HAS_CHOICES, /* 1: the next three are known */
    OPINION_CHOICE_ENTROPY,
    OPINION_CHOICE_TOP, /* log-probability of the likeliest choice among the choices */
    OPINION_CHOICE_MASS,
    OPINION_CERTAINTIES
};

static inline size_t opinion_width(size_t labels)
{
    return labels + OPINION_CERTAINTIES;
}

/* No log-probability is below, so that what a source learns stays finite. */
#define OPINION_LOGPROB_MIN (-30.0f)

/* said[count] log-probabilities of next tokens, of the vocabulary's whole; NAN: not told. What is not told shares what
 * is left of the probability (1 - told), and is no likelier than `least`, the least likely that was told. Then:
 * normalised into out[count], *entropy as a share of log(count), and *mass. Nothing told of any: all alike, entropy 1,
 * the least mass. */
void opinion_normalise(const float *said, size_t count, double told, double least, float *out,
                       float *ret_entropy, float *ret_mass);

/* The same of all logits of a vocabulary: tokens[count] are the labels. */
void opinion_of_logits(const float *logits, size_t vocabulary, const int *tokens, size_t count,
                       float *out, float *ret_entropy, float *ret_mass);

/* How many choices a text ends with, as query_prompt writes them: lines "A. …", "B. …" to the end; below 2: none. */
size_t opinion_choices(const char *text, size_t len);
