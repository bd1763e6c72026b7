/* A handler of SIGBUS and a table of the maps that it mends.
 *
 * The handler runs on whichever thread has touched the page and uses the table, a spin lock and mmap() alone. A page is
 * replaced once: a second thread that has faulted on it meanwhile finds its bit set and only tries again. A SIGBUS that
 * belongs to no guarded map gets the handler that was there before, and is raised again. */
#include "base/map_guard.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define NAME_BYTES 256

struct map_guard {
    uintptr_t from, to;
    size_t page;
    char name[NAME_BYTES];
    atomic_bool cut, told;
    unsigned char *replaced; /* a bit for each page; under the spin lock */
};

static struct map_guard *_Atomic guards[MAP_GUARDS_MAX];
static atomic_flag busy = ATOMIC_FLAG_INIT;
static struct sigaction before;

static struct map_guard *guard_of(uintptr_t address)
{
    for (size_t i = 0; i < MAP_GUARDS_MAX; i++) {
        struct map_guard *g = atomic_load(&guards[i]);
        if (g && address >= g->from && address < g->to)
            return g;
    }
    return NULL;
}

static bool replace(struct map_guard *g, uintptr_t address)
{
    size_t page = (address - g->from) / g->page;
    unsigned char bit = (unsigned char)(1u << page % 8);
    bool good = true;
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire))
        ;
    if (!(g->replaced[page / 8] & bit)) {
        void *at = (void *)(g->from + page * g->page);
        good = mmap(at, g->page, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0) == at;
        g->replaced[page / 8] |= bit;
    }
    atomic_flag_clear_explicit(&busy, memory_order_release);
    atomic_store(&g->cut, true);
    return good;
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    uintptr_t address = (uintptr_t)info->si_addr;
    struct map_guard *g = guard_of(address);
    (void)context;
    if (!g || !replace(g, address))
        (void)sigaction(number, &before, NULL);
}

static void watch(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    action.sa_sigaction = on_bus_error;
    (void)sigaction(SIGBUS, &action, &before);
}

static bool enter(struct map_guard *g)
{
    for (size_t i = 0; i < MAP_GUARDS_MAX; i++) {
        struct map_guard *none = NULL;
        if (atomic_compare_exchange_strong(&guards[i], &none, g))
            return true;
    }
    return false;
}

enum status map_guard_begin(void *map, size_t len, const char *name, struct map_guard **ret,
                            struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct map_guard *g = calloc(1, sizeof(*g));
    pthread_once(&once, watch);
    if (g) {
        g->page = (size_t)sysconf(_SC_PAGESIZE);
        g->from = (uintptr_t)map;
        g->to = g->from + len;
        g->replaced = calloc(len / g->page / 8 + 1, 1);
        snprintf(g->name, sizeof(g->name), "%s", name);
    }
    if (!g || !g->replaced || !enter(g)) {
        if (g)
            free(g->replaced);
        free(g);
        return error_set(err, ERR_MEMORY, "out of memory for %s", name);
    }
    *ret = g;
    return OK;
}

void map_guard_end(struct map_guard *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < MAP_GUARDS_MAX; i++) {
        struct map_guard *own = g;
        atomic_compare_exchange_strong(&guards[i], &own, NULL);
    }
    free(g->replaced);
    free(g);
}

bool map_guard_is_cut(const struct map_guard *g)
{
    return atomic_load(&g->cut);
}

void map_guards_tell(void (*say)(const char *name))
{
    for (size_t i = 0; i < MAP_GUARDS_MAX; i++) {
        struct map_guard *g = atomic_load(&guards[i]);
        if (g && atomic_load(&g->cut) && !atomic_exchange(&g->told, true))
            say(g->name);
    }
}
