/* Threads beside the one that takes the signals. */
#pragma once

#include <pthread.h>

#include "base/error.h"

/* All signals stay with the threads there are, whose loop expects them. ERR_IO; *ret is set on success only. */
NODISCARD enum status thread_start(pthread_t *ret, void *(*run)(void *), void *arg,
                                   struct error *err);
