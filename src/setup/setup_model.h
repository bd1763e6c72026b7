/* The model that a configuration is served by: its file, or where there is none yet, what is known of its experts
 * beforehand (prior/prior.h). */
#pragma once

#include "config/config.h"
#include "predict/model.h"

/* The file that the configuration names; else the one that `leeroo play` has published beside it; else a prior over its
 * experts. Experts that the file does not know are placed by the same prior. What was placed is noted in
 * config->placed. ERR_INPUT names the configuration's place where an expert cannot be placed. */
NODISCARD enum status setup_model(struct config *config, struct model **ret, struct error *err);
