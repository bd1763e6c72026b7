/* What scripts/embed puts into the program: the bytes of data/base-model. */
#pragma once

extern const char leeroo_base_bytes[], leeroo_base_bytes_end[];
