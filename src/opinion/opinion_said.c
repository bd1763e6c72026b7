/* Log-probabilities into a row: see opinion_said.h. */
#include "opinion/opinion_said.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "opinion/opinion_prompt.h"

#define LABELS_MAX  OPINION_EXPERTS_MAX
#define CHOICES_MAX 26

static double clamped(double logprob)
{
    return logprob > (double)OPINION_LOGPROB_MIN ? logprob : (double)OPINION_LOGPROB_MIN;
}

/* z[count], all finite. */
static void normalise(const double *z, size_t count, float *out, float *ret_entropy,
                      float *ret_mass)
{
    double highest = z[0], sum = 0, entropy = 0;
    for (size_t i = 1; i < count; i++)
        highest = z[i] > highest ? z[i] : highest;
    for (size_t i = 0; i < count; i++)
        sum += exp(z[i] - highest);
    double total = highest + log(sum);
    for (size_t i = 0; i < count; i++) {
        double logprob = z[i] - total;
        entropy -= exp(logprob) * logprob;
        out[i] = (float)clamped(logprob);
    }
    *ret_entropy = count > 1 ? (float)(entropy / log((double)count)) : 0;
    *ret_mass = (float)clamped(total < 0 ? total : 0);
}

void opinion_normalise(const float *said, size_t count, double told, double least, float *out,
                       float *ret_entropy, float *ret_mass)
{
    double z[LABELS_MAX];
    size_t unknown = 0;
    CHECK(count > 0 && count <= LABELS_MAX);
    for (size_t i = 0; i < count; i++)
        unknown += said[i] != said[i];
    double left = told < 1 ? 1 - told : 0;
    double each = unknown ? fmin(left / (double)unknown, exp(least)) : 0;
    for (size_t i = 0; i < count; i++)
        z[i] = clamped(said[i] == said[i] ? (double)said[i] : log(each));
    normalise(z, count, out, ret_entropy, ret_mass);
    if (unknown == count)
        *ret_mass = OPINION_LOGPROB_MIN;
}

void opinion_of_logits(const float *logits, size_t vocabulary, const int *tokens, size_t count,
                       float *out, float *ret_entropy, float *ret_mass)
{
    double z[LABELS_MAX], sum = 0;
    float highest = -INFINITY;
    CHECK(count > 0 && count <= LABELS_MAX);
    for (size_t i = 0; i < vocabulary; i++)
        highest = logits[i] > highest ? logits[i] : highest;
    for (size_t i = 0; i < vocabulary; i++)
        sum += (double)expf(logits[i] - highest);
    double total = (double)highest + log(sum);
    for (size_t i = 0; i < count; i++)
        z[i] = clamped((double)logits[tokens[i]] - total);
    normalise(z, count, out, ret_entropy, ret_mass);
}

/* Where the line of the choice with that letter begins, at or after `from`. */
static const char *find_choice(const char *from, const char *end, char letter)
{
    for (const char *at = from; at && at + 4 <= end;
         at = memchr(at + 1, '\n', (size_t)(end - at - 1)))
        if (at[0] == '\n' && at[1] == letter && at[2] == '.' && at[3] == ' ')
            return at;
    return NULL;
}

size_t opinion_choices(const char *text, size_t len)
{
    const char *end = text + len, *at = text;
    size_t count = 0;
    while (count < CHOICES_MAX && at < end &&
           (at = find_choice(at, end, (char)('A' + count))) != NULL) {
        count++;
        at++;
    }
    return count < 2 ? 0 : count;
}
