/* As many file descriptors as the system lets us have. */
#include "setup/file_limit.h"

#include <sys/resource.h>

#include "base/log.h"

void file_limit_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_event(LOG_WARN, "cannot raise the limit of open files", "limit=%llu",
                  (unsigned long long)limit.rlim_cur);
}
