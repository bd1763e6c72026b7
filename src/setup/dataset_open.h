/* A data set for a command: loaded, with prices of the catalogue where neither experts.csv nor the costs say any, and
 * a line for everything that was passed over or found out. */
#pragma once

#include <stdio.h>

#include "data/dataset.h"

/* As dataset_load with DATASET_ALL. The lines go to `notes`. */
NODISCARD enum status dataset_open(const char *command, const char *path, FILE *notes,
                                   struct dataset **ret, struct error *err);
/* The same for whatever has questions: a data set with outcomes; a folder with queries alone; a file of results; or one
 * of queries. */
NODISCARD enum status dataset_open_any(const char *command, const char *path, FILE *notes,
                                       struct dataset **ret, struct error *err);
