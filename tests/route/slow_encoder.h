/* An encoder that answers when a test lets it. It says what n-grams say, so that a model of theirs may have it. */
#pragma once

#include <semaphore.h>

#include "predict/model.h"

/* From now on the model's estimates come later. Before anybody else uses the model. */
void slow_encoder_put(struct model *m);

extern sem_t slow_encoder_begun, slow_encoder_cancelled; /* a post each */
size_t slow_encoder_pending(void);
/* The one that has waited longest has its answer. On the thread that began. */
void slow_encoder_answer(enum status status);
