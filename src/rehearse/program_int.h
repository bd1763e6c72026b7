/* The tables of rehearse/program.h, one a level. */
#pragma once

#include "rehearse/program.h"

extern const struct program_family program_simple_families[], program_middle_families[],
    program_hard_families[];
extern const size_t program_simple_family_count, program_middle_family_count,
    program_hard_family_count;
