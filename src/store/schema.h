/* The text of schema.sql, as the build embeds it. */
#ifndef ORR_STORE_SCHEMA_H
#define ORR_STORE_SCHEMA_H

extern const char orr_store_schema[];

#endif
