#define _POSIX_C_SOURCE 200809L /* clock_gettime, gmtime_r */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void orr_clock_timestamp(char out[ORR_TIMESTAMP_SIZE]) {
    struct timespec now;
    struct tm utc;
    char text[64];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", utc.tm_year + 1900, utc.tm_mon + 1,
                   utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, now.tv_nsec / 1000);
    memcpy(out, text, ORR_TIMESTAMP_SIZE - 1);
    out[ORR_TIMESTAMP_SIZE - 1] = '\0';
}
