/* What `leeroo check` has found, for people and for programs. */
#pragma once

#include <stdio.h>

#include "setup/check_connect.h"
#include "setup/check_encoders.h"
#include "setup/check_start.h"
#include "setup/check_verify.h"
#include "setup/page_reach.h"
#include "setup/setup.h"

#define CHECK_WARNINGS_MAX (CONFIG_POLICIES_MAX + CONFIG_EXPERTS_MAX + ENCODERS_NAMED_MAX + 16)

struct check_found {
    const char *path;
    const struct config *config; /* NULL: `problems` says why */
    const struct model *model;
    struct problems problems; /* all that keeps `serve` from starting, or from what it is for */
    struct check_start start; /* where `problems` has nothing from before it */
    struct setup_warning warnings[CHECK_WARNINGS_MAX];
    size_t warning_count;
    struct check_encoder encoders[ENCODERS_NAMED_MAX];
    size_t encoder_count;
    struct check_verify verify[CONFIG_POLICIES_MAX];
    size_t verify_count;
    struct page_reach page;
    const struct check_reply *replies; /* [expert_count]; NULL: nobody was asked */
    bool asked;                        /* all that were asked could be */
    bool fine;                         /* nothing must be mended */
    uint64_t memory_bytes;             /* check_memory */
};

void check_print_text(const struct check_found *f, FILE *out);
void check_print_json(const struct check_found *f, FILE *out);
