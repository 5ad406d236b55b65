/* Time of day for records, and a clock that never runs backwards for durations. */
#ifndef ORR_BASE_CLOCK_H
#define ORR_BASE_CLOCK_H

enum { ORR_TIMESTAMP_SIZE = 28 };

/* "2025-01-31T12:34:56.123456Z" */
void orr_clock_timestamp(char out[ORR_TIMESTAMP_SIZE]);
double orr_clock_seconds(void);

#endif
