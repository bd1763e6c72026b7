/* The store of an option or of a configuration: see ledger_store.h. */
#include "setup/ledger_store.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"

/* Copied, as it goes with the configuration. */
enum status setup_ledger_store(const char *config, const char *ledger, char **ret,
                               struct error *err)
{
    struct config *c = NULL;
    const char *store = ledger;
    enum status status = store ? OK : config_load_without_secrets(config, &c, err);
    if (status != OK)
        return status;
    if (!store)
        store = c->ledger.store;
    if (!store)
        status = error_set(err, ERR_INPUT,
                           "%s names no ledger: give it a state_dir or ledger.store (and set the "
                           "variable that it names), or use --ledger",
                           config);
    char *copy = store ? strdup(store) : NULL;
    if (store && !copy)
        status = error_set(err, ERR_MEMORY, "out of memory");
    config_free(c);
    if (status == OK)
        *ret = copy;
    return status;
}
