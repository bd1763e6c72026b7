/* What systemd is told of a service with Type=notify: ready, reloading, stopping (sd_notify(3)). Without
 * $NOTIFY_SOCKET each does nothing. Any thread; a datagram that cannot be sent at once is given up. */
#pragma once

void notify_ready(void);
void notify_reloading(void); /* notify_ready() ends it */
void notify_stopping(void);
void notify_alive(void); /* of a watchdog */
/* How often notify_alive is wanted, in milliseconds: half of $WATCHDOG_USEC; 0: not at all. */
unsigned notify_alive_period_ms(void);
