/* What scripts/embed puts into the program: the bytes of examples/check_awk.sh. */
#pragma once

extern const char leeroo_check_script[], leeroo_check_script_end[];
