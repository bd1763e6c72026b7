/* Room for as many connections as the system allows this process; a server's soft limit is often 1,024. */
#pragma once

void file_limit_raise(void); /* warns in the log when it cannot */
