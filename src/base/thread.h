/* Threads beside the one that takes the signals. */
#pragma once

#include <pthread.h>

#include "base/error.h"

/* Starts a thread that receives no signals: they stay with the existing threads, whose loop expects them. ERR_IO. */
NODISCARD enum status thread_start(pthread_t *ret, void *(*run)(void *), void *arg,
                                   struct error *err);
