/* Names shared by the writer and the reader of model files (docs/model-file.md). */
#pragma once

#include <stdint.h>

#include "base/str.h"

#define MODEL_FORMAT    "leeroo-orchestrator"
#define MODEL_VERSION   "5"
#define CHECKSUM_DIGITS 16

/* Hash of the whole file with the checksum's digits read as '0'. `digits` is their place inside `header`. */
uint64_t model_file_checksum(struct str header, const char *digits, struct str data);
