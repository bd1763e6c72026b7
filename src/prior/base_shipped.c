/* The base model that was compiled in: base_bytes.S, which src/prior/meson.build makes of data/base-model. */
#include "prior/base_bytes.h"
#include "prior/base_file.h"

struct str base_shipped(void)
{
    return (struct str){leeroo_base_bytes, (size_t)(leeroo_base_bytes_end - leeroo_base_bytes)};
}
